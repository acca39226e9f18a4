//! The worker role: a compute node that commits, delivers and collects.

use super::REMEMBERED_BLOCKS;
use super::base::Base;
use super::config::WorkerConfig;
use super::dispute::Brief;
use super::purse::unsigned;
use super::record::{Matter, Record, WorkerJob};
use crate::dispute::Evidence;
use crate::escrow::{Engagement, JobRecord, JobState, Party, Stage, Standing};
use crate::job::{Opening, SignedDelivery, receipt_hash};
use crate::keys::{Signature, SignatureCheck, seal};
use crate::model::{Finish, InferenceResult, InferenceTask, Tokens};
use crate::primitives::{JobId, Time, encode};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::tx::{Action, ActionKind, Lock, OutPoint, Transaction, TxOut};
use crate::wire::Message;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Blocks before the deadline within which no new work is begun.
const DEADLINE_MARGIN: u32 = 3;
/// A message that was not answered is sent again after this long.
const SEND_AGAIN_MS: u64 = 60_000;

/// Jobs of this worker.
pub(super) struct Worker {
    config: WorkerConfig,
    generating: BTreeMap<RequestId, JobId>,
    /// Jobs that the model could not run; trying again would fail again.
    failed: BTreeSet<JobId>,
    jobs: BTreeMap<JobId, WorkerJob>,
    /// When a message about a job was last sent. A job's stages have little in common: a delivery does
    /// not wait because an Engage has just gone out.
    sent_at: BTreeMap<(JobId, Errand), Time>,
}

/// What a worker sends again until it has worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
enum Errand {
    Engage,
    Delivery,
    Evidence,
}

impl Worker {
    pub(super) fn new(config: WorkerConfig) -> Self {
        Self {
            config,
            generating: BTreeMap::new(),
            failed: BTreeSet::new(),
            jobs: BTreeMap::new(),
            sent_at: BTreeMap::new(),
        }
    }

    pub(super) fn restore(&mut self, base: &mut Base, job: WorkerJob) {
        base.purse.reserve(job.job, &stake_inputs(&job.engage));
        self.jobs.insert(job.job, job);
    }

