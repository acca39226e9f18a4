//! Drawing a committee: the same for everybody, fair, and as the protocol writes it down.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::committee::{Models, Registration, Ticket, beacon_seed, draw, is_audited};
use camelid_core::primitives::{BlockHash, Hash256, Height, JobId, ModelId, Txid};
use camelid_core::tx::OutPoint;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use support::secret;

fn tickets(count: u32) -> Vec<Ticket> {
    let registration = Registration {
        key: secret(1).public_key(),
        models: Models::from_vec(vec![ModelId([1; 32])]).unwrap(),
    };
    let ticket = |index| Ticket {
        id: OutPoint {
            txid: Txid([7; 32]),
            index,
        },
        registration: registration.clone(),
        registered: Height(1),
        seq: 1,
        retired: None,
        unbonding: None,
    };
    (0..count).map(ticket).collect()
}

/// The drawn tickets by number.
fn drawn(seed: u64, of: &[Ticket], seats: u32) -> Vec<u32> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let drawn = draw(&Hash256(bytes), of.iter().collect(), seats);
    drawn.into_iter().map(|ticket| ticket.id.index).collect()
}

// --- The protocol's formulas with nothing but SHA-256 ---

/// A string or list: its length in four bytes, then itself.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat()
}

fn seed_by_hand(genesis: [u8; 32], job: [u8; 32], round: u8, beacon: [u8; 32]) -> [u8; 32] {
    let preimage = [&sized(b"camelid/beacon")[..], &genesis, &job, &[round], &beacon].concat();
    Sha256::digest(preimage).into()
}

fn draw_by_hand(seed: [u8; 32], count: u32, seats: u32) -> Vec<u32> {
    let mut left: Vec<u32> = (0..count).collect();
    let mut taken = Vec::new();
    for i in 0..seats {
        let hash: [u8; 32] = Sha256::digest([&seed[..], &i.to_le_bytes()].concat()).into();
        let number = u64::from_le_bytes(hash[..8].try_into().unwrap());
        let index = usize::try_from(number % left.len() as u64).unwrap();
        taken.push(left.remove(index));
    }
    taken
}

const GOLDEN_SEED_1: &str = "9247d36765e04f84e72c0c9bc6ccce8a9b9e5e77fbf82949a6f491378d024f54";
const GOLDEN_1: [u32; 7] = [7, 13, 27, 4, 5, 29, 23];
const GOLDEN_SEED_2: &str = "e4c46eaa52c48ee64c836055957f6e2337733603342288060e3560eb5918f673";
const GOLDEN_2: [u32; 15] = [25, 0, 1, 9, 4, 6, 3, 15, 17, 26, 28, 7, 11, 19, 14];

/// The golden vector: genesis 01.., job 02.., beacon 03.., 30 tickets, 7 and 15 seats.
#[test]
fn the_golden_draw() {
    let (genesis, job, beacon) = ([1; 32], [2; 32], [3; 32]);
    let tickets = tickets(30);
    let golden: [(u8, &str, &[u32]); 2] = [(1, GOLDEN_SEED_1, &GOLDEN_1), (2, GOLDEN_SEED_2, &GOLDEN_2)];
    for (round, seed, numbers) in golden {
        let ours = beacon_seed(&BlockHash(genesis), &JobId(job), round, &BlockHash(beacon));
        let hex: String = ours.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, seed);
        assert_eq!(ours.0, seed_by_hand(genesis, job, round, beacon));
        let seats = u32::try_from(numbers.len()).unwrap();
        let ids: Vec<u32> = draw(&ours, tickets.iter().collect(), seats)
            .into_iter()
            .map(|ticket| ticket.id.index)
            .collect();
        assert_eq!(ids, numbers);
        assert_eq!(ids, draw_by_hand(ours.0, 30, seats));
    }
}

proptest! {
    #[test]
    fn a_draw_is_the_protocols_formula(seed: u64, count in 0u32..60, seats in 0u32..30) {
        let tickets = tickets(count);
        let ours = drawn(seed, &tickets, seats);
        if count < seats {
            prop_assert_eq!(ours, Vec::<u32>::new());
        } else {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            prop_assert_eq!(&ours, &draw_by_hand(bytes, count, seats));
            // Without replacement.
            prop_assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), seats as usize);
        }
    }
}

