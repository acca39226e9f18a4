//! Ground truth about a claim.

use super::claim::Claim;
use camelid_core::model::{Manifest, TokenId};
use camelid_core::rastic::{Spec, shape_fault};
use serde::{Deserialize, Serialize};

/// What is known about a claim by whoever made the file. Checks do not look at it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Label {
    /// What `generate` and `attack` write.
    Truth(Truth),
    /// Anybody's remark.
    Remark(String),
}

/// Is the output the model's?
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// `honest`, or the kind of attack.
    pub kind: String,
    /// True when the output is the model's.
    pub valid: bool,
    /// Where the first fault is that a check of every position finds: an index into prompt and output
    /// together, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<u32>,
}

impl Label {
    /// The kind of an honest claim.
    pub const HONEST: &str = "honest";

    /// Of an honest claim.
    pub fn honest() -> Self {
        Self::Truth(Truth {
            kind: Self::HONEST.into(),
            valid: true,
            first_bad: None,
        })
    }

    /// Of `forged`, made by an attack of `kind`, where the model writes `honest`.
    pub fn forged(kind: &str, forged: &Claim, honest: &[TokenId], manifest: &Manifest) -> Self {
        let shape = shape_fault(Spec::V2, &forged.checked(manifest));
        let first_bad = shape.map(|(position, _)| position).or_else(|| {
            let differs = forged.output.iter().zip(honest).position(|(a, b)| a != b)?;
            u32::try_from(forged.prompt.len() + differs).ok()
        });
        Self::Truth(Truth {
            kind: kind.into(),
            valid: false,
            first_bad,
        })
    }

    /// The kind, as far as there is one.
    pub fn kind(&self) -> &str {
        match self {
            Self::Truth(truth) => &truth.kind,
            Self::Remark(remark) => remark,
        }
    }

    /// True when the claim is known to be false.
    pub fn is_false(&self) -> bool {
        matches!(self, Self::Truth(Truth { valid: false, .. }))
    }
}
