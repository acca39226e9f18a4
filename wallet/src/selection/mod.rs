//! Which coins to spend.
//!
//! A coin is counted at its *effective value*, less the fee for spending it. Two choices are made, and
//! the one with less waste is taken: an exact match without change, by branch and bound, and coins in
//! random order until they suffice with change, by single random draw (Erhardt, "An evaluation of coin
//! selection strategies", 2016; Bitcoin Core has the same two). *Waste* is what a choice costs beyond
//! what spending the same coins at another time would:
//!
//! ```text
//! Σ over coins (fee now − fee at the long-term rate)  +  cost of change, or what is left without it
//! ```

mod branch_and_bound;
mod random_draw;

use crate::coin::{Coin, FeeRate, INPUT_BYTES};
use camelid_core::primitives::{Amount, Stream};

/// Most coins that a payment spends: 71,500 bytes of the 100,000 that nodes relay. Of more coins than
/// that only the largest are looked at.
pub const MAX_INPUTS: usize = 500;

/// What is to be reached, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Payments and the fee of everything but the inputs.
    pub amount: u64,
    /// Now.
    pub fee_rate: FeeRate,
    /// What coins can be spent at another time.
    pub long_term_rate: FeeRate,
    /// Fee for having a change output.
    pub change_fee: u64,
    /// Least value of change; less is not worth spending.
    pub min_change: u64,
}

impl Target {
    /// What change costs: the output now, and its input some day.
    pub fn cost_of_change(&self) -> u64 {
        self.change_fee + self.long_term_rate.fee(INPUT_BYTES)
    }

    /// What a coin brings, or `None` when it brings nothing.
    fn effective(&self, value: Amount) -> Option<u64> {
        let effective = value.units().checked_sub(self.input_fee())?;
        (effective > 0).then_some(effective)
    }

    fn input_fee(&self) -> u64 {
        self.fee_rate.fee(INPUT_BYTES)
    }

    /// What spending one coin now costs more than it would at another time.
    fn input_waste(&self) -> i128 {
        i128::from(self.input_fee()) - i128::from(self.long_term_rate.fee(INPUT_BYTES))
    }
}

/// Chosen coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Positions among the coins that were given, ascending.
    pub coins: Vec<usize>,
    /// Value of the change output, in units, if there is one: at least [`Target::min_change`].
    pub change: Option<u64>,
    /// In units; may be negative when fees are low.
    pub waste: i128,
}

/// What coins cannot pay for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{available} units can be spent after fees, {needed} are needed")]
pub struct NotEnough {
    /// The sum of the coins' effective values, in units.
    pub available: u64,
    /// What was to be reached, in units.
    pub needed: u64,
}

/// A coin that brings something.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// Among the coins that were given.
    position: usize,
    effective: u64,
}

/// Chooses from `coins`. The same coins, target and seed give the same choice.
///
/// # Errors
/// [`NotEnough`], exactly if all coins (the [`MAX_INPUTS`] largest of them) together do not suffice.
pub fn select(coins: &[Coin], target: &Target, seed: u64) -> Result<Selection, NotEnough> {
    let candidates = candidates(coins, target);
    let available = candidates.iter().map(|coin| coin.effective).sum();
    if available < target.amount || candidates.is_empty() {
        return Err(NotEnough {
            available,
            needed: target.amount,
        });
    }
    let exact = branch_and_bound::search(&candidates, target);
    let mut stream = Stream::new(seed, "coin selection");
    let drawn = random_draw::draw(&candidates, target, &mut stream);
    let choices = [exact, drawn].into_iter().flatten();
    let choices = choices.map(|(chosen, has_change)| selection(&chosen, target, has_change));
    // The first of equals: no change is better than change.
    let best = choices.min_by_key(|choice| choice.waste);
    Ok(best.unwrap_or_else(|| selection(&candidates, target, false)))
}

/// Coins that bring something, largest first; among equals in the order in which they were given.
fn candidates(coins: &[Coin], target: &Target) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = coins
        .iter()
        .enumerate()
        .filter_map(|(position, coin)| {
            let effective = target.effective(coin.value)?;
            Some(Candidate { position, effective })
        })
        .collect();
    candidates.sort_by_key(|coin| std::cmp::Reverse(coin.effective));
    candidates.truncate(MAX_INPUTS);
    // A list of coins that holds more than there is would overflow sums.
    let mut sum = 0_u64;
    candidates.retain(|coin| {
        let after = sum.saturating_add(coin.effective);
        let possible = after <= Amount::MAX.units();
        sum = if possible { after } else { sum };
        possible
    });
    candidates
}

/// The choice of these coins, which suffice. Without change the rest goes to the miner.
fn selection(chosen: &[Candidate], target: &Target, has_change: bool) -> Selection {
    let sum: u64 = chosen.iter().map(|coin| coin.effective).sum();
    let excess = sum.saturating_sub(target.amount);
    let change = has_change.then(|| excess.saturating_sub(target.change_fee));
    let beyond = match change {
        Some(_) => target.cost_of_change(),
        None => excess,
    };
    let mut coins: Vec<usize> = chosen.iter().map(|coin| coin.position).collect();
    coins.sort_unstable();
    Selection {
        waste: target.input_waste() * coins.len() as i128 + i128::from(beyond),
        coins,
        change,
    }
}
