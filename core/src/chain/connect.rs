//! Connecting one block to the ledger.

use super::ledger::{Coin, Created, Delta, Ledger};
use super::transaction::{TransactionError, apply_transaction};
use super::view::View;
use crate::block::{Block, records_root_of};
use crate::escrow::Moment;
use crate::keys::{Verifier, in_batch};
use crate::params::Params;
use crate::primitives::{Amount, Hash256, Timestamp};
use crate::tx::{Lock, OutPoint, Transaction};
use core::borrow::Borrow;

/// Why a block is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The body is not the one the header commits to. Says nothing about the header.
    #[error("the transactions are not those the header commits to")]
    MerkleRoot,
    /// The block is larger than the network allows.
    #[error("block of {size} bytes, at most {limit} are allowed")]
    Size {
        /// Its bytes.
        size: usize,
        /// Bytes allowed.
        limit: u32,
    },
    /// Too many signature operations, those of spent scripts included.
    #[error("{count} signature operations, at most {limit} are allowed")]
    SignatureOperations {
        /// Its signature operations.
        count: u32,
        /// Signature operations allowed.
        limit: u32,
    },
    /// The first transaction is no coinbase, or a wrong one.
    #[error("the coinbase {0}")]
    Coinbase(&'static str),
    /// A transaction is invalid.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Its position.
        index: usize,
        /// Why.
        error: TransactionError,
    },
    /// The totals overflow.
    #[error("the ledger's totals overflow")]
    Overflow,
}

/// Checks what needs no ledger: the Merkle root, the size, the number of signature operations in the
/// block itself, and that the coinbase comes first.
///
/// # Errors
/// The first rule that is broken.
pub fn check_block(block: &Block, params: &Params) -> Result<(), BlockError> {
    if block.merkle_root() != block.header.merkle_root {
        return Err(BlockError::MerkleRoot);
    }
    let (size, limit) = (block.size(), params.max_block_bytes);
    if size > limit as usize {
        return Err(BlockError::Size { size, limit });
    }
    let operations = block.transactions.iter().map(Transaction::signature_operations);
    check_signature_operations(operations.fold(0, u32::saturating_add), params)?;
    match block.transactions.first() {
        Some(first) if first.is_coinbase() => Ok(()),
        _ => Err(BlockError::Coinbase("is missing")),
    }
}

fn check_signature_operations(count: u32, params: &Params) -> Result<(), BlockError> {
    let limit = params.max_block_signature_operations;
    if count > limit {
        return Err(BlockError::SignatureOperations { count, limit });
    }
    Ok(())
}

/// Applies a block that extends the ledger's tip and returns its changes, for the ledger to take.
/// The caller has checked the header and [`check_block`]. The verifier gets all signatures at once.
///
/// # Errors
/// The first rule that is broken; the ledger is untouched either way.
pub fn connect_block(ledger: &Ledger, block: &Block, verifier: &dyn Verifier) -> Result<Delta, BlockError> {
    let Some((coinbase, transactions)) = block.transactions.split_first() else {
        return Err(BlockError::Coinbase("is missing"));
    };
    AppliedBody::new(ledger, block.header.time, transactions, verifier)?.connect(coinbase)
}

/// The transactions of the next block but its coinbase, applied: from here on it is known what the
/// coinbase may claim and what it has to commit to.
#[derive(Debug)]
pub struct AppliedBody<'a> {
    view: View<'a>,
    moment: Moment,
    fees: Amount,
    signature_operations: u32,
}

