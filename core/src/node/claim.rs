//! Filing a claim: an objection on the ledger with a deposit behind it.

use super::base::Base;
use crate::escrow::JobRecord;
use crate::primitives::{Amount, Time};
use crate::process::{Event, Outputs};
use crate::tx::{Action, ActionKind, ClaimKind, Lock, TxOut};
use alloc::format;
use alloc::string::{String, ToString};

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
        let Some(value) = value.filter(|_| !self.mempool.acts_on(&record.id, record.seq)) else {
            return;
        };
        if let Err(reason) = self.try_claim(now, record, kind, value, out) {
            self.reject(self.id(), reason, out);
        }
    }

    /// Files a claim on `record` with a deposit of `value`, or says why that is impossible.
    pub(super) fn try_claim(
        &mut self,
        now: Time,
        record: &JobRecord,
        kind: ClaimKind,
        value: Amount,
        out: &mut Outputs,
    ) -> Result<(), String> {
        let (job, seq) = (record.id, record.seq);
        let (ledger, key) = (self.chain.ledger(), &self.config.key);
        let lock = Lock::Deposit;
        let act = |first_input: &_| {
            let kind = ActionKind::claim(kind, ledger.genesis(), (&job, seq), first_input, key);
            (Some(job), Action { seq, kind })
        };
        let claim = self
            .purse
            .pay(key, ledger, &self.mempool, Some(&TxOut { value, lock }), act);
        let claim = claim.ok_or_else(|| format!("no coins for the deposit of the {} claim", kind.name()))?;
        self.submit(now, claim, out).map_err(|error| error.to_string())?;
        out.event(Event::Claimed { job, kind });
        Ok(())
    }

    /// `count` seat pays of the job of `record`.
    pub(super) fn seat_pays(&self, record: &JobRecord, count: u32) -> Option<Amount> {
        let pay = self.chain.params().jobs.seat_pay(record.terms.reward);
        pay.checked_mul(u64::from(count))
    }
}
