//! Where signature checks are done.

use super::public::PublicKey;
use super::signature::Signature;
use crate::primitives::Hash256;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The question whether `signature` is the one of `key` for `digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureCheck {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// What is said to be signed.
    pub digest: Hash256,
    /// The claimed signature.
    pub signature: Signature,
}

/// Answers signature checks, which are nearly all the work of connecting a block.
///
/// An implementation may remember answers or spread a batch over cores, but it is a pure function of
/// its argument: it answers as [`EcdsaVerifier`] does, always. Consensus rests on that.
pub trait Verifier {
    /// True when the signature is valid, by the rules of [`PublicKey::verify`].
    fn verify(&self, check: &SignatureCheck) -> bool;

    /// The answer to each of `checks`, in their order.
    fn verify_batch(&self, checks: &[SignatureCheck]) -> Vec<bool> {
        checks.iter().map(|check| self.verify(check)).collect()
    }
}

/// The verifier that a node keeps, and may share with others.
pub type SharedVerifier = Arc<dyn Verifier + Send + Sync>;

/// Computes every check where and when it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct EcdsaVerifier;

impl Verifier for EcdsaVerifier {
    fn verify(&self, check: &SignatureCheck) -> bool {
        check.key.verify(&check.digest, &check.signature)
    }
}
