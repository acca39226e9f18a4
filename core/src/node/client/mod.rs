//! The client role: opens jobs, binds a node, checks what it gets.

mod check;
mod claims;
mod debts;
mod inquiry;
mod outsourced;
mod question;

use super::REMEMBERED_BLOCKS;
use super::base::Base;
use super::config::{ClientConfig, Verify};
use super::record::{CheckDebt, ClientJob, Matter, Received, Record};
use crate::dispute::Promise;
use crate::escrow::{Engagement, JobRecord, JobState, Stage};
use crate::job::{Offer, Opening, SignedDelivery, Terms, prompt_hash, receipt_hash};
use crate::keys::{SecretKey, open};
use crate::mempool::MempoolError;
use crate::primitives::{JobId, Time, encode};
use crate::process::{Event, JobRequest, Output, Outputs};
use crate::script::Script;
use crate::tx::{Action, ActionKind, Lock, OutPoint, Transaction, TxOut, signature_hash};
use crate::wire::Message;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use borsh::BorshSerialize;
use outsourced::Outsourced;

/// An offer that nobody answered is broadcast again after this long.
const OFFER_AGAIN_MS: u64 = 60_000;

/// Evidence is sent again to seats that have not voted after this long.
const EVIDENCE_AGAIN_MS: u64 = 60_000;

/// Jobs of this client.
pub(super) struct Client {
    config: ClientConfig,
    jobs: BTreeMap<JobId, ClientJob>,
    /// Jobs to whose outputs the operator objects, whatever the own check says.
    objections: BTreeSet<JobId>,
    offered_at: BTreeMap<JobId, Time>,
    /// When evidence was last sent.
    pleaded_at: BTreeMap<JobId, Time>,
    /// Checks by neighbours, if that is how this client checks.
    outsourced: Option<Outsourced>,
}

impl ClientJob {
    /// The delivery that `engagement` owes, if it has come.
    fn received_for(&self, engagement: &Engagement) -> Option<&Received> {
        self.received
            .as_ref()
            .filter(|received| received.bond == engagement.bond)
    }
}

impl Client {
    pub(super) fn new(config: ClientConfig, base: &Base) -> Self {
        let outsourced = match config.verify {
            Verify::Outsourced(outsourcing) => Some(Outsourced::new(outsourcing, base)),
            Verify::No | Verify::Own => None,
        };
        Self {
            config,
            jobs: BTreeMap::new(),
            objections: BTreeSet::new(),
            offered_at: BTreeMap::new(),
            pleaded_at: BTreeMap::new(),
            outsourced,
        }
    }

    pub(super) fn restore_debt(&mut self, debt: CheckDebt) {
        if let Some(outsourced) = &mut self.outsourced {
            outsourced.restore(debt);
        }
    }

    pub(super) fn restore(&mut self, base: &mut Base, job: ClientJob) {
        base.purse.reserve(job.offer.job, &inputs_of(&job.open));
        self.jobs.insert(
            job.offer.job,
            ClientJob {
                checking: None,
                ..job
            },
        );
    }

    pub(super) fn restore_objection(&mut self, job: JobId) {
        self.objections.insert(job);
    }

