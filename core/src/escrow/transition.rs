//! The state machine of a job: the table of `docs/src/protocol.md`, row by row.

use super::payout::Closing;
use super::record::{Engagement, JobRecord, JobState, Outcome};
use super::window::Moment;
use crate::dispute::{BadDelivery, BadDeliveryError, Promise};
use crate::job::SignedDelivery;
use crate::keys::{PublicKey, Signature, SignatureCheck, Verifier};
use crate::params::Params;
use crate::primitives::{Amount, BlockHash, Commitment};
use crate::script::Script;
use crate::tx::{OutPoint, withheld_check};
use alloc::vec::Vec;

/// What happens to a job. The ledger derives it from a transaction's action and outputs.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The escrow has been turned into a bond at `bond`.
    Engage {
        /// The node's commitment.
        commitment: Commitment,
        /// The key that signs deliveries.
        node_key: PublicKey,
        /// Where reward and stake go.
        payout: &'a Script,
        /// The bond output.
        bond: OutPoint,
    },
    /// Somebody asks to close the job.
    Settle,
    /// The client claims that the output is withheld, with a deposit at `deposit`.
    Withheld {
        /// The client's signature, for the transaction with this first input.
        signature: Signature,
        /// The claiming transaction's first input.
        first_input: OutPoint,
        /// The deposit output.
        deposit: OutPoint,
        /// What it holds.
        amount: Amount,
    },
    /// The delivery is put on the ledger.
    Deliver(&'a SignedDelivery),
    /// The client shows that a delivery is bad.
    BadDelivery(&'a BadDelivery),
}

impl Event<'_> {
    /// The event's name in tables and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Engage { .. } => "Engage",
            Self::Settle => "Settle",
            Self::Withheld { .. } => "Withheld",
            Self::Deliver(_) => "Deliver",
            Self::BadDelivery(_) => "BadDelivery",
        }
    }
}

/// What a transition depends on beside record and event.
pub struct Facts<'a> {
    /// The network's parameters.
    pub params: &'a Params,
    /// The network.
    pub genesis: &'a BlockHash,
    /// Where the transaction stands.
    pub moment: Moment,
    /// Who verifies signatures.
    pub verifier: &'a dyn Verifier,
}

/// What the ledger must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// The record from now on.
    pub record: JobRecord,
    /// Native outputs that cease to be.
    pub released: Vec<OutPoint>,
    /// What becomes of their money, if the job closes.
    pub closing: Option<Closing>,
}

