//! What parameters must keep to, for the protocol to work at all.

use super::Params;
use crate::block::{CompactTarget, Difficulty, Target, TargetError};
use crate::model::MAX_TOKENS;
use crate::primitives::Amount;

/// Why a network with these parameters cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Something is zero that everything else is measured by.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// A target that no hash can be held against.
    #[error("{name}: {error}")]
    Target {
        /// Which target.
        name: &'static str,
        /// What is wrong with it.
        error: TargetError,
    },
    /// There is another compact form for a target: headers could not repeat it.
    #[error("{name} {bits:?} is not in its shortest form")]
    TargetForm {
        /// Which target.
        name: &'static str,
        /// The compact target.
        bits: CompactTarget,
    },
    /// The chain would begin with a target that is never allowed again.
    #[error("the genesis target is easier than the easiest one allowed")]
    TargetLimit,
    /// More coins are issued than an [`Amount`] can hold: some block could not be connected.
    #[error("allocations and subsidies exceed {} coins", Amount::MAX)]
    Issuance,
    /// Reward and stake of no job fit under the subsidy.
    #[error("the least stake {least} exceeds the subsidy {subsidy}")]
    Subsidy {
        /// The least stake of a job with no reward.
        least: Amount,
        /// The subsidy.
        subsidy: Amount,
    },
    /// What the largest job locks, with all deposits, overflows: it could not be closed.
    #[error("the deposits for the largest job overflow")]
    Deposits,
    /// No specification is enabled.
    #[error("no job specification is enabled")]
    NoSpec,
    /// A job would have no deadline.
    #[error("the least time to a deadline, {least} blocks, exceeds the most, {most}")]
    Deadline {
        /// Fewest blocks to a deadline.
        least: u32,
        /// Most blocks.
        most: u32,
    },
    /// The client could not claim that a delivery is missing: the window closes before it is due.
    #[error("the challenge window of {challenge} blocks ends before a delivery is due, {burial} blocks deep")]
    Challenge {
        /// CHALLENGE.
        challenge: u32,
        /// Depth at which a delivery is due.
        burial: u32,
    },
    /// The second round could not be filled from the fewest tickets that the first is drawn from.
    #[error("{least} eligible tickets do not fill {seats} seats")]
    Eligible {
        /// MIN_ELIGIBLE.
        least: u32,
        /// Seats of both rounds.
        seats: u64,
    },
    /// A slash could not pay the client's bounty and all seats.
    #[error("a stake of {stake} seat pays does not pay a bounty and {seats} seats")]
    Stake {
        /// The least stake, in seat pays.
        stake: u32,
        /// Seats of both rounds.
        seats: u64,
    },
    /// A verifier could withdraw its bond before it is fined.
    #[error("a bond is returned after {unbonding} blocks, a dispute may last {dispute} from its draw on")]
    Unbonding {
        /// Blocks until a bond is returned.
        unbonding: u32,
        /// Blocks of the longest dispute.
        dispute: u64,
    },
    /// A fraction above one.
    #[error("{0} permille of jobs cannot be audited")]
    AuditShare(u32),
}

type Result = core::result::Result<(), ParamsError>;

