//! Keys, signatures, addresses and proofs of decryption against libsecp256k1 and the `bitcoin` crate,
//! and signatures against Wycheproof's vectors.
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

use bitcoin::hashes::{Hash as _, HashEngine as _, Hmac, HmacEngine, hash160, sha256};
use bitcoin::secp256k1::{self, Message, Scalar, Secp256k1, constants, ecdsa};
use bitcoin::{Address, CompressedPublicKey, Network, PubkeyHash, base58};
use camelid_core::keys::{DecryptionProof, KeyHash, PublicKey, SealContext, SecretKey, Signature, seal};
use camelid_core::primitives::{self, BlockHash, Commitment, Hash256, JobId, Txid};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestFlag, TestName, TestSet};

/// A key of ours and the same of libsecp256k1.
fn secret_keys() -> impl Strategy<Value = (SecretKey, secp256k1::SecretKey)> {
    any::<[u8; 32]>().prop_filter_map("a secret key", |bytes| {
        let oracle = secp256k1::SecretKey::from_slice(&bytes).ok()?;
        Some((SecretKey::from_bytes(bytes)?, oracle))
    })
}

fn point(key: &PublicKey) -> secp256k1::PublicKey {
    secp256k1::PublicKey::from_slice(key.as_bytes()).unwrap()
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::from_be_bytes(bytes).unwrap()
}

fn string(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    [&length.to_le_bytes(), text.as_bytes()].concat()
}

/// Genesis, job and bond outpoint.
fn statement(context: &SealContext) -> Vec<u8> {
    let index = context.bond_index.to_le_bytes();
    [
        &context.genesis.0[..],
        &context.job.0,
        &context.bond_txid.0,
        &index,
    ]
    .concat()
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    engine.input(data);
    Hmac::from_engine(engine).to_byte_array()
}

prop_compose! {
    fn context(recipient: PublicKey)(
        genesis: [u8; 32], job: [u8; 32], bond: [u8; 32], bond_index: u32, commitment: [u8; 32],
    ) -> SealContext {
        SealContext {
            genesis: BlockHash(genesis),
            job: JobId(job),
            bond_txid: Txid(bond),
            bond_index,
            commitment: Commitment(commitment),
            recipient,
        }
    }
}

proptest! {
    #[test]
    fn keys_and_addresses_agree((ours, theirs) in secret_keys()) {
        let secp = Secp256k1::new();
        let key = CompressedPublicKey(theirs.public_key(&secp));
        let public = ours.public_key();
        prop_assert_eq!(*public.as_bytes(), key.to_bytes());
        prop_assert_eq!(public.key_hash().0, hash160::Hash::hash(&key.to_bytes()).to_byte_array());
        prop_assert_eq!(ours.node_id().to_string(), Address::p2pkh(key, Network::Bitcoin).to_string());
    }

    #[test]
    fn any_hash_has_bitcoins_address(hash: [u8; 20], zeros in 0usize..=20) {
        let mut hash = hash;
        hash[..zeros].fill(0); // leading zeros are what Base58 treats apart
        let theirs = Address::p2pkh(PubkeyHash::from_byte_array(hash), Network::Bitcoin).to_string();
        prop_assert_eq!(KeyHash(hash).to_string(), &theirs[..]);
        prop_assert_eq!(KeyHash::parse_address(&theirs), Ok(KeyHash(hash)));
    }

    /// Base58Check of any version and length is an address exactly with version 0 and 20 bytes.
    #[test]
    fn other_payloads_are_no_addresses(version: u8, hash in prop::collection::vec(any::<u8>(), 18..23)) {
        let text = base58::encode_check(&[&[version][..], &hash].concat());
        let expected = <[u8; 20]>::try_from(&hash[..]).ok().filter(|_| version == 0).map(KeyHash);
        prop_assert_eq!(KeyHash::parse_address(&text).ok(), expected);
    }

    #[test]
    fn points_agree(prefix in 2u8..=3, x: [u8; 32]) {
        let mut bytes = [prefix; 33];
        bytes[1..].copy_from_slice(&x);
        let ours = PublicKey::from_bytes(bytes).unwrap();
        prop_assert_eq!(ours.is_on_curve(), secp256k1::PublicKey::from_slice(&bytes).is_ok());
    }

    /// RFC 6979 leaves one signature for a key and a digest.
    #[test]
    fn signatures_agree((ours, theirs) in secret_keys(), digest: [u8; 32]) {
        let secp = Secp256k1::new();
        let message = Message::from_digest(digest);
        let expected = secp.sign_ecdsa(&message, &theirs).serialize_compact();
        prop_assert_eq!(ours.sign(&Hash256(digest)).0, expected);
        prop_assert!(ours.public_key().verify(&Hash256(digest), &Signature(expected)));
    }

    /// The proof's equations and the bytes of its challenge, computed from `docs/src/protocol.md` with
    /// libsecp256k1.
    #[test]
    fn decryption_proofs_hold_in_libsecp256k1(
        ((recipient, x), context) in secret_keys()
            .prop_flat_map(|keys| { let context = context(keys.0.public_key()); (Just(keys), context) }),
        (ephemeral, _) in secret_keys(),
        ciphertext_hash: [u8; 32],
    ) {
        let secp = Secp256k1::new();
        let e = ephemeral.public_key();
        let proof = DecryptionProof::create(&context, &recipient, &e, &Hash256(ciphertext_hash)).unwrap();
        prop_assert_eq!(point(&proof.shared), point(&e).mul_tweak(&secp, &x.into()).unwrap());

        let mut preimage = string("camelid/decryption-proof");
        preimage.extend(statement(&context));
        for key in [context.recipient, e, proof.shared, proof.r1, proof.r2] {
            preimage.extend(key.as_bytes());
        }
        preimage.extend(ciphertext_hash);
        // Below the group order but for one hash in 2^128.
        let c = scalar(sha256::Hash::hash(&preimage).to_byte_array());
        let z = scalar(proof.response);
        let generator = secp256k1::SecretKey::from_slice(&constants::ONE).unwrap().public_key(&secp);
        for (base, r, public) in [(generator, proof.r1, context.recipient), (point(&e), proof.r2, proof.shared)] {
            let left = base.mul_tweak(&secp, &z).unwrap();
            let right = point(&r).combine(&point(&public).mul_tweak(&secp, &c).unwrap()).unwrap();
            prop_assert_eq!(left, right);
        }
    }

    /// The key, nonce and associated data of a seal, computed from `docs/src/protocol.md`.
    #[test]
    fn seals_open_by_the_book(
        ((_, x), context) in secret_keys()
            .prop_flat_map(|keys| { let context = context(keys.0.public_key()); (Just(keys), context) }),
        (ephemeral, _) in secret_keys(),
        plaintext: Vec<u8>,
    ) {
        let secp = Secp256k1::new();
        let sealed = seal(&context, &ephemeral, &plaintext).unwrap();
        let shared = point(&sealed.ephemeral).mul_tweak(&secp, &x.into()).unwrap().serialize();
        let mut info = string("camelid/sealed-opening");
        info.extend(statement(&context));
        info.extend(sealed.ephemeral.as_bytes());
        info.extend(context.recipient.as_bytes());
        info.push(1); // RFC 5869, section 2.3: number of the output block
        let key = hmac(&hmac(&[0; 32], &shared), &info);
        let aad = [context.job.0, context.commitment.0].concat();
        let opened = chacha20poly1305::ChaCha20Poly1305::new(&key.into())
            .decrypt(&[0; 12].into(), Payload { msg: &sealed.ciphertext, aad: &aad });
        prop_assert_eq!(opened.ok(), Some(plaintext));
    }
}

