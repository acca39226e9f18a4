//! Every life that a job can have in a small world: all sequences of events and blocks, each step
//! compared with the table as [`oracle`](super::oracle) reads it.

use super::oracle::{self, Place};
use super::support::*;
use super::world::{Act, DEPOSITS, World, ballot};
use super::*;
use camelid_core::committee::Finding;
use camelid_core::escrow::{Seat, Standing, Vote};
use camelid_core::primitives::encode;
use camelid_core::tx::ClaimKind;
use std::collections::{BTreeMap, BTreeSet};

/// A job somewhere in its life, and what is locked for it.
#[derive(Clone)]
struct Life {
    record: JobRecord,
    height: u32,
    locked: BTreeMap<OutPoint, u64>,
}

/// What was met on the way.
#[derive(Default)]
struct Seen {
    lives: BTreeSet<Vec<u8>>,
    done: BTreeSet<(&'static str, Place, &'static str)>,
    outcomes: BTreeSet<Outcome>,
}

/// No life here lasts longer than this, in blocks.
const LONGEST: u32 = 60;
/// What the audit fund holds.
const AUDIT_FUND: u64 = 60_000_000;

fn standing(world: &World, life: &Life) -> Standing {
    let moment = oracle::moment(world, life.height);
    life.record.at(&world.past.clock(&world.params, moment))
}

fn seats(standing: &Standing) -> Vec<Seat> {
    let dispute = standing.record.state.dispute();
    dispute.map_or_else(Vec::new, |dispute| dispute.current_seats().to_vec())
}

/// Follows every life that begins in `state`, Open or Delivered.
fn explore(world: &World, state: State) -> Seen {
    let record = world.job(state);
    let (escrow, bond) = (record.terms.escrow_value(), record.terms.bond_value());
    let locked = match state {
        State::Open => (ESCROW, escrow.unwrap().units()),
        _ => (BOND, bond.unwrap().units()),
    };
    let first = Life {
        record,
        height: SINCE.height.0,
        locked: BTreeMap::from([locked]),
    };
    let acts = world.acts();
    let mut seen = Seen::default();
    let mut waiting = vec![first];
    while let Some(life) = waiting.pop() {
        if !seen.lives.insert(encode(&(&life.record, life.height))) {
            continue;
        }
        let next = step(world, &acts, &life, &mut seen);
        let settles = next.iter().any(|(act, _)| *act == Act::Settle);
        waiting.extend(next.into_iter().map(|(_, life)| life));
        let over = life.record.state.outcome().is_some();
        assert!(
            over || settles || life.height < SINCE.height.0 + LONGEST,
            "stuck: {:?}",
            life.record.state
        );
        if settles {
            assert_keeps_settling(world, &life);
        } else if !over {
            waiting.push(Life {
                height: life.height + 1,
                ..life
            });
        }
    }
    seen
}

/// What may happen next in the same block, which must be what the table lists.
fn step(world: &World, acts: &[Act], life: &Life, seen: &mut Seen) -> Vec<(Act, Life)> {
    let Life { record, height, .. } = life;
    let (place, _) = oracle::place(world, record, *height);
    let standing = standing(world, life);
    let seats = seats(&standing);
    if !matches!(record.state, JobState::Closed(_)) {
        assert_eq!(seats.len(), oracle::seats_drawn(world, record, *height));
    }
    let mut next = Vec::new();
    for act in acts {
        let event = world.event(*act, record, &seats);
        let fund = units(AUDIT_FUND);
        let result = world.try_event(record, &event, oracle::moment(world, *height), fund);
        let listed = oracle::allows(world, record, &seats, *act, *height);
        let what = format!(
            "{act:?} in {} at {height} ({place:?})",
            standing.record.state.name()
        );
        assert_eq!(result.is_ok(), listed, "{what}: {result:?}");
        let Ok(effects) = result else { continue };
        seen.done
            .insert((standing.record.state.name(), place, event.name()));
        seen.outcomes.extend(effects.record.state.outcome());
        assert_step_is_sound(world, &standing, *act, &effects);
        next.push((*act, after_step(world, life, *act, effects)));
    }
    let exits = next.iter().filter(|(act, _)| *act == Act::Settle).count();
    assert!(
        exits == 0 || next.len() == 1,
        "an exit and an action at {place:?}"
    );
    next
}

