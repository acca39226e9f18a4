//! What a transaction's action does to a job.

use super::transaction::{Application, Result, TransactionError};
use crate::escrow::{Claim, Closing, Effects, Event, Facts, JobRecord, JobState, transition};
use crate::job::Terms;
use crate::keys::Signature;
use crate::primitives::{Amount, Height, JobId};
use crate::tx::{Action, ActionKind, Lock, TxOut};

impl<'t> Application<'_, '_, 't> {
    /// Applies the action; returns money that it releases towards the fee.
    pub(super) fn act(&mut self) -> Result<Amount> {
        let Some(Action { seq, kind }) = &self.transaction.action else {
            return Ok(Amount::ZERO);
        };
        match (self.transaction.job_id, kind) {
            (Some(id), ActionKind::OpenJob(terms)) => self.open_job(id, *seq, terms),
            (Some(id), _) => self.act_on_job(id, *seq, kind),
            (None, _) => self.act_on_ticket(*seq, kind),
        }
    }

    fn act_on_job(&mut self, id: JobId, seq: u32, kind: &'t ActionKind) -> Result<Amount> {
        let record = self.view.job(&id).ok_or(TransactionError::NoSuchJob)?.clone();
        require_seq(seq, record.seq)?;
        let event = self.event(kind, &record)?;
        let ledger = self.view.ledger();
        let facts = Facts {
            clock: ledger.clock(self.moment),
            verifier: self.verifier,
            audit_fund: self.view.totals().audit_fund,
        };
        let effects = transition(&record, &event, &facts)?;
        self.commit(effects)
    }

    fn open_job(&mut self, id: JobId, seq: u32, terms: &Terms) -> Result<Amount> {
        let first_input = self
            .transaction
            .inputs
            .first()
            .ok_or(TransactionError::NoInputs)?
            .previous;
        let ledger = self.view.ledger();
        if id != terms.job_id(ledger.genesis(), &first_input) {
            return Err(TransactionError::WrongJobId);
        }
        require_seq(seq, 0)?;
        if self.view.job(&id).is_some() {
            return Err(TransactionError::JobExists);
        }
        terms.check(ledger.params(), self.moment.height, self.moment.mtp_before)?;
        self.require_output_0(
            &Lock::Escrow,
            terms.escrow_value().ok_or(TransactionError::Overflow)?,
        )?;
        self.view.set_job(JobRecord {
            id,
            terms: terms.clone(),
            escrow: self.output(0),
            seq: 1,
            since: self.moment.opens(),
            state: JobState::Open,
        });
        Ok(Amount::ZERO)
    }

