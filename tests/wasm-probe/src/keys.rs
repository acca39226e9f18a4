//! `camelid_core::keys`.

use crate::workshop::{CLIENT, WORKER, key};
use camelid_core::keys::{
    DecryptionProof, EcdsaVerifier, KeyHash, SealContext, SignatureCheck, in_batch, open, open_with_shared,
    seal,
};
use camelid_core::primitives::{BlockHash, Commitment, JobId, Txid, sha256};
use core::hint::black_box;

/// Signatures, addresses, derivation, sealing and the proof of decryption.
pub fn probe() {
    let (client, worker) = (key(CLIENT), key(WORKER));
    let digest = sha256(black_box(b"signed"));
    let check = SignatureCheck {
        key: client.public_key(),
        digest,
        signature: client.sign(&digest),
    };
    let checked = in_batch(&EcdsaVerifier, |verifier| {
        verifier.verify(black_box(&check)).then_some(()).ok_or(())
    });
    assert_eq!(checked, Ok(()));
    assert_eq!(
        KeyHash::parse_address(&client.node_id().to_string()),
        Ok(client.node_id())
    );
    black_box((client.derive("salt", &digest.0), format!("{client:?}")));

    let recipient = client.derive_key("delivery", &digest.0);
    let context = SealContext {
        genesis: BlockHash([1; 32]),
        job: JobId([2; 32]),
        bond_txid: Txid([3; 32]),
        bond_index: 0,
        commitment: Commitment([4; 32]),
        recipient: recipient.public_key(),
    };
    let sealed = seal(&context, &worker, black_box(b"opening")).expect("the recipient is on the curve");
    let opened = open(&context, &recipient, &sealed.ephemeral, &sealed.ciphertext);
    assert_eq!(opened.as_deref(), Ok(b"opening".as_slice()));

    let ciphertext_hash = sha256(&sealed.ciphertext);
    let proof = DecryptionProof::create(&context, &recipient, &sealed.ephemeral, &ciphertext_hash)
        .expect("the secret is the recipient's");
    assert!(black_box(&proof).verifies(&context, &sealed.ephemeral, &ciphertext_hash));
    let shared = open_with_shared(&context, &sealed.ephemeral, &proof.shared, &sealed.ciphertext);
    assert_eq!(shared, opened);
}