    /// All jobs that it has not forgotten, by id.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &ClientJob> {
        self.jobs.values()
    }

    /// One of them.
    pub(super) fn job(&self, job: &JobId) -> Option<&ClientJob> {
        self.jobs.get(job)
    }

    /// Opens a job: escrow on the ledger, offer to the network.
    pub(super) fn open_job(
        &mut self,
        base: &mut Base,
        now: Time,
        request: JobRequest,
        out: &mut Outputs,
    ) -> Result<(), String> {
        if request.prompt.is_empty() {
            return Err("the prompt is empty".into());
        }
        let manifest = base
            .manifest(&request.model)
            .ok_or("the model is not known here")?;
        if request.prompt.iter().any(|&token| token >= manifest.vocabulary) {
            return Err("the prompt has a token that is not in the model's vocabulary".into());
        }
        // Nobody could check an output that the model cannot look back on.
        if request.prompt.len().saturating_add(request.max_tokens as usize) > manifest.context as usize {
            return Err("prompt and token limit together exceed the model's context".into());
        }
        let context = encode(&(now, base.chain.tip(), self.jobs.len() as u64));
        let prompt_salt = base.config.key.derive("camelid/prompt-salt", &context);
        let terms = terms(base, now, &request, &prompt_salt).ok_or("the amounts are too large")?;
        let escrow = terms.escrow_value().ok_or("the amounts are too large")?;
        let genesis = *base.chain.ledger().genesis();
        let open_job = |first_input: &_| {
            let kind = ActionKind::OpenJob(Box::new(terms.clone()));
            (Some(terms.job_id(&genesis, first_input)), Action { seq: 0, kind })
        };
        let first = TxOut {
            value: escrow,
            lock: Lock::Escrow,
        };
        let open = base
            .purse
            .pay(
                &base.config.key,
                base.chain.ledger(),
                &base.mempool,
                Some(&first),
                open_job,
            )
            .ok_or("not enough spendable coins")?;
        let job = open.job_id.ok_or("no job id")?;
        let offer = Offer {
            job,
            terms,
            prompt: request.prompt,
            prompt_salt,
        };
        let entry = ClientJob {
            offer: offer.clone(),
            open: open.clone(),
            engage: None,
            received: None,
            checking: None,
        };
        match base.submit_durably(now, open, record_of(&entry), out) {
            Ok(()) => {}
            // It may be mined when it is old enough (paper, 2.4.1); until then it is kept, and so are its coins.
            Err(MempoolError::NotYet(_)) => {
                out.push(Output::Persist(Box::new(record_of(&entry))));
            }
            Err(error) => return Err(error.to_string()),
        }
        base.purse.reserve(job, &inputs_of(&entry.open));
        self.jobs.insert(job, entry);
        out.event(Event::JobOffered {
            offer: Box::new(offer.clone()),
        });
        self.broadcast_offer(base, now, offer, out);
        Ok(())
    }

    fn broadcast_offer(&mut self, base: &mut Base, now: Time, offer: Offer, out: &mut Outputs) {
        self.offered_at.insert(offer.job, now);
        base.handle_offer(offer.clone());
        base.send_through(None, &Message::JobOffer(Box::new(offer)), out);
    }

    /// Does what is due for each job.
    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        let jobs: Vec<JobId> = self.jobs.keys().copied().collect();
        for job in jobs {
            self.drive_job(base, now, &job, out);
        }
        if let Some(outsourced) = &mut self.outsourced {
            outsourced.drive(base, now, out);
        }
    }

    fn drive_job(&mut self, base: &mut Base, now: Time, job: &JobId, out: &mut Outputs) {
        let Some(record) = base.chain.ledger().job(job) else {
            self.reopen(base, now, job, out);
            return;
        };
        let standing = base.standing(now, &record);
        let record = standing.record.clone();
        match standing.stage {
            // The refund, or the slash of a node that did not answer, is the client's business.
            Stage::Expired | Stage::Unanswered => {
                return base.submit_action(now, *job, record.seq, ActionKind::Settle, out);
            }
            Stage::Unchallenged => return,
            _ => {}
        }
        match &record.state {
            JobState::Open => self.press_on(base, now, &record, out),
            JobState::Engaged(engagement) => {
                self.claim_bad_delivery(base, now, &record, engagement, out);
                self.claim_withheld(base, now, &record, engagement, out);
                self.claim_invalid(base, now, &record, engagement, out);
                self.start_check(base, now, job, out);
            }
            JobState::Delivered(engagement) => {
                let entry = self.jobs.get(job);
                if entry.is_some_and(|entry| entry.received_for(engagement).is_none()) {
                    return self.read_delivery(base, now, &record, out);
                }
                self.claim_bad_delivery(base, now, &record, engagement, out);
                self.claim_invalid(base, now, &record, engagement, out);
                self.start_check(base, now, job, out);
            }
            JobState::Withheld { .. } => {}
            JobState::Disputed(_) => {
                self.start_check(base, now, job, out);
                self.plead(base, now, &standing, out);
            }
            JobState::Closed(_) => {
                self.start_check(base, now, job, out);
                if base.chain.height().since(record.since.height) > REMEMBERED_BLOCKS {
                    self.give_up(base, job, out);
                }
            }
        }
    }

    /// OpenJob is not mined: make sure that it is on its way, until its deadline is too near.
    fn reopen(&mut self, base: &mut Base, now: Time, job: &JobId, out: &mut Outputs) {
        let Some(entry) = self.jobs.get(job) else {
            return;
        };
        let earliest_deadline = base.next_height().plus(base.chain.params().jobs.min_deadline);
        if entry.offer.terms.deadline < earliest_deadline {
            self.give_up(base, job, out);
            out.event(Event::JobRefused {
                reason: "the job was not mined in time".into(),
            });
        } else if base.mempool.get(&entry.open.wtxid()).is_none() {
            // If its inputs are gone it can never be mined, and nothing is lost by trying.
            let _ = base.submit(now, entry.open.clone(), out);
        }
    }

    /// The job is over.
    fn give_up(&mut self, base: &mut Base, job: &JobId, out: &mut Outputs) {
        self.forget(base, job);
        out.push(Output::Persist(Box::new(Record::Forget(Matter::ClientJob(*job)))));
    }

    pub(super) fn forget(&mut self, base: &mut Base, job: &JobId) {
        self.jobs.remove(job);
        self.objections.remove(job);
        self.offered_at.remove(job);
        self.pleaded_at.remove(job);
        if let Some(outsourced) = &mut self.outsourced {
            outsourced.forget(job);
        }
        base.purse.release(job);
    }

    /// Nobody is engaged yet: repeat the offer, or the Engage that was signed.
    fn press_on(&mut self, base: &mut Base, now: Time, record: &JobRecord, out: &mut Outputs) {
        let Some(entry) = self.jobs.get_mut(&record.id) else {
            return;
        };
        if let Some(engage) = &entry.engage {
            let waits = base.mempool.get(&engage.wtxid()).is_some();
            if !waits && base.submit(now, engage.clone(), out).is_err() {
                entry.engage = None;
            }
        }
        let due = self
            .offered_at
            .get(&record.id)
            .is_none_or(|at| now >= at.after_ms(OFFER_AGAIN_MS));
        if due && entry.engage.is_none() {
            let offer = entry.offer.clone();
            self.broadcast_offer(base, now, offer, out);
        }
    }

    /// A node's half-signed Engage: sign it and put it on its way, unless another came first.
    pub(super) fn handle_engage(
        &mut self,
        base: &mut Base,
        now: Time,
        transaction: Transaction,
        out: &mut Outputs,
    ) -> Result<(), String> {
        let Some(entry) = transaction.job_id.and_then(|job| self.jobs.get_mut(&job)) else {
            return Err("an Engage for a job that is not ours".into());
        };
        if entry.engage.is_some() {
            return Ok(());
        }
        let Some(record) = base.chain.ledger().job(&entry.offer.job) else {
            return Ok(());
        };
        if record.state != JobState::Open {
            return Ok(());
        }
        let engage =
            sign_engage(base, &record, transaction).ok_or("an Engage that does not spend our escrow")?;
        let signed = ClientJob {
            engage: Some(engage.clone()),
            ..entry.clone()
        };
        base.submit_durably(now, engage, record_of(&signed), out)
            .map_err(|error| error.to_string())?;
        *entry = signed;
        out.event(Event::EngageSigned { job: entry.offer.job });
        Ok(())
    }

    /// A delivery, from the node or from the ledger.
    pub(super) fn handle_delivery(
        &mut self,
        base: &mut Base,
        now: Time,
        job: &JobId,
        delivery: SignedDelivery,
        out: &mut Outputs,
    ) -> Result<(), String> {
        let Some(entry) = self.jobs.get_mut(job) else {
            return Err("a delivery for a job that is not ours".into());
        };
        let Some(record) = base.chain.ledger().job(job).map(Cow::into_owned) else {
            return Ok(());
        };
        let Some(engagement) = record.state.engagement() else {
            return Ok(());
        };
        let check = delivery.signature_check(
            &record.seal_context(base.chain.ledger().genesis(), engagement),
            &engagement.node_key,
        );
        if !base.chain.verifier().verify(&check) {
            return Err("a delivery that the node has not signed".into());
        }
        if entry.received_for(engagement).is_none() {
            let opening = open_delivery(base, entry, &record, engagement, &delivery);
            out.event(match opening {
                Some(_) => Event::DeliveryOpened { job: *job },
                None => Event::DeliveryBad { job: *job },
            });
            entry.received = Some(Received {
                bond: engagement.bond,
                delivery,
                opening,
                verdict: None,
            });
            entry.checking = None;
            persist(entry, out);
            if let Some(outsourced) = &mut self.outsourced {
                outsourced.forget(job);
            }
        }
        if entry
            .received_for(engagement)
            .is_some_and(|received| received.opening.is_some())
        {
            let signature = base.config.key.sign(&receipt_hash(
                base.chain.ledger().genesis(),
                job,
                &engagement.bond,
            ));
            let receipt = Message::DeliveryReceived { job: *job, signature };
            base.send_through(Some(engagement.node_key.key_hash()), &receipt, out);
        }
        self.drive_job(base, now, job, out);
        Ok(())
    }

    /// A delivery that stands on the ledger and has not come by message.
    fn read_delivery(&mut self, base: &mut Base, now: Time, record: &JobRecord, out: &mut Outputs) {
        let block = base.chain.active().get(record.since.height.0 as usize);
        let block = block.and_then(|hash| base.chain.block(hash));
        let transactions = block.iter().flat_map(|block| block.transactions.iter());
        let of_job = transactions.filter(|transaction| transaction.job_id == Some(record.id));
        let mut delivery = of_job.filter_map(|transaction| match &transaction.action.as_ref()?.kind {
            ActionKind::Deliver(delivery) => Some((**delivery).clone()),
            _ => None,
        });
        if let Some(delivery) = delivery.next_back() {
            // The ledger has checked the signature; nothing else can be wrong.
            let _ = self.handle_delivery(base, now, &record.id, delivery, out);
        }
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
        let record = base.chain.ledger().job(job);
        let evidence = record.and_then(|record| self.evidence(&record, record.state.engagement()?));
        if let Some(evidence) = evidence {
            base.answer_seat(now, ticket, &evidence, out);
        }
    }

    /// True once every [`EVIDENCE_AGAIN_MS`] for each job.
    fn is_due(&mut self, now: Time, job: &JobId) -> bool {
        let due = self
            .pleaded_at
            .get(job)
            .is_none_or(|at| now >= at.after_ms(EVIDENCE_AGAIN_MS));
        if due {
            self.pleaded_at.insert(*job, now);
        }
        due
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let jobs: Vec<_> = self
            .jobs
            .iter()
            .map(|(job, entry)| {
                // What is large is named by what it cannot do without: hashing it all at each step costs more
                // than the step.
                let engage = entry.engage.as_ref().map(inputs_of);
                let received = entry.received.as_ref();
                let delivery = received.map(|received| (received.bond, received.delivery.signature));
                let verdict = received.and_then(|received| received.verdict);
                (job, engage, delivery, verdict, entry.checking)
            })
            .collect();
        let outsourced = self.outsourced.as_ref().map(Outsourced::state);
        let waiting = (&self.offered_at, &self.pleaded_at);
        (jobs, &self.objections, waiting, outsourced)
    }
}

