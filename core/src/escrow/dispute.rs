//! A dispute in the record of a job: who sits on the committee, and what they have said.

use super::record::Engagement;
use crate::committee::{Ballot, Decision, Rule, Tally, tally};
use crate::keys::PublicKey;
use crate::params::CommitteeParams;
use crate::primitives::Hash256;
use crate::tx::OutPoint;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Round 1, and round 2 once it was appealed to.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Dispute {
    /// What it is about.
    pub engagement: Engagement,
    /// Who raised it.
    pub origin: Origin,
    /// Seats of round 1 in the order of the draw. Empty until the draw window is closed, and for good
    /// if there were too few eligible tickets, or if nobody voted and nobody settled until the first of
    /// their bonds could have been withdrawn.
    pub seats: Vec<Seat>,
    /// The appeal that led to round 2.
    pub appeal: Option<Appeal>,
}

/// Who raised a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Origin {
    /// The client, with a deposit.
    Claim {
        /// The deposit output.
        deposit: OutPoint,
    },
    /// The beacon.
    Audit,
}

/// A party to the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Party {
    /// Who pays for the output.
    Client,
    /// Who made it.
    Node,
}

/// The appeal against round 1.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Appeal {
    /// Who appealed.
    pub by: Party,
    /// The deposit output.
    pub deposit: OutPoint,
    /// Seats of round 2, like [`Dispute::seats`].
    pub seats: Vec<Seat>,
}

/// A place on a committee.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Seat {
    /// Whose place it is.
    pub ticket: OutPoint,
    /// The key that votes and is paid.
    pub key: PublicKey,
    /// What it has done.
    pub vote: Vote,
}

/// What a seat has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Vote {
    /// Nothing.
    None,
    /// Committed to a ballot.
    Committed(Hash256),
    /// Shown it.
    Revealed(Ballot),
}

impl Dispute {
    /// A dispute in round 1.
    pub fn new(engagement: Engagement, origin: Origin) -> Self {
        Self {
            engagement,
            origin,
            seats: Vec::new(),
            appeal: None,
        }
    }

    /// 1, or 2 after an appeal.
    pub fn round(&self) -> u8 {
        if self.appeal.is_some() { 2 } else { 1 }
    }

    /// The seats of the current round.
    pub fn current_seats(&self) -> &[Seat] {
        match &self.appeal {
            Some(appeal) => &appeal.seats,
            None => &self.seats,
        }
    }

    pub(super) fn current_seats_mut(&mut self) -> &mut Vec<Seat> {
        match &mut self.appeal {
            Some(appeal) => &mut appeal.seats,
            None => &mut self.seats,
        }
    }

    /// The seats of both rounds.
    pub fn all_seats(&self) -> impl Iterator<Item = &Seat> {
        let second = self.appeal.iter().flat_map(|appeal| &appeal.seats);
        self.seats.iter().chain(second)
    }

    /// True when the beacon raised it.
    pub fn is_audit(&self) -> bool {
        self.origin == Origin::Audit
    }

    /// The deposits of the claim and of the appeal, with who gave them.
    pub fn deposits(&self) -> impl Iterator<Item = (Party, OutPoint)> {
        let claim = match self.origin {
            Origin::Claim { deposit } => Some((Party::Client, deposit)),
            Origin::Audit => None,
        };
        let appeal = self.appeal.as_ref().map(|appeal| (appeal.by, appeal.deposit));
        claim.into_iter().chain(appeal)
    }

    /// The decision as the ballots stand: round 2's unless it is inconclusive, else round 1's.
    pub fn tally(&self, exact: bool, params: &CommitteeParams) -> Tally {
        let count = |seats: &[Seat], round| {
            let rule = Rule {
                seats: params.seats_of(round),
                quorum: params.quorum,
                audit: self.is_audit(),
                exact: exact && params.score_roots,
            };
            let ballots: Vec<Ballot> = seats.iter().filter_map(Seat::ballot).copied().collect();
            tally(&ballots, &rule)
        };
        let second = self.appeal.as_ref().map(|appeal| count(&appeal.seats, 2));
        second
            .filter(|tally| tally.decision != Decision::Inconclusive)
            .unwrap_or_else(|| count(&self.seats, 1))
    }

    /// Who may appeal against `decision`: whom it is against. An audit has no claimant.
    pub fn may_appeal(&self, decision: Decision) -> Option<Party> {
        match decision {
            Decision::Upheld => Some(Party::Node),
            Decision::Rejected | Decision::Inconclusive => (!self.is_audit()).then_some(Party::Client),
        }
    }
}

impl Seat {
    /// The ballot, if it was revealed.
    pub fn ballot(&self) -> Option<&Ballot> {
        match &self.vote {
            Vote::Revealed(ballot) => Some(ballot),
            Vote::None | Vote::Committed(_) => None,
        }
    }
}
