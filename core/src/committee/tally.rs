//! Counting votes.

use super::ballot::{Ballot, Finding};
use crate::params::Quorum;
use crate::primitives::Hash256;
use alloc::collections::BTreeMap;
use borsh::{BorshDeserialize, BorshSerialize};
use core::cmp::Reverse;

/// What a committee decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Decision {
    /// The output is not the model's: the node is slashed.
    Upheld,
    /// The output stands.
    Rejected,
    /// No side has a majority: the job settles for the node as if it were unclaimed.
    Inconclusive,
}

/// How votes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Seats of the round.
    pub seats: u32,
    /// What a majority is a majority of.
    pub quorum: Quorum,
    /// An audit: without evidence the node loses. In a claim, the claimant does.
    pub audit: bool,
    /// Findings count together only if position and score root agree: honest machines compute the
    /// same scores, bit for bit.
    pub exact: bool,
}

/// The outcome of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What was decided.
    pub decision: Decision,
    /// The ballot that the deciding seats agree on, when they have to.
    agreed: Option<(Finding, Hash256)>,
    audit: bool,
}

/// Counts the revealed ballots of a round.
pub fn tally(ballots: &[Ballot], rule: &Rule) -> Tally {
    let count = |wanted: fn(&Finding) -> bool| {
        let matching = ballots.iter().filter(|ballot| wanted(&ballot.finding));
        matching.count() as u64
    };
    let without_evidence = count(|finding| matches!(finding, Finding::NoEvidence));
    let of = match rule.quorum {
        Quorum::Seats => u64::from(rule.seats),
        Quorum::Votes => count(|_| true),
    };
    let (against, accused) = strongest(ballots, rule.exact, is_invalid);
    let against = against + if rule.audit { without_evidence } else { 0 };
    let (_, cleared) = strongest(ballots, rule.exact, is_valid);
    let in_favour = count(is_valid) + if rule.audit { 0 } else { without_evidence };
    let (decision, agreed) = if 2 * against > of {
        (Decision::Upheld, accused)
    } else if 2 * in_favour > of {
        (Decision::Rejected, cleared)
    } else {
        (Decision::Inconclusive, None)
    };
    Tally {
        decision,
        agreed: agreed.filter(|_| rule.exact),
        audit: rule.audit,
    }
}

/// The largest group of ballots that agree, among those with a `wanted` finding: its size, and what
/// it says. Without `exact` they all agree.
fn strongest(
    ballots: &[Ballot],
    exact: bool,
    wanted: fn(&Finding) -> bool,
) -> (u64, Option<(Finding, Hash256)>) {
    let mut groups: BTreeMap<Option<(Finding, Hash256)>, u64> = BTreeMap::new();
    for ballot in ballots.iter().filter(|ballot| wanted(&ballot.finding)) {
        let group = exact.then_some((ballot.finding, ballot.score_root));
        *groups.entry(group).or_default() += 1;
    }
    let largest = groups
        .into_iter()
        .max_by_key(|(group, size)| (*size, Reverse(*group)));
    largest.map_or((0, None), |(group, size)| (size, group))
}

fn is_invalid(finding: &Finding) -> bool {
    matches!(finding, Finding::Invalid { .. })
}

fn is_valid(finding: &Finding) -> bool {
    matches!(finding, Finding::Valid)
}

impl Tally {
    /// True when a seat with this ballot is on the side that decided, and so is paid. When nothing is
    /// decided, seats that said valid or invalid are.
    pub fn pays(&self, ballot: &Ballot) -> bool {
        let agrees = || {
            self.agreed
                .is_none_or(|agreed| agreed == (ballot.finding, ballot.score_root))
        };
        match (self.decision, ballot.finding) {
            (Decision::Upheld, Finding::Invalid { .. }) | (Decision::Rejected, Finding::Valid) => agrees(),
            (Decision::Upheld, Finding::NoEvidence) => self.audit,
            (Decision::Rejected, Finding::NoEvidence) => !self.audit,
            (Decision::Inconclusive, Finding::Valid | Finding::Invalid { .. }) => true,
            _ => false,
        }
    }
}
