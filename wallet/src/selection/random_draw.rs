//! Coins in random order, until they suffice for payments and change.

use super::{Candidate, Target};
use camelid_core::primitives::Stream;

/// The first of the shuffled coins that reach the target with change of at least
/// [`Target::min_change`]; `None` when all of them do not.
pub(super) fn draw(
    candidates: &[Candidate],
    target: &Target,
    stream: &mut Stream,
) -> Option<(Vec<Candidate>, bool)> {
    let with_change = target.change_fee.checked_add(target.min_change.max(1))?;
    let needed = target.amount.checked_add(with_change)?;
    let mut rest = candidates.to_vec();
    let (mut chosen, mut sum) = (Vec::new(), 0_u64);
    while sum < needed {
        if rest.is_empty() {
            return None;
        }
        let index = usize::try_from(stream.below(rest.len() as u64)).unwrap_or(0);
        let coin = rest.swap_remove(index);
        sum += coin.effective;
        chosen.push(coin);
    }
    Some((chosen, true))
}
