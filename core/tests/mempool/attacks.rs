//! Who tries to keep others out of the pool, or to make it work for nothing.

use super::support::*;
use super::world::{World, chain_of, pay, pay_self};
use camelid_core::mempool::{FeeRate, MempoolError, Policy};
use camelid_core::params::Params;
use camelid_core::script::StandardScript;
use camelid_core::tx::{ActionKind, Transaction, TxOut};

fn slice(fund: &Fund) -> &[Fund] {
    std::slice::from_ref(fund)
}

/// A pool of few bytes, and coins of one owner to fill it with.
fn small_pool(max_bytes: usize) -> (World, Vec<Fund>) {
    let policy = Policy {
        max_bytes,
        ..Policy::default()
    };
    let mut world = World::new(policy, (*network()).clone());
    let fund = world.workshop.fund(STRANGER, 0);
    let split = payment(
        &world.genesis(),
        slice(&fund),
        vec![pay_to(STRANGER, coins(1)); 60],
    );
    let _ = world.accept(&split);
    world.connect(std::slice::from_ref(&split));
    let funds = (0..60).map(|index| fund_of(&split, index, STRANGER)).collect();
    (world, funds)
}

/// Fills the pool with transactions of the least fee.
fn flood(world: &mut World, funds: &[Fund]) -> Vec<Transaction> {
    let mut entered = Vec::new();
    for fund in funds {
        let cheap = pay_self(world, fund, 1);
        if world.accept(&cheap).is_ok() {
            entered.push(cheap);
        }
    }
    entered
}

#[test]
fn a_full_pool_of_the_least_fee_does_not_keep_better_ones_out() {
    let (mut world, funds) = small_pool(5_000);
    let cheap = flood(&mut world, &funds);
    assert!(cheap.len() < funds.len() && world.pool.bytes() > 4_500);
    // Newcomers that pay the same are refused, and those that pay more take their place.
    let honest: Vec<Transaction> = (0..6)
        .map(|index| pay_self(&world, &world.workshop.fund(CLIENT, index), 2))
        .collect();
    for transaction in &honest {
        assert_eq!(world.accept(transaction), Ok(()));
    }
    assert!(world.pool.bytes() <= 5_000);
    assert!(
        honest
            .iter()
            .all(|honest| world.pool.get(&honest.wtxid()).is_some())
    );
    // The last to come was the first to go.
    assert!(world.pool.get(&cheap[0].wtxid()).is_some());
    assert!(world.pool.get(&cheap[cheap.len() - 1].wtxid()).is_none());
    // From now on the least fee is not enough, until blocks have made room for a while.
    assert_eq!(world.pool.min_rate(), FeeRate::per_byte(2));
    let late = pay_self(&world, &world.workshop.fund(NODE, 0), 1);
    assert!(matches!(world.accept(&late), Err(MempoolError::Fee { .. })));
    let mut blocks = 0;
    while world.accept(&late).is_err() {
        world.mine(1_000);
        blocks += 1;
        assert!(blocks < 50);
    }
    assert!(blocks > 5);
}

#[test]
fn what_is_too_cheap_costs_no_signature_check() {
    let (mut world, funds) = small_pool(3_000);
    flood(&mut world, &funds);
    let better = pay_self(&world, &world.workshop.fund(CLIENT, 0), 5);
    assert_eq!(world.accept(&better), Ok(()));
    let checked = world.verifier.count();
    for fund in &funds {
        assert!(world.accept(&pay_self(&world, fund, 1)).is_err());
    }
    assert_eq!(world.verifier.count(), checked);
    // Nor does a better offer that the owner of the coin has not made.
    let thief = Fund {
        owner: NODE,
        ..world.workshop.fund(CLIENT, 1)
    };
    let (bytes, digest) = (world.pool.bytes(), world.pool.digest());
    let theft = pay(&world.genesis(), &[thief], &[NODE], 100);
    assert!(matches!(world.accept(&theft), Err(MempoolError::Invalid(_))));
    assert_eq!((world.pool.bytes(), world.pool.digest()), (bytes, digest));
}

#[test]
fn blocks_are_followed_without_checking_signatures_again() {
    let mut world = World::usual();
    for index in 0..3 {
        let fund = world.workshop.fund(CLIENT, index);
        for transaction in chain_of(&world, &fund, 25, 2) {
            assert_eq!(world.accept(&transaction), Ok(()));
        }
    }
    let checked = world.verifier.count();
    assert_eq!(checked, 75);
    world.connect(&[]);
    assert_eq!((world.pool.len(), world.verifier.count()), (75, checked));
    world.check_template();
    assert_eq!(world.verifier.count(), checked);
}

/// The recipient of one output hangs a chain on a payment, so that its sender would have to pay for that
/// chain to replace it. The limits on chains bound what that costs.
#[test]
fn pinning_costs_no_more_than_a_full_chain() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let fund = world.workshop.fund(CLIENT, 0);
    let payment_to_attacker = pay(&genesis, slice(&fund), &[CLIENT, NODE], 2);
    assert_eq!(world.accept(&payment_to_attacker), Ok(()));
    let pins = chain_of(&world, &fund_of(&payment_to_attacker, 1, NODE), 30, 1);
    let entered = pins.iter().filter(|pin| world.accept(pin).is_ok()).count();
    assert_eq!(entered, 24);
    let policy = Policy::default();
    let most = policy.min_rate.fee(policy.max_chain_bytes).units();
    let fees: u64 = pins[..entered].iter().map(|pin| world.fee(pin)).sum();
    let size = payment_to_attacker.size() as u64;
    assert!(fees < most);
    let fee = fees + world.fee(&payment_to_attacker) + 2 * size;
    let left = units(fund.output.value.units() - fee);
    let replacement = payment(&genesis, slice(&fund), vec![pay_to(CLIENT, left)]);
    assert_eq!(world.accept(&replacement), Ok(()));
    assert_eq!(world.pool.len(), 1);
}

