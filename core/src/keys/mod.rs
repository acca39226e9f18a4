//! Keys of secp256k1 and what is done with them: signatures, addresses, sealed openings and proofs
//! of decryption (`docs/src/protocol.md`, "Keys and addresses" to "Proof of decryption").

mod address;
mod batch;
mod decryption_proof;
mod public;
mod sealed;
mod secret;
mod signature;
mod verifier;

pub use address::{AddressError, KeyHash, NodeId};
pub use batch::{Answered, Deferred, in_batch};
pub use decryption_proof::DecryptionProof;
pub use public::PublicKey;
pub use sealed::{OpenError, SealContext, Sealed, open, open_with_shared, seal};
pub use secret::SecretKey;
pub use signature::Signature;
pub use verifier::{EcdsaVerifier, SharedVerifier, SignatureCheck, Verifier};

use core::fmt;

/// Two hexadecimal digits for each byte.
fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