    /// Does what is due for each job, and takes new ones on.
    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        let jobs: Vec<JobId> = self.jobs.keys().copied().collect();
        for job in jobs {
            self.drive_job(base, now, &job, out);
        }
        self.take_jobs(base, out);
    }

    /// Starts on open jobs whose escrow is mined (hole H15: nobody computes for a promise).
    pub(super) fn take_jobs(&mut self, base: &mut Base, out: &mut Outputs) {
        let open = |job: &JobId| {
            base.chain
                .ledger()
                .job(job)
                .is_some_and(|record| record.state == JobState::Open)
        };
        self.failed.retain(open);
        if self.generating.len() >= self.config.parallel_jobs {
            return;
        }
        let open: Vec<JobRecord> = base
            .chain
            .ledger()
            .unclosed_jobs()
            .filter(|record| record.state == JobState::Open)
            .filter(|record| !self.jobs.contains_key(&record.id) && !self.failed.contains(&record.id))
            .filter(|record| !self.generating.values().any(|job| *job == record.id))
            .filter(|record| base.next_height().plus(DEADLINE_MARGIN) < record.terms.deadline)
            .cloned()
            .collect();
        for record in open {
            if self.generating.len() >= self.config.parallel_jobs {
                return;
            }
            self.take_job(base, &record, out);
        }
    }

    fn take_job(&mut self, base: &mut Base, record: &JobRecord, out: &mut Outputs) {
        let Some(offer) = base.jobs.get(&record.id) else {
            return;
        };
        let affordable = base
            .purse
            .choose(record.terms.stake, base.next_height(), &base.mempool)
            .is_some();
        // The offer came from anybody; only its prompt matters, and the ledger's terms commit to that.
        let manifest = base.manifest(&record.terms.model);
        let exact = manifest.map(|manifest| manifest.profile.exact);
        if offer.terms != record.terms || exact != Some(record.terms.exact) || !affordable {
            return;
        }
        let terms = &record.terms;
        let task = InferenceTask::Generate {
            model: terms.model,
            job: record.id,
            prompt: offer.prompt.clone(),
            prefix: Tokens::new(),
            max_tokens: terms.max_tokens,
            seed: terms.seed,
            sampling: terms.sampling,
        };
        let request = base.next_request();
        self.generating.insert(request, record.id);
        let node_key = base.config.key.public_key();
        base.send_through(
            None,
            &Message::JobAccepted {
                job: record.id,
                node_key,
            },
            out,
        );
        out.event(Event::JobAccepted { job: record.id });
        out.push(Output::Infer {
            request,
            task: Box::new(task),
        });
    }

    /// The model's output: commit to it.
    pub(super) fn handle_inferred(
        &mut self,
        base: &mut Base,
        now: Time,
        request: RequestId,
        result: &InferenceResult,
        out: &mut Outputs,
    ) {
        let Some(job) = self.generating.remove(&request) else {
            return;
        };
        match result {
            InferenceResult::Generated { output, .. } => self.commit(base, &job, output, out),
            InferenceResult::Failed { reason } => {
                self.failed.insert(job);
                base.reject(base.id(), reason.as_str().into(), out);
            }
            InferenceResult::Predicted { .. } => {}
        }
        self.drive(base, now, out);
    }

    /// The finish is derived, not believed: a wrong one would be evidence against us.
    fn commit(&mut self, base: &mut Base, job: &JobId, output: &Tokens, out: &mut Outputs) {
        let record = base
            .chain
            .ledger()
            .job(job)
            .filter(|record| record.state == JobState::Open);
        let Some(record) = record.map(Cow::into_owned) else {
            return;
        };
        // Without the prompt there is no evidence, if it comes to a dispute.
        let Some(offer) = base
            .jobs
            .get(job)
            .filter(|offer| offer.terms == record.terms)
            .cloned()
        else {
            return;
        };
        let finish = base
            .manifest(&record.terms.model)
            .and_then(|manifest| Finish::derive(output, &manifest.end_tokens, record.terms.max_tokens));
        let Some(finish) = finish else {
            base.reject(
                base.id(),
                "the model gave an output that ends nowhere".into(),
                out,
            );
            return;
        };
        let salt = base.config.key.derive("camelid/opening-salt", job.as_ref());
        let opening = Opening {
            finish,
            output: output.clone(),
            salt,
        };
        let Some(engage) = half_signed_engage(base, &record, &opening) else {
            return;
        };
        base.purse.reserve(*job, &stake_inputs(&engage));
        let (prompt, prompt_salt) = (offer.prompt.clone(), offer.prompt_salt);
        let entry = WorkerJob {
            job: *job,
            prompt,
            prompt_salt,
            opening,
            engage,
            delivery: None,
            received: false,
        };
        // Durable before anybody can hold us to it: without the salt there is no delivery.
        persist(&entry, out);
        self.jobs.insert(*job, entry);
        out.event(Event::OutputCommitted { job: *job });
    }

    fn drive_job(&mut self, base: &mut Base, now: Time, job: &JobId, out: &mut Outputs) {
        let Some(record) = base.chain.ledger().job(job) else {
            return;
        };
        let standing = base.standing(now, &record);
        let record = standing.record.clone();
        let Some(entry) = self.jobs.get(job) else { return };
        match &record.state {
            JobState::Open => self.press_on(base, now, &record, out),
            JobState::Closed(_) => self.retire(base, &record, out),
            state => {
                let Some(engagement) = state.engagement() else {
                    return;
                };
                // By its bond: anybody can copy a commitment.
                if engagement.bond.txid == entry.engage.txid() {
                    self.drive_engaged(base, now, &standing, engagement, out);
                } else {
                    // Another node was first: the stake was never locked. The job stays known, in case a
                    // reorganisation opens it again.
                    base.purse.release(job);
                }
            }
        }
    }

    fn drive_engaged(
        &mut self,
        base: &mut Base,
        now: Time,
        standing: &Standing,
        engagement: &Engagement,
        out: &mut Outputs,
    ) {
        let record = &standing.record;
        match standing.stage {
            Stage::Unchallenged => {
                return base.submit_action(now, record.id, record.seq, ActionKind::Settle, out);
            }
            // A node that could not answer a Withheld claim in time does not press for its own slash.
            Stage::Unanswered => return,
            Stage::Round(_) => return self.plead(base, now, standing, out),
            _ => {}
        }
        let buried = engagement.since.height.plus(base.chain.params().jobs.burial);
        if base.chain.height() < buried {
            return;
        }
        let Some(delivery) = self.delivery(base, record, engagement, out) else {
            return;
        };
        match &record.state {
            JobState::Withheld { .. } => {
                let kind = ActionKind::Deliver(Box::new(delivery));
                base.submit_action(now, record.id, record.seq, kind, out);
            }
            JobState::Engaged(_) => self.send_delivery(base, now, record, delivery, out),
            _ => {}
        }
    }

    /// What the worker does while a committee judges. It stands by its output.
    fn plead(&mut self, base: &mut Base, now: Time, standing: &Standing, out: &mut Outputs) {
        let job = &standing.record.id;
        let evidence = self.evidence(job);
        let brief = Brief {
            party: Party::Node,
            evidence: evidence.as_ref(),
            in_the_right: true,
            evidence_due: self.is_due(now, job, Errand::Evidence),
        };
        base.plead(now, standing, &brief, out);
    }

    fn evidence(&self, job: &JobId) -> Option<Evidence> {
        let entry = self.jobs.get(job)?;
        Some(Evidence {
            job: *job,
            prompt: entry.prompt.clone(),
            prompt_salt: entry.prompt_salt,
            opening: entry.opening.clone(),
        })
    }

    /// A seat asks for evidence.
    pub(super) fn handle_get_evidence(
        &self,
        base: &mut Base,
        now: Time,
        job: &JobId,
        ticket: &OutPoint,
        out: &mut Outputs,
    ) {
        if let Some(evidence) = self.evidence(job) {
            base.answer_seat(now, ticket, &evidence, out);
        }
    }

    /// The signed delivery, made and persisted once.
    fn delivery(
        &mut self,
        base: &Base,
        record: &JobRecord,
        engagement: &Engagement,
        out: &mut Outputs,
    ) -> Option<SignedDelivery> {
        let entry = self.jobs.get_mut(&record.id)?;
        if entry.delivery.is_none() {
            let context = record.seal_context(base.chain.ledger().genesis(), engagement);
            let ephemeral = base.config.key.derive_key("camelid/ephemeral", &encode(&context));
            let sealed = seal(&context, &ephemeral, &entry.opening.to_bytes())?;
            entry.delivery =
                SignedDelivery::sign(&context, sealed.ephemeral, sealed.ciphertext, &base.config.key);
            persist(entry, out);
        }
        entry.delivery.clone()
    }

    fn send_delivery(
        &mut self,
        base: &mut Base,
        now: Time,
        record: &JobRecord,
        delivery: SignedDelivery,
        out: &mut Outputs,
    ) {
        let received = self.jobs.get(&record.id).is_some_and(|entry| entry.received);
        if received || !self.is_due(now, &record.id, Errand::Delivery) {
            return;
        }
        let message = Message::Delivery {
            job: record.id,
            delivery: Box::new(delivery),
        };
        base.send_through(Some(record.terms.contact), &message, out);
        out.event(Event::DeliverySent { job: record.id });
    }

    /// Nobody is engaged yet: sends the half-signed Engage until somebody's is mined. After the deadline
    /// the stake is free again, and the client is refunded even if it has gone away.
    fn press_on(&mut self, base: &mut Base, now: Time, record: &JobRecord, out: &mut Outputs) {
        if base.next_height() >= record.terms.deadline {
            base.purse.release(&record.id);
            base.submit_action(now, record.id, record.seq, ActionKind::Settle, out);
            return;
        }
        if !self.is_due(now, &record.id, Errand::Engage) {
            return;
        }
        let Some(entry) = self.jobs.get(&record.id) else {
            return;
        };
        let message = Message::Engage(Box::new(entry.engage.clone()));
        base.send_through(Some(record.terms.contact), &message, out);
    }

    /// True once every [`SEND_AGAIN_MS`] for each job and errand.
    fn is_due(&mut self, now: Time, job: &JobId, errand: Errand) -> bool {
        let key = (*job, errand);
        let sent = self.sent_at.get(&key);
        let due = sent.is_none_or(|at| now >= at.after_ms(SEND_AGAIN_MS));
        if due {
            self.sent_at.insert(key, now);
        }
        due
    }

    /// The client says that it has the delivery.
    pub(super) fn handle_received(
        &mut self,
        base: &Base,
        job: &JobId,
        signature: Signature,
    ) -> Result<(), String> {
        let ledger = base.chain.ledger();
        let (Some(entry), Some(record)) = (self.jobs.get_mut(job), ledger.job(job)) else {
            return Ok(());
        };
        let Some(engagement) = record.state.engagement() else {
            return Ok(());
        };
        let digest = receipt_hash(ledger.genesis(), job, &engagement.bond);
        let check = SignatureCheck {
            key: record.terms.client_key,
            digest,
            signature,
        };
        if !base.chain.verifier().verify(&check) {
            return Err("a receipt that the client has not signed".into());
        }
        entry.received = true;
        Ok(())
    }

    /// Frees the stake of a closed job. The opening is kept for a while: a reorganisation may bring
    /// the job back, with a claim in it that only a delivery answers.
    fn retire(&mut self, base: &mut Base, record: &JobRecord, out: &mut Outputs) {
        base.purse.release(&record.id);
        if base.chain.height().since(record.since.height) > REMEMBERED_BLOCKS {
            self.forget(base, &record.id);
            out.push(Output::Persist(Box::new(Record::Forget(Matter::WorkerJob(
                record.id,
            )))));
        }
    }

    pub(super) fn forget(&mut self, base: &mut Base, job: &JobId) {
        base.purse.release(job);
        self.jobs.remove(job);
        self.sent_at.retain(|(of, _), _| of != job);
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let jobs: Vec<_> = self
            .jobs
            .values()
            .map(|entry| {
                (
                    entry.job,
                    entry.engage.inputs.first().map(|input| input.previous),
                    entry.delivery.is_some(),
                    entry.received,
                )
            })
            .collect();
        (jobs, &self.generating, &self.failed, &self.sent_at)
    }
}

