//! ECDSA: k256 beside libsecp256k1.

use crate::table::{Table, contender};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, ecdsa::Signature};
use camelid_core::keys::{EcdsaVerifier, SecretKey, SignatureCheck, Verifier as _};
use camelid_core::primitives::Hash256;
use std::hint::black_box;

const CHECKS: u8 = 200;

pub(crate) fn run(table: &mut Table) {
    let checks: Vec<SignatureCheck> = (1..=CHECKS)
        .map(|number| {
            let secret = SecretKey::from_bytes([number; 32]).expect("a small number is a key");
            let digest = Hash256([number; 32]);
            SignatureCheck {
                key: secret.public_key(),
                digest,
                signature: secret.sign(&digest),
            }
        })
        .collect();
    let secp = Secp256k1::verification_only();
    let by_libsecp = |check: &SignatureCheck| {
        let key = PublicKey::from_slice(check.key.as_bytes()).expect("a key");
        let signature = Signature::from_compact(&check.signature.0).expect("a signature");
        secp.verify_ecdsa(&Message::from_digest(check.digest.0), &signature, &key)
            .is_ok()
    };
    table.compare(
        "verify a signature, from 33 bytes of key and 64 of signature",
        (7, u32::from(CHECKS)),
        [
            contender("camelid-core (k256)", || {
                assert!(checks.iter().all(|check| EcdsaVerifier.verify(black_box(check))));
            }),
            contender("secp256k1 (libsecp256k1)", || {
                assert!(checks.iter().all(|check| by_libsecp(black_box(check))));
            }),
        ],
    );
}
