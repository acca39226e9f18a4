//! The state machine of a job: the table of `docs/src/protocol.md`, row by row.

use super::clock::Since;
use super::dispute::Party;
use super::event::{Claim, Effects, Event, Facts, JobError};
use super::payout::Closing;
use super::record::{Engagement, JobRecord, JobState, Outcome};
use super::stage::{Phase, Stage};
use crate::dispute::{BadDelivery, Promise};
use crate::job::SignedDelivery;
use crate::keys::{PublicKey, SignatureCheck};
use crate::primitives::{Amount, Commitment, Hash256};
use crate::script::Script;
use crate::tx::{ClaimKind, OutPoint, claim_check};
use alloc::vec::Vec;

/// Applies `event` to `record`. Pairs of state and event that are not listed are errors.
///
/// # Errors
/// [`JobError`] says which guard failed.
pub fn transition(record: &JobRecord, event: &Event<'_>, facts: &Facts<'_>) -> Result<Effects, JobError> {
    let standing = record.at(&facts.clock);
    let step = Step {
        record: &standing.record,
        stage: standing.stage,
        round: standing.round,
        facts,
    };
    match (&step.record.state, event) {
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
        (JobState::Engaged(engagement), Event::Claim(ClaimKind::Withheld, claim)) => {
            step.withheld(engagement, claim)
        }
        (
            JobState::Engaged(engagement) | JobState::Delivered(engagement),
            Event::Claim(ClaimKind::Invalid, claim),
        ) => step.invalid(engagement, claim),
        (JobState::Engaged(engagement), Event::Deliver(delivery)) => {
            step.require(Stage::Challenge, event)?;
            step.deliver(engagement, delivery, Vec::new())
        }
        (JobState::Withheld { engagement, deposit }, Event::Deliver(delivery)) => {
            step.require(Stage::Counter, event)?;
            step.deliver(engagement, delivery, Vec::from([*deposit]))
        }
        (JobState::Engaged(engagement) | JobState::Delivered(engagement), Event::BadDelivery(evidence)) => {
            step.require(Stage::Challenge, event)?;
            step.bad_delivery(engagement, evidence)
        }
        (
            JobState::Disputed(dispute),
            Event::VoteCommit {
                ticket,
                commitment,
                signature,
            },
        ) => {
            step.require(Stage::Round(Phase::Commit), event)?;
            step.commit(dispute, ticket, commitment, *signature)
        }
        (JobState::Disputed(dispute), Event::VoteReveal { ticket, ballot, salt }) => {
            step.require(Stage::Round(Phase::Reveal), event)?;
            step.reveal(dispute, ticket, ballot, salt)
        }
        (JobState::Disputed(dispute), Event::Claim(ClaimKind::Appeal, claim)) if dispute.round() == 1 => {
            step.require(Stage::Round(Phase::Appeal), event)?;
            step.appeal(dispute, claim)
        }
        (state, event) => Err(JobError::NotListed {
            state: state.name(),
            event: event.name(),
        }),
    }
}

/// A record and its surroundings while one row of the table is applied.
pub(super) struct Step<'a> {
    /// The record as it stands at the moment.
    pub(super) record: &'a JobRecord,
    pub(super) stage: Stage,
    /// The round, if its beacon block is known.
    pub(super) round: Option<Hash256>,
    pub(super) facts: &'a Facts<'a>,
}

