//! The terms of a job, as OpenJob writes them on the ledger.

use crate::keys::{NodeId, PublicKey};
use crate::model::{MAX_TOKENS, Sampling, SamplingError, TokenId};
use crate::params::Params;
use crate::primitives::{Amount, BlockHash, Hash256, Height, JobId, ModelId, Timestamp, tagged_hash};
use crate::rastic::Spec;
use crate::script::Script;
use crate::tx::OutPoint;
use borsh::{BorshDeserialize, BorshSerialize};

/// What the client asks for and pays. The prompt stays off the chain: only its salted hash is here.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Terms {
    /// [`prompt_hash`] of the salt and the rendered prompt's token ids.
    pub prompt_hash: Hash256,
    /// Seed of the sampling noise.
    pub seed: u64,
    /// Sampling rule.
    pub sampling: Sampling,
    /// Token limit `T`, in `1..=4096`.
    pub max_tokens: u32,
    /// The model to run.
    pub model: ModelId,
    /// The model's numerics profile is exact. The ledger does not know a model's manifest; nodes do,
    /// and refuse jobs in which this is wrong.
    pub exact: bool,
    /// How a claim about the output is judged.
    pub spec: Spec,
    /// Interior samples for `V1Repaired`.
    pub samples: u32,
    /// Deadline `D`: Engage must be mined below this height, and from it on the client is refunded.
    pub deadline: Height,
    /// Reward `r` for the node.
    pub reward: Amount,
    /// Audit fee `a`.
    pub audit_fee: Amount,
    /// Engage fee `f`, for the miner of Engage.
    pub engage_fee: Amount,
    /// Stake `S` the node locks.
    pub stake: Amount,
    /// The key that signs for the client.
    pub client_key: PublicKey,
    /// Delivery key `P`, fresh for each job: the output is sealed to it.
    pub delivery_key: PublicKey,
    /// Where refunds and compensation go.
    pub refund: Script,
    /// A private job is never audited (audits show the prompt to strangers).
    pub private: bool,
    /// When the client made the job.
    pub created: Timestamp,
    /// Where half-signed Engages are to be sent.
    pub contact: NodeId,
}

/// Why terms cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The token limit is 0 or above 4,096.
    #[error("token limit {0} outside 1..={MAX_TOKENS}")]
    TokenLimit(u32),
    /// The sampling rule is out of range.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
    /// The network does not enable this specification.
    #[error("specification {0} is not enabled on this network")]
    SpecDisabled(Spec),
    /// The deadline is too near or too far.
    #[error("deadline {deadline} outside {earliest}..={latest}")]
    Deadline {
        /// The deadline given.
        deadline: Height,
        /// The earliest allowed.
        earliest: Height,
        /// The latest allowed.
        latest: Height,
    },
    /// The audit fee is not the one the parameters fix.
    #[error("audit fee {given}, the network asks for {required}")]
    AuditFee {
        /// The fee given.
        given: Amount,
        /// The fee required.
        required: Amount,
    },
    /// The stake is below the least stake for this reward.
    #[error("stake {0} is too small for the reward")]
    StakeTooSmall(Amount),
    /// `r + S` exceeds the subsidy: a miner could gain by withholding blocks (attack B03).
    #[error("reward and stake together exceed the block subsidy")]
    ValueAboveSubsidy,
    /// A key is not a point of the curve.
    #[error("the {0} key is not on the curve")]
    KeyOffCurve(&'static str),
    /// The job is too young (paper, 2.4.1) or claims to come from the future.
    #[error("created at {created}, may be mined once the median time reaches {earliest}")]
    TooYoung {
        /// Creation time, in seconds.
        created: u32,
        /// Earliest median time past, in seconds.
        earliest: u64,
    },
    /// The sum of the escrow overflows all coins.
    #[error("the amounts add up to more than all coins")]
    Overflow,
}

impl Terms {
    /// The job's name: terms and the first input of OpenJob make it unique on its network.
    pub fn job_id(&self, genesis: &BlockHash, first_input: &OutPoint) -> JobId {
        JobId(tagged_hash("camelid/job", &(genesis, self, first_input)).0)
    }

    /// Value of the escrow output: `r + a + f`.
    pub fn escrow_value(&self) -> Option<Amount> {
        Amount::checked_sum([self.reward, self.audit_fee, self.engage_fee])
    }

    /// Value of the bond output: `r + a + S`.
    pub fn bond_value(&self) -> Option<Amount> {
        Amount::checked_sum([self.reward, self.audit_fee, self.stake])
    }

    /// Checks the terms for an OpenJob at `height` whose parent has median time past `mtp`.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self, params: &Params, height: Height, mtp: Timestamp) -> Result<(), TermsError> {
        let jobs = &params.jobs;
        if self.max_tokens == 0 || self.max_tokens as usize > MAX_TOKENS {
            return Err(TermsError::TokenLimit(self.max_tokens));
        }
        self.sampling.check()?;
        if !jobs.specs.contains(&self.spec) {
            return Err(TermsError::SpecDisabled(self.spec));
        }
        let (earliest, latest) = (height.plus(jobs.min_deadline), height.plus(jobs.max_deadline));
        if !(earliest..=latest).contains(&self.deadline) {
            return Err(TermsError::Deadline {
                deadline: self.deadline,
                earliest,
                latest,
            });
        }
        let required = jobs.audit_fee(self.reward, self.private);
        if self.audit_fee != required {
            return Err(TermsError::AuditFee {
                given: self.audit_fee,
                required,
            });
        }
        if jobs.min_stake(self.reward).is_none_or(|least| self.stake < least) {
            return Err(TermsError::StakeTooSmall(self.stake));
        }
        if self
            .reward
            .checked_add(self.stake)
            .is_none_or(|value| value > params.subsidy_at(height))
        {
            return Err(TermsError::ValueAboveSubsidy);
        }
        if self.escrow_value().is_none() || self.bond_value().is_none() {
            return Err(TermsError::Overflow);
        }
        let mature = self.created.plus_seconds(u64::from(jobs.min_age_s));
        if jobs.min_age_s > 0 && u64::from(mtp.0) < mature {
            return Err(TermsError::TooYoung {
                created: self.created.0,
                earliest: mature,
            });
        }
        if !self.client_key.is_on_curve() {
            return Err(TermsError::KeyOffCurve("client"));
        }
        if !self.delivery_key.is_on_curve() {
            return Err(TermsError::KeyOffCurve("delivery"));
        }
        Ok(())
    }
}

/// Salted hash of a rendered prompt's token ids. The salt keeps a short prompt from being guessed.
pub fn prompt_hash(salt: &[u8; 32], prompt: &[TokenId]) -> Hash256 {
    tagged_hash("camelid/prompt", &(salt, prompt))
}
