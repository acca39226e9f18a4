//! Payments that the chain accepts, with exact fees.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::primitives::{Amount, BoundedVec};
use camelid_core::script::{Script, StandardScript};
use camelid_core::tx::{Lock, Transaction, TxOut};
use camelid_wallet::coin::{Coin, EMPTY_BYTES, FeeRate, INPUT_BYTES, output_bytes};
use camelid_wallet::partial::Partial;
use camelid_wallet::payment::{PaymentError, Plan, plan, replace};
use proptest::prelude::*;
use support::*;

/// Whose coins are spent, and where change goes.
const OWN: u8 = 1;
const CHANGE: u8 = 2;
const OTHER: u8 = 3;

fn signed(world: &World, plan: &Plan) -> Transaction {
    let mut partial = Partial::of_plan(world.genesis(), plan).unwrap();
    let known = known(&world.coins);
    let count: usize = [OWN, CHANGE]
        .iter()
        .map(|owner| partial.sign(&secret(*owner), &known).unwrap())
        .sum();
    assert_eq!(count, plan.coins.len());
    partial.finalise().unwrap()
}

fn world_of(values: &[u64]) -> World {
    let outputs: Vec<TxOut> = values.iter().map(|value| pay_to(OWN, *value)).collect();
    World::new(&outputs)
}