impl<'a> AppliedBody<'a> {
    /// Applies the transactions that come after the coinbase in a block with header time `time` on
    /// `ledger`. Their signatures are checked in one batch.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn new<T: Borrow<Transaction>>(
        ledger: &'a Ledger,
        time: Timestamp,
        transactions: &[T],
        verifier: &dyn Verifier,
    ) -> Result<Self, BlockError> {
        in_batch(verifier, |verifier| {
            Self::apply(ledger, time, transactions, verifier)
        })
    }

    fn apply<T: Borrow<Transaction>>(
        ledger: &'a Ledger,
        time: Timestamp,
        transactions: &[T],
        verifier: &dyn Verifier,
    ) -> Result<Self, BlockError> {
        let moment = ledger.next_moment(time);
        let mut view = View::new(ledger);
        let (mut fees, mut signature_operations) = (Amount::ZERO, 0u32);
        for (index, transaction) in (1..).zip(transactions) {
            let transaction = transaction.borrow();
            // Before the checks that it limits.
            signature_operations =
                signature_operations.saturating_add(view.signature_operations(transaction));
            check_signature_operations(signature_operations, ledger.params())?;
            let fee = apply_transaction(&mut view, transaction, moment, verifier)
                .map_err(|error| BlockError::Transaction { index, error })?;
            fees = fees.checked_add(fee).ok_or(BlockError::Overflow)?;
        }
        Ok(Self {
            view,
            moment,
            fees,
            signature_operations,
        })
    }

    /// Subsidy and fees: the most that the coinbase may claim.
    ///
    /// # Errors
    /// [`BlockError::Overflow`].
    pub fn reward(&self) -> Result<Amount, BlockError> {
        self.subsidy().checked_add(self.fees).ok_or(BlockError::Overflow)
    }

    /// What the coinbase has to commit to.
    pub fn records_root(&self) -> Hash256 {
        self.view.delta().records_root()
    }

    /// Applies the coinbase, which takes effect last, and returns all changes.
    ///
    /// # Errors
    /// The first rule that the coinbase breaks.
    pub fn connect(self, coinbase: &Transaction) -> Result<Delta, BlockError> {
        if records_root_of(coinbase) != Some(self.records_root()) {
            return Err(BlockError::Coinbase(
                "does not commit to what the block makes of jobs",
            ));
        }
        let operations = self
            .signature_operations
            .saturating_add(coinbase.signature_operations());
        check_signature_operations(operations, self.view.ledger().params())?;
        let (available, subsidy) = (self.reward()?, self.subsidy());
        let maturity = self.view.ledger().params().maturity;
        let mut view = self.view;
        let claimed = create_coinbase(&mut view, coinbase, self.moment, maturity)?;
        let unclaimed = available
            .checked_sub(claimed)
            .ok_or(BlockError::Coinbase("claims too much"))?;
        issue(&mut view, subsidy, unclaimed)?;
        Ok(view.into_delta())
    }

    fn subsidy(&self) -> Amount {
        self.view.ledger().params().subsidy_at(self.moment.height)
    }
}

/// The changes of the genesis block: its allocations are all that is issued.
pub(super) fn connect_genesis(ledger: &Ledger, block: &Block) -> Result<Delta, BlockError> {
    let moment = ledger.next_moment(block.header.time);
    let mut view = View::new(ledger);
    let coinbase = block
        .transactions
        .first()
        .ok_or(BlockError::Coinbase("is missing"))?;
    let allocated = create_coinbase(&mut view, coinbase, moment, 0)?;
    issue(&mut view, allocated, Amount::ZERO)?;
    Ok(view.into_delta())
}

/// Creates the coinbase's outputs and returns their sum. It comes last, so that no transaction of
/// its own block can spend it.
fn create_coinbase(
    view: &mut View<'_>,
    coinbase: &Transaction,
    moment: Moment,
    maturity: u32,
) -> Result<Amount, BlockError> {
    if coinbase.lock_time != moment.height.0 {
        return Err(BlockError::Coinbase("does not carry its height as lock time"));
    }
    if coinbase.version != 1 || coinbase.action.is_some() || coinbase.job_id.is_some() {
        return Err(BlockError::Coinbase("carries an action"));
    }
    if coinbase
        .outputs
        .iter()
        .any(|output| !matches!(output.lock, Lock::Script(_)))
    {
        return Err(BlockError::Coinbase("creates a native output"));
    }
    let txid = coinbase.txid();
    for (index, output) in (0..).zip(coinbase.outputs.iter()) {
        let coin = Coin {
            output: output.clone(),
            created: Created::at(moment),
            spendable_from: moment.height.plus(maturity),
        };
        view.set_coin(OutPoint { txid, index }, Some(coin));
    }
    let sum = Amount::checked_sum(coinbase.outputs.iter().map(|output| output.value));
    sum.ok_or(BlockError::Coinbase("overflows"))
}

fn issue(view: &mut View<'_>, issued: Amount, burned: Amount) -> Result<(), BlockError> {
    let totals = view.totals_mut();
    totals.issued = totals.issued.checked_add(issued).ok_or(BlockError::Overflow)?;
    totals.burned = totals.burned.checked_add(burned).ok_or(BlockError::Overflow)?;
    Ok(())
}