impl Params {
    /// Checks that a network with these parameters works: that every job can be opened, disputed and
    /// closed, and that whoever is to be paid or fined can be. Prices may be wrong, or nothing at all,
    /// as in [`Params::paper`]: that is for whoever studies them.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result {
        self.check_not_zero()?;
        self.check_difficulty()?;
        self.check_money()?;
        self.check_jobs()?;
        self.check_committees()
    }

    /// An appeal window of nothing is no appeal, and a DELIVER_COUNTER of nothing is the paper's rule
    /// (hole H5); of what is here nothing can be left away.
    fn check_not_zero(&self) -> Result {
        let committee = &self.committee;
        let [first, second] = committee.seats;
        let numbers = [
            ("the block spacing", self.spacing_s),
            ("the least time to a deadline", self.jobs.min_deadline),
            // A draw at once would know its beacon before the claim.
            ("the draw window", committee.draw),
            ("the commit window", committee.commit),
            ("the reveal window", committee.reveal),
            ("the number of seats in round 1", first),
            ("the number of seats in round 2", second),
        ];
        let amounts = [
            ("the least seat pay", self.jobs.min_seat_pay),
            ("the verifier bond", committee.verifier_bond),
        ];
        let numbers = numbers.iter().map(|(name, number)| (*name, *number == 0));
        let amounts = amounts.iter().map(|(name, amount)| (*name, amount.is_zero()));
        match numbers.chain(amounts).find(|(_, zero)| *zero) {
            Some((name, _)) => Err(ParamsError::Zero(name)),
            None => Ok(()),
        }
    }

    fn check_difficulty(&self) -> Result {
        let genesis = check_target("the genesis target", self.genesis_bits)?;
        let Difficulty::Asert { half_life_s, limit } = self.difficulty else {
            return Ok(());
        };
        if half_life_s == 0 {
            return Err(ParamsError::Zero("the half-life of the target"));
        }
        match genesis <= check_target("the easiest target", limit)? {
            true => Ok(()),
            false => Err(ParamsError::TargetLimit),
        }
    }

    fn check_money(&self) -> Result {
        let most = u128::from(Amount::MAX.units());
        let allocated: u128 = self
            .allocations
            .iter()
            .map(|entry| u128::from(entry.amount.units()))
            .sum();
        // Halvings double the first interval's issue at most; without them there is one per height.
        let blocks = match self.halving_interval {
            0 => 1 << 32,
            interval => 2 * u128::from(interval),
        };
        if allocated + u128::from(self.subsidy.units()) * blocks > most {
            return Err(ParamsError::Issuance);
        }
        let (least, subsidy) = (self.jobs.min_stake(Amount::ZERO), self.subsidy);
        let least = least.unwrap_or(Amount::MAX);
        if least > subsidy {
            return Err(ParamsError::Subsidy { least, subsidy });
        }
        self.most_locked().map(|_| ()).ok_or(ParamsError::Deposits)
    }

    /// More than any job locks: reward and stake are at most the subsidy, and the seat pay grows with
    /// the reward.
    fn most_locked(&self) -> Option<Amount> {
        let (jobs, committee) = (&self.jobs, &self.committee);
        let pay = jobs.seat_pay(self.subsidy);
        let of = |seat_pays: u32| pay.checked_mul(u64::from(seat_pays));
        let withheld = jobs.withheld_deposit(u32::try_from(MAX_TOKENS).ok()?);
        Amount::checked_sum([
            self.subsidy,
            jobs.audit_fee(self.subsidy, false),
            withheld,
            of(committee.claim_deposit_in_seat_pays)?,
            of(committee.appeal_deposit_in_seat_pays)?,
            of(committee.no_show_fine_in_seat_pays)?,
        ])
    }

    fn check_jobs(&self) -> Result {
        let jobs = &self.jobs;
        if jobs.specs.is_empty() {
            return Err(ParamsError::NoSpec);
        }
        let (least, most) = (jobs.min_deadline, jobs.max_deadline);
        if least > most {
            return Err(ParamsError::Deadline { least, most });
        }
        let (challenge, burial) = (jobs.challenge, jobs.burial);
        if challenge <= burial {
            return Err(ParamsError::Challenge { challenge, burial });
        }
        Ok(())
    }

    fn check_committees(&self) -> Result {
        let committee = &self.committee;
        let seats: u64 = committee.seats.iter().map(|seats| u64::from(*seats)).sum();
        let least = committee.min_eligible;
        if u64::from(least) < seats {
            return Err(ParamsError::Eligible { least, seats });
        }
        // When the client's appeal turns round 1 around, the stake alone pays the seats of both.
        let stake = self.jobs.min_stake_in_seat_pays;
        if u64::from(stake) < 1 + seats {
            return Err(ParamsError::Stake { stake, seats });
        }
        let round = [committee.draw, committee.commit, committee.reveal].map(u64::from);
        let dispute = 2 * round.iter().sum::<u64>() + u64::from(committee.appeal);
        if u64::from(committee.unbonding) <= dispute {
            let unbonding = committee.unbonding;
            return Err(ParamsError::Unbonding { unbonding, dispute });
        }
        if committee.audit_permille > 1000 {
            return Err(ParamsError::AuditShare(committee.audit_permille));
        }
        Ok(())
    }
}

fn check_target(name: &'static str, bits: CompactTarget) -> core::result::Result<Target, ParamsError> {
    let target = bits
        .target()
        .map_err(|error| ParamsError::Target { name, error })?;
    match target.to_compact() == bits {
        true => Ok(target),
        false => Err(ParamsError::TargetForm { name, bits }),
    }
}
