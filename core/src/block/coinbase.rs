//! The first transaction of a block.

use crate::primitives::{BoundedVec, Hash256, Height};
use crate::script::Script;
use crate::tx::{NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut};
use alloc::vec::Vec;

/// The coinbase of the block at `height`. Its lock time is the height, which makes its txid unique
/// on a chain; `extra_nonce` varies the Merkle root when the header's 32 bits are spent;
/// `records_root` commits to what the block makes of jobs
/// ([`Delta::records_root`](crate::chain::Delta::records_root)).
///
/// The `script_sig` has one form: a push of the extra nonce's 8 bytes, little-endian, and one of the
/// root's 32. `None` with more outputs than a transaction may have.
pub fn coinbase(
    height: Height,
    extra_nonce: u64,
    records_root: &Hash256,
    outputs: Vec<TxOut>,
) -> Option<Transaction> {
    let mut script_sig = Vec::from([8]);
    script_sig.extend(extra_nonce.to_le_bytes());
    script_sig.push(32);
    script_sig.extend(records_root.0);
    coinbase_with(height, Script::from_bytes(script_sig)?, outputs)
}

/// The root that a coinbase commits to; `None` when its `script_sig` is not of the form that
/// [`coinbase`] makes. The genesis block's is not: it changes no job.
pub fn records_root_of(coinbase: &Transaction) -> Option<Hash256> {
    let [input] = &*coinbase.inputs else { return None };
    match input.script_sig.as_bytes() {
        [8, _, _, _, _, _, _, _, _, 32, root @ ..] => root.try_into().ok().map(Hash256),
        _ => None,
    }
}

/// A coinbase with any `script_sig`.
pub(super) fn coinbase_with(height: Height, script_sig: Script, outputs: Vec<TxOut>) -> Option<Transaction> {
    let input = TxIn {
        previous: OutPoint::NULL,
        script_sig,
        sequence: NO_EXPIRY,
    };
    Some(Transaction {
        version: 1,
        inputs: BoundedVec::from_vec(Vec::from([input]))?,
        outputs: BoundedVec::from_vec(outputs)?,
        lock_time: height.0,
        job_id: None,
        action: None,
    })
}
