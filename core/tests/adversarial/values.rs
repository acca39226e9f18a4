//! Sums that are to overflow: Bitcoin made 184 billion coins that way in block 74638.

use crate::support::*;
use crate::ways::Attack;
use camelid_core::chain::Submission;
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, Height, decode, encode};
use camelid_core::script::Script;
use camelid_core::tx::{Transaction, TxOut};
use camelid_core::wire::Message;
use std::sync::Arc;

#[test]
fn outputs_whose_sum_wraps() {
    let workshop = Workshop::new(1);
    let fund = workshop.fund(CLIENT, 0);
    // 462 of the largest amounts exceed 2^64 units by a little.
    let count = usize::try_from(u64::MAX / Amount::MAX.units() + 1).unwrap();
    for count in [2, count] {
        let outputs = vec![pay_to(CLIENT, Amount::MAX); count];
        let payment = payment(&workshop.genesis(), std::slice::from_ref(&fund), outputs);
        Attack::by(&[], &[payment], "amounts overflow").must_fail();
    }
}

#[test]
fn coinbase_outputs_whose_sum_wraps() {
    let count = usize::try_from(u64::MAX / Amount::MAX.units() + 1).unwrap();
    for count in [2, count] {
        let block = move |workshop: &Workshop| {
            let outputs = vec![pay_to(MINER, Amount::MAX); count];
            let height = workshop.chain.height().plus(1);
            let reward = idle_coinbase(height, 0, outputs);
            let (tip, time) = (workshop.chain.tip(), workshop.next_time());
            mine_with(&workshop.params, tip, time, reward, &[])
        };
        Attack::by_block(&[], block, "overflows").must_fail();
    }
}

/// 2^64 units cannot be written; 2^64 - 1, and whatever is above the ceiling, is no amount.
#[test]
fn amounts_above_the_ceiling_do_not_decode() {
    let workshop = Workshop::new(1);
    let marker = 0x0011_2233_4455_6677;
    assert!(marker < Amount::MAX.units());
    let outputs = vec![pay_to(CLIENT, units(marker)), pay_to(CLIENT, units(1))];
    let payment = payment(&workshop.genesis(), &[workshop.fund(CLIENT, 0)], outputs);
    let message = Message::Transaction(Box::new(payment.clone()));
    let (kind, bytes) = message.to_parts();
    let at = bytes
        .windows(8)
        .position(|window| window == marker.to_le_bytes())
        .unwrap();
    let with = |value: u64| {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    assert_eq!(Message::from_parts(kind, &with(marker)), Ok(Some(message)));
    let ceiling = with(Amount::MAX.units());
    assert!(decode::<Transaction>(&ceiling, ceiling.len()).is_ok());
    for value in [Amount::MAX.units() + 1, 1 << 63, u64::MAX] {
        let bytes = with(value);
        assert!(Message::from_parts(kind, &bytes).is_err(), "{value}");
        assert!(decode::<Transaction>(&bytes, bytes.len()).is_err(), "{value}");
    }
}

/// All coins of a network whose allocations are as large as its parameters allow, paid as fees of one
/// block: their sum is exact, to the unit.
#[test]
fn the_fees_of_a_block_are_summed_without_wrapping() {
    let most = coins(99_000_000);
    let allocations = vec![
        Allocation {
            script: script_of(CLIENT),
            amount: most,
        };
        3
    ];
    let params = Arc::new(Params {
        allocations: BoundedVec::from_vec(allocations).unwrap(),
        ..Params::simnet()
    });
    let mut workshop = Workshop {
        chain: new_chain(&params, 1),
        params,
    };
    let genesis = workshop.genesis();
    let first = camelid_core::block::genesis_block(&workshop.params).transactions[0].clone();
    let burn_all: Vec<Transaction> = (0..3)
        .map(|index| {
            let nothing = TxOut::to_script(Amount::ZERO, Script::empty());
            payment(&genesis, &[fund_of(&first, index, CLIENT)], vec![nothing])
        })
        .collect();
    let all = units(3 * most.units() + coins(50).units());
    let block = |claimed| {
        let reward = idle_coinbase(Height(1), 0, vec![pay_to(MINER, claimed)]);
        let (tip, time) = (workshop.chain.tip(), workshop.next_time());
        mine_with(&workshop.params, tip, time, reward, &burn_all)
    };
    let (greedy, exact) = (block(units(all.units() + 1)), block(all));
    assert_eq!(workshop.refusal_of(&greedy), "the coinbase claims too much");
    let submitted = workshop.submit(&exact);
    assert!(matches!(submitted, Ok(Submission::Moved(change)) if change.invalid.is_empty()));
    assert_eq!(workshop.ledger().totals().burned, Amount::ZERO);
    assert_conserved(workshop.ledger());
}

#[test]
fn a_unit_more_than_the_inputs() {
    let workshop = Workshop::new(1);
    let fund = workshop.fund(CLIENT, 0);
    let outputs = vec![pay_to(CLIENT, units(fund.output.value.units() + 1))];
    let payment = payment(&workshop.genesis(), &[fund], outputs);
    Attack::by(&[], &[payment], "outputs exceed inputs").must_fail();
}

/// An encoding has no room for a fourth state beside an absent job id and a present one.
#[test]
fn a_job_id_of_zeros_is_not_an_absent_one() {
    let workshop = Workshop::new(1);
    let fund = [workshop.fund(CLIENT, 0)];
    let plain = payment(&workshop.genesis(), &fund, vec![pay_to(CLIENT, coins(1))]);
    let mut zeros = plain.clone();
    zeros.job_id = Some(camelid_core::primitives::JobId([0; 32]));
    assert_ne!(zeros.txid(), plain.txid());
    assert_ne!(encode(&zeros), encode(&plain));
    let zeros = sign(&workshop.genesis(), zeros, &fund);
    Attack::by(&[], &[zeros], "must come together").must_fail();
    // The byte before an optional field is 0 or 1: job id and action are the last two.
    let bytes = encode(&plain);
    for at in [bytes.len() - 2, bytes.len() - 1] {
        for tag in 2..=u8::MAX {
            let mut bytes = bytes.clone();
            bytes[at] = tag;
            assert!(decode::<Transaction>(&bytes, bytes.len()).is_err());
            bytes.extend([0; 40]);
            assert!(decode::<Transaction>(&bytes, bytes.len()).is_err());
        }
    }
}
