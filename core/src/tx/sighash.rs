//! What a signature in a `script_sig` signs, and how scripts ask for it to be checked.

use super::types::{Lock, Transaction, TxOut};
use crate::keys::{PublicKey, Signature, SignatureCheck, Verifier};
use crate::primitives::{BlockHash, Hash256, Txid, tagged_hash};
use crate::script::SpendContext;

/// Hash that input `index` of the transaction `txid` signs: network, the spent output, and through
/// the txid every field of the transaction but the `script_sig`s.
///
/// The txid is computed once for a transaction, so hashing is linear in the number of inputs.
pub fn signature_hash(genesis: &BlockHash, txid: &Txid, index: u32, spent: &TxOut) -> Hash256 {
    tagged_hash("camelid/sighash", &(genesis, txid, index, spent))
}

/// Checks the signatures of one input.
pub struct SpendSignatures<'a> {
    /// The transaction that spends.
    pub transaction: &'a Transaction,
    /// Its lock-relevant sequence.
    pub sequence: u32,
    /// What its signatures sign.
    pub digest: Hash256,
    /// Who verifies.
    pub verifier: &'a dyn Verifier,
}

impl<'a> SpendSignatures<'a> {
    /// The checker for input `index`, which spends `spent`.
    pub fn new(
        genesis: &BlockHash,
        transaction: &'a Transaction,
        txid: &Txid,
        index: u32,
        spent: &TxOut,
        verifier: &'a dyn Verifier,
    ) -> Self {
        debug_assert!(!matches!(spent.lock, Lock::Bond | Lock::Deposit | Lock::Ticket));
        let sequence = transaction
            .inputs
            .get(index as usize)
            .map_or(super::NO_EXPIRY, |input| input.sequence);
        Self {
            transaction,
            sequence,
            digest: signature_hash(genesis, txid, index, spent),
            verifier,
        }
    }
}

impl SpendContext for SpendSignatures<'_> {
    fn check_signature(&self, public_key: &[u8; 33], signature: &[u8; 64]) -> bool {
        PublicKey::from_bytes(*public_key).is_some_and(|key| {
            let signature = Signature(*signature);
            self.verifier.verify(&SignatureCheck {
                key,
                digest: self.digest,
                signature,
            })
        })
    }

    fn lock_time(&self) -> u32 {
        self.transaction.lock_time
    }

    fn sequence(&self) -> u32 {
        self.sequence
    }

    fn transaction_version(&self) -> u32 {
        self.transaction.version
    }
}