/// How Wycheproof's signatures are written.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    P1363,
    Der,
}

/// The signature in our 64 bytes, if it can be written so.
fn compact(bytes: &[u8], format: Format) -> Option<Signature> {
    match format {
        Format::P1363 => bytes.try_into().ok().map(Signature),
        Format::Der => {
            let signature = ecdsa::Signature::from_der(bytes).ok()?;
            let strict = *signature.serialize_der() == *bytes;
            strict.then(|| Signature(signature.serialize_compact()))
        }
    }
}

/// The signature with the lower of the two possible s, or `None` when r or s is out of range.
fn normalised(signature: Signature) -> Option<Signature> {
    let mut parsed = ecdsa::Signature::from_compact(&signature.0).ok()?;
    parsed.normalize_s();
    Some(Signature(parsed.serialize_compact()))
}

fn compressed(uncompressed: &[u8]) -> PublicKey {
    let key = secp256k1::PublicKey::from_slice(uncompressed).unwrap();
    PublicKey::from_bytes(key.serialize()).unwrap()
}

/// What a set of vectors amounted to, so that no part of the test is empty.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    accepted: usize,
    high_s: usize,
    refused: usize,
    unwritable: usize,
}

fn run(name: TestName, format: Format) -> Tally {
    let mut tally = Tally::default();
    for group in TestSet::load(name).unwrap().test_groups {
        let key = compressed(&group.key.key);
        for test in group.tests {
            let digest = primitives::sha256(&test.msg);
            let id = test.tc_id;
            let valid = test.result == TestResult::Valid;
            let Some(signature) = compact(&test.sig, format) else {
                assert!(!valid, "{id}: a valid signature we cannot write");
                tally.unwritable += 1;
                continue;
            };
            let low = normalised(signature);
            let is_high = low.is_some_and(|low| low != signature);
            // Bitcoin's set refuses a high s as we do; the others call it valid. One of its vectors
            // says so in the comment alone.
            let malleated = test.flags.contains(&TestFlag::SignatureMalleabilityBitcoin)
                || test.comment == "edge case for signature malleability";
            let ecdsa_valid = valid || malleated;
            assert_eq!(key.verify(&digest, &signature), ecdsa_valid && !is_high, "{id}");
            assert_eq!(
                low.is_some_and(|low| key.verify(&digest, &low)),
                ecdsa_valid,
                "{id}"
            );
            match (ecdsa_valid, is_high) {
                (true, false) => tally.accepted += 1,
                (true, true) => tally.high_s += 1,
                (false, _) => tally.refused += 1,
            }
        }
    }
    tally
}

#[test]
fn wycheproof_p1363() {
    let tally = run(TestName::EcdsaSecp256k1Sha256P1363, Format::P1363);
    let expected = Tally {
        accepted: 95,
        high_s: 72,
        refused: 67,
        unwritable: 18,
    };
    assert_eq!(tally, expected);
}

#[test]
fn wycheproof_der() {
    let tally = run(TestName::EcdsaSecp256k1Sha256, Format::Der);
    let expected = Tally {
        accepted: 96,
        high_s: 72,
        refused: 30,
        unwritable: 278,
    };
    assert_eq!(tally, expected);
}

#[test]
fn wycheproof_bitcoin() {
    let tally = run(TestName::EcdsaSecp256k1Sha256Bitcoin, Format::Der);
    let expected = Tally {
        accepted: 162,
        high_s: 2,
        refused: 25,
        unwritable: 274,
    };
    assert_eq!(tally, expected);
}
