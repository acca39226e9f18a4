//! The signature checks of a whole transaction or block in one batch, so that cores can share them.

use super::verifier::{SignatureCheck, Verifier};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;

/// Does `work` with all its signature checks in one batch. The outcome is that of `work(verifier)`.
///
/// `work` runs once on the assumption that every signature is valid, which is nearly always so. If one
/// is not, it runs again with the answers that are known by then: one check that fails need not make
/// it fail, as a k-of-n script tries signatures against keys.
///
/// # Errors
/// Those of `work`.
pub fn in_batch<T, E>(verifier: &dyn Verifier, work: impl Fn(&dyn Verifier) -> Result<T, E>) -> Result<T, E> {
    let deferred = Deferred::default();
    let Ok(outcome) = work(&deferred) else {
        return work(verifier);
    };
    match deferred.check(verifier) {
        Ok(()) => Ok(outcome),
        Err(answered) => work(&answered),
    }
}

/// Says yes to everything, and remembers what it was asked. Whatever succeeds with it is decided only
/// by [`check`](Self::check).
#[derive(Debug, Default)]
pub struct Deferred {
    asked: RefCell<Vec<SignatureCheck>>,
}

impl Verifier for Deferred {
    fn verify(&self, check: &SignatureCheck) -> bool {
        self.asked.borrow_mut().push(*check);
        true
    }
}

impl Deferred {
    /// Asks `verifier` everything that was asked here.
    ///
    /// # Errors
    /// When yes was not always right: a verifier that has the right answers, to do the work again with.
    pub fn check(self, verifier: &dyn Verifier) -> Result<(), Answered<'_>> {
        let asked = self.asked.into_inner();
        let answers = verifier.verify_batch(&asked);
        if answers.iter().all(|valid| *valid) {
            return Ok(());
        }
        Err(Answered {
            answers: asked.into_iter().zip(answers).collect(),
            verifier,
        })
    }
}

/// Knows the answers to one batch, and asks for others.
pub struct Answered<'a> {
    answers: BTreeMap<SignatureCheck, bool>,
    verifier: &'a dyn Verifier,
}

impl Verifier for Answered<'_> {
    fn verify(&self, check: &SignatureCheck) -> bool {
        let known = self.answers.get(check).copied();
        known.unwrap_or_else(|| self.verifier.verify(check))
    }
}
