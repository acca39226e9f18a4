//! Signature checks on several cores, each done once.

use camelid_core::keys::{EcdsaVerifier, SignatureCheck, Verifier};
use camelid_core::primitives::{Hash256, tagged_hash};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// Checks for which a thread is worth starting.
const CHECKS_PER_THREAD: usize = 16;

/// The verifier of a live node. It spreads a batch over threads, and remembers what was valid: nearly
/// all signatures of a block were checked before, when their transactions entered the mempool.
///
/// It holds between half and all of its capacity of the latest valid checks, 32 bytes each, by the hash
/// of key, digest and signature. Invalid ones are not remembered, so that they push nothing out.
#[derive(Debug)]
pub struct CachedVerifier {
    threads: NonZeroUsize,
    seen: Mutex<Generations>,
}

/// The newer half and the older one, which goes when the newer one is full.
#[derive(Debug)]
struct Generations {
    half: usize,
    newer: HashSet<Hash256>,
    older: HashSet<Hash256>,
}

impl CachedVerifier {
    /// Remembers up to `capacity` valid checks and works on up to `threads` threads, the caller's
    /// included. With one thread it starts none (on a simulated runtime it may not).
    pub fn new(capacity: usize, threads: NonZeroUsize) -> Self {
        Self {
            threads,
            seen: Mutex::new(Generations {
                half: (capacity / 2).max(1),
                newer: HashSet::new(),
                older: HashSet::new(),
            }),
        }
    }

    /// Number of checks that are remembered.
    pub fn remembered(&self) -> usize {
        let seen = self.lock();
        seen.newer.len() + seen.older.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers that are not remembered.
    fn compute(&self, checks: &[SignatureCheck]) -> Vec<bool> {
        let threads = self.threads.get().min(checks.len() / CHECKS_PER_THREAD).max(1);
        let share = checks.len().div_ceil(threads).max(1);
        let mut shares = checks.chunks(share);
        let own = shares.next().unwrap_or_default();
        std::thread::scope(|scope| {
            let others: Vec<_> = shares
                .map(|share| scope.spawn(|| EcdsaVerifier.verify_batch(share)))
                .collect();
            let mut answers = EcdsaVerifier.verify_batch(own);
            for other in others {
                answers.extend(other.join().expect("a signature check does not panic"));
            }
            answers
        })
    }
}

impl Verifier for CachedVerifier {
    fn verify(&self, check: &SignatureCheck) -> bool {
        self.verify_batch(std::slice::from_ref(check)) == [true]
    }

    fn verify_batch(&self, checks: &[SignatureCheck]) -> Vec<bool> {
        let names: Vec<Hash256> = checks.iter().map(name).collect();
        let mut answers: Vec<bool> = {
            let mut seen = self.lock();
            names.iter().map(|name| seen.recall(name)).collect()
        };
        let open: Vec<usize> = (0..checks.len()).filter(|index| !answers[*index]).collect();
        if open.is_empty() {
            return answers;
        }
        let asked: Vec<SignatureCheck> = open.iter().map(|index| checks[*index]).collect();
        let computed = self.compute(&asked);
        let mut seen = self.lock();
        for (index, valid) in open.into_iter().zip(computed) {
            answers[index] = valid;
            if valid {
                seen.note(names[index]);
            }
        }
        answers
    }
}

impl Generations {
    /// True for one that was noted; it counts as new again.
    fn recall(&mut self, name: &Hash256) -> bool {
        if self.newer.contains(name) {
            return true;
        }
        let found = self.older.remove(name);
        if found {
            self.note(*name);
        }
        found
    }

    fn note(&mut self, name: Hash256) {
        if self.newer.len() == self.half {
            self.older = std::mem::take(&mut self.newer);
        }
        self.older.remove(&name);
        self.newer.insert(name);
    }
}

fn name(check: &SignatureCheck) -> Hash256 {
    let SignatureCheck {
        key,
        digest,
        signature,
    } = check;
    tagged_hash("camelid/signature-check", &(key, digest, signature))
}
