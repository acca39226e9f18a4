//! What enters the pool, and why something does not.

use super::fee::FeeRate;
use super::graph::Entry;
use crate::block::MAX_BLOCK_TRANSACTIONS;
use crate::chain::TransactionError;
use crate::job::TermsError;
use crate::params::Params;
use crate::primitives::{Amount, Txid, encode};
use crate::script::is_standard;
use crate::tx::{ActionKind, Lock, Transaction, TxOut};

/// Largest transaction that is relayed, in bytes.
pub const MAX_RELAYED_BYTES: usize = 100_000;
/// Bytes of a block kept free for header and coinbase.
const RESERVED_BYTES: usize = 1_000;
/// Signature operations of a block kept free for the coinbase.
const RESERVED_SIGNATURE_OPERATIONS: u32 = 16;
/// Bytes of the input that spends an output to a key hash.
const SPENDING_INPUT_BYTES: usize = 143;
/// An output is dust when it is worth less than this many times the fee for making and spending it.
const DUST_FACTOR: u64 = 3;

/// Sizes and prices of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Most bytes of transactions that wait at a time.
    pub max_bytes: usize,
    /// Most transactions in a chain: one with all that it depends on, or with all that depend on it.
    pub max_chain: usize,
    /// Most bytes of the same.
    pub max_chain_bytes: usize,
    /// Most transactions that one may replace, with all that depend on them.
    pub max_replaced: usize,
    /// Least fee rate.
    pub min_rate: FeeRate,
    /// What a replacement pays for its own size, beyond the fees of what it replaces; also the step
    /// by which a full pool raises its floor.
    pub increment: FeeRate,
    /// How long a transaction waits, in seconds of header time.
    pub expiry_s: u32,
}

impl Default for Policy {
    /// What every node here does.
    fn default() -> Self {
        Self {
            max_bytes: 20_000_000,
            max_chain: 25,
            max_chain_bytes: 101_000,
            max_replaced: 100,
            min_rate: FeeRate::per_byte(1),
            increment: FeeRate::per_byte(1),
            expiry_s: 14 * 24 * 3_600,
        }
    }
}

/// Why a transaction does not enter the pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MempoolError {
    /// It is here already.
    #[error("already known")]
    Known,
    /// It conflicts with one that cannot be replaced.
    #[error("conflicts with {0}")]
    Conflict(Txid),
    /// It conflicts with one that pays as well.
    #[error("conflicts with {replaced}, and a fee of {fee} does not replace it: {required} is required")]
    Replacement {
        /// The transaction that it conflicts with.
        replaced: Txid,
        /// The fee offered.
        fee: Amount,
        /// The least fee.
        required: Amount,
    },
    /// Too many transactions would have to go for it.
    #[error("replaces {count} transactions, at most {limit} are allowed")]
    TooManyReplaced {
        /// How many would go.
        count: usize,
        /// How many may.
        limit: usize,
    },
    /// It, or one that it depends on, would be part of too long a chain.
    #[error("a chain of more than {limit} unmined transactions or {bytes} bytes")]
    Chain {
        /// Transactions allowed.
        limit: usize,
        /// Bytes allowed.
        bytes: usize,
    },
    /// The pool is full of transactions that pay better.
    #[error("the mempool is full")]
    Full,
    /// It pays too little.
    #[error("fee {fee}, at least {required} is required")]
    Fee {
        /// The fee offered.
        fee: Amount,
        /// The least fee.
        required: Amount,
    },
    /// An output's script is none of the standard forms.
    #[error("output {0} is not standard")]
    NotStandard(u32),
    /// An output costs more to spend than it is worth.
    #[error("output {index} is dust: less than {least}")]
    Dust {
        /// Which output.
        index: u32,
        /// The least value.
        least: Amount,
    },
    /// It is larger than what is relayed, or has more signature operations than a block has room for.
    #[error("too large to be relayed")]
    TooLarge,
    /// A step of a job that must be relayed without inputs and outputs has some.
    #[error("this step must have no inputs and no outputs")]
    NotBare,
    /// It becomes valid by waiting alone. Nobody is to blame for it; it may come again.
    #[error("not yet: {0}")]
    NotYet(TransactionError),
    /// It is invalid.
    #[error(transparent)]
    Invalid(TransactionError),
}

impl From<TransactionError> for MempoolError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Locked(_)
            | TransactionError::RelativelyLocked(_)
            | TransactionError::Immature { .. }
            | TransactionError::Terms(TermsError::TooYoung { .. }) => Self::NotYet(error),
            error => Self::Invalid(error),
        }
    }
}

/// What a block has room for beside header and coinbase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) bytes: usize,
    signature_operations: u32,
    transactions: usize,
}

impl Room {
    pub(super) fn of(params: &Params) -> Self {
        let operations = params.max_block_signature_operations;
        Self {
            bytes: (params.max_block_bytes as usize).saturating_sub(RESERVED_BYTES),
            signature_operations: operations.saturating_sub(RESERVED_SIGNATURE_OPERATIONS),
            transactions: MAX_BLOCK_TRANSACTIONS - 1,
        }
    }

    /// What is left with these in it, or `None` if they do not fit.
    pub(super) fn without<'a>(mut self, entries: impl Iterator<Item = &'a Entry>) -> Option<Self> {
        for entry in entries {
            self.bytes = self.bytes.checked_sub(entry.size)?;
            self.signature_operations = self.signature_operations.checked_sub(entry.operations)?;
            self.transactions = self.transactions.checked_sub(1)?;
        }
        Some(self)
    }
}

impl Policy {
    /// What can be seen of a transaction of `size` bytes alone.
    pub(super) fn check(
        &self,
        transaction: &Transaction,
        size: usize,
        params: &Params,
    ) -> Result<(), MempoolError> {
        if size > Room::of(params).bytes.min(MAX_RELAYED_BYTES) {
            return Err(MempoolError::TooLarge);
        }
        if is_bare_step(transaction) && !(transaction.inputs.is_empty() && transaction.outputs.is_empty()) {
            return Err(MempoolError::NotBare);
        }
        for (index, output) in (0..).zip(transaction.outputs.iter()) {
            self.check_output(index, output)?;
        }
        Ok(())
    }

    fn check_output(&self, index: u32, output: &TxOut) -> Result<(), MempoolError> {
        let Lock::Script(script) = &output.lock else {
            return Ok(());
        };
        if !is_standard(script) {
            return Err(MempoolError::NotStandard(index));
        }
        let least = self.least_output(output);
        if output.value < least {
            return Err(MempoolError::Dust { index, least });
        }
        Ok(())
    }

    /// The least value of an output like this one that is worth spending.
    pub fn least_output(&self, output: &TxOut) -> Amount {
        let fee = self.min_rate.fee(encode(output).len() + SPENDING_INPUT_BYTES);
        fee.checked_mul(DUST_FACTOR).unwrap_or(Amount::MAX)
    }
}

/// True for the steps that are relayed bare.
pub(super) fn is_bare_step(transaction: &Transaction) -> bool {
    let action = transaction.action.as_ref();
    action.is_some_and(|action| action.kind.is_bare())
}

/// True for the steps that pay no fee.
pub(super) fn is_free(transaction: &Transaction) -> bool {
    let action = transaction.action.as_ref();
    is_bare_step(transaction) && !action.is_some_and(|action| matches!(action.kind, ActionKind::Deliver(_)))
}
