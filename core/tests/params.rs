//! Networks that work, and networks that cannot.
#![allow(clippy::unwrap_used)]

use camelid_core::block::{CompactTarget, Difficulty, TargetError};
use camelid_core::params::{Allocation, Params, ParamsError};
use camelid_core::primitives::{Amount, BoundedVec};
use camelid_core::script::Script;

fn units(units: u64) -> Amount {
    Amount::from_units(units).unwrap()
}

#[test]
fn the_networks_that_are_built_in_work() {
    assert_eq!(Params::mainnet().check(), Ok(()));
    assert_eq!(Params::simnet().check(), Ok(()));
    assert_eq!(Params::paper().check(), Ok(()));
    assert_eq!(Params::devnet().check(), Ok(()));
}

/// What may be turned off without breaking anything.
#[test]
fn prices_and_some_windows_may_be_nothing() {
    let changes: [fn(&mut Params); 9] = [
        |p| p.jobs.deliver_counter = 0,
        |p| p.committee.appeal = 0,
        |p| p.committee.claim_deposit_in_seat_pays = 0,
        |p| p.committee.appeal_deposit_in_seat_pays = 0,
        |p| p.committee.no_show_fine_in_seat_pays = 0,
        |p| p.jobs.audit_fee_permille = 0,
        |p| p.committee.audit_permille = 1000,
        |p| p.jobs.min_age_s = 0,
        |p| p.maturity = 0,
    ];
    for change in changes {
        let mut params = Params::mainnet();
        change(&mut params);
        assert_eq!(params.check(), Ok(()));
    }
}

/// One change to the main network each, and what is wrong with it. Where there is an edge, the change
/// is one step beyond it.
#[test]
fn a_network_that_cannot_work_is_refused() {
    use ParamsError::{
        AuditShare, Challenge, Deadline, Deposits, Eligible, Issuance, NoSpec, Stake, Subsidy, Target,
        TargetForm, TargetLimit, Unbonding, Zero,
    };
    type Change = fn(&mut Params);
    let longest = 2 * (6 + 60 + 10) + 20;
    const EASIEST: CompactTarget = CompactTarget(0x1d00_ffff);
    let cases: [(Change, ParamsError); 29] = [
        (
            |p| p.genesis_bits = CompactTarget(0x1d00_0000),
            Target {
                name: "the genesis target",
                error: TargetError::Zero,
            },
        ),
        (
            |p| p.genesis_bits = CompactTarget(0x1e00_00ff),
            TargetForm {
                name: "the genesis target",
                bits: CompactTarget(0x1e00_00ff),
            },
        ),
        (|p| p.genesis_bits = CompactTarget(0x1d01_0000), TargetLimit),
        (
            |p| p.difficulty = half_life(0, EASIEST),
            Zero("the half-life of the target"),
        ),
        (
            |p| p.difficulty = half_life(1, CompactTarget(0x1d80_ffff)),
            Target {
                name: "the easiest target",
                error: TargetError::Negative,
            },
        ),
        (
            |p| p.difficulty = half_life(1, CompactTarget(0x2101_0000)),
            Target {
                name: "the easiest target",
                error: TargetError::Overflow,
            },
        ),
        (|p| p.spacing_s = 0, Zero("the block spacing")),
        (|p| p.jobs.min_deadline = 0, Zero("the least time to a deadline")),
        (|p| p.committee.draw = 0, Zero("the draw window")),
        (|p| p.committee.commit = 0, Zero("the commit window")),
        (|p| p.committee.reveal = 0, Zero("the reveal window")),
        (
            |p| p.committee.seats = [0, 15],
            Zero("the number of seats in round 1"),
        ),
        (
            |p| p.committee.seats = [7, 0],
            Zero("the number of seats in round 2"),
        ),
        (|p| p.jobs.min_seat_pay = Amount::ZERO, Zero("the least seat pay")),
        (
            |p| p.committee.verifier_bond = Amount::ZERO,
            Zero("the verifier bond"),
        ),
        (
            |p| p.subsidy = units(64 * 100_000 - 1),
            Subsidy {
                least: units(64 * 100_000),
                subsidy: units(64 * 100_000 - 1),
            },
        ),
        (
            |p| p.subsidy = Amount::ZERO,
            Subsidy {
                least: units(64 * 100_000),
                subsidy: Amount::ZERO,
            },
        ),
        (|p| p.subsidy = Amount::from_coins(201).unwrap(), Issuance),
        (|p| p.halving_interval = 0, Issuance),
        (
            |p| p.allocations = gift(Amount::from_coins(300_000_001).unwrap()),
            Issuance,
        ),
        (|p| p.committee.appeal_deposit_in_seat_pays = u32::MAX, Deposits),
        (
            |p| (p.jobs.withheld_overhead_bytes, p.jobs.withheld_units_per_byte) = (u32::MAX, u32::MAX),
            Deposits,
        ),
        (|p| p.jobs.specs = BoundedVec::new(), NoSpec),
        (|p| p.jobs.max_deadline = 9, Deadline { least: 10, most: 9 }),
        (
            |p| p.jobs.challenge = 6,
            Challenge {
                challenge: 6,
                burial: 6,
            },
        ),
        (
            |p| p.committee.min_eligible = 21,
            Eligible { least: 21, seats: 22 },
        ),
        (
            |p| p.jobs.min_stake_in_seat_pays = 22,
            Stake { stake: 22, seats: 22 },
        ),
        (
            |p| p.committee.unbonding = 2 * (6 + 60 + 10) + 20,
            Unbonding {
                unbonding: 172,
                dispute: longest,
            },
        ),
        (|p| p.committee.audit_permille = 1001, AuditShare(1001)),
    ];
    for (change, error) in cases {
        let mut params = Params::mainnet();
        change(&mut params);
        assert_eq!(params.check(), Err(error));
    }
    // On this side of the edges.
    let edges: [Change; 10] = [
        |p| p.genesis_bits = CompactTarget(0x0101_0000),
        |p| p.difficulty = half_life(1, CompactTarget(0x2100_ffff)),
        |p| p.subsidy = units(64 * 100_000),
        |p| p.subsidy = Amount::from_coins(200).unwrap(),
        |p| p.allocations = gift(Amount::from_coins(300_000_000).unwrap()),
        |p| p.jobs.max_deadline = 10,
        |p| p.jobs.challenge = 7,
        |p| p.committee.min_eligible = 22,
        |p| p.jobs.min_stake_in_seat_pays = 23,
        |p| p.committee.unbonding = 173,
    ];
    for change in edges {
        let mut params = Params::mainnet();
        change(&mut params);
        assert_eq!(params.check(), Ok(()));
    }
}

fn half_life(half_life_s: u32, limit: CompactTarget) -> Difficulty {
    Difficulty::Asert { half_life_s, limit }
}

fn gift(amount: Amount) -> BoundedVec<Allocation, 4096> {
    let script = Script::empty();
    BoundedVec::from_vec(vec![Allocation { script, amount }]).unwrap()
}
