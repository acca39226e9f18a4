//! The verifier of a live node answers as the plain one does, whatever it remembers.
#![cfg(not(madsim))] // it starts threads
#![allow(clippy::unwrap_used)]

use camelid_core::keys::{EcdsaVerifier, SecretKey, Signature, SignatureCheck, Verifier};
use camelid_core::primitives::Hash256;
use camelid_io::CachedVerifier;
use proptest::prelude::*;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

/// Two hundred checks, of which every fifth fails.
static CHECKS: LazyLock<Vec<SignatureCheck>> = LazyLock::new(|| {
    let secret = SecretKey::from_bytes([7; 32]).unwrap();
    let check = |number: u8| {
        let digest = Hash256([number; 32]);
        let signature = match number % 5 {
            0 => Signature([number; 64]),
            _ => secret.sign(&digest),
        };
        SignatureCheck {
            key: secret.public_key(),
            digest,
            signature,
        }
    };
    (0..200).map(check).collect()
});

fn is_valid(index: usize) -> bool {
    !index.is_multiple_of(5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_do_not_depend_on_memory_or_threads(
        capacity in 0..60usize,
        threads in 1..4usize,
        batches in prop::collection::vec(prop::collection::vec(0..200usize, 0..80), 1..5),
    ) {
        let verifier = CachedVerifier::new(capacity, NonZeroUsize::new(threads).unwrap());
        for batch in batches {
            let checks: Vec<_> = batch.iter().map(|index| CHECKS[*index]).collect();
            let expected: Vec<bool> = batch.iter().map(|index| is_valid(*index)).collect();
            prop_assert_eq!(verifier.verify_batch(&checks), expected);
            prop_assert!(verifier.remembered() <= capacity.max(2));
        }
    }
}

#[test]
fn the_checks_of_these_tests_are_what_they_seem() {
    for (index, check) in CHECKS.iter().enumerate() {
        assert_eq!(EcdsaVerifier.verify(check), is_valid(index));
    }
}

#[test]
fn the_latest_valid_checks_are_remembered_and_no_invalid_ones() {
    let verifier = CachedVerifier::new(100, NonZeroUsize::new(2).unwrap());
    let valid: Vec<_> = (0..200)
        .filter(|index| is_valid(*index))
        .map(|index| CHECKS[index])
        .collect();
    let invalid: Vec<_> = (0..200)
        .filter(|index| !is_valid(*index))
        .map(|index| CHECKS[index])
        .collect();
    verifier.verify_batch(&valid[..50]);
    assert_eq!(verifier.remembered(), 50);
    verifier.verify_batch(&invalid);
    assert_eq!(verifier.remembered(), 50);
    // What is asked again stays, what is not goes: only the second half of a flood fits beside it.
    for check in &valid[50..] {
        assert!(verifier.verify(&valid[0]) && verifier.verify(check));
    }
    assert!((50..=100).contains(&verifier.remembered()));
}
