//! An exact match: coins whose sum exceeds the target by no more than change would cost.

use super::{Candidate, Target};

/// Steps after which the best match so far is taken.
const MAX_STEPS: usize = 100_000;

/// The match with the least waste among those that [`MAX_STEPS`] steps reach: a walk through the tree
/// of all subsets, largest coins first, that turns back where the rest of the coins cannot reach the
/// target, where the sum is past the window, and where waste can only grow past the best.
pub(super) fn search(candidates: &[Candidate], target: &Target) -> Option<(Vec<Candidate>, bool)> {
    let mut walk = Walk {
        candidates,
        sums_from: sums_from(candidates),
        low: target.amount,
        high: target.amount.checked_add(target.cost_of_change())?,
        input_waste: target.input_waste(),
        chosen: Vec::new(),
        best: None,
    };
    walk.run();
    let (_, best) = walk.best?;
    Some((best.iter().map(|index| candidates[*index]).collect(), false))
}

/// For each index, and for the end, the sum of the coins from there on.
fn sums_from(candidates: &[Candidate]) -> Vec<u64> {
    let mut sums = vec![0; candidates.len() + 1];
    for (index, coin) in candidates.iter().enumerate().rev() {
        sums[index] = sums[index + 1] + coin.effective;
    }
    sums
}

struct Walk<'a> {
    candidates: &'a [Candidate],
    sums_from: Vec<u64>,
    /// The window for the sum, both ends included.
    low: u64,
    high: u64,
    input_waste: i128,
    /// Indices of the coins that are in, ascending.
    chosen: Vec<usize>,
    best: Option<(i128, Vec<usize>)>,
}

impl Walk<'_> {
    fn run(&mut self) {
        let (mut sum, mut next) = (0, 0);
        for _ in 0..MAX_STEPS {
            let out_of_reach = sum > self.high || sum + self.sums_from[next] < self.low;
            let turn_back = out_of_reach || self.is_hopeless(sum);
            if !turn_back && sum >= self.low {
                self.note(sum);
            }
            // Past the target more coins help only where they cost less now than later.
            let is_open = sum < self.low || self.input_waste < 0;
            if !turn_back && is_open && next < self.candidates.len() {
                // A coin like one that was just left out leads to what was already tried.
                if !self.repeats_left_out(next) {
                    self.chosen.push(next);
                    sum += self.candidates[next].effective;
                }
                next += 1;
                continue;
            }
            // Back to the last coin that is in, and on without it.
            let Some(last) = self.chosen.pop() else { return };
            sum -= self.candidates[last].effective;
            next = last + 1;
        }
    }

    /// True when the coin before `index` is as large and not in.
    fn repeats_left_out(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        let same = self.candidates[before].effective == self.candidates[index].effective;
        same && self.chosen.last() != Some(&before)
    }

    fn waste(&self, sum: u64) -> i128 {
        self.input_waste * self.chosen.len() as i128 + i128::from(sum) - i128::from(self.low)
    }

    /// True when no match with these coins can be better than the best.
    fn is_hopeless(&self, sum: u64) -> bool {
        let at_least =
            self.input_waste * self.chosen.len() as i128 + i128::from(sum.saturating_sub(self.low));
        self.input_waste >= 0 && self.best.as_ref().is_some_and(|(best, _)| at_least > *best)
    }

    fn note(&mut self, sum: u64) {
        let waste = self.waste(sum);
        if !self.chosen.is_empty() && self.best.as_ref().is_none_or(|(best, _)| waste < *best) {
            self.best = Some((waste, self.chosen.clone()));
        }
    }
}
