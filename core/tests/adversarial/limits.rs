//! Work that somebody else is to be made to do.

use crate::support::*;
use camelid_core::chain::connect_block;
use camelid_core::keys::{SignatureCheck, Verifier};
use camelid_core::primitives::BoundedVec;
use camelid_core::script::{Opcode, Script, ScriptBuilder, key_hash_script_sig};
use camelid_core::tx::{NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a count for each thread of all bytes that it was ever asked for.
struct Counting;

// SAFETY: every call is passed on to the system's allocator as it came; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more, and nothing that is measured.
        let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get().wrapping_add(layout.size())));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    // 2 for the two outputs to keys, which count before the coinbase's 1.
    assert_eq!(workshop.refusal_or_none(&within), None);
    let above = [spend_many(&parents[0], 100), spend_many(&parents[1], 25)];
    let reason = workshop.refusal(&above);
    assert_eq!(reason, "20002 signature operations, at most 20000 are allowed");
    // Neither transaction alone is too much.
    for transaction in above {
        assert_eq!(workshop.refusal_or_none(&[transaction]), None);
    }
}

/// Answers yes, and keeps what it was asked.
#[derive(Default)]
struct Asked {
    checks: AtomicUsize,
    digests: Mutex<BTreeSet<[u8; 32]>>,
}

impl Verifier for Asked {
    fn verify(&self, check: &SignatureCheck) -> bool {
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.digests.lock().unwrap().insert(check.digest.0)
    }
}

/// Connects a block of one transaction with `count` inputs, and returns the bytes that it took.
fn connect_inputs(count: u32) -> usize {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let outputs = vec![pay_to(CLIENT, units(1_000)); count as usize];
    let parent = payment(&genesis, &[workshop.fund(CLIENT, 0)], outputs);
    workshop.extend(std::slice::from_ref(&parent));
    let mut spend = spend_many(&parent, count);
    let script_sig = key_hash_script_sig(&[7; 64], secret(CLIENT).public_key().as_bytes());
    for input in spend.inputs.as_mut_slice() {
        input.script_sig = script_sig.clone();
    }
    let block = workshop.block(&[spend]);
    let asked = Asked::default();
    let before = ALLOCATED.with(Cell::get);
    connect_block(workshop.ledger(), &block, &asked).unwrap();
    let allocated = ALLOCATED.with(Cell::get) - before;
    // One check for each input, each of a digest of its own.
    assert_eq!(asked.checks.load(Ordering::Relaxed), count as usize);
    assert_eq!(asked.digests.lock().unwrap().len(), count as usize);
    allocated
}

/// In Bitcoin each signature hashes the whole transaction: 5,569 inputs kept nodes busy for half a minute
/// (block 364292). Here a signature's preimage has one length whatever the transaction's.
#[test]
fn signature_hashing_is_linear_in_the_number_of_inputs() {
    let (few, many) = (connect_inputs(500), connect_inputs(5_000));
    // Ten times the inputs take ten times the memory, not a hundred times.
    assert!(many < 12 * few, "{few} and {many} bytes");
}