/// Whatever goes into the seed changes it.
#[test]
fn a_seed_is_for_one_round_of_one_job_on_one_network() {
    let seeds: BTreeSet<Hash256> = [
        (1, 2, 1, 3),
        (9, 2, 1, 3),
        (1, 9, 1, 3),
        (1, 2, 2, 3),
        (1, 2, 1, 9),
        // Not merely their sum or their order.
        (2, 1, 1, 3),
    ]
    .map(|(genesis, job, round, beacon)| {
        let (genesis, beacon) = (BlockHash([genesis; 32]), BlockHash([beacon; 32]));
        beacon_seed(&genesis, &JobId([job; 32]), round, &beacon)
    })
    .into();
    assert_eq!(seeds.len(), 6);
}

/// Pearson's statistic, in thousandths, for counts that should all be `expected`.
fn chi_square_milli(counts: &[u64], expected: u64) -> u64 {
    let squares = counts.iter().map(|count| count.abs_diff(expected).pow(2));
    1_000 * squares.sum::<u64>() / expected
}

/// 24,000 draws of 5 among 12 tickets. Every ticket should be drawn as often as every other, in every
/// place of the draw. The threshold is the 99.99 % quantile of the chi-square distribution with 11
/// degrees of freedom (37.37); seeds are fixed, so the test always ends the same way.
#[test]
fn every_ticket_has_the_same_chance_in_every_place() {
    const DRAWS: u64 = 24_000;
    const THRESHOLD: u64 = 37_370;
    let tickets = tickets(12);
    let mut by_place = [[0u64; 12]; 5];
    for seed in 0..DRAWS {
        for (place, number) in drawn(seed, &tickets, 5).into_iter().enumerate() {
            by_place[place][number as usize] += 1;
        }
    }
    for (place, counts) in by_place.iter().enumerate() {
        let statistic = chi_square_milli(counts, DRAWS / 12);
        assert!(statistic < THRESHOLD, "place {place}: {statistic} for {counts:?}");
    }
    // A draw that favours one ticket by a tenth would not pass.
    let mut skewed = [DRAWS / 12; 12];
    skewed[0] += DRAWS / 120;
    skewed[1] -= DRAWS / 120;
    assert!(chi_square_milli(&skewed, DRAWS / 12) > THRESHOLD);
}

/// Every pair of tickets sits together as often as every other: 66 pairs, 65 degrees of freedom,
/// 99.99 % quantile 116 (the pairs of one draw depend on each other, which makes the statistic
/// smaller, not larger).
#[test]
fn every_pair_of_tickets_sits_together_as_often() {
    const DRAWS: u64 = 13_200;
    let tickets = tickets(12);
    let mut pairs = vec![0u64; 144];
    for seed in 0..DRAWS {
        let numbers = drawn(1_000_000 + seed, &tickets, 2);
        let (low, high) = (numbers[0].min(numbers[1]), numbers[0].max(numbers[1]));
        pairs[(low * 12 + high) as usize] += 1;
    }
    let counts: Vec<u64> = (0..12u32)
        .flat_map(|low| (low + 1..12).map(move |high| (low * 12 + high) as usize))
        .map(|pair| pairs[pair])
        .collect();
    assert_eq!(counts.len(), 66);
    assert_eq!(counts.iter().sum::<u64>(), DRAWS);
    let statistic = chi_square_milli(&counts, DRAWS / 66);
    assert!(statistic < 116_000, "{statistic}");
}

/// 3 % of 100,000 beacons select a job: 3,000 with a standard deviation of 54; five of them either way.
#[test]
fn audits_select_the_fraction_that_was_asked_for() {
    let job = JobId([5; 32]);
    let beacon = |number: u32| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_le_bytes());
        BlockHash(hash)
    };
    let selected = |permille| {
        (0..100_000)
            .filter(|n| is_audited(&beacon(*n), &job, permille))
            .count()
    };
    assert!(selected(30).abs_diff(3_000) < 270, "{}", selected(30));
    assert_eq!((selected(0), selected(1000)), (0, 100_000));
    // By hand.
    let preimage = [&sized(b"camelid/audit")[..], &beacon(77).0, &job.0].concat();
    let hash: [u8; 32] = Sha256::digest(preimage).into();
    let number = u64::from_le_bytes(hash[..8].try_into().unwrap()) % 1000;
    let number = u32::try_from(number).unwrap();
    assert!(is_audited(&beacon(77), &job, number + 1));
    assert!(!is_audited(&beacon(77), &job, number));
}
