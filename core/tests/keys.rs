//! Keys, addresses, sealed openings and proofs of decryption.

use camelid_core::keys::{
    AddressError, DecryptionProof, EcdsaVerifier, KeyHash, OpenError, PublicKey, SealContext, SecretKey,
    Signature, SignatureCheck, Verifier, in_batch, open, open_with_shared, seal,
};
use camelid_core::primitives::{BlockHash, Commitment, Hash256, JobId, Txid, decode, encode, sha256};
use proptest::prelude::*;
use proptest::sample::Index;

fn secret_key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_filter_map("a secret key", SecretKey::from_bytes)
}

/// Bytes that travel as a key but are no point.
fn off_curve() -> impl Strategy<Value = PublicKey> {
    (any::<[u8; 32]>(), 2u8..=3).prop_filter_map("a key off the curve", |(x, prefix)| {
        let mut bytes = [prefix; 33];
        bytes[1..].copy_from_slice(&x);
        PublicKey::from_bytes(bytes).filter(|key| !key.is_on_curve())
    })
}

fn context(recipient: PublicKey) -> impl Strategy<Value = SealContext> {
    any::<([u8; 32], [u8; 32], [u8; 32], u32, [u8; 32])>().prop_map(
        move |(genesis, job, bond_txid, bond_index, commitment)| SealContext {
            genesis: BlockHash(genesis),
            job: JobId(job),
            bond_txid: Txid(bond_txid),
            bond_index,
            commitment: Commitment(commitment),
            recipient,
        },
    )
}

fn recipient_and_context() -> impl Strategy<Value = (SecretKey, SealContext)> {
    secret_key().prop_flat_map(|secret| {
        let context = context(secret.public_key());
        (Just(secret), context)
    })
}

/// `value` with one bit of its encoding flipped, if that still decodes.
fn flip_bit<T: borsh::BorshSerialize + borsh::BorshDeserialize>(value: &T, bit: Index) -> Option<T> {
    let mut bytes = encode(value);
    let bit = bit.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    decode(&bytes, bytes.len()).ok()
}

/// The same context with one field of each kind changed, but for the commitment.
fn other_contexts(context: &SealContext, recipient: PublicKey) -> [SealContext; 5] {
    let c = || context.clone();
    let flipped = |mut bytes: [u8; 32]| {
        bytes[7] ^= 1;
        bytes
    };
    [
        SealContext {
            genesis: BlockHash(flipped(context.genesis.0)),
            ..c()
        },
        SealContext {
            job: JobId(flipped(context.job.0)),
            ..c()
        },
        SealContext {
            bond_txid: Txid(flipped(context.bond_txid.0)),
            ..c()
        },
        SealContext {
            bond_index: context.bond_index ^ 1,
            ..c()
        },
        SealContext { recipient, ..c() },
    ]
}

