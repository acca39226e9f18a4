//! Sealing the opening of a commitment for the one who paid for it (`docs/src/protocol.md`, "Encryption").

use super::public::PublicKey;
use super::secret::{SecretKey, hkdf_sha256};
use crate::primitives::{BlockHash, Commitment, JobId, Txid, encode};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use k256::elliptic_curve::zeroize::Zeroizing;

/// The delivery that a sealed opening belongs to. It opens in no other.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SealContext {
    /// Hash of the network's genesis block.
    pub genesis: BlockHash,
    /// The job.
    pub job: JobId,
    /// Transaction of the bond's output.
    pub bond_txid: Txid,
    /// Index of the bond's output.
    pub bond_index: u32,
    /// What the plaintext opens.
    pub commitment: Commitment,
    /// The job's delivery key, P.
    pub recipient: PublicKey,
}

/// A sealed plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The public half of the key made for this plaintext, E.
    pub ephemeral: PublicKey,
    /// 16 bytes longer than the plaintext.
    pub ciphertext: Vec<u8>,
}

/// Why a ciphertext gives no plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The ephemeral key is no point of the curve, so there is nothing to open with.
    #[error("the ephemeral key is not on the curve")]
    EphemeralInvalid,
    /// Ciphertext, key and context do not belong together.
    #[error("the ciphertext does not authenticate")]
    Authentication,
}

/// Seals `plaintext` for `context.recipient`, or `None` when that key is off the curve (or the
/// plaintext longer than the 256 GiB of one ChaCha20 key stream).
///
/// The nonce is constant: an ephemeral key seals one plaintext, so derive it from all that the
/// plaintext depends on.
pub fn seal(context: &SealContext, ephemeral_secret: &SecretKey, plaintext: &[u8]) -> Option<Sealed> {
    let ephemeral = ephemeral_secret.public_key();
    let shared = ephemeral_secret.shared_point(&context.recipient)?;
    let payload = Payload {
        msg: plaintext,
        aad: &associated_data(context),
    };
    let ciphertext = cipher(context, &ephemeral, &shared)
        .encrypt(&Nonce::default(), payload)
        .ok()?;
    Some(Sealed {
        ephemeral,
        ciphertext,
    })
}

/// Opens what was sealed for the key of `recipient_secret`.
///
/// # Errors
/// [`OpenError`] for an ephemeral key off the curve and for anything that was not sealed for this
/// key in this context.
pub fn open(
    context: &SealContext,
    recipient_secret: &SecretKey,
    ephemeral: &PublicKey,
    ciphertext: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let shared = recipient_secret
        .shared_point(ephemeral)
        .ok_or(OpenError::EphemeralInvalid)?;
    decrypt(context, ephemeral, &shared, ciphertext)
}

/// Opens with the `shared` point that a [`DecryptionProof`](super::DecryptionProof) publishes. The
/// result says something about the ciphertext only if that proof holds.
///
/// # Errors
/// As [`open`].
pub fn open_with_shared(
    context: &SealContext,
    ephemeral: &PublicKey,
    shared: &PublicKey,
    ciphertext: &[u8],
) -> Result<Vec<u8>, OpenError> {
    if !ephemeral.is_on_curve() {
        return Err(OpenError::EphemeralInvalid);
    }
    decrypt(context, ephemeral, shared, ciphertext)
}

fn decrypt(
    context: &SealContext,
    ephemeral: &PublicKey,
    shared: &PublicKey,
    ciphertext: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let payload = Payload {
        msg: ciphertext,
        aad: &associated_data(context),
    };
    cipher(context, ephemeral, shared)
        .decrypt(&Nonce::default(), payload)
        .map_err(|_| OpenError::Authentication)
}

/// The cipher under HKDF-SHA-256 of the shared point, with the canonical encoding of everything that
/// names this use of it as info.
fn cipher(context: &SealContext, ephemeral: &PublicKey, shared: &PublicKey) -> ChaCha20Poly1305 {
    let info = encode(&(
        "camelid/sealed-opening",
        context.genesis,
        context.job,
        context.bond_txid,
        context.bond_index,
        ephemeral,
        context.recipient,
    ));
    let key = Zeroizing::new(hkdf_sha256(shared.as_bytes(), &info));
    ChaCha20Poly1305::new((&*key).into())
}

fn associated_data(context: &SealContext) -> Vec<u8> {
    encode(&(context.job, context.commitment))
}
