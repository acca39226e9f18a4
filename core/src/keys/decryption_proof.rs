//! Proof that a ciphertext was opened with the right key (`docs/src/protocol.md`, "Proof of decryption").

use super::public::PublicKey;
use super::sealed::SealContext;
use super::secret::SecretKey;
use crate::primitives::{Hash256, encode, tagged_hash};
use borsh::{BorshDeserialize, BorshSerialize};
use k256::elliptic_curve::ff::PrimeField as _;
use k256::elliptic_curve::ops::{LinearCombination as _, Reduce as _};
use k256::{ProjectivePoint, Scalar};

/// Proof that `shared` is x·E for the x with P = x·G, which shows everybody what an ephemeral key E
/// and a ciphertext give to the owner of the delivery key P, and tells nothing else about x.
///
/// Chaum and Pedersen's proof of equal discrete logarithms, made non-interactive by hashing the whole
/// statement with the proof's first move: a challenge that leaves a part of it out lets anyone choose
/// that part afterwards.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DecryptionProof {
    /// S, the point that [`open_with_shared`](super::open_with_shared) takes.
    pub shared: PublicKey,
    /// R1 = k·G for a nonce k.
    pub r1: PublicKey,
    /// R2 = k·E.
    pub r2: PublicKey,
    /// z = k + c·x mod n, big-endian.
    pub response: [u8; 32],
}

impl DecryptionProof {
    /// The one proof of `recipient_secret` about `ephemeral` and the ciphertext with this SHA-256.
    /// `None` when `ephemeral` is off the curve or the secret is not the one of `context.recipient`.
    pub fn create(
        context: &SealContext,
        recipient_secret: &SecretKey,
        ephemeral: &PublicKey,
        ciphertext_hash: &Hash256,
    ) -> Option<Self> {
        if recipient_secret.public_key() != context.recipient {
            return None;
        }
        let shared = recipient_secret.shared_point(ephemeral)?;
        // As in RFC 6979: from the secret and all that is hashed, so that two statements never share
        // a nonce, which would give the secret away.
        let statement = encode(&(context, ephemeral, ciphertext_hash));
        let nonce = recipient_secret.derive_key("decryption-proof", &statement);
        let mut proof = Self {
            shared,
            r1: nonce.public_key(),
            r2: nonce.shared_point(ephemeral)?,
            response: [0; 32],
        };
        let challenge = proof.challenge(context, ephemeral, ciphertext_hash)?;
        let response = challenge * recipient_secret.scalar() + nonce.scalar();
        proof.response = response.to_bytes().into();
        Some(proof)
    }

    /// True when the proof holds for `context.recipient`, `ephemeral` and the ciphertext with this
    /// SHA-256. False when any point is off the curve.
    pub fn verifies(&self, context: &SealContext, ephemeral: &PublicKey, ciphertext_hash: &Hash256) -> bool {
        self.equations_hold(context, ephemeral, ciphertext_hash)
            .unwrap_or(false)
    }

    /// Whether zG = R1 + cP and zE = R2 + cS; `None` when a part is malformed.
    fn equations_hold(
        &self,
        context: &SealContext,
        ephemeral: &PublicKey,
        ciphertext_hash: &Hash256,
    ) -> Option<bool> {
        let z = Option::from(Scalar::from_repr(self.response.into()))?;
        let c = self.challenge(context, ephemeral, ciphertext_hash)?;
        let (recipient, ephemeral) = (context.recipient.point()?, ephemeral.point()?);
        let (shared, r1, r2) = (self.shared.point()?, self.r1.point()?, self.r2.point()?);
        Some(
            combination(&ProjectivePoint::GENERATOR, &z, &recipient, &c) == r1
                && combination(&ephemeral, &z, &shared, &c) == r2,
        )
    }

    /// c, reduced modulo the group order; `None` for the one hash in 2^256 that gives 0.
    fn challenge(
        &self,
        context: &SealContext,
        ephemeral: &PublicKey,
        ciphertext_hash: &Hash256,
    ) -> Option<Scalar> {
        let hash = tagged_hash(
            "camelid/decryption-proof",
            &(
                (
                    context.genesis,
                    context.job,
                    context.bond_txid,
                    context.bond_index,
                ),
                (context.recipient, ephemeral, self.shared, self.r1, self.r2),
                ciphertext_hash,
            ),
        );
        let challenge = Scalar::reduce(&k256::FieldBytes::from(hash.0));
        (challenge != Scalar::ZERO).then_some(challenge)
    }
}

/// z·A − c·B.
fn combination(a: &ProjectivePoint, z: &Scalar, b: &ProjectivePoint, c: &Scalar) -> ProjectivePoint {
    ProjectivePoint::lincomb_vartime(&[(*a, *z), (*b, -c)])
}
