//! What both parties to a job do while a committee judges it.

use super::base::Base;
use crate::dispute::Evidence;
use crate::escrow::{Dispute, JobRecord, Party, Phase, Stage, Standing, Vote};
use crate::primitives::{JobId, Time};
use crate::process::{Event, Outputs};
use crate::tx::{ActionKind, ClaimKind, OutPoint};
use crate::wire::Message;
use alloc::boxed::Box;

/// A seat that asks for evidence is answered once in this time.
const ANSWER_AGAIN_MS: u64 = 30_000;

/// A party's means in a dispute.
pub(super) struct Brief<'a> {
    /// Which party it is.
    pub(super) party: Party,
    /// What it can show, if it can.
    pub(super) evidence: Option<&'a Evidence>,
    /// It holds that the committee would be wrong to decide against it.
    pub(super) in_the_right: bool,
    /// It is time to send the evidence (again).
    pub(super) evidence_due: bool,
}

impl Base {
    /// Shows the evidence to the seats, appeals against a wrong decision, and settles in the end.
    pub(super) fn plead(&mut self, now: Time, standing: &Standing, brief: &Brief<'_>, out: &mut Outputs) {
        let record = &standing.record;
        let Some(dispute) = record.state.dispute() else {
            return;
        };
        match standing.stage {
            Stage::Round(Phase::Commit) if brief.evidence_due => {
                if let Some(evidence) = brief.evidence {
                    self.send_evidence(dispute, evidence, out);
                }
            }
            Stage::Round(Phase::Appeal) if brief.in_the_right => {
                self.appeal(now, record, dispute, brief.party, out);
            }
            Stage::Round(Phase::Over) => {
                self.submit_action(now, record.id, record.seq, ActionKind::Settle, out);
            }
            _ => {}
        }
    }

    /// Shows evidence to the seats, if others have not voted. One message for all: on the way to a seat
    /// that is no neighbour it passes everybody anyway.
    pub(super) fn send_evidence(&mut self, dispute: &Dispute, evidence: &Evidence, out: &mut Outputs) {
        let own = self.id();
        let mut seats = dispute.current_seats().iter();
        if seats.any(|seat| seat.vote == Vote::None && seat.key.key_hash() != own) {
            self.send_through(None, &Message::Evidence(Box::new(evidence.clone())), out);
            out.event(Event::EvidenceSent { job: evidence.job });
        }
    }

    /// Asks for the larger committee, unless there were not even enough tickets for the small one.
    fn appeal(&mut self, now: Time, record: &JobRecord, dispute: &Dispute, party: Party, out: &mut Outputs) {
        let committee = &self.chain.params().committee;
        let decision = dispute.tally(record.terms.exact, committee).decision;
        if dispute.may_appeal(decision) != Some(party) || dispute.seats.is_empty() {
            return;
        }
        let deposit = self.seat_pays(record, committee.appeal_deposit_in_seat_pays);
        self.file_claim(now, record, ClaimKind::Appeal, deposit, out);
    }

    /// True once every [`ANSWER_AGAIN_MS`] for each seat: a question is small, an answer is not.
    fn may_answer(&mut self, now: Time, job: JobId, ticket: OutPoint) -> bool {
        self.answered_at
            .retain(|_, at| now < at.after_ms(ANSWER_AGAIN_MS));
        if self.answered_at.contains_key(&(job, ticket)) {
            return false;
        }
        self.answered_at.insert((job, ticket), now);
        true
    }

    /// Answers a seat of the job's committee that asks for evidence.
    pub(super) fn answer_seat(
        &mut self,
        now: Time,
        ticket: &OutPoint,
        evidence: &Evidence,
        out: &mut Outputs,
    ) {
        // Only the opening of the commitment that is on the ledger is given out: a reorganisation may have
        // put another node's Engage in the place of the one that it is about.
        let ledger = self.chain.ledger();
        let record = ledger.job(&evidence.job);
        let Some(record) = record.filter(|record| evidence.opens(ledger.genesis(), record)) else {
            return;
        };
        let standing = self.standing(now, &record);
        let (Some(dispute), Stage::Round(Phase::Commit)) = (standing.record.state.dispute(), standing.stage)
        else {
            return;
        };
        let mut waiting = dispute
            .current_seats()
            .iter()
            .filter(|seat| seat.vote == Vote::None);
        let recipient = waiting
            .find(|seat| seat.ticket == *ticket)
            .map(|seat| seat.key.key_hash());
        if let Some(recipient) = recipient
            && self.may_answer(now, evidence.job, *ticket)
        {
            let message = Message::Evidence(Box::new(evidence.clone()));
            self.send_through(Some(recipient), &message, out);
        }
    }
}
