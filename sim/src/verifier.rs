//! Signature checks, each done once for all nodes of a run.

use camelid_core::keys::{EcdsaVerifier, SignatureCheck, Verifier};
use camelid_core::primitives::Map;
use std::sync::{Mutex, PoisonError};

/// Remembers verdicts: signature checks are pure, and a simulated network repeats each of them once
/// for every node.
pub struct MemoVerifier {
    verdicts: Mutex<Map<SignatureCheck, bool>>,
}

impl MemoVerifier {
    /// A verifier that remembers nothing yet.
    pub fn new() -> Self {
        Self {
            verdicts: Mutex::new(Map::with_seed(0)),
        }
    }
}

impl Default for MemoVerifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier for MemoVerifier {
    fn verify(&self, check: &SignatureCheck) -> bool {
        self.verify_batch(core::slice::from_ref(check)) == [true]
    }

    fn verify_batch(&self, checks: &[SignatureCheck]) -> Vec<bool> {
        if checks.is_empty() {
            return Vec::new();
        }
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut verdict = |check: &SignatureCheck| {
            if let Some(verdict) = verdicts.get(check) {
                return *verdict;
            }
            let verdict = EcdsaVerifier.verify(check);
            verdicts.insert(*check, verdict);
            verdict
        };
        checks.iter().map(&mut verdict).collect()
    }
}
