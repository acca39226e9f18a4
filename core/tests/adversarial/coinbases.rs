//! Coinbases: their place, their sum at each halving, their ids, their maturity.

use crate::support::*;
use crate::ways::{Attack, assert_says, next_block, pool_refusal};
use camelid_core::chain::Submission;
use camelid_core::params::Params;
use camelid_core::primitives::{Amount, BoundedVec, Height};
use camelid_core::tx::Transaction;
use std::sync::Arc;

fn reward(workshop: &Workshop, amount: Amount) -> Transaction {
    let height = workshop.chain.height().plus(1);
    idle_coinbase(height, 0, vec![pay_to(MINER, amount)])
}

/// An attack by a block of exactly these transactions, without a coinbase of its own.
fn by_body(body: impl Fn(&Workshop) -> Vec<Transaction> + 'static, reason: &'static str) -> Attack {
    let block = move |workshop: &Workshop| {
        let body = body(workshop);
        let (tip, time) = (workshop.chain.tip(), workshop.next_time());
        match body.split_first() {
            Some((first, rest)) => mine_with(&workshop.params, tip, time, first.clone(), rest),
            None => {
                let block = mine_with(&workshop.params, tip, time, reward(workshop, coins(50)), &[]);
                let mut block = (*block).clone();
                block.transactions = BoundedVec::new();
                block.header.merkle_root = block.merkle_root();
                solve(&mut block.header);
                Arc::new(block)
            }
        }
    };
    Attack::by_block(&[], block, reason)
}

fn a_payment() -> Transaction {
    let workshop = Workshop::new(1);
    let fund = workshop.fund(CLIENT, 0);
    payment(&workshop.genesis(), &[fund], vec![pay_to(NODE, coins(99))])
}

#[test]
fn a_block_without_a_coinbase() {
    by_body(|_| vec![], "the coinbase is missing").must_fail();
    by_body(|_| vec![a_payment()], "the coinbase is missing").must_fail();
}

#[test]
fn a_late_coinbase() {
    let late = |workshop: &Workshop| vec![a_payment(), reward(workshop, coins(50))];
    by_body(late, "the coinbase is missing").must_fail();
}

#[test]
fn a_second_coinbase() {
    let second = |workshop: &Workshop| {
        let height = workshop.chain.height().plus(1);
        let another = idle_coinbase(height, 1, vec![pay_to(MINER, units(1))]);
        vec![reward(workshop, coins(49)), another]
    };
    by_body(second, "a coinbase outside the first place").must_fail();
    // Nor does one wait in a mempool.
    let workshop = Workshop::new(1);
    let loose = reward(&workshop, coins(50));
    let refusal = pool_refusal(&workshop, &[loose]).unwrap();
    assert_says(&refusal.to_string(), "a coinbase outside the first place");
}

#[test]
fn a_unit_more_than_subsidy_and_fees() {
    let paying = || vec![a_payment()];
    let block = move |claimed: Amount| {
        by_body(
            move |workshop| [vec![reward(workshop, claimed)], paying()].concat(),
            "claims too much",
        )
    };
    // The payment leaves one coin.
    block(units(coins(51).units() + 1)).must_fail();
    block(Amount::MAX).must_fail();
}

/// In C a shift by 64 or more is undefined, and on most machines leaves the number as it was: Bitcoin
/// would have started again at block 13,440,000.
#[test]
fn subsidies_around_every_halving() {
    for interval in [1, 3, 210_000, 1_000_000] {
        let params = Params {
            halving_interval: interval,
            ..Params::mainnet()
        };
        let full = params.subsidy.units();
        for halving in (0..=80).chain([4_294]) {
            let Some(first) = interval.checked_mul(halving) else {
                continue;
            };
            let expected = |halving: u32| u64::try_from(u128::from(full) / (1 << halving.min(100))).unwrap();
            let at = |height: u32| params.subsidy_at(Height(height)).units();
            assert_eq!(at(first), expected(halving), "height {first}");
            assert_eq!(at(first.saturating_add(interval - 1)), expected(halving));
            if let Some(before) = first.checked_sub(1) {
                assert_eq!(at(before), expected(halving - 1));
            }
        }
        assert_eq!(
            params.subsidy_at(Height(u32::MAX)).units(),
            full >> (u32::MAX / interval).min(63)
        );
    }
}

