//! Secret keys and what is derived from them.

use super::address::NodeId;
use super::public::PublicKey;
use super::signature::Signature;
use crate::primitives::{Hash256, encode};
use core::fmt;
use hkdf::Hkdf;
use k256::Scalar;
use k256::ecdsa::SigningKey;
use k256::ecdsa::signature::hazmat::PrehashSigner as _;
use k256::elliptic_curve::zeroize::Zeroizing;
use sha2::Sha256;

/// A secret number of secp256k1 with its public key. It is wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey {
    // Keeps the public key at hand, which would cost a multiplication for each signature.
    signing: SigningKey,
    public: PublicKey,
}

impl SecretKey {
    /// The key with this big-endian number, or `None` for 0 and for the group order or more.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        let signing = SigningKey::from_slice(&bytes[..]).ok()?;
        let public = PublicKey::from_point(&signing.verifying_key().as_affine().into())?;
        Some(Self { signing, public })
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The name of the node that holds this key.
    pub fn node_id(&self) -> NodeId {
        self.public.key_hash()
    }

    /// The one signature of `digest` by this key: its nonce is derived as in RFC 6979, its s is in
    /// the lower half.
    pub fn sign(&self, digest: &Hash256) -> Signature {
        let signature: k256::ecdsa::Signature = self
            .signing
            .sign_prehash(&digest.0)
            .expect("a 32-byte digest can always be signed");
        Signature(signature.to_bytes().into())
    }

    /// 32 secret bytes named by `label` and `context`: salts and other secrets that must be found
    /// again from the key alone.
    ///
    /// HKDF-SHA-256 (RFC 5869) of the secret number, with the canonical encoding of both as info.
    pub fn derive(&self, label: &str, context: &[u8]) -> [u8; 32] {
        self.expand(&encode(&("camelid/derive", label, context)))
    }

    /// A fresh key named by `label` and `context`, unrelated to what [`derive`](Self::derive) gives
    /// for them.
    pub fn derive_key(&self, label: &str, context: &[u8]) -> Self {
        // 32 random bytes are no key with probability 2^-128, so the first attempt serves; four
        // billion of them cannot all fail.
        (0u32..)
            .find_map(|attempt| {
                let info = encode(&("camelid/derive-key", label, context, attempt));
                Self::from_bytes(self.expand(&info))
            })
            .expect("some hash is a key")
    }

    /// The shared point of Diffie and Hellman, or `None` when `other` is off the curve.
    pub(super) fn shared_point(&self, other: &PublicKey) -> Option<PublicKey> {
        PublicKey::from_point(&(other.point()? * *self.scalar()))
    }

    /// The secret number, never 0.
    pub(super) fn scalar(&self) -> &Scalar {
        self.signing.as_nonzero_scalar()
    }

    fn expand(&self, info: &[u8]) -> [u8; 32] {
        let secret = Zeroizing::new(self.signing.to_bytes());
        hkdf_sha256(&secret[..], info)
    }
}

/// 32 bytes of HKDF-SHA-256 (RFC 5869) without a salt.
pub(super) fn hkdf_sha256(secret: &[u8], info: &[u8]) -> [u8; 32] {
    let mut output = [0; 32];
    Hkdf::<Sha256>::new(None, secret)
        .expand(info, &mut output)
        .expect("HKDF gives up to 8,160 bytes");
    output
}

impl fmt::Debug for SecretKey {
    /// The key's owner, nothing secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.node_id())
    }
}