fn persist(entry: &WorkerJob, out: &mut Outputs) {
    out.push(Output::Persist(Box::new(Record::WorkerJob(Box::new(
        entry.clone(),
    )))));
}

/// The inputs of an Engage that are the node's.
fn stake_inputs(engage: &Transaction) -> Vec<OutPoint> {
    engage.inputs.iter().skip(1).map(|input| input.previous).collect()
}

/// The paper's testament: escrow and stake into one bond, signed for the stake.
fn half_signed_engage(base: &Base, record: &JobRecord, opening: &Opening) -> Option<Transaction> {
    let ledger = base.chain.ledger();
    let key = &base.config.key;
    let payout = base.purse.script().clone();
    let commitment = opening.commitment(ledger.genesis(), &record.id, &key.public_key(), &payout);
    let funds = base
        .purse
        .choose(record.terms.stake, base.next_height(), &base.mempool)?;
    let bond = TxOut {
        value: record.terms.bond_value()?,
        lock: Lock::Bond,
    };
    let inputs: Vec<_> = [record.escrow].into_iter().chain(funds.inputs).collect();
    let outputs = [bond].into_iter().chain(funds.change).collect();
    let kind = ActionKind::Engage {
        commitment,
        node_key: key.public_key(),
        payout,
    };
    let transaction = unsigned(
        &inputs,
        outputs,
        Some(record.id),
        Some(Action {
            seq: record.seq,
            kind,
        }),
    )?;
    base.purse.sign(key, ledger, transaction, 1)
}
