//! The pool's rules, one by one.

use super::support::*;
use super::world::{World, chain_of, pay, pay_self, rate_of, with_sequence};
use camelid_core::mempool::{FeeRate, MempoolError, Policy};
use camelid_core::params::Params;
use camelid_core::primitives::{Amount, BoundedVec};
use camelid_core::tx::{ActionKind, OutPoint, Transaction, TxOut};

fn slice(fund: &Fund) -> &[Fund] {
    std::slice::from_ref(fund)
}

fn waits(world: &World, transaction: &Transaction) -> bool {
    world.pool.get(&transaction.wtxid()).is_some()
}

// --- Replacement ---

#[test]
fn a_replacement_pays_for_what_it_replaces_and_for_itself() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let fund = world.workshop.fund(CLIENT, 0);
    let parent = pay(&genesis, slice(&fund), &[CLIENT, CLIENT], 3);
    let child = pay_self(&world, &fund_of(&parent, 0, CLIENT), 10);
    for transaction in [&parent, &child] {
        assert_eq!(world.accept(transaction), Ok(()));
    }
    let replaced_fees = world.fee(&parent) + world.fee(&child);
    // To one output: all of these have the same size.
    let paying = |fee: u64| {
        let left = units(fund.output.value.units() - fee);
        payment(&genesis, slice(&fund), vec![pay_to(NODE, left)])
    };
    let size = paying(0).size() as u64;
    let enough = replaced_fees + size;
    let refused = world.accept(&paying(enough - 1));
    let expected = MempoolError::Replacement {
        replaced: parent.txid(),
        fee: units(enough - 1),
        required: units(enough),
    };
    assert_eq!(refused, Err(expected));
    // The pool is as it was.
    assert!(waits(&world, &parent) && waits(&world, &child));
    assert!(world.pool.wtxids().eq([parent.wtxid(), child.wtxid()]));
    assert_eq!(world.accept(&paying(enough)), Ok(()));
    assert!(world.pool.wtxids().eq([paying(enough).wtxid()]));
    assert!(!world.pool.spends(&OutPoint {
        txid: parent.txid(),
        index: 0
    }));
}

#[test]
fn a_replacement_has_a_better_rate_and_not_only_a_higher_fee() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let funds: Vec<Fund> = (0..6).map(|index| world.workshop.fund(CLIENT, index)).collect();
    let small = pay(&genesis, &funds[..1], &[NODE], 10);
    assert_eq!(world.accept(&small), Ok(()));
    // Three times its fee, for six times its size.
    let large = pay(&genesis, &funds, &[NODE], 5);
    assert!(world.fee(&large) > 2 * world.fee(&small));
    assert!(matches!(
        world.accept(&large),
        Err(MempoolError::Replacement { .. })
    ));
    // A good rate that hangs on a bad parent is not a good rate.
    let heavy = pay(&genesis, &funds[1..], &[CLIENT], 1);
    assert_eq!(world.accept(&heavy), Ok(()));
    let hanging = pay(
        &genesis,
        &[funds[0].clone(), fund_of(&heavy, 0, CLIENT)],
        &[NODE],
        12,
    );
    assert!(rate_of(&world, &hanging) > rate_of(&world, &small));
    assert!(matches!(
        world.accept(&hanging),
        Err(MempoolError::Replacement { .. })
    ));
}

#[test]
fn nothing_replaces_what_it_depends_on() {
    let mut world = World::usual();
    let fund = world.workshop.fund(CLIENT, 0);
    let parent = pay_self(&world, &fund, 1);
    assert_eq!(world.accept(&parent), Ok(()));
    let both = [fund, fund_of(&parent, 0, CLIENT)];
    let impossible = pay(&world.genesis(), &both, &[CLIENT], 50);
    assert!(matches!(world.accept(&impossible), Err(MempoolError::Invalid(_))));
    assert!(waits(&world, &parent));
}

