//! `camelid_core::mempool`.

use crate::workshop::{CLIENT, MINER, WORKER, Workshop, coin_of, pay};
use camelid_core::chain::TipChange;
use camelid_core::keys::EcdsaVerifier;
use camelid_core::mempool::{Mempool, MempoolError, Policy};
use core::hint::black_box;
use std::sync::Arc;

/// A payment and one that spends it accepted, a conflict refused, both selected, and the pool rebased.
pub fn probe() {
    let mut workshop = Workshop::new();
    let (genesis, coin) = (workshop.genesis(), workshop.coin(CLIENT));
    let time = workshop.time_at(workshop.chain.height().plus(1));
    let ledger = workshop.chain.ledger();
    let mut pool = Mempool::new(Policy::default());

    let parent = pay(&genesis, &coin, WORKER, 10_000);
    let child = pay(&genesis, &coin_of(&parent, 0, WORKER), MINER, 20_000);
    for transaction in [&parent, &child] {
        let accepted = pool.accept(Arc::new(transaction.clone()), ledger, time, &EcdsaVerifier);
        assert_eq!(accepted, Ok(()));
    }
    let conflict = Arc::new(pay(&genesis, &coin, MINER, 10_000));
    let refused = pool.accept(conflict, ledger, time, &EcdsaVerifier);
    assert!(matches!(refused, Err(MempoolError::Replacement { .. })));

    let moment = ledger.next_moment(time);
    let (chosen, fees) = pool.select(ledger, black_box(moment));
    assert_eq!(chosen.len(), 2);
    black_box((fees, pool.digest(), pool.estimate(3), pool.bytes()));

    workshop.extend(&[parent]);
    pool.rebase(
        &TipChange::default(),
        workshop.chain.ledger(),
        time,
        &EcdsaVerifier,
    );
    assert_eq!(pool.len(), 1);
}