fn record_of(entry: &ClientJob) -> Record {
    Record::ClientJob(Box::new(entry.clone()))
}

fn persist(entry: &ClientJob, out: &mut Outputs) {
    out.push(Output::Persist(Box::new(record_of(entry))));
}

fn inputs_of(transaction: &Transaction) -> Vec<OutPoint> {
    transaction.inputs.iter().map(|input| input.previous).collect()
}

/// The key that outputs are sealed to: one for each job.
fn delivery_key(key: &SecretKey, prompt_salt: &[u8; 32]) -> SecretKey {
    key.derive_key("camelid/delivery-key", prompt_salt)
}

fn terms(base: &Base, now: Time, request: &JobRequest, prompt_salt: &[u8; 32]) -> Option<Terms> {
    let jobs = &base.chain.params().jobs;
    let key = &base.config.key;
    Some(Terms {
        prompt_hash: prompt_hash(prompt_salt, &request.prompt),
        seed: request.seed,
        sampling: request.sampling,
        max_tokens: request.max_tokens,
        model: request.model,
        exact: base.manifest(&request.model)?.profile.exact,
        spec: request.spec,
        samples: request.samples,
        deadline: base.next_height().plus(request.deadline_blocks),
        reward: request.reward,
        audit_fee: jobs.audit_fee(request.reward, request.private),
        engage_fee: request.engage_fee,
        stake: request.stake.or_else(|| jobs.min_stake(request.reward))?,
        client_key: key.public_key(),
        delivery_key: delivery_key(key, prompt_salt).public_key(),
        refund: base.purse.script().clone(),
        private: request.private,
        created: now.timestamp(),
        contact: base.id(),
    })
}

