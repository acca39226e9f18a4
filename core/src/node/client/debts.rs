//! What the client owes its checkers, and paying it.

use crate::keys::NodeId;
use crate::node::base::Base;
use crate::node::payments::{Payments, Side};
use crate::node::record::{COUNTED_ANSWERS, CheckDebt, Record};
use crate::primitives::{Amount, BoundedVec, Hash256, Time, Wtxid};
use crate::process::{Event, Output, Outputs};
use crate::script::key_hash_script;
use crate::tx::TxOut;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Fees are collected for this long, so that one transaction pays for several checks.
const PAY_AFTER_MS: u64 = 300_000;
/// Most checkers that one transaction pays.
const PAYEES: usize = 16;

/// Fees owed and paid, by checker.
pub(super) struct Debts {
    payments: Payments,
    debts: BTreeMap<NodeId, CheckDebt>,
    /// The payment that is on its way.
    sent: Option<Wtxid>,
    /// Since when something is due.
    due_since: Option<Time>,
}

impl Debts {
    pub(super) fn new(base: &Base) -> Self {
        Self {
            payments: Payments::new(base.id(), Side::Payer, &base.chain),
            debts: BTreeMap::new(),
            sent: None,
            due_since: None,
        }
    }

    pub(super) fn restore(&mut self, debt: CheckDebt) {
        self.debts.insert(debt.checker, debt);
    }

    /// Owes `fee` for the answer to `request`, once.
    pub(super) fn owe(&mut self, checker: NodeId, request: Hash256, fee: Amount, out: &mut Outputs) {
        let debt = self.debts.entry(checker).or_insert_with(|| CheckDebt {
            checker,
            owed: Amount::ZERO,
            counted: BoundedVec::new(),
        });
        if debt.counted.contains(&request) {
            return;
        }
        let surplus = (debt.counted.len() + 1).saturating_sub(COUNTED_ANSWERS);
        let counted = debt.counted.iter().skip(surplus).copied().chain([request]);
        debt.counted = BoundedVec::from_vec(counted.collect()).unwrap_or_default();
        debt.owed = debt.owed.checked_add(fee).unwrap_or(Amount::MAX);
        persist(debt, out);
    }

    /// Owes a checker that was caught nothing any more.
    pub(super) fn forgive(&mut self, checker: &NodeId, out: &mut Outputs) {
        let due = self.due(checker);
        if let Some(debt) = self.debts.get_mut(checker)
            && let (false, Some(rest)) = (due.is_zero(), debt.owed.checked_sub(due))
        {
            debt.owed = rest;
            persist(debt, out);
        }
    }

    fn due(&self, checker: &NodeId) -> Amount {
        let owed = self.debts.get(checker).map_or(Amount::ZERO, |debt| debt.owed);
        owed.checked_sub(self.payments.sum(checker))
            .unwrap_or(Amount::ZERO)
    }

    /// Somebody will do nothing more before it is paid: do not wait for more fees to collect.
    pub(super) fn hurry(&mut self) {
        if self.due_since.is_some() {
            self.due_since = Some(Time(0));
        }
    }

    /// Pays when it is time to.
    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        self.payments.follow(&base.chain);
        let waits = self.sent.is_some_and(|sent| base.mempool.get(&sent).is_some());
        let due: Vec<(NodeId, Amount)> = self
            .debts
            .keys()
            .map(|checker| (*checker, self.due(checker)))
            // What is dust goes out when more has come together.
            .filter(|debt| !base.mempool.is_dust(&payment_to(debt)))
            .take(PAYEES)
            .collect();
        if waits || due.is_empty() {
            self.due_since = None;
            return;
        }
        let since = *self.due_since.get_or_insert(now);
        if now >= since.after_ms(PAY_AFTER_MS) {
            self.pay(base, now, &due, out);
        }
    }

    /// Without coins, or if the mempool refuses, it is tried again the next time.
    fn pay(&mut self, base: &mut Base, now: Time, due: &[(NodeId, Amount)], out: &mut Outputs) {
        let outputs: Vec<TxOut> = due.iter().map(payment_to).collect();
        let (key, ledger) = (&base.config.key, base.chain.ledger());
        let Some(payment) = base.purse.transfer(key, ledger, &base.mempool, &outputs, None) else {
            return;
        };
        let (wtxid, amount) = (
            payment.wtxid(),
            Amount::checked_sum(due.iter().map(|(_, due)| *due)),
        );
        if base.submit(now, payment, out).is_ok() {
            self.sent = Some(wtxid);
            let amount = amount.unwrap_or(Amount::MAX);
            out.event(Event::ChecksPaid { amount });
        }
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let debts: Vec<_> = self.debts.values().collect();
        (debts, self.sent, self.due_since, self.payments.state())
    }
}

fn payment_to((checker, due): &(NodeId, Amount)) -> TxOut {
    TxOut::to_script(*due, key_hash_script(&checker.0))
}

fn persist(debt: &CheckDebt, out: &mut Outputs) {
    let record = Record::CheckDebt(Box::new(debt.clone()));
    out.push(Output::Persist(Box::new(record)));
}
