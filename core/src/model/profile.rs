//! What a model promises about its arithmetic.

use super::text::Text;
use borsh::{BorshDeserialize, BorshSerialize};

/// How closely two honest machines agree on a model's scores.
///
/// Floating point differs between machines and batch shapes. A model either pins its kernels so
/// that every machine computes the same bits (*exact*), or declares how far apart honest scores
/// can be (*tolerant*); see `docs/src/protocol.md`, "Judging".
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NumericsProfile {
    /// Names the kernels and settings the promise holds for.
    pub name: Text<64>,
    /// Every honest machine computes the same token. The tolerances are not used then.
    pub exact: bool,
    /// A claimed token whose score is at most this many milli-logits under the best one is fine.
    pub tolerance_milli: u32,
    /// One that is more than this many milli-logits under the best one is fraud. In between nobody
    /// can tell.
    pub slash_tolerance_milli: u32,
}

/// Why a profile is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Node and verifier may each be off by the tolerance, in opposite directions.
    #[error("slash tolerance {slash_tolerance_milli} is under twice the tolerance {tolerance_milli}")]
    SlashTolerance {
        /// The declared tolerance.
        tolerance_milli: u32,
        /// The declared slash tolerance.
        slash_tolerance_milli: u32,
    },
}

impl NumericsProfile {
    /// The exact profile called `name` (cut to 64 bytes).
    pub fn exact(name: &str) -> Self {
        Self {
            name: Text::truncated(name),
            exact: true,
            tolerance_milli: 0,
            slash_tolerance_milli: 0,
        }
    }

    /// The tolerant profile called `name` (cut to 64 bytes).
    ///
    /// # Errors
    /// [`ProfileError`] when an honest node could be slashed.
    pub fn tolerant(
        name: &str,
        tolerance_milli: u32,
        slash_tolerance_milli: u32,
    ) -> Result<Self, ProfileError> {
        let profile = Self {
            name: Text::truncated(name),
            exact: false,
            tolerance_milli,
            slash_tolerance_milli,
        };
        profile.check()?;
        Ok(profile)
    }

    /// Is a tolerant profile's slash tolerance at least twice its tolerance?
    ///
    /// # Errors
    /// [`ProfileError`] when it is not.
    pub fn check(&self) -> Result<(), ProfileError> {
        let required = u64::from(self.tolerance_milli) * 2;
        if !self.exact && u64::from(self.slash_tolerance_milli) < required {
            return Err(ProfileError::SlashTolerance {
                tolerance_milli: self.tolerance_milli,
                slash_tolerance_milli: self.slash_tolerance_milli,
            });
        }
        Ok(())
    }
}
