//! A chain whose coins are on the disk, beside one that holds them.

use crate::HEAP;
use crate::table::{Table, contender};
use crate::workshop::Workshop;
use camelid_core::chain::{Chain, Submission, connect_block};
use camelid_core::keys::{EcdsaVerifier, SharedVerifier};
use camelid_core::node::Record;
use camelid_core::primitives::{Time, encode};
use camelid_io::{CachedVerifier, RedbStorage, Storage as _};
use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

/// Payments of the block that is connected, two coins each.
const TRANSACTIONS: u32 = 2_000;
/// Blocks before it that make coins.
const BLOCKS: u32 = 32;
const OUTPUTS_PER_BLOCK: u32 = 8_000;
/// Checks that the cache holds.
const CACHED: usize = 100_000;

pub(crate) fn run(table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("records.redb");
    let workshop = Workshop::new(2 * TRANSACTIONS + BLOCKS);
    let signatures: SharedVerifier = Arc::new(CachedVerifier::new(CACHED, NonZeroUsize::MIN));

    let before = HEAP.current_usage();
    let mut held = workshop.chain(signatures.clone());
    let records = grow(&workshop, &mut held);
    let coins = held.ledger().coin_count();
    let held_bytes = HEAP.current_usage() - before;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut storage = open(&workshop, &path);
    runtime
        .block_on(storage.append(records))
        .expect("a disk that works");
    let mut stored = resume(&workshop, &storage, signatures.clone());
    let flush = stored.begin_flush().expect("the first flush");
    let flush = vec![Record::Flush(Box::new(flush))];
    let bytes = encode(&flush);
    table.compare(
        &format!("make {coins} new coins durable"),
        (1, 1),
        [
            contender("a flush", || {
                let appended = runtime.block_on(storage.append(flush.clone()));
                appended.expect("a disk that works");
            }),
            contender("their bytes in a file", || {
                let mut file = File::create(folder.path().join("bytes")).expect("a file");
                file.write_all(&bytes).expect("a disk that works");
                file.sync_all().expect("a disk that works");
            }),
        ],
    );
    drop((stored, storage));

    let before = HEAP.current_usage();
    let storage = open(&workshop, &path);
    let stored = resume(&workshop, &storage, signatures.clone());
    assert_eq!(stored.ledger().digest(), held.ledger().digest());
    let stored_bytes = HEAP.current_usage() - before;
    table.sizes(
        &format!("memory of a chain with {coins} coins in {BLOCKS} blocks, for each coin"),
        &[
            ("in a store", stored_bytes as f64 / coins as f64),
            ("in memory", held_bytes as f64 / coins as f64),
        ],
    );

    let block = workshop.block(&held, payments(&workshop));
    let connect = |chain: &Chain| {
        let delta = connect_block(chain.ledger(), black_box(&block), &*signatures);
        assert!(black_box(delta).is_ok());
    };
    connect(&held);
    table.compare(
        "connect a block that spends 4,000 coins",
        (5, 1),
        [
            contender("coins in a store, signatures seen before", || connect(&stored)),
            contender("coins in memory, signatures seen before", || connect(&held)),
            contender("coins in memory, signatures checked on one core", || {
                let delta = connect_block(held.ledger(), black_box(&block), &EcdsaVerifier);
                assert!(black_box(delta).is_ok());
            }),
        ],
    );

    table.compare(
        "start again on that chain",
        (5, 1),
        [
            contender("from its flush", || {
                black_box(resume(&workshop, &storage, signatures.clone()));
            }),
            contender("checked anew, signatures seen before", || {
                let mut chain = workshop.chain(signatures.clone());
                let hashes = held.active().iter().skip(1);
                for block in hashes.filter_map(|hash| held.block(hash)) {
                    let submitted = chain.submit_block(block, Time(u64::MAX));
                    assert!(matches!(submitted, Ok(Submission::Moved(_))));
                }
            }),
        ],
    );
}

/// The payments of the block that is measured: of the first coins.
fn payments(workshop: &Workshop) -> Vec<camelid_core::tx::Transaction> {
    let pairs = (0..TRANSACTIONS).map(|pair| [2 * pair, 2 * pair + 1]);
    pairs.map(|pair| workshop.pay(&pair, 2)).collect()
}

/// Blocks that make many coins, and their records.
fn grow(workshop: &Workshop, chain: &mut Chain) -> Vec<Record> {
    let mut records = Vec::new();
    for number in 0..BLOCKS {
        let payment = workshop.pay(&[2 * TRANSACTIONS + number], OUTPUTS_PER_BLOCK);
        let block = Arc::new(workshop.block(chain, vec![payment]));
        records.push(Record::Block(block.clone()));
        match chain.submit_block(block, Time(u64::MAX)) {
            Ok(Submission::Moved(change)) => {
                let connected = change.checked.into_iter();
                records.extend(connected.map(|connected| Record::Connected(Box::new(connected))));
            }
            other => panic!("the tip does not move: {other:?}"),
        }
    }
    records
}

fn open(workshop: &Workshop, path: &Path) -> RedbStorage {
    let genesis = camelid_core::block::genesis_block(&workshop.params).header.hash();
    RedbStorage::open(path, &genesis).expect("a file that works")
}

fn resume(workshop: &Workshop, storage: &RedbStorage, signatures: SharedVerifier) -> Chain {
    let mut chain = workshop.chain(signatures);
    chain.restore(storage.store().expect("it has one"));
    while chain.restore_next().is_some() {}
    chain
}
