//! A block told to somebody who has most of its transactions already: ids instead of them (after BIP 152).
//!
//! Who asks for it draws the salt of the ids, so nobody can make transactions whose ids are alike at a node.

use crate::block::{Block, BlockHeader, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS};
use crate::primitives::{BlockHash, BoundedVec, Wtxid, encode, tagged_hash};
use crate::tx::Transaction;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// The place of a transaction in a block, from 0.
pub type Place = u16;
/// Places of transactions in a block.
pub type Places = BoundedVec<Place, MAX_BLOCK_TRANSACTIONS>;

/// A transaction's id in one compact block. Among 10,000 transactions a wrong one has the id of one of a
/// block's 1,000 once in thirty million blocks; then the block's Merkle root tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct ShortId(pub [u8; 6]);

impl ShortId {
    /// The id of `transaction` in `block`, for who asked with `salt`.
    pub fn new(block: &BlockHash, salt: u64, transaction: &Wtxid) -> Self {
        let hash = tagged_hash("camelid/short-id", &(block, salt, transaction));
        let [a, b, c, d, e, f, ..] = hash.0;
        Self([a, b, c, d, e, f])
    }
}

/// A block with ids in place of its transactions, but for the coinbase.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CompactBlock {
    /// The block's header.
    pub header: BlockHeader,
    /// Its first transaction, which nobody can have.
    pub coinbase: Transaction,
    /// The others, in order.
    pub ids: BoundedVec<ShortId, MAX_BLOCK_TRANSACTIONS>,
}

impl CompactBlock {
    /// What a block comes to for who asked with `salt`; `None` for one without a coinbase.
    pub fn new(block: &Block, salt: u64) -> Option<Self> {
        let hash = block.header.hash();
        let (coinbase, others) = block.transactions.split_first()?;
        let ids = others
            .iter()
            .map(|transaction| ShortId::new(&hash, salt, &transaction.wtxid()));
        Some(Self {
            header: block.header,
            coinbase: coinbase.clone(),
            ids: BoundedVec::from_vec(ids.collect())?,
        })
    }
}

/// A block some of whose transactions are here.
#[derive(Clone, Debug)]
pub struct PartialBlock {
    header: BlockHeader,
    transactions: Vec<Option<Arc<Transaction>>>,
}

impl PartialBlock {
    /// As much of a compact block, asked for with `salt`, as can be made of `known` transactions: each fills one
    /// place, and all together are no more than a block holds. Two of them with the same id are of no use.
    pub fn new<'a>(
        compact: CompactBlock,
        salt: u64,
        known: impl Iterator<Item = (Wtxid, &'a Arc<Transaction>)>,
    ) -> Self {
        let hash = compact.header.hash();
        let mut found = BTreeMap::new();
        for (wtxid, transaction) in known {
            found
                .entry(ShortId::new(&hash, salt, &wtxid))
                .and_modify(|unique| *unique = None)
                .or_insert(Some(transaction));
        }
        let mut bytes = 0;
        let others = compact.ids.iter().map(|id| {
            let transaction = found.remove(id).flatten()?;
            bytes += encode(&**transaction).len();
            (bytes <= MAX_BLOCK_BYTES).then(|| transaction.clone())
        });
        Self {
            header: compact.header,
            transactions: [Some(Arc::new(compact.coinbase))]
                .into_iter()
                .chain(others)
                .collect(),
        }
    }

    /// Places of the transactions that are not here.
    pub fn missing(&self) -> Places {
        let places = (0..).zip(&self.transactions);
        let missing = places.filter_map(|(place, transaction)| transaction.is_none().then_some(place));
        BoundedVec::from_vec(missing.collect()).unwrap_or_default()
    }

    /// The whole block, with `rest` in the places that are missing, in order; `None` if that is not it.
    pub fn complete(self, rest: Vec<Transaction>) -> Option<Block> {
        let mut rest = rest.into_iter();
        let transactions = self
            .transactions
            .into_iter()
            .map(|transaction| match transaction {
                Some(transaction) => Some(Arc::unwrap_or_clone(transaction)),
                None => rest.next(),
            });
        let block = Block {
            header: self.header,
            transactions: BoundedVec::from_vec(transactions.collect::<Option<_>>()?)?,
        };
        let whole = rest.next().is_none() && block.merkle_root() == self.header.merkle_root;
        whole.then_some(block)
    }
}
