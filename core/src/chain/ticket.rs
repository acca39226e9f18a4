//! What a transaction's action does to a verifier's ticket, and what a committee does to it.

use super::action::require_seq;
use super::transaction::{Application, Result, TransactionError};
use crate::committee::{Registration, Ticket, unbond_check};
use crate::keys::Signature;
use crate::primitives::{Amount, Height, Txid, tagged_hash};
use crate::script::key_hash_script;
use crate::tx::{ActionKind, Lock, OutPoint, TxOut};
use alloc::borrow::Cow;

impl Application<'_, '_, '_> {
    pub(super) fn act_on_ticket(&mut self, seq: u32, kind: &ActionKind) -> Result<Amount> {
        match kind {
            ActionKind::Register(registration) => self.register(seq, registration)?,
            ActionKind::Unbond { ticket, signature } => self.unbond(seq, ticket, *signature)?,
            ActionKind::Withdraw { ticket } => self.withdraw(seq, ticket)?,
            _ => return Err(TransactionError::NoSuchJob),
        }
        Ok(Amount::ZERO)
    }

    fn register(&mut self, seq: u32, registration: &Registration) -> Result<()> {
        require_seq(seq, 0)?;
        let bond = self.view.ledger().params().committee.verifier_bond;
        self.require_output_0(&Lock::Ticket, bond)?;
        if registration.models.is_empty() || !registration.key.is_on_curve() {
            return Err(TransactionError::Registration);
        }
        let id = self.output(0);
        let ticket = Ticket {
            id,
            registration: registration.clone(),
            registered: self.moment.height,
            seq: 1,
            retired: None,
            unbonding: None,
        };
        self.view.set_ticket(id, Some(ticket));
        Ok(())
    }

    fn unbond(&mut self, seq: u32, id: &OutPoint, signature: Signature) -> Result<()> {
        let ticket = self.ticket(seq, id)?;
        if ticket.unbonding.is_some() {
            return Err(TransactionError::Ticket("Unbond"));
        }
        let check = unbond_check(self.view.ledger().genesis(), &ticket, signature);
        if !self.verifier.verify(&check) {
            return Err(TransactionError::TicketSignature);
        }
        let ticket = Ticket {
            seq: ticket.seq.saturating_add(1),
            retired: ticket.retired.or(Some(self.moment.height)),
            unbonding: Some(self.moment.opens()),
            ..ticket
        };
        self.view.set_ticket(*id, Some(ticket));
        Ok(())
    }

    /// The bond, less fines, goes back to the key's owner. A bond that fines have used up leaves no
    /// coin.
    fn withdraw(&mut self, seq: u32, id: &OutPoint) -> Result<()> {
        let ticket = self.ticket(seq, id)?;
        let ledger = self.view.ledger();
        let unbonding = ledger.params().committee.unbonding;
        let waited = ticket
            .unbonding
            .is_some_and(|since| ledger.clock(self.moment).closed(&since, unbonding).is_some());
        if !waited {
            return Err(TransactionError::Ticket("Withdraw"));
        }
        let left = self.bond(id)?;
        self.view.set_coin(*id, None);
        self.view.set_ticket(*id, None);
        if !left.is_zero() {
            let script = key_hash_script(&ticket.registration.key.key_hash().0);
            let coin = self.coin(TxOut::to_script(left, script), Height(0));
            let txid = Txid(tagged_hash("camelid/withdrawal", id).0);
            self.view.set_coin(OutPoint { txid, index: 0 }, Some(coin));
        }
        Ok(())
    }

    /// Takes a fine from a ticket's bond, burns it, and keeps the ticket out of later draws. A ticket
    /// that is gone (after a dispute that nobody settled for very long) has nothing to lose.
    pub(super) fn jail(&mut self, id: &OutPoint, fine: Amount) -> Result<()> {
        let Some(ticket) = self.view.ticket(id).cloned() else {
            return Ok(());
        };
        let bond = self.bond(id)?;
        let fine = fine.min(bond);
        let left = bond.checked_sub(fine).ok_or(TransactionError::Overflow)?;
        let coin = self.view.coin(id).map(Cow::into_owned);
        let coin = coin.map(|mut coin| {
            coin.output.value = left;
            coin
        });
        self.view.set_coin(*id, coin);
        self.view.set_ticket(
            *id,
            Some(Ticket {
                seq: ticket.seq.saturating_add(1),
                retired: ticket.retired.or(Some(self.moment.height)),
                ..ticket
            }),
        );
        let totals = self.view.totals_mut();
        totals.burned = totals
            .burned
            .checked_add(fine)
            .ok_or(TransactionError::Overflow)?;
        Ok(())
    }

    fn ticket(&self, seq: u32, id: &OutPoint) -> Result<Ticket> {
        let ticket = self.view.ticket(id).ok_or(TransactionError::NoSuchTicket)?;
        require_seq(seq, ticket.seq)?;
        Ok(ticket.clone())
    }

    fn bond(&self, id: &OutPoint) -> Result<Amount> {
        let coin = self.view.coin(id).ok_or(TransactionError::MissingCoin(*id))?;
        Ok(coin.output.value)
    }
}
