//! Counting the ballots of a dispute a second time, by the protocol's words.

use super::lives::Life;
use camelid_core::committee::{Ballot, Decision, Finding};
use camelid_core::params::{Params, Quorum};
use camelid_core::tx::{ActionKind, ClaimKind, OutPoint};

/// How a dispute ends.
pub(super) struct Verdict {
    /// The decision of round 1.
    pub(super) first: Decision,
    /// The decision that counts.
    pub(super) decision: Decision,
    /// Seats that are paid, in both rounds.
    pub(super) paid: Vec<OutPoint>,
}

/// Revealed ballots of a round.
type Ballots = Vec<(OutPoint, Ballot)>;

/// Counts what the seats of `life` have revealed. Round 2 decides, unless it cannot tell.
pub(super) fn verdict(life: &Life, params: &Params, audit: bool) -> Verdict {
    let (first, second) = ballots(life);
    let (of, votes) = (params.committee.seats, params.committee.quorum == Quorum::Votes);
    let size = |ballots: &Ballots, seats: u32| if votes { ballots.len() } else { seats as usize };
    let exact = life.terms.exact && params.committee.score_roots;
    let count = |ballots: &Ballots, seats| decide(ballots, size(ballots, seats), audit, exact);
    let (one, two) = (count(&first, of[0]), count(&second, of[1]));
    let decision = if two == Decision::Inconclusive { one } else { two };
    let deciding = if two == Decision::Inconclusive {
        &first
    } else {
        &second
    };
    let agreed = strongest(deciding, decision).filter(|_| exact);
    let all = first.iter().chain(&second);
    let paid = all.filter(|(_, ballot)| is_paid(ballot, decision, audit, agreed.as_ref()));
    Verdict {
        first: one,
        decision,
        paid: paid.map(|(seat, _)| *seat).collect(),
    }
}

/// The ballots before and after the appeal.
fn ballots(life: &Life) -> (Ballots, Ballots) {
    let (mut first, mut second, mut appealed) = (Vec::new(), Vec::new(), false);
    for step in &life.steps {
        match &step.kind {
            ActionKind::Claim {
                kind: ClaimKind::Appeal,
                ..
            } => appealed = true,
            ActionKind::VoteReveal { ticket, ballot, .. } if appealed => second.push((*ticket, *ballot)),
            ActionKind::VoteReveal { ticket, ballot, .. } => first.push((*ticket, *ballot)),
            _ => {}
        }
    }
    (first, second)
}

/// More than half of all seats. No evidence speaks against the claimant; in an audit, against the node.
/// Of an exact model, accusers count together only if they say the same.
fn decide(ballots: &Ballots, of: usize, audit: bool, exact: bool) -> Decision {
    let count = |test: &dyn Fn(&Ballot) -> bool| ballots.iter().filter(|(_, ballot)| test(ballot)).count();
    let accused = strongest(ballots, Decision::Upheld);
    let invalid = count(&|ballot| is_invalid(ballot) && (!exact || Some(*ballot) == accused));
    let valid = count(&|ballot| ballot.finding == Finding::Valid);
    let nothing = count(&|ballot| ballot.finding == Finding::NoEvidence);
    let (against, in_favour) = if audit {
        (invalid + nothing, valid)
    } else {
        (invalid, valid + nothing)
    };
    if 2 * against > of {
        Decision::Upheld
    } else if 2 * in_favour > of {
        Decision::Rejected
    } else {
        Decision::Inconclusive
    }
}

/// The ballot that most of a side have cast; of several, the lowest.
fn strongest(ballots: &Ballots, side: Decision) -> Option<Ballot> {
    let wanted = |ballot: &Ballot| match side {
        Decision::Upheld => is_invalid(ballot),
        Decision::Rejected => ballot.finding == Finding::Valid,
        Decision::Inconclusive => false,
    };
    let mut candidates: Vec<Ballot> = ballots.iter().map(|(_, ballot)| *ballot).filter(wanted).collect();
    candidates.sort_by_key(|ballot| (ballot.finding, ballot.score_root));
    let votes = |wanted: &Ballot| candidates.iter().filter(|ballot| *ballot == wanted).count();
    // The last of equals is taken, hence from behind.
    candidates
        .iter()
        .rev()
        .max_by_key(|ballot| votes(ballot))
        .copied()
}

fn is_invalid(ballot: &Ballot) -> bool {
    matches!(ballot.finding, Finding::Invalid { .. })
}

fn is_paid(ballot: &Ballot, decision: Decision, audit: bool, agreed: Option<&Ballot>) -> bool {
    match (decision, ballot.finding) {
        (Decision::Upheld, Finding::Invalid { .. }) | (Decision::Rejected, Finding::Valid) => {
            agreed.is_none_or(|agreed| agreed == ballot)
        }
        (Decision::Upheld, Finding::NoEvidence) => audit,
        (Decision::Rejected, Finding::NoEvidence) => !audit,
        (Decision::Inconclusive, finding) => matches!(finding, Finding::Valid | Finding::Invalid { .. }),
        _ => false,
    }
}
