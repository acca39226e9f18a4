//! The rows of the table that concern a committee.

use super::dispute::{Appeal, Dispute, Origin, Party, Seat, Vote};
use super::event::{Claim, Effects, JobError};
use super::payout::Closing;
use super::record::{Engagement, JobRecord, JobState};
use super::stage::Stage;
use super::transition::Step;
use crate::committee::{Ballot, Tally, ballot_commitment, vote_check};
use crate::keys::Signature;
use crate::primitives::{Amount, Hash256};
use crate::tx::{ClaimKind, OutPoint};
use alloc::boxed::Box;
use alloc::vec::Vec;

impl Step<'_> {
    pub(super) fn invalid(&self, engagement: &Engagement, claim: &Claim) -> Result<Effects, JobError> {
        self.require_stage(Stage::Challenge, ClaimKind::Invalid.name())?;
        let seat_pays = self.facts.clock.params.committee.claim_deposit_in_seat_pays;
        self.check_claim(
            ClaimKind::Invalid,
            Party::Client,
            claim,
            self.seat_pays(seat_pays),
        )?;
        let origin = Origin::Claim {
            deposit: claim.deposit,
        };
        let dispute = Dispute::new(engagement.clone(), origin);
        Ok(self.next(JobState::Disputed(Box::new(dispute)), Vec::new()))
    }

    /// Whoever the decision is against may ask for a larger committee, once.
    pub(super) fn appeal(&self, dispute: &Dispute, claim: &Claim) -> Result<Effects, JobError> {
        let decision = self.tally(dispute).decision;
        let by = dispute.may_appeal(decision).ok_or(JobError::NothingToAppeal)?;
        let seat_pays = self.facts.clock.params.committee.appeal_deposit_in_seat_pays;
        self.check_claim(ClaimKind::Appeal, by, claim, self.seat_pays(seat_pays))?;
        let appeal = Appeal {
            by,
            deposit: claim.deposit,
            seats: Vec::new(),
        };
        let dispute = Dispute {
            appeal: Some(appeal),
            ..dispute.clone()
        };
        Ok(self.next(JobState::Disputed(Box::new(dispute)), Vec::new()))
    }

    pub(super) fn commit(
        &self,
        dispute: &Dispute,
        ticket: &OutPoint,
        commitment: &Hash256,
        signature: Signature,
    ) -> Result<Effects, JobError> {
        let round = self.round.ok_or(JobError::NoSeat(*ticket))?;
        self.vote(dispute, ticket, |seat| {
            if seat.vote != Vote::None {
                return Err(JobError::Vote("VoteCommit"));
            }
            let check = vote_check(&round, (ticket, seat.key), commitment, signature);
            self.verify("seat", &check)?;
            Ok(Vote::Committed(*commitment))
        })
    }

    pub(super) fn reveal(
        &self,
        dispute: &Dispute,
        ticket: &OutPoint,
        ballot: &Ballot,
        salt: &[u8; 32],
    ) -> Result<Effects, JobError> {
        let round = self.round.ok_or(JobError::NoSeat(*ticket))?;
        self.vote(dispute, ticket, |seat| {
            let Vote::Committed(commitment) = seat.vote else {
                return Err(JobError::Vote("VoteReveal"));
            };
            if ballot_commitment(&round, ticket, ballot, salt) != commitment {
                return Err(JobError::Ballot);
            }
            Ok(Vote::Revealed(*ballot))
        })
    }

    /// Changes a seat's vote. The record keeps its sequence number and its window: votes do not
    /// compete with each other.
    fn vote(
        &self,
        dispute: &Dispute,
        ticket: &OutPoint,
        cast: impl FnOnce(&Seat) -> Result<Vote, JobError>,
    ) -> Result<Effects, JobError> {
        let mut dispute = dispute.clone();
        let mut seats = dispute.current_seats_mut().iter_mut();
        let seat = seats
            .find(|seat| seat.ticket == *ticket)
            .ok_or(JobError::NoSeat(*ticket))?;
        seat.vote = cast(seat)?;
        let record = JobRecord {
            state: JobState::Disputed(Box::new(dispute)),
            ..self.record.clone()
        };
        Ok(Effects::of(record))
    }

    /// Closes a dispute by its tally; seats that showed no ballot are fined and jailed.
    pub(super) fn decide(&self, dispute: &Dispute) -> Result<Effects, JobError> {
        let params = self.facts.clock.params;
        let tally = self.tally(dispute);
        let fund = self.facts.audit_fund;
        let closing = Closing::verdict(self.record, dispute, &tally, params, fund);
        let deposits = dispute.deposits().map(|(_, deposit)| deposit);
        let released = [dispute.engagement.bond].into_iter().chain(deposits).collect();
        let silent = dispute.all_seats().filter(|seat| seat.ballot().is_none());
        let fine = self.seat_pays(params.committee.no_show_fine_in_seat_pays);
        Ok(Effects {
            jailed: silent.map(|seat| seat.ticket).collect(),
            fine: fine.ok_or(JobError::Overflow)?,
            ..self.close(closing, released)?
        })
    }

    fn tally(&self, dispute: &Dispute) -> Tally {
        dispute.tally(self.record.terms.exact, &self.facts.clock.params.committee)
    }

    /// `count` seat pays of this job.
    fn seat_pays(&self, count: u32) -> Option<Amount> {
        let pay = self.facts.clock.params.jobs.seat_pay(self.record.terms.reward);
        pay.checked_mul(u64::from(count))
    }
}