proptest! {
    #[test]
    fn a_signature_verifies_and_is_the_same_every_time(secret in secret_key(), digest: [u8; 32]) {
        let digest = Hash256(digest);
        let signature = secret.sign(&digest);
        prop_assert!(secret.public_key().verify(&digest, &signature));
        prop_assert_eq!(secret.clone().sign(&digest), signature);
    }

    #[test]
    fn a_changed_check_fails(secret in secret_key(), digest: [u8; 32], bit: Index) {
        let digest = Hash256(digest);
        let signature = secret.sign(&digest);
        let changed = flip_bit(&(secret.public_key(), digest, signature), bit);
        if let Some((key, digest, signature)) = changed {
            prop_assert!(!key.verify(&digest, &signature));
        }
    }

    #[test]
    fn a_key_off_the_curve_verifies_nothing(key in off_curve(), secret in secret_key(), digest: [u8; 32]) {
        let digest = Hash256(digest);
        prop_assert!(!key.verify(&digest, &secret.sign(&digest)));
    }

    #[test]
    fn a_batch_is_answered_check_by_check(
        secret in secret_key(), digests in prop::collection::vec(any::<[u8; 32]>(), 1..5), which: Index,
    ) {
        let mut checks: Vec<_> = digests
            .into_iter()
            .map(|digest| SignatureCheck {
                key: secret.public_key(),
                digest: Hash256(digest),
                signature: secret.sign(&Hash256(digest)),
            })
            .collect();
        prop_assert!(EcdsaVerifier.verify_batch(&checks).iter().all(|valid| *valid));
        which.get_mut(&mut checks).signature.0[40] ^= 1;
        let answers: Vec<bool> = checks.iter().map(|check| EcdsaVerifier.verify(check)).collect();
        prop_assert_eq!(answers.iter().filter(|valid| !**valid).count(), 1);
        prop_assert_eq!(EcdsaVerifier.verify_batch(&checks), answers);
    }

    /// Groups of checks, of each of which one must hold, as in a script with k-of-n keys.
    #[test]
    fn work_in_a_batch_comes_out_as_it_does_check_by_check(
        secret in secret_key(), groups in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..4), 0..4),
    ) {
        let key = secret.public_key();
        let check = |(number, valid): (u8, bool)| {
            let digest = Hash256([number; 32]);
            let signature = if valid { secret.sign(&digest) } else { Signature([number; 64]) };
            SignatureCheck { key, digest, signature }
        };
        let work = |verifier: &dyn Verifier| {
            let one_holds = |group: &Vec<bool>| (1..).zip(group.iter().copied()).any(|case| verifier.verify(&check(case)));
            groups.iter().position(|group| !one_holds(group)).map_or(Ok(groups.len()), Err)
        };
        prop_assert_eq!(in_batch(&EcdsaVerifier, work), work(&EcdsaVerifier));
    }

    #[test]
    fn keys_and_signatures_encode_as_their_bytes(secret in secret_key(), signature: [[u8; 32]; 2]) {
        let key = secret.public_key();
        prop_assert_eq!(encode(&key), key.as_bytes().to_vec());
        prop_assert_eq!(decode::<PublicKey>(key.as_bytes(), 33), Ok(key));
        prop_assert_eq!(encode(&key.key_hash()), key.key_hash().0.to_vec());
        let bytes = signature.concat();
        let signature: Signature = decode(&bytes, 64).unwrap();
        prop_assert_eq!(encode(&signature), bytes);
    }

    #[test]
    fn only_two_prefixes_make_a_key(bytes: [u8; 32], prefix: u8) {
        let mut key = [prefix; 33];
        key[1..].copy_from_slice(&bytes);
        let valid = prefix == 2 || prefix == 3;
        prop_assert_eq!(PublicKey::from_bytes(key).is_some(), valid);
        prop_assert_eq!(decode::<PublicKey>(&key, 33).is_ok(), valid);
    }

    #[test]
    fn addresses_round_trip(hash: [u8; 20]) {
        let hash = KeyHash(hash);
        prop_assert_eq!(KeyHash::parse_address(&hash.to_string()), Ok(hash));
        prop_assert_eq!(format!("{hash:?}"), &hash.to_string()[..8]);
    }

    #[test]
    fn any_text_parses_to_itself_or_an_error(text in "\\PC{0,40}|1[1-9A-HJ-NP-Za-km-z]{20,35}") {
        if let Ok(hash) = KeyHash::parse_address(&text) {
            prop_assert_eq!(hash.to_string(), text);
        }
    }

    #[test]
    fn a_mistyped_address_is_refused(hash: [u8; 20], position: Index, digit in "[1-9A-HJ-NP-Za-km-z]") {
        let mut address = KeyHash(hash).to_string();
        let at = position.index(address.len());
        prop_assume!(address[at..=at] != digit);
        address.replace_range(at..=at, &digit);
        prop_assert!(KeyHash::parse_address(&address).is_err());
    }

    #[test]
    fn derived_secrets_depend_on_key_label_and_context(
        a in secret_key(), b in secret_key(), label in "[a-z]{1,8}", context: Vec<u8>,
    ) {
        let base = a.derive(&label, &context);
        prop_assert_eq!(a.derive(&label, &context), base);
        prop_assert_ne!(b.derive(&label, &context), base);
        prop_assert_ne!(a.derive(&format!("{label}x"), &context), base);
        prop_assert_ne!(a.derive(&label, &[&context[..], b"x"].concat()), base);

        let key = a.derive_key(&label, &context);
        prop_assert_eq!(a.derive_key(&label, &context).public_key(), key.public_key());
        prop_assert_ne!(b.derive_key(&label, &context).public_key(), key.public_key());
        let from_base = SecretKey::from_bytes(base).map(|secret| secret.public_key());
        prop_assert_ne!(from_base, Some(key.public_key()));
    }

    #[test]
    fn debug_shows_no_secret(bytes: [u8; 32]) {
        let Some(secret) = SecretKey::from_bytes(bytes) else { return Ok(()) };
        let expected = format!("SecretKey(of {})", secret.public_key().key_hash());
        prop_assert_eq!(format!("{secret:?}"), expected);
        prop_assert_eq!(secret.node_id(), secret.public_key().key_hash());
    }

    #[test]
    fn the_recipient_opens_what_was_sealed(
        (recipient, context) in recipient_and_context(), ephemeral in secret_key(), plaintext: Vec<u8>,
    ) {
        let sealed = seal(&context, &ephemeral, &plaintext).unwrap();
        prop_assert_eq!(sealed.ciphertext.len(), plaintext.len() + 16);
        let opened = open(&context, &recipient, &sealed.ephemeral, &sealed.ciphertext);
        prop_assert_eq!(opened, Ok(plaintext));
    }

    #[test]
    fn a_seal_opens_nowhere_else(
        (recipient, context) in recipient_and_context(),
        ephemeral in secret_key(), stranger in secret_key(), plaintext: Vec<u8>, bit: Index,
    ) {
        let sealed = seal(&context, &ephemeral, &plaintext).unwrap();
        let refused = Err(OpenError::Authentication);

        let mut tampered = sealed.ciphertext.clone();
        let bit = bit.index(tampered.len() * 8);
        tampered[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(&open(&context, &recipient, &sealed.ephemeral, &tampered), &refused);

        let short = &sealed.ciphertext[..sealed.ciphertext.len() - 1];
        prop_assert_eq!(&open(&context, &recipient, &sealed.ephemeral, short), &refused);
        prop_assert_eq!(&open(&context, &recipient, &sealed.ephemeral, &[]), &refused);
        prop_assert_eq!(&open(&context, &stranger, &sealed.ephemeral, &sealed.ciphertext), &refused);
        prop_assert_eq!(&open(&context, &recipient, &stranger.public_key(), &sealed.ciphertext), &refused);

        let mut commitment = context.commitment;
        commitment.0[0] ^= 1;
        let other_commitment = SealContext { commitment, ..context.clone() };
        for other in other_contexts(&context, stranger.public_key()).iter().chain([&other_commitment]) {
            prop_assert_eq!(&open(other, &recipient, &sealed.ephemeral, &sealed.ciphertext), &refused);
        }
    }

    #[test]
    fn points_off_the_curve_are_told_apart(
        (recipient, context) in recipient_and_context(), ephemeral in secret_key(), bad in off_curve(),
        ciphertext: Vec<u8>,
    ) {
        let invalid = Err(OpenError::EphemeralInvalid);
        prop_assert_eq!(&open(&context, &recipient, &bad, &ciphertext), &invalid);
        prop_assert_eq!(&open_with_shared(&context, &bad, &context.recipient, &ciphertext), &invalid);
        prop_assert_eq!(DecryptionProof::create(&context, &recipient, &bad, &sha256(&ciphertext)), None);
        prop_assert_eq!(seal(&SealContext { recipient: bad, ..context }, &ephemeral, &ciphertext), None);
    }

    #[test]
    fn a_proof_opens_the_ciphertext_to_everybody(
        (recipient, context) in recipient_and_context(), ephemeral in secret_key(), plaintext: Vec<u8>,
    ) {
        let sealed = seal(&context, &ephemeral, &plaintext).unwrap();
        let hash = sha256(&sealed.ciphertext);
        let proof = DecryptionProof::create(&context, &recipient, &sealed.ephemeral, &hash).unwrap();
        prop_assert!(proof.verifies(&context, &sealed.ephemeral, &hash));
        let opened = open_with_shared(&context, &sealed.ephemeral, &proof.shared, &sealed.ciphertext);
        prop_assert_eq!(opened, Ok(plaintext));

        let bytes = encode(&proof);
        prop_assert_eq!(bytes.len(), 3 * 33 + 32);
        prop_assert_eq!(decode(&bytes, bytes.len()), Ok(proof.clone()));
        prop_assert_eq!(DecryptionProof::create(&context, &recipient, &sealed.ephemeral, &hash), Some(proof));
    }

    #[test]
    fn a_proof_of_anything_else_fails(
        (recipient, context) in recipient_and_context(),
        ephemeral in secret_key(), stranger in secret_key(), hash: [u8; 32], bit: Index,
    ) {
        let (hash, other_hash) = (Hash256(hash), sha256(&hash));
        let (ephemeral, other) = (ephemeral.public_key(), stranger.public_key());
        let proof = DecryptionProof::create(&context, &recipient, &ephemeral, &hash).unwrap();
        prop_assert!(!proof.verifies(&context, &ephemeral, &other_hash));
        prop_assert!(!proof.verifies(&context, &other, &hash));
        for context in other_contexts(&context, other) {
            prop_assert!(!proof.verifies(&context, &ephemeral, &hash));
        }
        for changed in [
            DecryptionProof { shared: other, ..proof.clone() },
            DecryptionProof { r1: other, ..proof.clone() },
            DecryptionProof { r2: other, ..proof.clone() },
            DecryptionProof { response: other_hash.0, ..proof.clone() },
        ] {
            prop_assert!(!changed.verifies(&context, &ephemeral, &hash));
        }
        if let Some(changed) = flip_bit(&proof, bit) {
            prop_assert!(!changed.verifies(&context, &ephemeral, &hash));
        }
        prop_assert_eq!(DecryptionProof::create(&context, &stranger, &ephemeral, &hash), None);
    }

    #[test]
    fn a_proof_with_points_off_the_curve_fails(
        (recipient, context) in recipient_and_context(), ephemeral in secret_key(), bad in off_curve(),
        hash: [u8; 32],
    ) {
        let (hash, ephemeral) = (Hash256(hash), ephemeral.public_key());
        let proof = DecryptionProof::create(&context, &recipient, &ephemeral, &hash).unwrap();
        prop_assert!(!proof.verifies(&context, &bad, &hash));
        let recipient_off_curve = SealContext { recipient: bad, ..context.clone() };
        prop_assert!(!proof.verifies(&recipient_off_curve, &ephemeral, &hash));
        for changed in [
            DecryptionProof { shared: bad, ..proof.clone() },
            DecryptionProof { r1: bad, ..proof.clone() },
            DecryptionProof { r2: bad, ..proof.clone() },
        ] {
            prop_assert!(!changed.verifies(&context, &ephemeral, &hash));
        }
    }
}