fn assert_step_is_sound(world: &World, before: &Standing, act: Act, effects: &Effects) {
    let (from, to) = (&before.record, &effects.record);
    let vote = matches!(act, Act::Commit(..) | Act::Reveal(..));
    assert_eq!(to.seq, from.seq + u32::from(!vote), "{act:?}");
    assert_eq!(effects.closing.is_some(), to.state.outcome().is_some(), "{act:?}");
    assert_eq!((from.id, &from.terms, from.escrow), (to.id, &to.terms, to.escrow));
    if vote {
        assert_eq!(to.since, from.since);
        assert_one_vote_changed(from, to);
    }
    let silent: Vec<OutPoint> = match (&from.state, &to.state) {
        (JobState::Disputed(dispute), JobState::Closed(_)) => {
            let silent = dispute.all_seats().filter(|seat| seat.ballot().is_none());
            silent.map(|seat| seat.ticket).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(effects.jailed, silent, "{act:?}");
    if !silent.is_empty() {
        let pay = world.params.jobs.seat_pay(from.terms.reward);
        assert_eq!(effects.fine, pay.checked_mul(4).unwrap());
    }
}

fn assert_one_vote_changed(from: &JobRecord, to: &JobRecord) {
    let votes = |record: &JobRecord| -> Vec<(OutPoint, Vote)> {
        let dispute = record.state.dispute().unwrap();
        dispute.all_seats().map(|seat| (seat.ticket, seat.vote)).collect()
    };
    let (from, to) = (votes(from), votes(to));
    let changed: Vec<_> = from.iter().zip(&to).filter(|(from, to)| from != to).collect();
    assert_eq!(from.len(), to.len());
    assert!(
        matches!(
            changed[..],
            [((one, Vote::None), (same, Vote::Committed(_)))]
                | [((one, Vote::Committed(_)), (same, Vote::Revealed(_)))] if one == same
        ),
        "{changed:?}"
    );
}

/// The life after `act`: what it locked is there, what it released is gone, and a closing hands out
/// exactly what was locked.
fn after_step(world: &World, life: &Life, act: Act, effects: Effects) -> Life {
    let mut locked = life.locked.clone();
    let terms = &life.record.terms;
    match act {
        // The transaction spends the escrow; the state machine does not release it.
        Act::Engage => {
            locked.remove(&ESCROW).unwrap();
            locked.insert(BOND, terms.bond_value().unwrap().units());
        }
        Act::Withheld | Act::Invalid | Act::Appeal(_) => {
            let kind = match act {
                Act::Withheld => ClaimKind::Withheld,
                Act::Invalid => ClaimKind::Invalid,
                _ => ClaimKind::Appeal,
            };
            let deposit = world.deposit(kind, terms).units();
            assert_eq!(locked.insert(DEPOSITS[kind as usize], deposit), None);
        }
        _ => {}
    }
    let released: u64 = effects
        .released
        .iter()
        .map(|outpoint| locked.remove(outpoint).expect("released twice, or never locked"))
        .sum();
    if let Some(closing) = &effects.closing {
        assert_eq!(locked, BTreeMap::new(), "{act:?} leaves money behind");
        let paid: u64 = closing.payouts.iter().map(|payout| payout.amount.units()).sum();
        let (to_fund, from_fund) = (closing.to_fund.units(), closing.from_fund.units());
        assert_eq!(paid + to_fund + closing.burned.units(), released + from_fund);
        assert!(from_fund <= AUDIT_FUND + to_fund, "the fund is overdrawn");
    }
    Life {
        record: effects.record,
        height: life.height,
        locked,
    }
}

/// Once time has led out of a state, it does so for good.
fn assert_keeps_settling(world: &World, life: &Life) {
    for later in [1, 3, LONGEST] {
        let moment = oracle::moment(world, life.height + later);
        let settled = world.try_event(&life.record, &Event::Settle, moment, units(AUDIT_FUND));
        let record = settled.expect("time leads out").record;
        assert!(matches!(record.state, JobState::Closed(_)));
    }
}

fn steady() -> impl Iterator<Item = u32> {
    (0..1_000).map(|block| block * 60)
}

/// Time stands still for three blocks, then catches up.
fn halting() -> impl Iterator<Item = u32> {
    (0..1_000).map(|block| block / 4 * 240)
}

/// Time runs at half the speed of blocks.
fn slow() -> impl Iterator<Item = u32> {
    (0..1_000).map(|block| block * 30)
}

fn places(seen: &Seen, state: &str) -> BTreeSet<(Place, &'static str)> {
    let of = seen.done.iter().filter(|(name, ..)| *name == state);
    of.map(|(_, place, event)| (*place, *event)).collect()
}

/// The rows of the table that a claim can lead through.
fn assert_all_rows_were_met(seen: &Seen) {
    let challenge = |events: &[&'static str]| -> BTreeSet<(Place, &'static str)> {
        let inside = events.iter().map(|event| (Place::ChallengeOpen, *event));
        inside.chain([(Place::ChallengeClosed, "Settle")]).collect()
    };
    assert_eq!(
        places(seen, "Open"),
        BTreeSet::from([(Place::BeforeDeadline, "Engage"), (Place::FromDeadline, "Settle")])
    );
    assert_eq!(
        places(seen, "Engaged"),
        challenge(&["Withheld", "Deliver", "BadDelivery", "Invalid"])
    );
    assert_eq!(places(seen, "Delivered"), challenge(&["BadDelivery", "Invalid"]));
    assert_eq!(
        places(seen, "Withheld"),
        BTreeSet::from([(Place::CounterOpen, "Deliver"), (Place::CounterClosed, "Settle")])
    );
    let votes = [
        (Place::CommitOpen, "VoteCommit"),
        (Place::RevealOpen, "VoteReveal"),
    ];
    let round_2 = votes.into_iter().chain([(Place::RoundOver, "Settle")]);
    assert_eq!(places(seen, "Round2"), round_2.clone().collect());
    let round_1 = round_2.chain([(Place::AppealOpen, "Appeal")]);
    assert_eq!(places(seen, "Round1"), round_1.collect());
    assert_eq!(places(seen, "Closed"), BTreeSet::new());
}

#[test]
fn every_life_from_the_escrow_on_keeps_to_the_table() {
    let seen = explore(&World::new(1, [1, 1], steady()), State::Open);
    assert_all_rows_were_met(&seen);
    assert_eq!(
        seen.outcomes,
        BTreeSet::from([
            Outcome::Refunded,
            Outcome::Settled,
            Outcome::SlashedWithheld,
            Outcome::SlashedBadDelivery,
            Outcome::SlashedInvalid,
            Outcome::Cleared,
            Outcome::Inconclusive,
        ])
    );
}

#[test]
fn every_life_keeps_to_the_table_whatever_time_does() {
    for times in [halting().collect::<Vec<_>>(), slow().collect()] {
        let seen = explore(&World::new(2, [1, 1], times), State::Delivered);
        assert_eq!(seen.outcomes.len(), 5, "{:?}", seen.outcomes);
    }
}

#[test]
fn every_vote_of_three_seats_keeps_to_the_table() {
    for seats in [[1, 3], [3, 1]] {
        let seen = explore(&World::new(1, seats, steady()), State::Delivered);
        assert_eq!(seen.outcomes.len(), 5, "{:?}", seen.outcomes);
    }
}

#[test]
fn every_life_with_an_audit_keeps_to_the_table() {
    let mut worlds = [World::new(1, [1, 1], steady()), World::new(2, [1, 1], halting())];
    worlds[0].ballots.push(ballot(Finding::NoEvidence, 0));
    for world in worlds {
        let seen = explore(&world.audited(), State::Delivered);
        // Nothing settles by time alone, without a verdict.
        assert!(!seen.outcomes.contains(&Outcome::Settled));
        for outcome in [Outcome::SlashedInvalid, Outcome::Cleared, Outcome::Inconclusive] {
            assert!(seen.outcomes.contains(&outcome), "{outcome}");
        }
    }
}

#[test]
fn without_enough_tickets_every_life_ends_without_a_verdict() {
    for audited in [false, true] {
        let mut world = World::new(1, [1, 1], steady()).without_committee();
        if audited {
            world = world.audited();
        }
        let seen = explore(&world, State::Open);
        assert!(seen.outcomes.contains(&Outcome::Inconclusive));
        for outcome in [Outcome::SlashedInvalid, Outcome::Cleared] {
            assert!(!seen.outcomes.contains(&outcome), "{outcome}");
        }
    }
}
