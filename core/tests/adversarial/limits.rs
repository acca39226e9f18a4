//! Work that somebody else is to be made to do.

use crate::support::*;
use camelid_core::primitives::BoundedVec;
use camelid_core::script::{Opcode, Script, ScriptBuilder};
use camelid_core::tx::{NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut};

/// Anyone can spend it, it runs nothing, and it counts 160 signature operations.
fn costly_script() -> Script {
    ScriptBuilder::new()
        .push_number(1)
        .push_number(0)
        .operation(Opcode::If)
        .operations(&[Opcode::CheckMultiSig; 10])
        .operation(Opcode::EndIf)
        .build()
        .unwrap()
}

/// Spends the first `count` outputs of `parent`, which must be open to anyone.
fn spend_many(parent: &Transaction, count: u32) -> Transaction {
    let txid = parent.txid();
    let outpoints = (0..count).map(|index| OutPoint { txid, index });
    let mut transaction = unsigned(&[], vec![pay_to(CLIENT, units(1))], None);
    let inputs = outpoints.map(|previous| TxIn {
        previous,
        script_sig: Script::empty(),
        sequence: NO_EXPIRY,
    });
    transaction.inputs = BoundedVec::from_vec(inputs.collect()).unwrap();
    transaction
}

/// The scripts were made in blocks of their own, each within the limit: what runs them is one block.
#[test]
fn signature_operations_of_spent_scripts_count() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let limit = workshop.params.max_block_signature_operations;
    // A block holds 125 of them, and 124 beside a signature and a coinbase.
    let each = costly_script().signature_operations();
    assert_eq!((each, limit), (160, 20_000));
    let parents: Vec<_> = (0..2)
        .map(|index| {
            let outputs = vec![TxOut::to_script(units(1_000), costly_script()); 100];
            let parent = payment(&genesis, &[workshop.fund(CLIENT, index)], outputs);
            workshop.extend(std::slice::from_ref(&parent));
            parent
        })
        .collect();

    let within = [spend_many(&parents[0], 100), spend_many(&parents[1], 24)];
    // 2 for the two outputs to keys, 1 for the coinbase.
    assert_eq!(workshop.refusal_or_none(&within), None);
    let above = [spend_many(&parents[0], 100), spend_many(&parents[1], 25)];
    let reason = workshop.refusal(&above);
    assert_eq!(reason, "20003 signature operations, at most 20000 are allowed");
    // Neither transaction alone is too much.
    for transaction in above {
        assert_eq!(workshop.refusal_or_none(&[transaction]), None);
    }
}
