//! The choice of coins, against all choices that there are.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::primitives::Amount;
use camelid_wallet::coin::{Coin, FeeRate, INPUT_BYTES};
use camelid_wallet::selection::{MAX_INPUTS, Selection, Target, select};
use proptest::prelude::*;
use support::*;

fn coins_of(values: &[u64]) -> Vec<Coin> {
    (1..)
        .zip(values)
        .map(|(number, value)| coin(number, *value, 1))
        .collect()
}

fn target(amount: u64, fee_rate: u64, long_term_rate: u64) -> Target {
    let fee_rate = per_byte(fee_rate);
    Target {
        amount,
        fee_rate,
        long_term_rate: per_byte(long_term_rate),
        change_fee: fee_rate.fee(38),
        min_change: 543,
    }
}

fn effective(value: u64, target: &Target) -> u64 {
    value.saturating_sub(target.fee_rate.fee(INPUT_BYTES))
}

/// The sum of effective values of a choice.
fn sum_of(values: &[u64], selection: &Selection, target: &Target) -> u64 {
    selection
        .coins
        .iter()
        .map(|index| effective(values[*index], target))
        .sum()
}

/// What a choice without change wastes.
fn waste_without_change(values: &[u64], chosen: &[usize], target: &Target) -> i128 {
    let fee = |rate: FeeRate| i128::from(rate.fee(INPUT_BYTES));
    let sum: u64 = chosen.iter().map(|index| effective(values[*index], target)).sum();
    let inputs = chosen.len() as i128 * (fee(target.fee_rate) - fee(target.long_term_rate));
    inputs + i128::from(sum) - i128::from(target.amount)
}

/// The least waste of all choices that match without change, by trying each.
fn least_waste(values: &[u64], target: &Target) -> Option<i128> {
    let subsets = 1_u32..1 << values.len();
    let chosen = subsets.map(|bits| {
        (0..values.len())
            .filter(|index| bits >> index & 1 == 1)
            .collect::<Vec<_>>()
    });
    let brings = |chosen: &Vec<usize>| chosen.iter().all(|index| effective(values[*index], target) > 0);
    let window = target.amount..=target.amount + target.cost_of_change();
    let matches = |chosen: &Vec<usize>| {
        window.contains(&chosen.iter().map(|index| effective(values[*index], target)).sum())
    };
    let matching = chosen.filter(brings).filter(matches);
    matching
        .map(|chosen| waste_without_change(values, &chosen, target))
        .min()
}

/// Values of which some match some targets exactly.
fn values() -> impl Strategy<Value = Vec<u64>> {
    let value = prop_oneof![
        1_u64..2_000,
        (1_u64..40).prop_map(|thousands| thousands * 1_000),
        1_u64..10_000_000,
    ];
    prop::collection::vec(value, 0..11)
}