/// Why a transition is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The table has no such row.
    #[error("{event} is not possible in state {state}")]
    NotListed {
        /// The record's state.
        state: &'static str,
        /// The event.
        event: &'static str,
    },
    /// The window in which this may happen is over.
    #[error("the window for {0} is closed")]
    WindowClosed(&'static str),
    /// The deadline or the window that must pass first is still ahead.
    #[error("it is too early for {0}")]
    WindowOpen(&'static str),
    /// Engage at or after the deadline.
    #[error("the deadline has passed")]
    DeadlinePassed,
    /// Withheld before the node had to deliver.
    #[error("Engage is not buried deep enough for a Withheld claim")]
    NotBuried,
    /// The node's key is no point of the curve.
    #[error("the node key is not on the curve")]
    NodeKeyOffCurve,
    /// The deposit is not the one that the parameters fix.
    #[error("deposit {given}, {required} is required")]
    Deposit {
        /// The deposit given.
        given: Amount,
        /// The deposit required.
        required: Amount,
    },
    /// A signature by the party concerned does not verify.
    #[error("the {0}'s signature does not verify")]
    Signature(&'static str),
    /// The ciphertext is longer than the job's cap.
    #[error("ciphertext of {length} bytes, at most {cap} are allowed")]
    CiphertextTooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        cap: usize,
    },
    /// The evidence shows nothing.
    #[error(transparent)]
    BadDelivery(#[from] BadDeliveryError),
    /// Amounts overflow (the terms' check rules this out).
    #[error("amounts overflow")]
    Overflow,
}

/// Applies `event` to `record`. Pairs of state and event that are not listed are errors.
///
/// # Errors
/// [`JobError`] says which guard failed.
pub fn transition(record: &JobRecord, event: &Event<'_>, facts: &Facts<'_>) -> Result<Effects, JobError> {
    let step = Step { record, facts };
    match (&record.state, event) {
        (
            JobState::Open,
            Event::Engage {
                commitment,
                node_key,
                payout,
                bond,
            },
        ) => step.engage(*commitment, *node_key, payout, *bond),
        (state, Event::Settle) if state.outcome().is_none() => step.settle(),
        (
            JobState::Engaged(engagement),
            Event::Withheld {
                signature,
                first_input,
                deposit,
                amount,
            },
        ) => {
            step.require_open(facts.params.jobs.challenge, event)?;
            step.check_withheld_claim(engagement, first_input, *signature, *amount)?;
            Ok(step.withheld(engagement, *deposit))
        }
        (JobState::Engaged(engagement), Event::Deliver(delivery)) => {
            step.require_open(facts.params.jobs.challenge, event)?;
            step.deliver(engagement, delivery, Vec::new())
        }
        (JobState::Withheld { engagement, deposit }, Event::Deliver(delivery)) => {
            step.require_open(facts.params.jobs.deliver_counter, event)?;
            step.deliver(engagement, delivery, Vec::from([*deposit]))
        }
        (JobState::Engaged(engagement) | JobState::Delivered(engagement), Event::BadDelivery(evidence)) => {
            step.bad_delivery(engagement, evidence)
        }
        (state, event) => Err(JobError::NotListed {
            state: state.name(),
            event: event.name(),
        }),
    }
}

/// A record and its surroundings while one row of the table is applied.
struct Step<'a> {
    record: &'a JobRecord,
    facts: &'a Facts<'a>,
}

impl Step<'_> {
    fn engage(
        &self,
        commitment: Commitment,
        node_key: PublicKey,
        payout: &Script,
        bond: OutPoint,
    ) -> Result<Effects, JobError> {
        if self.facts.moment.height >= self.record.terms.deadline {
            return Err(JobError::DeadlinePassed);
        }
        if !node_key.is_on_curve() {
            return Err(JobError::NodeKeyOffCurve);
        }
        let since = self.facts.moment.opens();
        let engagement = Engagement {
            commitment,
            node_key,
            payout: payout.clone(),
            bond,
            since,
        };
        Ok(self.next(JobState::Engaged(engagement), Vec::new()))
    }

    /// Every state but Closed can be left this way, by time alone.
    fn settle(&self) -> Result<Effects, JobError> {
        let record = self.record;
        if !record.may_settle(&self.facts.moment, self.facts.params) {
            return Err(JobError::WindowOpen("Settle"));
        }
        match &record.state {
            JobState::Open => self.close(Closing::refund(record), Vec::from([record.escrow])),
            JobState::Engaged(engagement) | JobState::Delivered(engagement) => self.close(
                Closing::settlement(record, engagement),
                Vec::from([engagement.bond]),
            ),
            JobState::Withheld { engagement, deposit } => {
                self.slash(Outcome::SlashedWithheld, engagement, Some(*deposit))
            }
            JobState::Closed(_) => Err(JobError::NotListed {
                state: "Closed",
                event: "Settle",
            }),
        }
    }

    fn check_withheld_claim(
        &self,
        engagement: &Engagement,
        first_input: &OutPoint,
        signature: Signature,
        given: Amount,
    ) -> Result<(), JobError> {
        let jobs = &self.facts.params.jobs;
        if self.facts.moment.height < engagement.since.height.plus(jobs.burial) {
            return Err(JobError::NotBuried);
        }
        let required = jobs.withheld_deposit(self.record.terms.max_tokens);
        if given != required {
            return Err(JobError::Deposit { given, required });
        }
        let JobRecord { id, seq, terms, .. } = self.record;
        let check = withheld_check(
            self.facts.genesis,
            id,
            *seq,
            first_input,
            terms.client_key,
            signature,
        );
        self.verify("client", &check)
    }

    fn withheld(&self, engagement: &Engagement, deposit: OutPoint) -> Effects {
        self.next(
            JobState::Withheld {
                engagement: engagement.clone(),
                deposit,
            },
            Vec::new(),
        )
    }

    /// The deposit of an answered Withheld claim is released without a payout: it becomes the fee of
    /// the transaction that answers.
    fn deliver(
        &self,
        engagement: &Engagement,
        delivery: &SignedDelivery,
        released: Vec<OutPoint>,
    ) -> Result<Effects, JobError> {
        self.check_delivery(engagement, delivery)?;
        Ok(self.next(JobState::Delivered(engagement.clone()), released))
    }

    fn bad_delivery(&self, engagement: &Engagement, evidence: &BadDelivery) -> Result<Effects, JobError> {
        self.require_open(self.facts.params.jobs.challenge, &Event::BadDelivery(evidence))?;
        // A ciphertext above the cap is no excuse: the node signed it and it cannot be a delivery.
        let context = self.record.seal_context(self.facts.genesis, engagement);
        self.verify(
            "node",
            &evidence.delivery.signature_check(&context, &engagement.node_key),
        )?;
        evidence.judge(&Promise {
            genesis: self.facts.genesis,
            terms: &self.record.terms,
            node_key: &engagement.node_key,
            payout: &engagement.payout,
            context: &context,
        })?;
        self.slash(Outcome::SlashedBadDelivery, engagement, None)
    }

    fn check_delivery(&self, engagement: &Engagement, delivery: &SignedDelivery) -> Result<(), JobError> {
        let (length, cap) = (
            delivery.ciphertext.len(),
            SignedDelivery::size_cap(self.record.terms.max_tokens),
        );
        if length > cap {
            return Err(JobError::CiphertextTooLong { length, cap });
        }
        let context = self.record.seal_context(self.facts.genesis, engagement);
        self.verify("node", &delivery.signature_check(&context, &engagement.node_key))
    }

    fn slash(
        &self,
        outcome: Outcome,
        engagement: &Engagement,
        deposit: Option<OutPoint>,
    ) -> Result<Effects, JobError> {
        let jobs = &self.facts.params.jobs;
        let amount = match deposit {
            Some(_) => jobs.withheld_deposit(self.record.terms.max_tokens),
            None => Amount::ZERO,
        };
        let released = [engagement.bond].into_iter().chain(deposit).collect();
        self.close(Closing::slash(self.record, outcome, amount, jobs), released)
    }

    fn close(&self, closing: Option<Closing>, released: Vec<OutPoint>) -> Result<Effects, JobError> {
        let closing = closing.ok_or(JobError::Overflow)?;
        let effects = self.next(JobState::Closed(closing.outcome), released);
        Ok(Effects {
            closing: Some(closing),
            ..effects
        })
    }

    fn next(&self, state: JobState, released: Vec<OutPoint>) -> Effects {
        let record = JobRecord {
            seq: self.record.seq.saturating_add(1),
            since: self.facts.moment.opens(),
            state,
            ..self.record.clone()
        };
        Effects {
            record,
            released,
            closing: None,
        }
    }

    fn require_open(&self, blocks: u32, event: &Event<'_>) -> Result<(), JobError> {
        let closed = self
            .facts
            .moment
            .closed(&self.record.since, blocks, self.facts.params.spacing_s);
        if closed {
            Err(JobError::WindowClosed(event.name()))
        } else {
            Ok(())
        }
    }

    fn verify(&self, party: &'static str, check: &SignatureCheck) -> Result<(), JobError> {
        if self.facts.verifier.verify(check) {
            Ok(())
        } else {
            Err(JobError::Signature(party))
        }
    }
}
