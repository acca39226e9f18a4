//! Which RASTiC.

use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::str::FromStr;

/// A specification of the check. Which ones a ledger accepts is a parameter of the network: the
/// first two are there to be studied.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Spec {
    /// The paper to the letter (section 2.5.2): the boundary, one position drawn from prompt *and*
    /// output, and a rule about the last position that compares two different prefixes.
    V1AsWritten,
    /// The paper's sampling without its mistakes: boundary, positions drawn from the output, end.
    V1Repaired,
    /// Every position of the output.
    #[default]
    V2,
}

/// There is no specification of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown specification; there are v1-as-written, v1-repaired and v2")]
pub struct UnknownSpec;

impl Spec {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::V1AsWritten, Self::V1Repaired, Self::V2];

    /// The name, as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1AsWritten => "v1-as-written",
            Self::V1Repaired => "v1-repaired",
            Self::V2 => "v2",
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Spec {
    type Err = UnknownSpec;
    fn from_str(name: &str) -> Result<Self, UnknownSpec> {
        Self::ALL
            .into_iter()
            .find(|spec| spec.name() == name)
            .ok_or(UnknownSpec)
    }
}
