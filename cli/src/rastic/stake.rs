//! How much stake makes cheating a loss, in exact fractions.

use num_bigint::BigInt;
use num_rational::BigRational;

/// What cheating and honest work come to. Amounts are in units, shares in `0..=1`.
#[derive(Clone, Debug)]
pub struct Market {
    /// `g`: what a cheat gains.
    pub gain: BigRational,
    /// `r`: the reward of a job.
    pub reward: BigRational,
    /// `q`: jobs that are checked.
    pub checked: BigRational,
    /// `d`: checks that catch a cheat.
    pub detected: BigRational,
    /// `f`: checks that slash an honest node.
    pub falsely_slashed: BigRational,
}

impl Market {
    /// `d` when the cheat is found unless all of `verifiers` collude, each with the chance
    /// `colluding`: `d (1 - κ^v)`.
    pub fn with_collusion(self, verifiers: u16, colluding: &BigRational) -> Self {
        let all_collude = colluding.pow(i32::from(verifiers));
        Self {
            detected: self.detected * (whole(1) - all_collude),
            ..self
        }
    }

    /// The least stake, in units, with which cheating does not pay: `S = g / (q d) - r`, rounded up and
    /// at least 0. `None` when no stake suffices, because a cheat is never caught.
    pub fn least_stake(&self) -> Option<BigInt> {
        if self.gain == whole(0) {
            return Some(BigInt::ZERO);
        }
        let caught = &self.checked * &self.detected;
        if caught == whole(0) {
            return None;
        }
        let stake = (&self.gain / caught - &self.reward).ceil().to_integer();
        Some(stake.max(BigInt::ZERO))
    }

    /// The largest cost of a job, in units, that an honest node with `stake` can bear:
    /// `r - c > q f S`. `None` when it loses even without any cost.
    pub fn largest_cost(&self, stake: &BigInt) -> Option<BigInt> {
        let bound = &self.reward - &self.checked * &self.falsely_slashed * stake;
        // The largest whole number below the bound.
        let cost = bound.ceil().to_integer() - 1;
        (cost >= BigInt::ZERO).then_some(cost)
    }
}

/// A whole number as a fraction.
pub fn whole(number: u64) -> BigRational {
    BigRational::from_integer(number.into())
}

/// Units as coins with eight decimals, however many there are.
pub fn in_coins(units: &BigInt) -> String {
    let coin = BigInt::from(camelid_core::primitives::COIN);
    format!("{}.{:0>8}", units / &coin, (units % &coin).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Market, in_coins, whole};
    use num_bigint::BigInt;
    use num_rational::BigRational;

    fn share(numerator: u64, denominator: u64) -> BigRational {
        whole(numerator) / whole(denominator)
    }

    /// Rewards are 1,000 units here, gains 0.9 of that.
    fn market(checked: BigRational, detected: BigRational) -> Market {
        Market {
            gain: whole(900),
            reward: whole(1_000),
            checked,
            detected,
            falsely_slashed: whole(0),
        }
    }

    /// Whether cheating pays, straight from its definition.
    fn pays(market: &Market, stake: &BigInt) -> bool {
        market.gain > &market.checked * &market.detected * (&market.reward + stake)
    }

    #[test]
    fn the_least_stake_is_where_cheating_stops_to_pay() {
        for checked in 1..=40 {
            for detected in 1..=40 {
                let market = market(share(checked, 40), share(detected, 40));
                let least = market.least_stake().expect("a stake");
                assert!(!pays(&market, &least), "{checked} {detected}");
                assert!(
                    least == BigInt::ZERO || pays(&market, &(least - 1)),
                    "{checked} {detected}"
                );
            }
        }
    }

    #[test]
    fn what_is_never_caught_needs_more_than_any_stake() {
        assert_eq!(market(whole(0), whole(1)).least_stake(), None);
        assert_eq!(market(whole(1), whole(0)).least_stake(), None);
        let idle = Market {
            gain: whole(0),
            ..market(whole(0), whole(1))
        };
        assert_eq!(idle.least_stake(), Some(BigInt::ZERO));
        assert_eq!(
            market(whole(1), whole(1))
                .with_collusion(3, &whole(1))
                .least_stake(),
            None
        );
    }

    #[test]
    fn collusion_needs_everybody() {
        // d = 1 - (1/2)^3 = 7/8.
        let market = market(whole(1), whole(1)).with_collusion(3, &share(1, 2));
        assert_eq!(market.detected, share(7, 8));
    }

    #[test]
    fn the_largest_cost_still_leaves_something() {
        for (stake, false_slash) in [
            (0, 0),
            (17_000, 10),
            (17_000, 1_000),
            (400, 3),
            (20_000, 1_000_000),
        ] {
            let market = Market {
                falsely_slashed: share(false_slash, 1_000_000),
                ..market(share(1, 20), whole(1))
            };
            let gains = |cost: &BigInt| {
                let risk = &market.checked * &market.falsely_slashed * BigInt::from(stake);
                &market.reward - cost > risk
            };
            match market.largest_cost(&stake.into()) {
                Some(cost) => assert!(gains(&cost) && !gains(&(cost + 1)), "{stake} {false_slash}"),
                None => assert!(!gains(&BigInt::ZERO), "{stake} {false_slash}"),
            }
        }
    }

    #[test]
    fn coins_have_eight_decimals() {
        assert_eq!(in_coins(&BigInt::from(1)), "0.00000001");
        assert_eq!(in_coins(&BigInt::from(1_250_000_000_u64)), "12.50000000");
    }
}