impl Step<'_> {
    fn engage(
        &self,
        commitment: Commitment,
        node_key: PublicKey,
        payout: &Script,
        bond: OutPoint,
    ) -> Result<Effects, JobError> {
        if self.stage != Stage::Open {
            return Err(JobError::DeadlinePassed);
        }
        if !node_key.is_on_curve() {
            return Err(JobError::NodeKeyOffCurve);
        }
        let engagement = Engagement {
            commitment,
            node_key,
            payout: payout.clone(),
            bond,
            since: self.now(),
        };
        Ok(self.next(JobState::Engaged(engagement), Vec::new()))
    }

    /// Every state but Closed can be left this way, by time alone.
    fn settle(&self) -> Result<Effects, JobError> {
        let record = self.record;
        if !self.stage.settles() {
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
            JobState::Disputed(dispute) => self.decide(dispute),
            JobState::Closed(_) => Err(JobError::NotListed {
                state: "Closed",
                event: "Settle",
            }),
        }
    }

    fn withheld(&self, engagement: &Engagement, claim: &Claim) -> Result<Effects, JobError> {
        let params = self.facts.clock.params;
        self.require_stage(Stage::Challenge, ClaimKind::Withheld.name())?;
        if self.facts.clock.moment.height < engagement.since.height.plus(params.jobs.burial) {
            return Err(JobError::NotBuried);
        }
        let required = params.jobs.withheld_deposit(self.record.terms.max_tokens);
        self.check_claim(ClaimKind::Withheld, Party::Client, claim, Some(required))?;
        let state = JobState::Withheld {
            engagement: engagement.clone(),
            deposit: claim.deposit,
        };
        Ok(self.next(state, Vec::new()))
    }

    pub(super) fn check_claim(
        &self,
        kind: ClaimKind,
        by: Party,
        claim: &Claim,
        required: Option<Amount>,
    ) -> Result<(), JobError> {
        let required = required.ok_or(JobError::Overflow)?;
        if claim.amount != required {
            return Err(JobError::Deposit {
                given: claim.amount,
                required,
            });
        }
        let JobRecord { id, seq, terms, .. } = self.record;
        let (name, key) = match by {
            Party::Client => ("client", terms.client_key),
            Party::Node => {
                let engagement = self.record.state.engagement();
                (
                    "node",
                    engagement.map_or(terms.client_key, |engagement| engagement.node_key),
                )
            }
        };
        let genesis = self.facts.clock.genesis;
        let check = claim_check(
            kind,
            genesis,
            (id, *seq),
            &claim.first_input,
            key,
            claim.signature,
        );
        self.verify(name, &check)
    }

    /// The delivery may be wrong; it stands until BadDelivery shows so, and a fresh challenge window
    /// opens for that.
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
        if !self.facts.clock.params.committee.public_decryption {
            return Err(JobError::NoPublicDecryption);
        }
        // A ciphertext above the cap is no excuse: the node signed it and it cannot be a delivery.
        let context = self.record.seal_context(self.facts.clock.genesis, engagement);
        self.verify(
            "node",
            &evidence.delivery.signature_check(&context, &engagement.node_key),
        )?;
        evidence.judge(&Promise {
            genesis: self.facts.clock.genesis,
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
        let context = self.record.seal_context(self.facts.clock.genesis, engagement);
        self.verify("node", &delivery.signature_check(&context, &engagement.node_key))
    }

    fn slash(
        &self,
        outcome: Outcome,
        engagement: &Engagement,
        deposit: Option<OutPoint>,
    ) -> Result<Effects, JobError> {
        let jobs = &self.facts.clock.params.jobs;
        let amount = match deposit {
            Some(_) => jobs.withheld_deposit(self.record.terms.max_tokens),
            None => Amount::ZERO,
        };
        let released = [engagement.bond].into_iter().chain(deposit).collect();
        self.close(Closing::slash(self.record, outcome, amount, jobs), released)
    }

    pub(super) fn close(
        &self,
        closing: Option<Closing>,
        released: Vec<OutPoint>,
    ) -> Result<Effects, JobError> {
        let closing = closing.ok_or(JobError::Overflow)?;
        let effects = self.next(JobState::Closed(closing.outcome), released);
        Ok(Effects {
            closing: Some(closing),
            ..effects
        })
    }

    /// The record in its next state, whose window opens here.
    pub(super) fn next(&self, state: JobState, released: Vec<OutPoint>) -> Effects {
        let record = JobRecord {
            seq: self.record.seq.saturating_add(1),
            since: self.now(),
            state,
            ..self.record.clone()
        };
        Effects {
            released,
            ..Effects::of(record)
        }
    }

    fn now(&self) -> Since {
        self.facts.clock.moment.opens()
    }

    fn require(&self, stage: Stage, event: &Event<'_>) -> Result<(), JobError> {
        self.require_stage(stage, event.name())
    }

    pub(super) fn require_stage(&self, stage: Stage, event: &'static str) -> Result<(), JobError> {
        match self.stage {
            now if now == stage => Ok(()),
            now if now < stage => Err(JobError::WindowOpen(event)),
            _ => Err(JobError::WindowClosed(event)),
        }
    }

    pub(super) fn verify(&self, party: &'static str, check: &SignatureCheck) -> Result<(), JobError> {
        if self.facts.verifier.verify(check) {
            Ok(())
        } else {
            Err(JobError::Signature(party))
        }
    }
}