#[test]
fn a_bounded_number_of_transactions_is_replaced() {
    let policy = Policy {
        max_replaced: 3,
        ..Policy::default()
    };
    let mut world = World::new(policy, (*network()).clone());
    let fund = world.workshop.fund(CLIENT, 0);
    let chain = chain_of(&world, &fund, 4, 1);
    for transaction in &chain {
        assert_eq!(world.accept(transaction), Ok(()));
    }
    let refused = world.accept(&pay(&world.genesis(), slice(&fund), &[NODE], 100));
    assert_eq!(refused, Err(MempoolError::TooManyReplaced { count: 4, limit: 3 }));
    let second = fund_of(&chain[0], 0, CLIENT);
    assert_eq!(
        world.accept(&pay(&world.genesis(), &[second], &[NODE], 100)),
        Ok(())
    );
    assert_eq!(world.pool.len(), 2);
}

/// Engage goes with the OpenJob that its client has replaced, and the node's stake is free again.
#[test]
fn a_job_goes_with_its_opening() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let (fund, stake) = (world.workshop.fund(CLIENT, 0), world.workshop.fund(NODE, 0));
    let mut poorer = fund.clone();
    poorer.output.value = units(fund.output.value.units() - 1_000);
    let terms = terms(&world.workshop.params, world.workshop.chain.height().plus(1));
    let open = sign(&genesis, open_job(&genesis, &poorer, &terms), slice(&fund));
    let engage = engaging(&genesis, &open, &stake, &opening(&[5, END])).signed(&genesis);
    assert_eq!(world.accept(&open), Ok(()));
    assert_eq!(world.accept(&engage), Ok(()));
    assert!(world.pool.acts_on(&open.job_id.unwrap(), 1));
    let other = pay(&genesis, slice(&fund), &[CLIENT], 200);
    assert_eq!(world.accept(&other), Ok(()));
    assert!(world.pool.wtxids().eq([other.wtxid()]));
    assert!(!world.pool.spends(&stake.outpoint) && !world.pool.acts_on(&open.job_id.unwrap(), 1));
    assert!(matches!(world.accept(&engage), Err(MempoolError::Invalid(_))));
}

// --- Chains ---

#[test]
fn chains_end_at_25_transactions() {
    let mut world = World::usual();
    let fund = world.workshop.fund(CLIENT, 0);
    let chain = chain_of(&world, &fund, 26, 2);
    for transaction in &chain[..25] {
        assert_eq!(world.accept(transaction), Ok(()));
    }
    assert!(matches!(
        world.accept(&chain[25]),
        Err(MempoolError::Chain { limit: 25, .. })
    ));
    // In a block, a chain may have any length; what is left of this one goes on.
    world.mine(500);
    assert_eq!(world.pool.len(), 13);
    assert_eq!(world.accept(&chain[25]), Ok(()));
    world.check_template();
}

#[test]
fn a_transaction_has_at_most_25_descendants_with_itself() {
    let mut world = World::usual();
    let fund = world.workshop.fund(CLIENT, 0);
    let parent = pay(&world.genesis(), slice(&fund), &[CLIENT; 26], 2);
    assert_eq!(world.accept(&parent), Ok(()));
    let children: Vec<_> = (0..25)
        .map(|index| pay_self(&world, &fund_of(&parent, index, CLIENT), 2))
        .collect();
    for child in &children[..24] {
        assert_eq!(world.accept(child), Ok(()));
    }
    assert!(matches!(
        world.accept(&children[24]),
        Err(MempoolError::Chain { .. })
    ));
    // One that takes the place of another is not one more.
    let better = pay(&world.genesis(), &[fund_of(&parent, 3, CLIENT)], &[NODE], 9);
    assert_eq!(world.accept(&better), Ok(()));
    assert!(!waits(&world, &children[3]));
}

// --- What is waited for ---