fn total(outputs: &[TxOut]) -> u64 {
    outputs.iter().map(|output| output.value.units()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A planned payment pays what it should, changes are worth having, the fee is the one that was
    /// asked for, to the unit if there is change, and the chain accepts it.
    #[test]
    fn a_payment_is_exact(
        values in prop::collection::vec(1_u64..3_000_000, 1..8),
        payments in prop::collection::vec(600_u64..1_500_000, 1..4),
        rate in prop_oneof![Just(1_000_u64), 1_000_u64..9_000, Just(777_777_u64)],
        seed: u64,
    ) {
        let world = world_of(&values);
        let payments: Vec<TxOut> = payments.iter().map(|value| pay_to(OTHER, *value)).collect();
        let policy = policy(FeeRate::per_kilobyte(rate).unwrap());
        let planned = plan(&world.coins, &payments, &script_of(CHANGE), &policy, seed);
        prop_assert_eq!(&planned, &plan(&world.coins, &payments, &script_of(CHANGE), &policy, seed));
        let plan = match planned {
            Ok(plan) => plan,
            Err(PaymentError::NotEnough { available, needed }) => {
                prop_assert!(available < needed);
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let outputs = plan.transaction.outputs.to_vec();
        let (change, paid): (Vec<_>, Vec<_>) = (outputs.iter().cloned().enumerate())
            .partition(|(index, _)| Some(*index) == plan.change);
        prop_assert_eq!(paid.into_iter().map(|(_, output)| output).collect::<Vec<_>>(), payments);
        let transaction = signed(&world, &plan);
        let fee_asked = policy.fee_rate.fee(transaction.size() as u64);
        match &change[..] {
            [] => {
                let cost_of_change = policy.fee_rate.fee(38) + policy.dust_limit(&pay_to(CHANGE, 0));
                prop_assert!(plan.fee.units() >= fee_asked);
                // What is thrown away is less than change would have cost, or less than change may be.
                let most = cost_of_change.max(policy.fee_rate.fee(38) + policy.long_term_rate.fee(INPUT_BYTES));
                prop_assert!(plan.fee.units() <= fee_asked + most + plan.coins.len() as u64 + 2);
            }
            [(_, change)] => {
                prop_assert!(change.value.units() >= policy.dust_limit(change));
                prop_assert_eq!(&change.lock, &Lock::Script(script_of(CHANGE)));
                prop_assert_eq!(plan.fee.units(), fee_asked);
            }
            _ => prop_assert!(false, "more than one change output"),
        }
        prop_assert_eq!(world.fee_of(&transaction), Ok(plan.fee));
    }

    /// A replacement pays the same others, spends what the original spends, and pays more: in all, per byte,
    /// and for its own relaying. The chain accepts it.
    #[test]
    fn a_replacement_pays_more(
        values in prop::collection::vec(200_000_u64..3_000_000, 2..8),
        payment in 600_u64..400_000,
        rates in (1_000_u64..9_000, 1_000_u64..30_000),
        seed: u64,
    ) {
        let world = world_of(&values);
        let rate = |units| policy(FeeRate::per_kilobyte(units).unwrap());
        let original = plan(&world.coins, &[pay_to(OTHER, payment)], &script_of(CHANGE), &rate(rates.0), seed);
        let Ok(original) = original else { return Ok(()) };
        let policy = rate(rates.1);
        let replacement = replace(
            &signed(&world, &original), &original.coins, &script_of(CHANGE), &world.coins, &policy, seed,
        );
        let replacement = match replacement {
            Ok(replacement) => replacement,
            Err(PaymentError::NotEnough { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(&replacement.coins[..original.coins.len()], &original.coins[..]);
        let (old, new) = (signed(&world, &original), signed(&world, &replacement));
        prop_assert_eq!(world.fee_of(&new), Ok(replacement.fee));
        let (old_fee, new_fee) = (original.fee.units(), replacement.fee.units());
        let (old_size, new_size) = (old.size() as u64, new.size() as u64);
        prop_assert!(new_fee >= old_fee + policy.relay_rate.fee(new_size));
        prop_assert!(new_fee * old_size > old_fee * new_size);
        prop_assert!(new_fee >= policy.fee_rate.fee(new_size));
        let others = |transaction: &Transaction| -> Vec<TxOut> {
            let outputs = transaction.outputs.iter().cloned();
            outputs.filter(|output| output.lock != Lock::Script(script_of(CHANGE))).collect()
        };
        prop_assert_eq!(others(&old), others(&new));
    }
}

/// The sizes that fees are computed from are those of the encoding.
#[test]
fn sizes_are_those_of_the_encoding() {
    let world = world_of(&[50_000, 60_000, 70_000]);
    let keys = vec![*secret(5).public_key().as_bytes(); 3];
    let multi = StandardScript::MultiSig { required: 2, keys }.compile().unwrap();
    let payments = [pay_to(OTHER, 150_000), TxOut::to_script(units(9_000), multi)];
    let plan = plan(
        &world.coins,
        &payments,
        &script_of(CHANGE),
        &policy(per_byte(1)),
        1,
    )
    .unwrap();
    let outputs: u64 = plan.transaction.outputs.iter().map(output_bytes).sum();
    let computed = EMPTY_BYTES + outputs + INPUT_BYTES * plan.coins.len() as u64;
    assert_eq!(computed, signed(&world, &plan).size() as u64);
}

#[test]
fn payments_that_would_not_be_relayed_are_refused() {
    let world = world_of(&[1_000_000]);
    let plan = |payments: &[TxOut]| {
        plan(
            &world.coins,
            payments,
            &script_of(CHANGE),
            &policy(per_byte(2)),
            1,
        )
        .unwrap_err()
    };
    assert_eq!(plan(&[]), PaymentError::NoPayments);
    let odd = TxOut::to_script(units(5_000), Script::empty());
    assert_eq!(plan(&[pay_to(OTHER, 5_000), odd]), PaymentError::NotStandard(1));
    let native = TxOut {
        value: units(5_000),
        lock: Lock::Bond,
    };
    assert_eq!(plan(&[native]), PaymentError::NotStandard(0));
    let limit = policy(per_byte(2)).dust_limit(&pay_to(OTHER, 0));
    assert_eq!(limit, 543);
    let dust = PaymentError::Dust {
        index: 0,
        value: units(limit - 1),
        limit: units(limit),
    };
    assert_eq!(plan(&[pay_to(OTHER, limit - 1)]), dust);
    let all = Amount::MAX.units();
    assert_eq!(
        plan(&[pay_to(OTHER, all), pay_to(OTHER, all)]),
        PaymentError::Overflow
    );
    assert_eq!(
        plan(&vec![pay_to(OTHER, 1_000); 737]),
        PaymentError::TooMany(28_006)
    );
    let short = plan(&[pay_to(OTHER, 1_000_000)]);
    assert!(
        short
            .to_string()
            .starts_with("not enough coins: 0.01000112 is needed"),
        "{short}"
    );
}

#[test]
fn a_replacement_is_of_coins_that_the_original_spends() {
    let world = world_of(&[1_000_000, 1_000_000]);
    let policy = policy(per_byte(2));
    let original = plan(
        &world.coins,
        &[pay_to(OTHER, 5_000)],
        &script_of(CHANGE),
        &policy,
        1,
    )
    .unwrap();
    let transaction = signed(&world, &original);
    let other: Vec<Coin> = world
        .coins
        .iter()
        .filter(|coin| !original.coins.contains(coin))
        .cloned()
        .collect();
    for spent in [&other[..], &[], &world.coins] {
        let refused = replace(&transaction, spent, &script_of(CHANGE), &[], &policy, 1);
        assert_eq!(refused, Err(PaymentError::WrongCoins));
    }
    // Nobody is paid once the change is taken away.
    let to_self = Transaction {
        outputs: BoundedVec::from_vec(vec![TxOut::to_script(total_value(&original), script_of(CHANGE))])
            .unwrap(),
        ..transaction
    };
    let refused = replace(&to_self, &original.coins, &script_of(CHANGE), &[], &policy, 1);
    assert_eq!(refused, Err(PaymentError::NoPayments));
}

fn total_value(plan: &Plan) -> Amount {
    units(total(&plan.transaction.outputs))
}
