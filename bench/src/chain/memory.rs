//! Memory of the unspent outputs.

use crate::HEAP;
use crate::table::Table;
use crate::workshop::Workshop;
use bitcoin::hashes::Hash as _;
use camelid_core::keys::EcdsaVerifier;
use std::collections::HashMap;
use std::sync::Arc;

const BLOCKS: u32 = 24;
const PAYMENTS_PER_BLOCK: u32 = 2;
const OUTPUTS_PER_PAYMENT: u32 = 8_000;

pub(crate) fn run(table: &mut Table) {
    let workshop = Workshop::new(BLOCKS * PAYMENTS_PER_BLOCK);
    let mut chain = workshop.chain(Arc::new(EcdsaVerifier));
    for block in 0..BLOCKS {
        let payments = (0..PAYMENTS_PER_BLOCK).map(|payment| {
            let coin = block * PAYMENTS_PER_BLOCK + payment;
            workshop.pay(&[coin], OUTPUTS_PER_PAYMENT)
        });
        workshop.extend(&mut chain, payments.collect());
    }
    let coins = chain.ledger().coin_count();
    // A copy of the ledger is as large as its coins; the rest of it is a few hundred bytes here.
    let (copy, ours) = measure(|| chain.ledger().clone());
    assert_eq!(copy.coin_count(), coins);
    let (peers, theirs) = measure(|| bitcoin_map(coins));
    assert_eq!(peers.len() as u64, coins);
    let per_coin = |bytes: usize| bytes as f64 / coins as f64;
    table.sizes(
        &format!("memory of an unspent output, {coins} of them"),
        &[
            (
                "camelid-core, with height and time for lock times",
                per_coin(ours),
            ),
            ("std HashMap<bitcoin::OutPoint, bitcoin::TxOut>", per_coin(theirs)),
        ],
    );
}

/// What `make` makes, and the bytes that it holds.
fn measure<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = HEAP.current_usage();
    let made = make();
    (made, HEAP.current_usage() - before)
}

fn bitcoin_map(coins: u64) -> HashMap<bitcoin::OutPoint, bitcoin::TxOut> {
    let entry = |number: u64| {
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&number.to_le_bytes());
        let outpoint = bitcoin::OutPoint {
            txid: bitcoin::Txid::from_byte_array(txid),
            vout: 0,
        };
        let output = bitcoin::TxOut {
            value: bitcoin::Amount::from_sat(1),
            script_pubkey: vec![0; 25].into(),
        };
        (outpoint, output)
    };
    (0..coins).map(entry).collect()
}
