//! What the client claims on the ledger.

use super::{Client, delivery_key};
use crate::dispute::BadDelivery;
use crate::escrow::{Engagement, JobRecord};
use crate::keys::DecryptionProof;
use crate::node::base::Base;
use crate::node::record::Received;
use crate::primitives::Time;
use crate::process::{Event, Outputs};
use crate::tx::{Action, ActionKind, Lock, TxOut};
use alloc::boxed::Box;
use alloc::string::ToString;

/// Blocks beyond the burial depth that the client waits before it claims that an output is withheld.
const PATIENCE_BLOCKS: u32 = 4;

impl Client {
    /// A delivery that does not open: show it to the ledger.
    pub(super) fn claim_bad_delivery(
        &mut self,
        base: &mut Base,
        now: Time,
        record: &JobRecord,
        engagement: &Engagement,
        out: &mut Outputs,
    ) {
        let Some(entry) = self.jobs.get(&record.id) else {
            return;
        };
        let bad = entry
            .received_for(engagement)
            .filter(|received| received.opening.is_none());
        let Some(Received { delivery, .. }) = bad else {
            return;
        };
        if base.mempool.acts_on(&record.id, record.seq) {
            return;
        }
        let context = record.seal_context(base.chain.ledger().genesis(), engagement);
        let secret = delivery_key(&base.config.key, &entry.offer.prompt_salt);
        let proof = DecryptionProof::create(
            &context,
            &secret,
            &delivery.ephemeral,
            &delivery.ciphertext_hash(),
        );
        let manifest = base.manifest(&record.terms.model).cloned().map(Box::new);
        let evidence = BadDelivery {
            delivery: delivery.clone(),
            proof,
            manifest,
        };
        let kind = ActionKind::BadDelivery(Box::new(evidence));
        base.submit_action(now, record.id, record.seq, kind, out);
    }

    /// No delivery although it is due: claim so, with a deposit.
    pub(super) fn claim_withheld(
        &mut self,
        base: &mut Base,
        now: Time,
        record: &JobRecord,
        engagement: &Engagement,
        out: &mut Outputs,
    ) {
        let jobs = &base.chain.params().jobs;
        let due = engagement.since.height.plus(jobs.burial + PATIENCE_BLOCKS);
        let has_delivery = self
            .jobs
            .get(&record.id)
            .is_some_and(|entry| entry.received_for(engagement).is_some());
        if has_delivery || base.next_height() < due || base.mempool.acts_on(&record.id, record.seq) {
            return;
        }
        let ledger = base.chain.ledger();
        let first = TxOut {
            value: jobs.withheld_deposit(record.terms.max_tokens),
            lock: Lock::Deposit,
        };
        let (genesis, key) = (ledger.genesis(), &base.config.key);
        let act = |first_input: &_| {
            let kind = ActionKind::withheld(genesis, &record.id, record.seq, first_input, key);
            (
                record.id,
                Action {
                    seq: record.seq,
                    kind,
                },
            )
        };
        let claim = base
            .purse
            .pay(&base.config.key, ledger, &base.mempool, Some(&first), act);
        match claim
            .ok_or("no coins for the deposit".to_string())
            .and_then(|claim| base.submit(now, claim, out).map_err(|error| error.to_string()))
        {
            Ok(()) => out.event(Event::WithheldClaimed { job: record.id }),
            Err(reason) => base.reject(base.id(), reason, out),
        }
    }
}
