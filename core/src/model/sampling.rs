//! How the next token is chosen from a model's scores.

use borsh::{BorshDeserialize, BorshSerialize};

/// The sampling rule of a job.
///
/// Whatever it says, the next token is a function of the prefix alone: the noise of a token is
/// derived from (seed, job, position, token), and no generator's state runs along the sequence
/// (`docs/src/protocol.md`, "Sampling"). At temperature 0 the best score wins, the lowest id among
/// equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Sampling {
    /// Temperature in thousandths; 0 takes the best token.
    pub temperature_milli: u32,
    /// Only the best `top_k` tokens can be chosen; 0 switches this off.
    pub top_k: u32,
    /// Only the smallest set of best tokens whose probability reaches this many thousandths can be
    /// chosen; 1000 switches this off.
    pub top_p_milli: u32,
}

/// Why sampling parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SamplingError {
    /// The temperature is too high.
    #[error("temperature {0}/1000 is above {max}/1000", max = Sampling::MAX_TEMPERATURE_MILLI)]
    Temperature(u32),
    /// `top_p` is not a probability above 0.
    #[error("top_p {0}/1000 is not in 1/1000 to 1")]
    TopP(u32),
}

impl Sampling {
    /// Always the best token.
    pub const GREEDY: Self = Self {
        temperature_milli: 0,
        top_k: 0,
        top_p_milli: 1000,
    };

    /// The highest temperature, in thousandths.
    pub const MAX_TEMPERATURE_MILLI: u32 = 10_000;

    /// Are the parameters in range?
    ///
    /// # Errors
    /// [`SamplingError`] for the first one that is not.
    pub const fn check(&self) -> Result<(), SamplingError> {
        if self.temperature_milli > Self::MAX_TEMPERATURE_MILLI {
            return Err(SamplingError::Temperature(self.temperature_milli));
        }
        if self.top_p_milli == 0 || self.top_p_milli > 1000 {
            return Err(SamplingError::TopP(self.top_p_milli));
        }
        Ok(())
    }

    /// True when the best token is always taken and no noise is needed.
    pub const fn is_greedy(&self) -> bool {
        self.temperature_milli == 0
    }
}