/// The attacker replaces a payment that depends on an output of both, and then takes its replacement
/// away by another: the payment is gone and its output unspent. It enters again when it is sent again,
/// and each turn costs the attacker more.
#[test]
fn replacement_cycling_does_not_keep_a_transaction_out() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let (shared, own) = (world.workshop.fund(CLIENT, 0), world.workshop.fund(NODE, 0));
    let honest = pay(&genesis, slice(&shared), &[CLIENT], 2);
    let mut rate = 2;
    let mut spent = 0;
    for _ in 0..4 {
        assert_eq!(world.accept(&honest), Ok(()));
        // Both own the shared coin here: the attacker's part of it is what it can sign for.
        let both = [shared.clone(), own.clone()];
        rate += 4;
        let replacing = pay(&genesis, &both, &[NODE], rate);
        assert_eq!(world.accept(&replacing), Ok(()));
        assert!(world.pool.get(&honest.wtxid()).is_none());
        let cycling = pay(&genesis, slice(&own), &[NODE], 4 * rate);
        assert_eq!(world.accept(&cycling), Ok(()));
        assert!(world.pool.wtxids().eq([cycling.wtxid()]));
        assert!(!world.pool.spends(&shared.outpoint));
        let fee = world.fee(&cycling);
        assert!(fee > spent);
        (spent, rate) = (fee, 4 * rate);
    }
    assert_eq!(world.accept(&honest), Ok(()));
    assert_eq!(world.pool.len(), 2);
}

#[test]
fn dust_is_not_relayed() {
    let mut world = World::usual();
    let fund = world.workshop.fund(STRANGER, 0);
    let rest = units(fund.output.value.units() - 100_000);
    let mut outputs = vec![pay_to(STRANGER, rest)];
    outputs.extend(vec![pay_to(NODE, units(1)); 100]);
    let flood = payment(&world.genesis(), slice(&fund), outputs);
    assert!(matches!(
        world.accept(&flood),
        Err(MempoolError::Dust { index: 1, .. })
    ));
}

#[test]
fn a_flood_does_not_keep_a_step_of_a_job_out() {
    let (mut world, funds) = small_pool(3_000);
    let genesis = world.genesis();
    let terms = terms(&world.workshop.params, world.workshop.chain.height().plus(1));
    let open = open_job(&genesis, &world.workshop.fund(CLIENT, 0), &terms);
    world.connect(std::slice::from_ref(&open));
    while world.workshop.chain.height().plus(1) < terms.deadline {
        world.connect(&[]);
    }
    for fund in &funds {
        let _ = world.accept(&pay_self(&world, fund, 9));
    }
    let before = world.pool.len();
    let settle = bare(open.job_id.unwrap(), 1, ActionKind::Settle);
    assert_eq!(world.accept(&settle), Ok(()));
    assert!(world.pool.bytes() <= 3_000 && world.pool.len() <= before);
    let moment = world.workshop.ledger().next_moment(world.workshop.next_time());
    let (chosen, _) = world.pool.select(world.workshop.ledger(), moment);
    assert_eq!(chosen[0].wtxid(), settle.wtxid());
}

/// Outputs to sixteen keys each: a block is full of signature operations long before it is full of
/// bytes.
#[test]
fn a_template_keeps_to_the_limit_of_signature_operations() {
    let params = Params {
        max_block_signature_operations: 400,
        ..(*network()).clone()
    };
    let mut world = World::new(Policy::default(), params);
    let keys: Vec<[u8; 33]> = (1..=16)
        .map(|owner| *secret(owner).public_key().as_bytes())
        .collect();
    let multi = StandardScript::MultiSig { required: 1, keys }.compile().unwrap();
    let mut entered = 0;
    for owner in [CLIENT, NODE, STRANGER] {
        for index in 0..COINS_PER_KEY {
            let fund = world.workshop.fund(owner, index);
            let outputs = vec![TxOut::to_script(coins(20), multi.clone()); 4];
            let heavy = payment(&world.genesis(), slice(&fund), outputs);
            entered += usize::from(world.accept(&heavy).is_ok());
        }
    }
    assert!(entered > 10);
    world.check_template();
    world.mine(1_000);
    assert!(!world.pool.is_empty());
    world.check_template();
}

#[test]
fn thousands_of_inputs_are_refused_before_any_of_them_is_looked_at() {
    let mut world = World::usual();
    let fund = world.workshop.fund(STRANGER, 0);
    let inputs: Vec<Fund> = (0..5_000)
        .map(|index| {
            let mut other = fund.clone();
            other.outpoint.index = index;
            other
        })
        .collect();
    let wide = unsigned(&inputs, vec![pay_to(STRANGER, coins(1))], None);
    let (ledger, time) = (world.workshop.chain.ledger(), world.workshop.next_time());
    let refused = world.pool.accept(wide.into(), ledger, time, &world.verifier);
    assert_eq!(refused, Err(MempoolError::TooLarge));
    assert_eq!(world.verifier.count(), 0);
}
