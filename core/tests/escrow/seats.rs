//! Who is drawn, and the windows of a round whatever blocks and clocks do.

use super::oracle::{self, Place};
use super::support::*;
use super::world::{Act, World, ticket};
use super::*;
use camelid_core::committee::{Models, Ticket};
use camelid_core::escrow::{Dispute, Origin, Phase, Seat, Stage};
use camelid_core::params::CommitteeParams;
use camelid_core::primitives::ModelId;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Blocks after [`SINCE`] at which the job of these tests was engaged, and the claim on it mined.
const ENGAGED: u32 = 10;
const CLAIMED: u32 = 14;
const MATURITY: u32 = 5;

/// Few eligible tickets are needed, three seats in each round, and only blocks count: time runs fast.
fn world() -> World {
    let mut world = World::new(2, [3, 3], (0..1_000).map(|block| block * 120));
    world.params.committee = CommitteeParams {
        min_eligible: 3,
        ticket_maturity: MATURITY,
        ..world.params.committee
    };
    world
}

/// A claim mined at [`CLAIMED`].
fn claimed(world: &World) -> JobRecord {
    let height = |blocks| SINCE.height.0 + blocks;
    let engagement = camelid_core::escrow::Engagement {
        since: world.past.moment(height(ENGAGED)).opens(),
        ..engagement(commitment_to(&good()))
    };
    let dispute = Dispute::new(engagement, Origin::Claim { deposit: DEPOSIT });
    JobRecord {
        since: world.past.moment(height(CLAIMED)).opens(),
        state: JobState::Disputed(Box::new(dispute)),
        ..world.job(State::Engaged)
    }
}

/// The seats as they are `blocks` after [`SINCE`].
fn seats_after(world: &World, record: &JobRecord, blocks: u32) -> Vec<Seat> {
    let moment = world.past.moment(SINCE.height.0 + blocks);
    let standing = record.at(&world.past.clock(&world.params, moment));
    let dispute = standing.record.state.dispute().unwrap();
    dispute.current_seats().to_vec()
}

/// Whether `special` is drawn when all eligible tickets are.
fn is_drawn(special: Ticket) -> bool {
    let (mut world, id) = (world(), special.id);
    world.past.tickets = super::world::ticket_map((0..2).map(ticket).chain([special]));
    let seats = seats_after(&world, &claimed(&world), CLAIMED + 2);
    // Three seats and three tickets: all of them, or nobody.
    assert!(seats.len() == 3 || seats.is_empty());
    seats.iter().any(|seat| seat.ticket == id)
}

#[test]
fn a_ticket_is_eligible_as_the_protocol_says() {
    let special = || ticket(2);
    let engaged = SINCE.height.plus(ENGAGED);
    // Claimed in block s, drawn in block s + 2: its parent is the beacon block.
    let beacon = SINCE.height.plus(CLAIMED + 1);
    let registered = |registered| Ticket {
        registered,
        ..special()
    };
    let retired = |retired| Ticket {
        retired: Some(retired),
        ..special()
    };
    let with_key = |owner| {
        let mut ticket = special();
        ticket.registration.key = secret(owner).public_key();
        ticket
    };
    let for_models = |models: Vec<ModelId>| {
        let mut ticket = special();
        ticket.registration.models = Models::from_vec(models).unwrap();
        ticket
    };
    assert!(is_drawn(special()));
    // Old enough at Engage.
    assert!(is_drawn(registered(engaged.minus(MATURITY))));
    assert!(!is_drawn(registered(engaged.minus(MATURITY - 1))));
    assert!(!is_drawn(registered(engaged.plus(1))));
    // Jailed or unbonding from the beacon block on or before, and after it.
    assert!(!is_drawn(retired(Height(1))));
    assert!(!is_drawn(retired(beacon)));
    assert!(is_drawn(retired(beacon.plus(1))));
    // No party.
    assert!(!is_drawn(with_key(CLIENT)));
    assert!(!is_drawn(with_key(NODE)));
    assert!(is_drawn(with_key(STRANGER)));
    // For the model.
    assert!(!is_drawn(for_models(vec![ModelId([1; 32])])));
    assert!(!is_drawn(for_models(Vec::new())));
    assert!(is_drawn(for_models(vec![ModelId([1; 32]), manifest().id()])));
}

#[test]
fn nobody_is_drawn_below_the_least_number_of_tickets() {
    for (least, seats) in [(9, 0), (8, 3), (3, 3)] {
        let mut world = world();
        world.past.tickets = super::world::ticket_map((0..8).map(ticket));
        world.params.committee.min_eligible = least;
        assert_eq!(seats_after(&world, &claimed(&world), CLAIMED + 2).len(), seats);
    }
}