fn targets() -> impl Strategy<Value = Target> {
    let amount = prop_oneof![
        1_u64..60_000,
        (1_u64..80).prop_map(|thousands| thousands * 1_000),
        1_u64..20_000_000
    ];
    (amount, 0_u64..12, 0_u64..12).prop_map(|(amount, now, later)| target(amount, now, later))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// There is a choice exactly if all coins together suffice; it reaches the target, with change that
    /// is worth having or without any.
    #[test]
    fn a_choice_suffices(values in values(), target in targets(), seed: u64) {
        let coins = coins_of(&values);
        let available: u64 = values.iter().map(|value| effective(*value, &target)).sum();
        let chosen = select(&coins, &target, seed);
        prop_assert_eq!(chosen.is_ok(), available >= target.amount);
        let selection = match chosen {
            Ok(selection) => selection,
            Err(error) => {
                prop_assert_eq!((error.available, error.needed), (available, target.amount));
                return Ok(());
            }
        };
        let sum = sum_of(&values, &selection, &target);
        prop_assert!(selection.coins.is_sorted());
        prop_assert!(selection.coins.iter().all(|index| effective(values[*index], &target) > 0));
        match selection.change {
            Some(change) => {
                prop_assert!(change >= target.min_change);
                prop_assert_eq!(sum, target.amount + target.change_fee + change);
            }
            None => prop_assert!(sum >= target.amount),
        }
    }

    /// No choice without change wastes less, and no worse one is taken than the random draw's.
    #[test]
    fn no_exact_match_is_better(values in values(), target in targets(), seed: u64) {
        let coins = coins_of(&values);
        let Ok(selection) = select(&coins, &target, seed) else { return Ok(()) };
        let least = least_waste(&values, &target);
        if selection.change.is_none() {
            prop_assert_eq!(selection.waste, waste_without_change(&values, &selection.coins, &target));
            // Without an exact match, all coins go in, and what is left is too little for change.
            match least {
                Some(least) => prop_assert_eq!(selection.waste, least),
                None => {
                    let excess = sum_of(&values, &selection, &target) - target.amount;
                    prop_assert!(excess < target.change_fee + target.min_change);
                }
            }
        } else {
            let inputs = selection.coins.len() as i128;
            let rate = |rate: FeeRate| i128::from(rate.fee(INPUT_BYTES));
            let waste = inputs * (rate(target.fee_rate) - rate(target.long_term_rate))
                + i128::from(target.cost_of_change());
            prop_assert_eq!(selection.waste, waste);
            prop_assert!(least.is_none_or(|least| least > selection.waste));
        }
    }

    #[test]
    fn a_seed_decides(values in values(), target in targets(), seed: u64) {
        let coins = coins_of(&values);
        prop_assert_eq!(select(&coins, &target, seed), select(&coins, &target, seed));
    }
}

#[test]
fn an_exact_match_leaves_no_change() {
    let fee = target(0, 3, 3).fee_rate.fee(INPUT_BYTES);
    let values = [50_000, 31_000 + fee, 20_000 + fee, 90_000, 7_000];
    let selection = select(&coins_of(&values), &target(51_000, 3, 3), 1).unwrap();
    assert_eq!(
        (selection.coins, selection.change, selection.waste),
        (vec![1, 2], None, 0)
    );
}

#[test]
fn seeds_draw_different_coins() {
    let values = [100_000; 20];
    let drawn = |seed| {
        select(&coins_of(&values), &target(150_000, 5, 5), seed)
            .unwrap()
            .coins
    };
    let first = drawn(0);
    assert!((1..20).any(|seed| drawn(seed) != first));
}

/// The walk gives up after so many steps that no list of coins keeps it busy.
#[test]
fn many_coins_are_no_trouble() {
    let odd: Vec<u64> = (0..MAX_INPUTS as u64 + 500)
        .map(|number| 200_001 + 2 * number * 7_919 % 100_000)
        .collect();
    let selection = select(&coins_of(&odd), &target(40_000_000, 1, 1), 1).unwrap();
    assert!(selection.coins.len() <= MAX_INPUTS);
    // All that can be spent at a time.
    let all = [1_000; MAX_INPUTS + 1];
    let needed = (1_000 - INPUT_BYTES) * MAX_INPUTS as u64;
    assert_eq!(
        select(&coins_of(&all), &target(needed, 1, 1), 1)
            .unwrap()
            .coins
            .len(),
        MAX_INPUTS
    );
    assert_eq!(
        select(&coins_of(&all), &target(needed + 1, 1, 1), 1)
            .unwrap_err()
            .available,
        needed
    );
}

/// A list that claims more coins than there are overflows nothing.
#[test]
fn impossible_coins_are_left_out() {
    let all = Amount::MAX.units();
    let selection = select(&coins_of(&[all; 100]), &target(all / 2, 1, 1), 1).unwrap();
    assert_eq!(selection.coins.len(), 1);
    let impossible = select(&coins_of(&[all; 100]), &target(all, 1, 1), 1).unwrap_err();
    assert!(impossible.available < all);
}