/// The order of the group, big-endian (SEC 2, section 2.4.1).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
    0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

#[test]
fn secrets_lie_between_zero_and_the_order() {
    let mut largest = ORDER;
    largest[31] -= 1;
    assert!(SecretKey::from_bytes([0; 32]).is_none());
    assert!(SecretKey::from_bytes(ORDER).is_none());
    assert!(SecretKey::from_bytes([0xff; 32]).is_none());
    assert!(SecretKey::from_bytes(largest).is_some());
}

#[test]
fn an_x_beyond_the_field_is_no_point() {
    // p + 1, which is x = 1 modulo p, and 1 is the x of a point.
    let mut one = [0; 33];
    (one[0], one[32]) = (2, 1);
    let mut beyond = [0xff; 33];
    beyond[0] = 2;
    beyond[28..].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x30]);
    assert!(PublicKey::from_bytes(one).unwrap().is_on_curve());
    assert!(!PublicKey::from_bytes(beyond).unwrap().is_on_curve());
}

#[test]
fn zero_and_oversized_signature_parts_are_refused() {
    let secret = SecretKey::from_bytes([7; 32]).unwrap();
    let digest = sha256(b"digest");
    let good = secret.sign(&digest);
    for part in [0..32, 32..64] {
        for value in [[0; 32], ORDER, [0xff; 32]] {
            let mut bad = good;
            bad.0[part.clone()].copy_from_slice(&value);
            assert!(!secret.public_key().verify(&digest, &bad));
        }
    }
}