#[test]
fn a_unit_more_than_the_subsidy_around_every_halving() {
    let params = Arc::new(Params {
        halving_interval: 2,
        ..(*network()).clone()
    });
    let mut workshop = Workshop {
        chain: new_chain(&params, 1),
        params,
    };
    // Past the shift by 33 that leaves nothing, and by 64, which is none for a machine.
    while workshop.chain.height() < Height(140) {
        let height = workshop.chain.height().plus(1);
        let halvings = height.0 / 2;
        let subsidy = coins(50).units().checked_shr(halvings).unwrap_or(0);
        let time = workshop.next_time();
        let block = |claimed| next_block(&workshop, time, units(claimed), &[]);
        let (greedy, exact) = (block(subsidy + 1), block(subsidy));
        assert_says(&workshop.refusal_of(&greedy), "claims too much");
        let submitted = workshop.submit(&exact);
        assert!(matches!(submitted, Ok(Submission::Moved(change)) if change.invalid.is_empty()));
    }
    assert_eq!(workshop.ledger().totals().burned, Amount::ZERO);
    assert_conserved(workshop.ledger());
}

/// Two of Bitcoin's coinbases had the ids of earlier ones, whose coins they destroyed (BIP 30). Here the
/// lock time of a coinbase is its height.
#[test]
fn a_coinbase_with_an_id_already_on_the_chain() {
    let mut workshop = Workshop::new(1);
    let first = workshop.extend(&[]);
    let again = mine_with(
        &workshop.params,
        workshop.chain.tip(),
        workshop.next_time(),
        first.transactions[0].clone(),
        &[],
    );
    assert_says(&workshop.refusal_of(&again), "does not carry its height");
    let id = |height: u32| idle_coinbase(Height(height), 0, vec![pay_to(MINER, coins(50))]).txid();
    assert_eq!(id(1), first.transactions[0].txid());
    let ids: std::collections::BTreeSet<_> = (0..1_000).map(id).collect();
    assert_eq!(ids.len(), 1_000);
}

/// Bitcoin's maturity is ours: 100 confirmations, and the coin may be spent in the next block.
#[test]
fn an_immature_coinbase_at_99_and_100_confirmations_and_on_a_fork() {
    let params = Arc::new(Params {
        maturity: 100,
        ..(*network()).clone()
    });
    let new = |seed| Workshop {
        chain: new_chain(&params, seed),
        params: params.clone(),
    };
    let (mut subject, mut other) = (new(1), new(2));
    let shared = subject.extend(&[]);
    other.submit(&shared).unwrap();
    let genesis = subject.genesis();
    let spends = |block: &camelid_core::block::Block| {
        let fund = fund_of(&block.transactions[0], 0, MINER);
        payment(&genesis, &[fund], vec![pay_to(MINER, coins(49))])
    };
    let of_shared = spends(&shared);
    // A second coinbase, on this branch alone.
    let own = subject.extend(&[]);
    let of_own = spends(&own);
    while subject.chain.height() < Height(99) {
        subject.extend(&[]);
    }
    // The coinbase of block 1 has 99 confirmations.
    let early = pool_refusal(&subject, std::slice::from_ref(&of_shared)).unwrap();
    assert_says(&early.to_string(), "may be spent from height 101");
    let early = subject.refusal(std::slice::from_ref(&of_shared));
    assert_says(&early, "may be spent from height 101");
    subject.extend(&[]);
    // 100 confirmations.
    assert_eq!(pool_refusal(&subject, std::slice::from_ref(&of_shared)), None);
    subject.extend(std::slice::from_ref(&of_shared));
    subject.extend(std::slice::from_ref(&of_own));

    // On another branch the shared coin is just as old, and the other never was.
    let mut branch = Vec::new();
    while other.chain.height() < Height(99) {
        let block = next_block(&other, other.next_time(), coins(40), &[]);
        other.submit(&block).unwrap();
        branch.push(block);
    }
    assert_says(
        &other.refusal(std::slice::from_ref(&of_shared)),
        "may be spent from height 101",
    );
    branch.push(other.extend(&[]));
    assert_says(
        &other.refusal(std::slice::from_ref(&of_own)),
        "does not exist or is spent",
    );
    branch.push(other.extend(&[of_shared]));
    branch.extend([other.extend(&[]), other.extend(&[])]);
    for block in &branch {
        subject.submit(block).unwrap();
    }
    assert_eq!(subject.ledger().digest(), other.ledger().digest());
    let gone = pool_refusal(&subject, &[of_own]).unwrap();
    assert_says(&gone.to_string(), "does not exist or is spent");
    assert_conserved(subject.ledger());
}
