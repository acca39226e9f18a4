//! The mempool at its worst: chains of 25 transactions.

use crate::table::{Table, contender};
use crate::workshop::Workshop;
use camelid_core::block::MAX_BLOCK_TRANSACTIONS;
use camelid_core::chain::{Chain, TipChange};
use camelid_core::keys::EcdsaVerifier;
use camelid_core::mempool::Mempool;
use camelid_core::primitives::Timestamp;
use camelid_core::tx::Transaction;
use camelid_io::CachedVerifier;
use std::cell::RefCell;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

const CHAINS: u32 = 100;
const LENGTH: u32 = 25;

pub(crate) fn run(table: &mut Table) {
    let workshop = Workshop::new(CHAINS);
    let chain = workshop.chain(Arc::new(EcdsaVerifier));
    let transactions: Vec<Arc<Transaction>> = (0..CHAINS)
        .flat_map(|coin| workshop.chain_of(coin, LENGTH))
        .map(Arc::new)
        .collect();
    let count = CHAINS * LENGTH;
    assert!(transactions.len() < MAX_BLOCK_TRANSACTIONS);
    let verifier = CachedVerifier::new(2 * transactions.len(), NonZeroUsize::MIN);
    let fill = |chain: &Chain| {
        let mut pool = Mempool::default();
        for transaction in &transactions {
            let entered = pool.accept(transaction.clone(), chain.ledger(), time_after(chain), &verifier);
            assert_eq!(entered, Ok(()));
        }
        pool
    };
    let pool = RefCell::new(fill(&chain));
    let (ledger, time) = (chain.ledger(), time_after(&chain));
    table.compare(
        "mempool, for each of 2,500 transactions in chains of 25",
        (5, count),
        [
            contender("enter, signatures seen before", || _ = black_box(fill(&chain))),
            contender("follow a move of the tip", || {
                let mut pool = pool.borrow_mut();
                pool.rebase(&TipChange::default(), ledger, time, &verifier);
                assert_eq!(pool.len(), transactions.len());
            }),
            contender("choose the next block", || {
                let (chosen, _) = pool.borrow().select(ledger, ledger.next_moment(time));
                assert_eq!(chosen.len(), transactions.len());
            }),
        ],
    );
}

fn time_after(chain: &Chain) -> Timestamp {
    Timestamp(chain.ledger().median_time_past().0 + 60)
}