#[test]
fn address_errors_say_what_is_wrong() {
    let parse = KeyHash::parse_address;
    // Bitcoin's genesis block pays to the first; the others are it with one thing changed.
    assert!(parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa").is_ok());
    assert_eq!(
        parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
        Err(AddressError::BadChecksum)
    );
    assert_eq!(
        parse("1A1zP1eP0QGefi2DMPTfTL5SLmv7DivfNa"),
        Err(AddressError::BadCharacter { index: 8 })
    );
    assert_eq!(parse("1Ä1zP1eP"), Err(AddressError::BadCharacter { index: 1 }));
    assert_eq!(parse("1A1zP1eP5QGefi2DMPTfTL5SL"), Err(AddressError::WrongLength));
    assert_eq!(parse(""), Err(AddressError::WrongLength));
    assert_eq!(parse(&"1".repeat(10_000)), Err(AddressError::WrongLength));
    // A script-hash address of Bitcoin (version 5).
    assert_eq!(
        parse("3P14159f73E4gFr7JterCCQh9QjiTjiZrG"),
        Err(AddressError::WrongVersion(5))
    );
}

/// A response of z + n answers the same equations, so it would be a second proof.
#[test]
fn a_response_beyond_the_order_is_refused() {
    // Such a number fits into 32 bytes only for z < 2^256 - n, which no honest proof hits, so the
    // order itself, which stands for 0, has to serve: both fail, and neither panics.
    let recipient = SecretKey::from_bytes([1; 32]).unwrap();
    let context = SealContext {
        genesis: BlockHash([2; 32]),
        job: JobId([3; 32]),
        bond_txid: Txid([4; 32]),
        bond_index: 5,
        commitment: Commitment([6; 32]),
        recipient: recipient.public_key(),
    };
    let ephemeral = SecretKey::from_bytes([7; 32]).unwrap().public_key();
    let hash = sha256(b"ciphertext");
    let proof = DecryptionProof::create(&context, &recipient, &ephemeral, &hash).unwrap();
    for response in [ORDER, [0xff; 32]] {
        assert!(
            !DecryptionProof {
                response,
                ..proof.clone()
            }
            .verifies(&context, &ephemeral, &hash)
        );
    }
}
