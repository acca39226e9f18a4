//! `camelid_core::chain`.

use crate::workshop::{CLIENT, LATE, WORKER, Workshop, pay};
use camelid_core::chain::Submission;
use camelid_core::primitives::Height;
use core::hint::black_box;

/// A block connected, a longer branch that takes its place, and what a peer would be told.
pub fn probe() {
    let mut workshop = Workshop::new();
    let genesis = workshop.genesis();
    let before = workshop.chain.ledger().digest();
    let payment = pay(&genesis, &workshop.coin(CLIENT), WORKER, 1_000);
    workshop.extend(&[payment]);
    assert_ne!(workshop.chain.ledger().digest(), before);

    let first = workshop.block(genesis, Height(1), black_box(1), &[]);
    let parent = first.header.hash();
    assert!(matches!(
        workshop.chain.submit_block(first, LATE),
        Ok(Submission::Stored)
    ));
    let second = workshop.block(parent, Height(2), 1, &[]);
    let Ok(Submission::Moved(change)) = workshop.chain.submit_block(second, LATE) else {
        panic!("the longer branch does not win");
    };
    assert_eq!((change.disconnected.len(), change.connected.len()), (1, 2));

    let (chain, ledger) = (&workshop.chain, workshop.chain.ledger());
    let totals = ledger.totals();
    let outside = u128::from(totals.burned.units()) + u128::from(totals.audit_fund.units());
    assert_eq!(ledger.coin_sum() + outside, u128::from(totals.issued.units()));
    black_box((ledger.digest(), chain.headers_after(&chain.locator(), 10)));
    assert!(chain.missing_bodies(chain.tip(), 10).is_empty());
}