#[test]
fn what_becomes_valid_by_waiting_is_not_blamed_on_anybody() {
    let mut young = (*network()).clone();
    young.jobs.min_age_s = 600;
    let mut world = World::new(Policy::default(), young);
    let genesis = world.genesis();
    let fund = world.workshop.fund(CLIENT, 0);
    // Created with the genesis block: ten minutes later by the median of the parent, and no earlier.
    let mut poorer = fund.clone();
    poorer.output.value = units(fund.output.value.units() - 5_000);
    let mut terms = terms(&world.workshop.params, world.workshop.chain.height().plus(30));
    terms.deadline = world.workshop.chain.height().plus(60);
    let open = sign(&genesis, open_job(&genesis, &poorer, &terms), slice(&fund));
    let median = |world: &World| world.workshop.ledger().median_time_past().0;
    while median(&world) < world.workshop.params.genesis_time.0 + 600 {
        assert!(matches!(world.accept(&open), Err(MempoolError::NotYet(_))));
        assert!(world.pool.is_empty());
        world.connect(&[]);
    }
    assert_eq!(world.accept(&open), Ok(()));

    let other = world.workshop.fund(CLIENT, 1);
    let plain = pay_self(&world, &other, 2);
    let mut locked = Transaction {
        lock_time: world.workshop.chain.height().0 + 2,
        ..plain
    };
    locked = with_sequence(&world, &other, &locked, 0);
    assert!(matches!(world.accept(&locked), Err(MempoolError::NotYet(_))));
    let mut relative = Transaction {
        version: 2,
        ..pay_self(&world, &other, 2)
    };
    relative = with_sequence(&world, &other, &relative, 500);
    assert!(matches!(world.accept(&relative), Err(MempoolError::NotYet(_))));
    world.connect(&[]);
    world.connect(&[]);
    assert_eq!(world.accept(&locked), Ok(()));
    let block = world.workshop.chain.block(&world.workshop.chain.tip()).unwrap();
    let reward = fund_of(&block.transactions[0], 0, MINER);
    let immature = pay(&genesis, &[reward], &[MINER], 2);
    assert!(matches!(world.accept(&immature), Err(MempoolError::NotYet(_))));
}

#[test]
fn a_transaction_expires_with_what_depends_on_it() {
    let policy = Policy {
        expiry_s: 300,
        ..Policy::default()
    };
    let mut world = World::new(policy, (*network()).clone());
    let fund = world.workshop.fund(CLIENT, 0);
    let chain = chain_of(&world, &fund, 2, 2);
    assert_eq!(world.accept(&chain[0]), Ok(()));
    world.connect(&[]);
    assert_eq!(world.accept(&chain[1]), Ok(()));
    (0..3).for_each(|_| _ = world.connect(&[]));
    assert_eq!(world.pool.len(), 2);
    world.connect(&[]);
    assert!(world.pool.is_empty());
    // It may come again.
    assert_eq!(world.accept(&chain[0]), Ok(()));
}

#[test]
fn what_a_reorganisation_takes_back_waits_again() {
    let mut world = World::usual();
    let fund = world.workshop.fund(CLIENT, 0);
    let chain = chain_of(&world, &fund, 3, 2);
    for transaction in &chain {
        assert_eq!(world.accept(transaction), Ok(()));
    }
    world.mine(400);
    world.mine(1_000);
    assert!(world.pool.is_empty());
    assert_eq!(world.fork(2).disconnected.len(), 2);
    assert!(world.pool.wtxids().eq(chain.iter().map(Transaction::wtxid)));
    world.check_template();
}

// --- Templates ---

