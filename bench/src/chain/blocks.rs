//! Connecting a large block: on one core, on all, with signatures that were seen before, and after a restart.

use crate::table::{Table, contender};
use crate::workshop::Workshop;
use camelid_core::chain::{Connected, Delta, check_block, connect_block};
use camelid_core::keys::{EcdsaVerifier, Verifier};
use camelid_core::node::{MemoryStore, Record};
use camelid_io::CachedVerifier;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

const TRANSACTIONS: u32 = 2_000;
/// Checks that the cache holds: several blocks of them.
const CACHED: usize = 100_000;

pub(crate) fn run(table: &mut Table) {
    let workshop = Workshop::new(2 * TRANSACTIONS);
    let chain = workshop.chain(Arc::new(EcdsaVerifier));
    let block = workshop.block(&chain, workshop.payments(2));
    assert_eq!(check_block(&block, &workshop.params), Ok(()));
    let connect = |verifier: &dyn Verifier| {
        let delta = connect_block(chain.ledger(), black_box(&block), verifier);
        assert!(black_box(delta).is_ok());
    };
    let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let warm = CachedVerifier::new(CACHED, NonZeroUsize::MIN);
    connect(&warm);
    let on_all = format!("cold, signatures on {cores} cores");
    let [warm, _, cold] = table.compare(
        "connect a block of 2,000 payments, two in and two out",
        (5, 1),
        [
            contender("warm: all signatures seen before", || connect(&warm)),
            contender(&on_all, || connect(&CachedVerifier::new(CACHED, cores))),
            contender("cold, on one core", || connect(&EcdsaVerifier)),
        ],
    );
    table.require("a warm signature cache against none", 10.0, (warm, cold));

    let block = Arc::new(block);
    let delta = connect_block(chain.ledger(), &block, &EcdsaVerifier).expect("a valid block");
    let restart = |delta: Option<Delta>| {
        let mut store = MemoryStore::default();
        store.take(Record::Block(block.clone()));
        if let Some(delta) = delta.map(Arc::new) {
            let (block, undo) = (block.header.hash(), Arc::default());
            store.take(Record::Connected(Box::new(Connected { block, delta, undo })));
        }
        let mut chain = workshop.chain(Arc::new(EcdsaVerifier));
        chain.restore(Arc::new(store));
        while chain.restore_next().is_some() {}
        assert_eq!(chain.tip(), block.header.hash());
        black_box(chain);
    };
    table.compare(
        "start again on that block",
        (5, 1),
        [
            contender("with its delta", || restart(Some(delta.clone()))),
            contender("checked anew", || restart(None)),
        ],
    );
}
