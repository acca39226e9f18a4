//! Transactions to bytes and back, beside the `bitcoin` crate's.

use crate::table::{Table, contender};
use crate::workshop::Workshop;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash as _;
use camelid_core::primitives::{decode, encode};
use camelid_core::tx::{Lock, MAX_TRANSACTION_BYTES, Transaction};
use std::hint::black_box;

const COUNT: u32 = 20_000;

pub(crate) fn run(table: &mut Table) {
    let ours = Workshop::new(4).payments(2).remove(1);
    let peers = like(&ours);
    let (our_bytes, peer_bytes) = (encode(&ours), serialize(&peers));
    let title = |what: &str| {
        let (ours, peers) = (our_bytes.len(), peer_bytes.len());
        format!("{what} two inputs and two outputs ({ours} and {peers} bytes)")
    };
    let repeat = |work: &dyn Fn()| (0..COUNT).for_each(|_| work());
    table.compare(
        &title("encode"),
        (9, COUNT),
        [
            contender("camelid-core", || {
                repeat(&|| _ = black_box(encode(black_box(&ours))));
            }),
            contender("bitcoin", || {
                repeat(&|| _ = black_box(serialize(black_box(&peers))));
            }),
        ],
    );
    table.compare(
        &title("decode"),
        (9, COUNT),
        [
            contender("camelid-core", || {
                repeat(&|| {
                    let decoded = decode::<Transaction>(black_box(&our_bytes), MAX_TRANSACTION_BYTES);
                    assert!(black_box(decoded).is_ok());
                });
            }),
            contender("bitcoin", || {
                repeat(&|| {
                    let decoded = deserialize::<bitcoin::Transaction>(black_box(&peer_bytes));
                    assert!(black_box(decoded).is_ok());
                });
            }),
        ],
    );
}

/// The same transaction in Bitcoin's form.
fn like(ours: &Transaction) -> bitcoin::Transaction {
    let inputs = ours.inputs.iter().map(|input| bitcoin::TxIn {
        previous_output: bitcoin::OutPoint {
            txid: bitcoin::Txid::from_byte_array(input.previous.txid.0),
            vout: input.previous.index,
        },
        script_sig: input.script_sig.as_bytes().to_vec().into(),
        sequence: bitcoin::Sequence(input.sequence),
        witness: bitcoin::Witness::new(),
    });
    let outputs = ours.outputs.iter().map(|output| bitcoin::TxOut {
        value: bitcoin::Amount::from_sat(output.value.units()),
        script_pubkey: match &output.lock {
            Lock::Script(script) => script.as_bytes().to_vec().into(),
            _ => bitcoin::ScriptBuf::new(),
        },
    });
    bitcoin::Transaction {
        version: bitcoin::transaction::Version(1),
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: inputs.collect(),
        output: outputs.collect(),
    }
}