#[test]
fn a_child_pays_for_its_parent() {
    let params = Params {
        max_block_bytes: 1_700,
        ..(*network()).clone()
    };
    let mut world = World::new(Policy::default(), params);
    let funds: Vec<Fund> = (0..4).map(|index| world.workshop.fund(CLIENT, index)).collect();
    let parent = pay_self(&world, &funds[0], 1);
    let child = pay_self(&world, &fund_of(&parent, 0, CLIENT), 20);
    let between: Vec<_> = funds[1..].iter().map(|fund| pay_self(&world, fund, 5)).collect();
    for transaction in between.iter().chain([&parent, &child]) {
        assert_eq!(world.accept(transaction), Ok(()));
    }
    // There is room for three.
    let moment = world.workshop.ledger().next_moment(world.workshop.next_time());
    let (chosen, _) = world.pool.select(world.workshop.ledger(), moment);
    let chosen: Vec<_> = chosen.iter().map(|transaction| transaction.wtxid()).collect();
    assert_eq!(chosen, [parent.wtxid(), child.wtxid(), between[0].wtxid()]);
    world.check_template();
}

#[test]
fn what_an_unmined_closing_pays_cannot_be_spent_yet() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let fund = world.workshop.fund(CLIENT, 0);
    let terms = terms(&world.workshop.params, world.workshop.chain.height().plus(1));
    let open = open_job(&genesis, &fund, &terms);
    world.connect(std::slice::from_ref(&open));
    let job = open.job_id.unwrap();
    while world.workshop.chain.height().plus(1) < terms.deadline {
        world.connect(&[]);
    }
    let settle = bare(job, 1, ActionKind::Settle);
    assert_eq!(world.accept(&settle), Ok(()));
    let refund = Fund {
        outpoint: camelid_core::escrow::Closing::outpoint(&job, 0),
        output: pay_to(CLIENT, terms.escrow_value().unwrap()),
        owner: CLIENT,
    };
    let spend = payment(&genesis, slice(&refund), vec![pay_to(NODE, coins(1))]);
    let block = [settle, spend.clone()];
    assert!(world.is_valid(&block));
    let offer = |world: &mut World| {
        let (ledger, time) = (world.workshop.chain.ledger(), world.workshop.next_time());
        world
            .pool
            .accept(spend.clone().into(), ledger, time, &world.verifier)
    };
    assert!(matches!(offer(&mut world), Err(MempoolError::Invalid(_))));
    world.mine(1_000);
    assert_eq!(offer(&mut world), Ok(()));
}

// --- Fees ---

#[test]
fn an_output_is_worth_what_it_costs_to_spend() {
    let mut world = World::usual();
    let fund = world.workshop.fund(CLIENT, 0);
    let genesis = world.genesis();
    let paying = |small: u64| {
        let rest = units(fund.output.value.units() - 1_000 - small);
        payment(
            &genesis,
            slice(&fund),
            vec![pay_to(NODE, rest), pay_to(NODE, units(small))],
        )
    };
    // 38 bytes of output and 143 of input, three times.
    let least = 3 * (38 + 143);
    let dust = MempoolError::Dust {
        index: 1,
        least: units(least),
    };
    assert_eq!(world.accept(&paying(least - 1)), Err(dust));
    assert!(world.pool.is_dust(&pay_to(NODE, Amount::ZERO)));
    assert_eq!(world.accept(&paying(least)), Ok(()));
}

#[test]
fn rates_round_against_who_pays() {
    assert_eq!(FeeRate::of(1_999, 1_000), FeeRate(1_999));
    assert_eq!(FeeRate::of(1, 3), FeeRate(333));
    assert_eq!(FeeRate(1_001).fee(1), units(2));
    assert_eq!(FeeRate::of(u64::MAX, 0), FeeRate(u64::MAX));
    assert_eq!(FeeRate(u64::MAX).fee(usize::MAX), Amount::MAX);
    assert_eq!(FeeRate::per_byte(2).to_string(), "2.000 units/byte");
}

