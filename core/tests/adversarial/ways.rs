//! One attack, played in every way in which it can reach a ledger.

use crate::support::*;
use camelid_core::block::Block;
use camelid_core::chain::Submission;
use camelid_core::keys::EcdsaVerifier;
use camelid_core::mempool::{Mempool, MempoolError};
use camelid_core::primitives::{Amount, Timestamp};
use camelid_core::tx::Transaction;
use std::sync::Arc;

pub fn assert_says(reason: &str, expected: &str) {
    assert!(reason.contains(expected), "{reason:?} does not say {expected:?}");
}

/// The next block on the workshop's tip, with any time and claim.
pub fn next_block(
    workshop: &Workshop,
    time: Timestamp,
    claimed: Amount,
    transactions: &[Transaction],
) -> Arc<Block> {
    mine(workshop.ledger(), time, claimed, transactions)
}

/// What a pool says of the second of two that cannot both be mined: it keeps the first, unless the
/// second pays for taking its place.
pub const CONFLICT: &[&str] = &["conflicts with", "does not replace"];

/// The first refusal when these transactions are offered to an empty pool one after the other.
pub fn pool_refusal(workshop: &Workshop, transactions: &[Transaction]) -> Option<MempoolError> {
    let mut pool = Mempool::default();
    let time = workshop.next_time();
    transactions.iter().find_map(|transaction| {
        let transaction = Arc::new(transaction.clone());
        pool.accept(transaction, workshop.ledger(), time, &EcdsaVerifier)
            .err()
    })
}

type Builder = dyn Fn(&Workshop) -> Arc<Block>;

/// A block that breaks a rule, on top of blocks that do not.
pub struct Attack {
    /// The transactions of the blocks before it.
    pub before: Vec<Vec<Transaction>>,
    /// Builds the block on the tip of a chain of those.
    pub block: Box<Builder>,
    /// What its refusal says.
    pub reason: &'static str,
    /// The same attack on a mempool, and what the pool's refusal says: one of these.
    pub pool: Option<(Vec<Transaction>, Vec<&'static str>)>,
}

impl Attack {
    /// By these transactions: mempool and ledger give the same reason.
    pub fn by(before: &[&[Transaction]], transactions: &[Transaction], reason: &'static str) -> Self {
        Self {
            pool: Some((transactions.to_vec(), vec![reason])),
            ..Self::by_block_of(before, transactions, reason)
        }
    }

    /// By these transactions, of which a mempool says something else than the ledger.
    pub fn by_with_pool_reasons(
        before: &[&[Transaction]],
        transactions: &[Transaction],
        reason: &'static str,
        pool_reasons: &[&'static str],
    ) -> Self {
        Self {
            pool: Some((transactions.to_vec(), pool_reasons.to_vec())),
            ..Self::by_block_of(before, transactions, reason)
        }
    }

    /// By a block of these transactions, each of which may wait in a mempool.
    pub fn by_block_of(
        before: &[&[Transaction]],
        transactions: &[Transaction],
        reason: &'static str,
    ) -> Self {
        let transactions = transactions.to_vec();
        let block = move |workshop: &Workshop| workshop.block(&transactions);
        Self::by_block(before, block, reason)
    }

    /// By any block.
    pub fn by_block(
        before: &[&[Transaction]],
        block: impl Fn(&Workshop) -> Arc<Block> + 'static,
        reason: &'static str,
    ) -> Self {
        Self {
            before: before.iter().map(|block| block.to_vec()).collect(),
            block: Box::new(block),
            reason,
            pool: None,
        }
    }

    /// Plays it as a block, through the mempool, and in the middle of a reorganisation.
    pub fn must_fail(&self) {
        self.must_fail_as_a_block();
        self.must_fail_in_the_pool();
        self.must_fail_in_a_reorganisation();
    }

    /// The chain after the blocks before, and those blocks.
    fn prepared(&self, claimed: u64) -> (Workshop, Vec<Arc<Block>>) {
        let mut workshop = Workshop::new(claimed);
        let mut blocks = Vec::new();
        // One block at least, so that there is something to take back.
        let nothing = Vec::new();
        for transactions in std::iter::once(&nothing).chain(&self.before) {
            let block = next_block(&workshop, workshop.next_time(), coins(claimed), transactions);
            match workshop.submit(&block).unwrap() {
                Submission::Moved(change) => assert_eq!(change.invalid, []),
                other => panic!("the tip did not move: {other:?}"),
            }
            blocks.push(block);
        }
        (workshop, blocks)
    }

    fn must_fail_as_a_block(&self) {
        let (mut workshop, _) = self.prepared(50);
        let attack = (self.block)(&workshop);
        assert_says(&workshop.refusal_of(&attack), self.reason);
        // The chain goes on, and the block stays refused.
        workshop.extend(&[]);
        assert_conserved(workshop.ledger());
    }

    fn must_fail_in_the_pool(&self) {
        let Some((transactions, reasons)) = &self.pool else {
            return;
        };
        let (workshop, _) = self.prepared(50);
        let refusal = pool_refusal(&workshop, transactions).expect("the pool refuses");
        let told = refusal.to_string();
        assert!(
            reasons.iter().any(|reason| told.contains(reason)),
            "{told:?} says none of {reasons:?}"
        );
    }

    /// The ledger stands on one branch and moves to another of the same transactions, whose next block
    /// is the attack: all that the attack rests on was undone and done again.
    fn must_fail_in_a_reorganisation(&self) {
        let (mut subject, _) = self.prepared(49);
        let (mut other, branch) = self.prepared(48);
        let attack = (self.block)(&other);
        let (tip, digest) = (subject.chain.tip(), subject.ledger().digest());
        for block in &branch {
            assert!(matches!(subject.submit(block), Ok(Submission::Stored)));
        }
        let reason = match subject.submit(&attack) {
            Err(refused) => refused.to_string(),
            Ok(Submission::Moved(change)) => {
                assert!(change.connected.is_empty() && change.disconnected.is_empty());
                let [(culprit, error)] = &change.invalid[..] else {
                    panic!("one block is invalid, not {:?}", change.invalid);
                };
                assert_eq!(*culprit, attack.header.hash());
                error.to_string()
            }
            Ok(other) => panic!("neither accepted nor refused: {other:?}"),
        };
        assert_says(&reason, self.reason);
        assert_eq!((subject.chain.tip(), subject.ledger().digest()), (tip, digest));
        // An honest block in its place wins, and leaves the ledger that it would have left anywhere.
        let honest = other.extend(&[]);
        subject.submit(&honest).unwrap();
        assert_eq!(subject.chain.tip(), other.chain.tip());
        assert_eq!(subject.ledger().digest(), other.ledger().digest());
        assert_conserved(subject.ledger());
    }
}

/// Transactions that look like an attack and are none: a block of them connects in every way.
pub fn must_pass(before: &[&[Transaction]], transactions: &[Transaction]) {
    let attack = Attack::by_block_of(before, transactions, "");
    let (mut subject, _) = attack.prepared(49);
    let (mut other, branch) = attack.prepared(48);
    let block = other.extend(transactions);
    for block in branch.iter().chain([&block]) {
        subject.submit(block).unwrap();
    }
    assert_eq!(subject.ledger().digest(), other.ledger().digest());
    assert_conserved(subject.ledger());
}