    /// The state machine's event for this action, after the checks on inputs and outputs that the
    /// state machine does not see.
    fn event(&self, kind: &'t ActionKind, record: &JobRecord) -> Result<Event<'t>> {
        Ok(match kind {
            ActionKind::Engage {
                commitment,
                node_key,
                payout,
            } => {
                self.check_engage(record)?;
                Event::Engage {
                    commitment: *commitment,
                    node_key: *node_key,
                    payout,
                    bond: self.output(0),
                }
            }
            ActionKind::Claim { kind, signature } => Event::Claim(*kind, self.claim(*signature)?),
            ActionKind::Deliver(delivery) => Event::Deliver(delivery),
            ActionKind::BadDelivery(evidence) => Event::BadDelivery(evidence),
            ActionKind::Settle => Event::Settle,
            ActionKind::VoteCommit {
                ticket,
                commitment,
                signature,
            } => Event::VoteCommit {
                ticket: *ticket,
                commitment: *commitment,
                signature: *signature,
            },
            ActionKind::VoteReveal { ticket, ballot, salt } => Event::VoteReveal {
                ticket: *ticket,
                ballot: *ballot,
                salt,
            },
            ActionKind::OpenJob(_)
            | ActionKind::Register(_)
            | ActionKind::Unbond { .. }
            | ActionKind::Withdraw { .. } => return Err(TransactionError::JobExists),
        })
    }

    /// The claim that this transaction makes. The state machine knows what deposit it takes.
    fn claim(&self, signature: Signature) -> Result<Claim> {
        let (Some(input), Some(output)) = (self.transaction.inputs.first(), self.transaction.outputs.first())
        else {
            return Err(TransactionError::NoInputs);
        };
        self.require_output_0(&Lock::Deposit, output.value)?;
        Ok(Claim {
            signature,
            first_input: input.previous,
            deposit: self.output(0),
            amount: output.value,
        })
    }

    /// Input 0 is the escrow, output 0 the bond, and the other outputs take no more than the other
    /// inputs less the stake: the engage fee goes to the miner.
    fn check_engage(&self, record: &JobRecord) -> Result<()> {
        if self.transaction.inputs.first().map(|input| input.previous) != Some(record.escrow) {
            return Err(TransactionError::MissingCoin(record.escrow));
        }
        let terms = &record.terms;
        self.require_output_0(&Lock::Bond, terms.bond_value().ok_or(TransactionError::Overflow)?)?;
        let change = self.transaction.outputs.iter().skip(1).map(|output| output.value);
        let change = Amount::checked_sum(change).ok_or(TransactionError::Overflow)?;
        let escrow = terms.escrow_value().ok_or(TransactionError::Overflow)?;
        let least = Amount::checked_sum([escrow, terms.stake, change]).ok_or(TransactionError::Overflow)?;
        if least > self.spent {
            Err(TransactionError::EngageChange)
        } else {
            Ok(())
        }
    }

    pub(super) fn require_output_0(&self, lock: &Lock, value: Amount) -> Result<()> {
        match self.transaction.outputs.first() {
            Some(output) if output.lock == *lock && output.value == value => Ok(()),
            _ => Err(TransactionError::WrongNativeOutput {
                kind: lock_name(lock),
                value,
            }),
        }
    }

    /// Writes what a transition decided.
    ///
    /// # Panics
    /// When a closing does not hand out exactly what it releases: the ledger would be broken.
    fn commit(&mut self, effects: Effects) -> Result<Amount> {
        let mut released = Amount::ZERO;
        for outpoint in effects.released {
            let coin = self
                .view
                .coin(&outpoint)
                .ok_or(TransactionError::MissingCoin(outpoint))?;
            released = released
                .checked_add(coin.output.value)
                .ok_or(TransactionError::Overflow)?;
            self.view.set_coin(outpoint, None);
        }
        for ticket in &effects.jailed {
            self.jail(ticket, effects.fine)?;
        }
        let id = effects.record.id;
        self.view.set_job(effects.record);
        let Some(closing) = effects.closing else {
            return Ok(released);
        };
        assert_eq!(
            closing.total(),
            Some(released),
            "job {id}: payouts must equal what was locked"
        );
        self.pay_out(&id, &closing)?;
        Ok(Amount::ZERO)
    }

    fn pay_out(&mut self, id: &JobId, closing: &Closing) -> Result<()> {
        let maturity = self.view.ledger().params().maturity;
        let spendable_from = if closing.outcome.was_disputed() {
            self.moment.height.plus(maturity)
        } else {
            Height(0)
        };
        for (index, payout) in (0..).zip(&closing.payouts) {
            let output = TxOut::to_script(payout.amount, payout.script.clone());
            let coin = self.coin(output, spendable_from);
            self.view.set_coin(Closing::outpoint(id, index), Some(coin));
        }
        let totals = self.view.totals_mut();
        totals.audit_fund = totals
            .audit_fund
            .checked_add(closing.to_fund)
            .and_then(|fund| fund.checked_sub(closing.from_fund))
            .ok_or(TransactionError::Overflow)?;
        totals.burned = totals
            .burned
            .checked_add(closing.burned)
            .ok_or(TransactionError::Overflow)?;
        Ok(())
    }
}

/// An action names the record that it acts on.
pub(super) fn require_seq(given: u32, current: u32) -> Result<()> {
    if given == current {
        Ok(())
    } else {
        Err(TransactionError::WrongSeq { given, current })
    }
}

fn lock_name(lock: &Lock) -> &'static str {
    match lock {
        Lock::Script(_) => "a script",
        Lock::Escrow => "an escrow",
        Lock::Bond => "a bond",
        Lock::Deposit => "a deposit",
        Lock::Ticket => "a verifier bond",
    }
}