/// A pool over blocks with room for eight small payments.
fn crowded() -> World {
    let params = Params {
        max_block_bytes: 2_750,
        ..(*network()).clone()
    };
    let mut world = World::new(Policy::default(), params);
    // Sixty coins for as many payments.
    for owner in [CLIENT, NODE] {
        let fund = world.workshop.fund(owner, 0);
        let split = payment(&world.genesis(), slice(&fund), vec![pay_to(CLIENT, coins(3)); 30]);
        let _ = world.accept(&split);
        world.connect(&[split]);
    }
    world
}

fn coins_of(world: &World) -> Vec<Fund> {
    let blocks = world.workshop.chain.active()[1..=2].iter();
    let splits = blocks.map(|hash| world.workshop.chain.block(hash).unwrap().transactions[1].clone());
    splits
        .flat_map(|split| (0..30).map(move |index| fund_of(&split, index, CLIENT)))
        .collect()
}

#[test]
fn an_estimate_is_what_the_last_blocks_had_room_for() {
    let mut world = crowded();
    let funds = coins_of(&world);
    assert_eq!(world.pool.estimate(1), FeeRate::per_byte(1));
    // More than fits, at 1 to 20 units a byte, in every block.
    let mut waiting = funds.chunks(20);
    for _ in 0..3 {
        for (rate, fund) in (1..).zip(waiting.next().unwrap()) {
            assert_eq!(world.accept(&pay_self(&world, fund, rate)), Ok(()));
        }
        world.mine(1_000);
    }
    let cheapest = |world: &World| {
        let block = world.workshop.chain.block(&world.workshop.chain.tip()).unwrap();
        let paying = block.transactions[1..]
            .iter()
            .map(|transaction| rate_of(world, transaction));
        paying.min().unwrap()
    };
    assert!(cheapest(&world) > FeeRate::per_byte(8));
    // Two of the five blocks so far had room.
    assert!(world.pool.estimate(1) >= cheapest(&world));
    assert!(world.pool.estimate(5) < world.pool.estimate(1));
    // An empty mempool and blocks with room bring it down, but not at once.
    (0..30).for_each(|_| _ = world.mine(1_000));
    let after = world.pool.estimate(3);
    assert!(after < FeeRate::per_byte(8), "{after}");
    // A block taken back says nothing any more.
    let before = world.pool.estimate(1);
    world.fork(1);
    assert!(world.pool.estimate(1) <= before);
}

/// A miner's own transactions, at any price it likes, that nobody else has seen.
#[test]
fn a_miner_cannot_talk_the_estimate_up() {
    let mut world = crowded();
    let funds = coins_of(&world);
    for block in funds.chunks(8).take(5) {
        let secret: Vec<_> = block.iter().map(|fund| pay_self(&world, fund, 50_000)).collect();
        world.connect(&secret);
        let block = world.workshop.chain.block(&world.workshop.chain.tip()).unwrap();
        assert!(block.size() * 10 >= (world.workshop.params.max_block_bytes as usize - 1_000) * 9);
    }
    assert_eq!(world.pool.estimate(1), FeeRate::per_byte(1));
}

#[test]
fn a_transaction_has_room_in_a_block_and_standard_outputs() {
    let mut world = World::usual();
    let genesis = world.genesis();
    let fund = world.workshop.fund(CLIENT, 0);
    let odd = camelid_core::script::Script::from_bytes(vec![0x51]).unwrap();
    let odd = payment(&genesis, slice(&fund), vec![TxOut::to_script(coins(1), odd)]);
    assert_eq!(world.accept(&odd), Err(MempoolError::NotStandard(0)));
    let wide = payment(&genesis, slice(&fund), vec![pay_to(NODE, units(10_000)); 2_700]);
    assert!(wide.size() > camelid_core::mempool::MAX_RELAYED_BYTES);
    assert_eq!(world.accept(&wide), Err(MempoolError::TooLarge));
    let mut twice = pay_self(&world, &fund, 2);
    twice.outputs = BoundedVec::from_vec(vec![pay_to(NODE, coins(1))]).unwrap();
    assert!(matches!(world.accept(&twice), Err(MempoolError::Invalid(_))));
}
