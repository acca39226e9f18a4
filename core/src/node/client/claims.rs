//! What the client claims on the ledger.

use super::{Client, delivery_key};
use crate::dispute::{BadDelivery, Evidence};
use crate::escrow::{Engagement, JobRecord, Party, Stage, Standing};
use crate::keys::DecryptionProof;
use crate::node::base::Base;
use crate::node::dispute::Brief;
use crate::node::record::{Received, Record};
use crate::primitives::{JobId, Time};
use crate::process::{Output, Outputs};
use crate::rastic::Verdict;
use crate::tx::{ActionKind, ClaimKind};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

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
        let opens_in_public = base.chain.params().committee.public_decryption;
        if !opens_in_public || base.mempool.acts_on(&record.id, record.seq) {
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
        let deposit = jobs.withheld_deposit(record.terms.max_tokens);
        base.file_claim(now, record, ClaimKind::Withheld, Some(deposit), out);
    }

    /// The output is not the model's: ask for a committee.
    pub(super) fn claim_invalid(
        &mut self,
        base: &mut Base,
        now: Time,
        record: &JobRecord,
        engagement: &Engagement,
        out: &mut Outputs,
    ) {
        if self.finds_fault(record, engagement) || self.objections.contains(&record.id) {
            let seat_pays = base.chain.params().committee.claim_deposit_in_seat_pays;
            let deposit = base.seat_pays(record, seat_pays);
            base.file_claim(now, record, ClaimKind::Invalid, deposit, out);
        }
    }

    /// The operator objects to an output: a committee is to judge it, whatever the own check says.
    pub(in crate::node) fn dispute(
        &mut self,
        base: &mut Base,
        now: Time,
        job: &JobId,
        out: &mut Outputs,
    ) -> Result<(), String> {
        if !self.jobs.contains_key(job) {
            return Err("it is no job of this node's, or long over".into());
        }
        let record = base.chain.ledger().job(job).ok_or("the job is not mined yet")?;
        let standing = base.standing(now, &record);
        let record = standing.record;
        if standing.stage != Stage::Challenge {
            return Err(format!("nobody can object to it in stage {:?}", standing.stage));
        }
        let engagement = record.state.engagement().ok_or("nobody is engaged")?;
        if self.evidence(&record, engagement).is_none() {
            return Err("there is no output to show to a committee".into());
        }
        if base.mempool.acts_on(&record.id, record.seq) {
            return Err("a step of this job waits to be mined already".into());
        }
        let seat_pays = base.chain.params().committee.claim_deposit_in_seat_pays;
        let deposit = base
            .seat_pays(&record, seat_pays)
            .ok_or("the deposit is too large")?;
        let mut claim = Outputs::new();
        base.try_claim(now, &record, ClaimKind::Invalid, deposit, &mut claim)?;
        // A claim that is lost is filed again.
        self.objections.insert(*job);
        out.push(Output::Persist(Box::new(Record::Objection(*job))));
        out.append(claim);
        Ok(())
    }

    /// What the client does while a committee judges.
    pub(super) fn plead(&mut self, base: &mut Base, now: Time, standing: &Standing, out: &mut Outputs) {
        let record = &standing.record;
        let Some(engagement) = record.state.engagement() else {
            return;
        };
        let evidence = self.evidence(record, engagement);
        let brief = Brief {
            party: Party::Client,
            evidence: evidence.as_ref(),
            in_the_right: self.finds_fault(record, engagement),
            evidence_due: self.is_due(now, &record.id),
        };
        base.plead(now, standing, &brief, out);
    }

    /// What this client can show about a job.
    pub(super) fn evidence(&self, record: &JobRecord, engagement: &Engagement) -> Option<Evidence> {
        let entry = self.jobs.get(&record.id)?;
        let opening = entry.received_for(engagement)?.opening.clone()?;
        Some(Evidence {
            job: record.id,
            prompt: entry.offer.prompt.clone(),
            prompt_salt: entry.offer.prompt_salt,
            opening,
        })
    }

    fn finds_fault(&self, record: &JobRecord, engagement: &Engagement) -> bool {
        let received = self
            .jobs
            .get(&record.id)
            .and_then(|entry| entry.received_for(engagement));
        received.is_some_and(|received| matches!(received.verdict, Some(Verdict::Invalid { .. })))
    }
}
