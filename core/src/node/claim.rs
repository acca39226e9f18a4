//! Filing a claim: an objection on the ledger with a deposit behind it.

use super::base::Base;
use crate::escrow::JobRecord;
use crate::primitives::{Amount, Time};
use crate::process::{Event, Outputs};
use crate::tx::{Action, ActionKind, ClaimKind, Lock, TxOut};
use alloc::string::ToString;

impl Base {
    /// Files a claim on `record` with a deposit of `value`, unless something that acts on the record
    /// waits already.
    pub(super) fn file_claim(
        &mut self,
        now: Time,
        record: &JobRecord,
        kind: ClaimKind,
        value: Option<Amount>,
        out: &mut Outputs,
    ) {
        let (job, seq) = (record.id, record.seq);
        let Some(value) = value.filter(|_| !self.mempool.acts_on(&job, seq)) else {
            return;
        };
        let (ledger, key) = (self.chain.ledger(), &self.config.key);
        let lock = Lock::Deposit;
        let act = |first_input: &_| {
            let kind = ActionKind::claim(kind, ledger.genesis(), (&job, seq), first_input, key);
            (Some(job), Action { seq, kind })
        };
        let claim = self
            .purse
            .pay(key, ledger, &self.mempool, Some(&TxOut { value, lock }), act);
        let filed = claim
            .ok_or_else(|| alloc::format!("no coins for the deposit of the {} claim", kind.name()))
            .and_then(|claim| self.submit(now, claim, out).map_err(|error| error.to_string()));
        match filed {
            Ok(()) => out.event(Event::Claimed { job, kind }),
            Err(reason) => self.reject(self.id(), reason, out),
        }
    }

    /// `count` seat pays of the job of `record`.
    pub(super) fn seat_pays(&self, record: &JobRecord, count: u32) -> Option<Amount> {
        let pay = self.chain.params().jobs.seat_pay(record.terms.reward);
        pay.checked_mul(u64::from(count))
    }
}
