//! What a strategy signs with its own node's key.

use super::Context;
use camelid_core::primitives::{Amount, BoundedVec};
use camelid_core::script::{Script, key_hash_script, key_hash_script_sig};
use camelid_core::tx::{Lock, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash};

/// Units of fee that a payment offers.
const FEE: u64 = 1_000_000;

/// A plain transaction that moves `inputs` to our own key, signed as well as our key can.
pub(super) fn payment_to_self(context: &Context<'_>, inputs: &[OutPoint]) -> Option<Transaction> {
    let ledger = context.node.chain().ledger();
    let spent: Vec<TxOut> = inputs
        .iter()
        .map(|outpoint| ledger.coin(outpoint).map(|coin| coin.into_owned().output))
        .collect::<Option<_>>()?;
    let sum = Amount::checked_sum(spent.iter().map(|output| output.value))?;
    let value = sum.checked_sub(Amount::from_units(FEE)?)?;
    let output = TxOut {
        value,
        lock: Lock::Script(key_hash_script(&context.key.node_id().0)),
    };
    let unsigned = inputs
        .iter()
        .map(|previous| TxIn {
            previous: *previous,
            script_sig: Script::empty(),
            sequence: NO_EXPIRY,
        })
        .collect();
    let mut transaction = Transaction {
        version: 1,
        inputs: BoundedVec::from_vec(unsigned)?,
        outputs: BoundedVec::from_vec(vec![output])?,
        lock_time: 0,
        job_id: None,
        action: None,
    };
    let txid = transaction.txid();
    for ((index, input), output) in (0..).zip(transaction.inputs.as_mut_slice()).zip(&spent) {
        let signature = context
            .key
            .sign(&signature_hash(ledger.genesis(), &txid, index, output));
        input.script_sig = key_hash_script_sig(&signature.0, context.key.public_key().as_bytes());
    }
    Some(transaction)
}

/// A half-signed Engage with the client's signature for the escrow, if the job is ours and open.
pub(super) fn cosign(context: &Context<'_>, engage: &Transaction) -> Option<Transaction> {
    let ledger = context.node.chain().ledger();
    let record = ledger.job(&engage.job_id?)?;
    let escrow = &ledger.coin(&record.escrow)?.output;
    let digest = signature_hash(ledger.genesis(), &engage.txid(), 0, escrow);
    let push = [&[64][..], &context.key.sign(&digest).0].concat();
    let mut signed = engage.clone();
    signed.inputs.as_mut_slice().first_mut()?.script_sig = Script::from_bytes(push)?;
    Some(signed)
}
