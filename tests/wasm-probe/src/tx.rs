//! `camelid_core::tx`.

use crate::workshop::{CLIENT, WORKER, Workshop, pay};
use camelid_core::keys::EcdsaVerifier;
use camelid_core::primitives::{decode, encode};
use camelid_core::script::evaluate;
use camelid_core::tx::{Lock, MAX_TRANSACTION_BYTES, SpendSignatures, Transaction};
use core::hint::black_box;

/// A payment: encoding, ids, and its signature through the script that asks for it.
pub fn probe() {
    let workshop = Workshop::new();
    let (genesis, coin) = (workshop.genesis(), workshop.coin(CLIENT));
    let payment = pay(&genesis, &coin, WORKER, 1_000);
    let read: Transaction =
        decode(black_box(&encode(&payment)), MAX_TRANSACTION_BYTES).expect("it was just encoded");
    assert_eq!(read.wtxid(), payment.wtxid());
    black_box((read.size(), read.signature_operations(), read.is_coinbase()));

    let Lock::Script(script) = &coin.output.lock else {
        panic!("coins from the start have scripts");
    };
    let txid = read.txid();
    let signatures = SpendSignatures::new(&genesis, &read, &txid, 0, &coin.output, &EcdsaVerifier);
    assert_eq!(evaluate(&read.inputs[0].script_sig, script, &signatures), Ok(()));
}
