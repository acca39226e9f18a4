//! The table of states a second time: guards in the words of the protocol, windows by walking from
//! block to block, committees by counting heads.

use super::past::Past;
use super::support::*;
use super::world::{Act, World};
use camelid_core::committee::{Ballot, Decision, Finding};
use camelid_core::escrow::{JobRecord, JobState, Moment, Seat, Since, Vote};
use camelid_core::primitives::{Height, Timestamp};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    BeforeDeadline,
    FromDeadline,
    ChallengeOpen,
    ChallengeClosed,
    CounterOpen,
    CounterClosed,
    DrawOpen,
    CommitOpen,
    RevealOpen,
    AppealOpen,
    RoundOver,
    Closed,
}

/// The first block, up to `now`, in which a window of `blocks` that opened at `since` is closed.
pub fn first_closed(past: &Past, now: u32, since: Since, blocks: u32) -> Option<Since> {
    let (s, mtp_s) = (since.height.0, since.mtp.0);
    let closed = |h: &u32| *h >= s + blocks && past.mtp(*h - 1) >= mtp_s + blocks * 60;
    let height = (s..=now).find(closed)?;
    Some(Since {
        height: Height(height),
        mtp: Timestamp(past.mtp(height)),
    })
}

/// Where `record` stands in the block at `now`, and the round it is in.
pub fn place(world: &World, record: &JobRecord, now: u32) -> (Place, u8) {
    let (jobs, past) = (&world.params.jobs, &world.past);
    let window = |blocks, open, closed| match first_closed(past, now, record.since, blocks) {
        Some(_) => (closed, 0),
        None => (open, 0),
    };
    match &record.state {
        JobState::Open if now < record.terms.deadline.0 => (Place::BeforeDeadline, 0),
        JobState::Open => (Place::FromDeadline, 0),
        JobState::Engaged(_) | JobState::Delivered(_) => {
            let end = first_closed(past, now, record.since, jobs.challenge);
            match end {
                Some(end) if world.audited => {
                    // The round began in the last block of the window.
                    let last = end.height.0 - 1;
                    let began = Since {
                        height: Height(last),
                        mtp: Timestamp(past.mtp(last)),
                    };
                    (phase(world, began, 1, now), 1)
                }
                _ => window(jobs.challenge, Place::ChallengeOpen, Place::ChallengeClosed),
            }
        }
        JobState::Withheld { .. } => window(jobs.deliver_counter, Place::CounterOpen, Place::CounterClosed),
        JobState::Disputed(dispute) => {
            let round = if dispute.appeal.is_some() { 2 } else { 1 };
            (phase(world, record.since, round, now), round)
        }
        JobState::Closed(_) => (Place::Closed, 0),
    }
}

/// DRAW, COMMIT, REVEAL and, in round 1, APPEAL, each from where the one before was first closed.
fn phase(world: &World, began: Since, round: u8, now: u32) -> Place {
    let committee = &world.params.committee;
    let closed = |since, blocks| first_closed(&world.past, now, since, blocks);
    let Some(commit) = closed(began, committee.draw) else {
        return Place::DrawOpen;
    };
    let Some(reveal) = closed(commit, committee.commit) else {
        return Place::CommitOpen;
    };
    let Some(appeal) = closed(reveal, committee.reveal) else {
        return Place::RevealOpen;
    };
    if round == 1 && closed(appeal, committee.appeal).is_none() {
        return Place::AppealOpen;
    }
    Place::RoundOver
}

/// Whether `act` is listed for `record` in the block at `now`. `seats` are those of the round.
pub fn allows(world: &World, record: &JobRecord, seats: &[Seat], act: Act, now: u32) -> bool {
    let (place, _) = place(world, record, now);
    let engaged = matches!(record.state, JobState::Engaged(_));
    match act {
        Act::Engage => place == Place::BeforeDeadline,
        Act::Settle => matches!(
            place,
            Place::FromDeadline | Place::ChallengeClosed | Place::CounterClosed | Place::RoundOver
        ),
        Act::Withheld => {
            let buried = || now >= record.since.height.0 + world.params.jobs.burial;
            place == Place::ChallengeOpen && engaged && buried()
        }
        Act::Deliver => place == Place::CounterOpen || place == Place::ChallengeOpen && engaged,
        Act::BadDelivery | Act::Invalid => place == Place::ChallengeOpen,
        Act::Appeal(signer) => place == Place::AppealOpen && may_appeal(world, record, seats) == Some(signer),
        Act::Commit(seat, _) => {
            place == Place::CommitOpen && seats.get(seat).is_some_and(|seat| seat.vote == Vote::None)
        }
        Act::Reveal(seat, ballot) => {
            let committed = |seat: &Seat| {
                let wanted = world.commitment(record.seq, seat.ticket, ballot);
                seat.vote == Vote::Committed(wanted)
            };
            place == Place::RevealOpen && seats.get(seat).is_some_and(committed)
        }
    }
}

/// Upheld: the node may appeal. Rejected or inconclusive claim: the client.
fn may_appeal(world: &World, record: &JobRecord, seats: &[Seat]) -> Option<u8> {
    let audit = match &record.state {
        JobState::Disputed(dispute) => dispute.is_audit(),
        _ => true,
    };
    let ballots: Vec<Ballot> = seats.iter().filter_map(|seat| seat.ballot().copied()).collect();
    let of = world.params.committee.seats[0];
    match decision(&ballots, of, audit, record.terms.exact) {
        Decision::Upheld => Some(NODE),
        _ if audit => None,
        _ => Some(CLIENT),
    }
}

/// Thresholds count all seats. Upheld: Invalid > N/2, of an exact model all with the same position and
/// score root. Rejected: Valid + NoEvidence > N/2. In an audit NoEvidence counts towards Upheld.
pub fn decision(ballots: &[Ballot], seats: u32, audit: bool, exact: bool) -> Decision {
    let silent = ballots
        .iter()
        .filter(|ballot| ballot.finding == Finding::NoEvidence)
        .count();
    let valid = ballots
        .iter()
        .filter(|ballot| ballot.finding == Finding::Valid)
        .count();
    let accusers = |wanted: &Ballot| {
        let agree = |ballot: &&Ballot| match ballot.finding {
            Finding::Invalid { .. } => !exact || *ballot == wanted,
            _ => false,
        };
        ballots.iter().filter(agree).count()
    };
    let invalid = ballots.iter().map(accusers).max().unwrap_or(0);
    let (against, in_favour) = if audit {
        (invalid + silent, valid)
    } else {
        (invalid, valid + silent)
    };
    let majority = seats as usize / 2 + 1;
    match (against >= majority, in_favour >= majority) {
        (true, _) => Decision::Upheld,
        (false, true) => Decision::Rejected,
        _ => Decision::Inconclusive,
    }
}

/// How many seats a round has from its draw on.
pub fn seats_drawn(world: &World, record: &JobRecord, now: u32) -> usize {
    let (place, round) = place(world, record, now);
    let drawn = matches!(
        place,
        Place::CommitOpen | Place::RevealOpen | Place::AppealOpen | Place::RoundOver
    );
    match (drawn && world.enough_tickets, round) {
        (true, 1) => world.params.committee.seats[0] as usize,
        (true, 2) => world.params.committee.seats[1] as usize,
        _ => 0,
    }
}

/// The moment of the block at `height` in this world.
pub fn moment(world: &World, height: u32) -> Moment {
    world.past.moment(height)
}