/// What happens after the beacon block changes no seat: not a ticket that leaves, not one that comes.
#[test]
fn a_draw_can_be_repeated_later() {
    let mut world = world();
    world.past.tickets = super::world::ticket_map((0..12).map(ticket));
    let record = claimed(&world);
    assert_eq!(seats_after(&world, &record, CLAIMED + 1), []);
    let drawn = seats_after(&world, &record, CLAIMED + 2);
    assert_eq!(drawn.len(), 3);
    for (number, ticket) in (0..).zip(world.past.tickets.values_mut()) {
        if number % 2 == 0 {
            ticket.retired = Some(SINCE.height.plus(CLAIMED + 2));
            ticket.seq += 1;
        }
    }
    let newcomer = Ticket {
        registered: SINCE.height.plus(CLAIMED + 2),
        ..ticket(13)
    };
    world.past.tickets.insert(newcomer.id, newcomer);
    for later in [2, 3, 5, 8, 100] {
        assert_eq!(seats_after(&world, &record, CLAIMED + later), drawn);
    }
}

#[test]
fn nobody_sits_in_both_rounds() {
    let mut world = world();
    world.past.tickets = super::world::ticket_map((0..6).map(ticket));
    let mut record = claimed(&world);
    let first = seats_after(&world, &record, CLAIMED + 2);
    let JobState::Disputed(dispute) = &mut record.state else {
        unreachable!()
    };
    dispute.seats = first.clone();
    dispute.appeal = Some(camelid_core::escrow::Appeal {
        by: camelid_core::escrow::Party::Client,
        deposit: outpoint(0x16),
        seats: Vec::new(),
    });
    let second = seats_after(&world, &record, CLAIMED + 2);
    let tickets = |seats: &[Seat]| -> BTreeSet<OutPoint> { seats.iter().map(|seat| seat.ticket).collect() };
    assert_eq!(tickets(&first).len() + tickets(&second).len(), 6);
    assert!(tickets(&first).is_disjoint(&tickets(&second)));
}

/// Median times by block: they never go back, stand still at times, and jump.
fn times() -> impl Strategy<Value = Vec<u32>> {
    let step = prop_oneof![Just(0u32), Just(60), 1u32..60, 61u32..400];
    prop::collection::vec(step, 60..80).prop_map(|steps| {
        let mut now = 0;
        let advance = |step| {
            now += step;
            now
        };
        steps.into_iter().map(advance).collect()
    })
}

fn stage_of(place: Place) -> Stage {
    match place {
        Place::BeforeDeadline => Stage::Open,
        Place::FromDeadline => Stage::Expired,
        Place::ChallengeOpen => Stage::Challenge,
        Place::ChallengeClosed => Stage::Unchallenged,
        Place::CounterOpen => Stage::Counter,
        Place::CounterClosed => Stage::Unanswered,
        Place::DrawOpen => Stage::Round(Phase::Draw),
        Place::CommitOpen => Stage::Round(Phase::Commit),
        Place::RevealOpen => Stage::Round(Phase::Reveal),
        Place::AppealOpen => Stage::Round(Phase::Appeal),
        Place::RoundOver => Stage::Round(Phase::Over),
        Place::Closed => Stage::Closed,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// At every block, in blocks and in seconds, a job stands where walking from block to block leads;
    /// it never goes back; and what may happen there is what the table lists.
    #[test]
    fn windows_follow_each_other_without_gap_or_overlap(
        times in times(),
        windows in prop::array::uniform5(1u32..6),
        audited in any::<bool>(),
        delivered in any::<bool>(),
    ) {
        let blocks = u32::try_from(times.len()).unwrap();
        let mut world = World::new(1, [3, 3], times);
        if audited {
            world = world.audited();
        }
        let [challenge, draw, commit, reveal, appeal] = windows;
        world.params.jobs.challenge = challenge;
        world.params.committee = CommitteeParams { draw, commit, reveal, appeal, ..world.params.committee };
        let state = if delivered { State::Delivered } else { State::Engaged };
        let record = world.job(state);
        let mut before = None;
        for height in (SINCE.height.0..).take(blocks as usize) {
            let moment = world.past.moment(height);
            let standing = record.at(&world.past.clock(&world.params, moment));
            let (place, _) = oracle::place(&world, &record, height);
            prop_assert_eq!(standing.stage, stage_of(place), "at {}", height);
            prop_assert!(before <= Some(place));
            before = Some(place);
            let seats = standing.record.state.dispute().map_or_else(Vec::new, |dispute| dispute.current_seats().to_vec());
            prop_assert_eq!(seats.len(), oracle::seats_drawn(&world, &record, height));
            let vote = [Act::Commit(0, 0), Act::Reveal(0, 0)];
            for act in [Act::Settle, Act::Invalid, Act::Appeal(CLIENT), Act::Appeal(NODE)].into_iter().chain(vote) {
                let event = world.event(act, &record, &seats);
                let result = world.try_event(&record, &event, moment, Amount::ZERO);
                let listed = oracle::allows(&world, &record, &seats, act, height);
                prop_assert_eq!(result.is_ok(), listed, "{:?} at {}: {:?}", act, height, result);
            }
        }
    }
}