/// Adds the client's signature for the escrow.
fn sign_engage(base: &Base, record: &JobRecord, transaction: Transaction) -> Option<Transaction> {
    let spends_escrow = transaction.inputs.first()?.previous == record.escrow;
    let engages = matches!(transaction.action.as_ref()?.kind, ActionKind::Engage { .. });
    if !(spends_escrow && engages) {
        return None;
    }
    let ledger = base.chain.ledger();
    let escrow = &ledger.coin(&record.escrow)?.output;
    let digest = signature_hash(ledger.genesis(), &transaction.txid(), 0, escrow);
    let mut script_sig = Vec::from([64]);
    script_sig.extend(base.config.key.sign(&digest).0);
    let mut inputs = transaction.inputs.clone();
    inputs.as_mut_slice().first_mut()?.script_sig = Script::from_bytes(script_sig)?;
    Some(Transaction {
        inputs,
        ..transaction
    })
}

/// The opening inside a delivery, if it is what the node committed to.
fn open_delivery(
    base: &Base,
    entry: &ClientJob,
    record: &JobRecord,
    engagement: &Engagement,
    delivery: &SignedDelivery,
) -> Option<Opening> {
    let genesis = base.chain.ledger().genesis();
    let context = record.seal_context(genesis, engagement);
    let secret = delivery_key(&base.config.key, &entry.offer.prompt_salt);
    let plaintext = open(&context, &secret, &delivery.ephemeral, &delivery.ciphertext).ok()?;
    let promise = Promise {
        genesis,
        terms: &record.terms,
        node_key: &engagement.node_key,
        payout: &engagement.payout,
        context: &context,
    };
    let opening = promise.decode_opening(&plaintext)?;
    let manifest = base.manifest(&record.terms.model)?;
    promise.finish_matches(&opening, manifest).then_some(opening)
}
