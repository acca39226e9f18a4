//! What a node reads back of what it has made durable.

use super::ledger::{Coin, Delta, Totals};
use crate::block::{Block, BlockHeader};
use crate::committee::Ticket;
use crate::escrow::JobRecord;
use crate::keys::NodeId;
use crate::primitives::{Amount, BlockHash, Height, JobId, SetDigest};
use crate::tx::OutPoint;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use borsh::io::{Read, Write};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt::Debug;

/// The node's own records of blocks and flushes, in a form in which things are found in them. Between two
/// [flushes](Flush) the node holds everything that is new, so a store need not be quick to show it.
///
/// A store that cannot read must say nothing rather than guess: it returns `None`, and lets whoever drives the node
/// know, who then throws away what the node made of that.
pub trait Store: Debug + Send + Sync {
    /// Headers of all blocks, in the order in which the blocks came.
    fn headers(&self) -> Vec<BlockHeader>;

    /// The ledger at the last flush, but for what is looked up; `None` before the first.
    fn base(&self) -> Option<Base>;

    /// Coins that were the node's own up to the last flush; `None` before the first, and if that was a flush of a
    /// node with another key.
    fn own_coins(&self, owner: &NodeId) -> Option<Vec<(OutPoint, OwnCoin)>>;

    /// A block.
    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>>;

    /// What a block changes that was connected since the last flush.
    fn delta(&self, hash: &BlockHash) -> Option<Arc<Delta>>;

    /// What takes a block back that was connected once.
    fn undo(&self, hash: &BlockHash) -> Option<Arc<Delta>>;

    /// An output that was unspent at the last flush.
    fn coin(&self, outpoint: &OutPoint) -> Option<Coin>;

    /// A job that was closed at the last flush.
    fn job(&self, id: &JobId) -> Option<JobRecord>;

    /// Calls `visit` with each of these outputs.
    fn each_coin(&self, visit: &mut dyn FnMut(&OutPoint, &Coin));

    /// Calls `visit` with each of these jobs, by id.
    fn each_job(&self, visit: &mut dyn FnMut(&JobRecord));

    /// The node needs a block, or what takes it back, and the store, which was given it, does not show it.
    fn report_missing(&self, block: &BlockHash);
}

/// A store that a node shares with whoever fills it.
pub type SharedStore = Arc<dyn Store>;

/// A block that was checked to the last rule and connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The block.
    pub block: BlockHash,
    /// What it changes.
    pub delta: Arc<Delta>,
    /// What takes it back.
    pub undo: Arc<Delta>,
}

/// All that changed in the ledger since the last flush. Once it is durable, the node forgets what it contains, and the
/// blocks and deltas that were recorded before it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Flush {
    /// The first one: what was flushed before is void.
    pub anew: bool,
    /// The ledger, but for coins and closed jobs.
    pub base: Base,
    /// Outputs that were created, or (`None`) spent, by outpoint.
    pub coins: Vec<(OutPoint, Option<Coin>)>,
    /// Jobs that were closed, or (`None`) reopened, by id.
    pub jobs: Vec<(JobId, Option<JobRecord>)>,
    /// The node, whose key own coins are under.
    pub owner: NodeId,
    /// The node's own coins that were made or spent, by outpoint.
    pub own_coins: Vec<(OutPoint, OwnCoin)>,
}

/// What a node remembers of a coin that is or was its own, on the best chain or on a branch that lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OwnCoin {
    /// What it is or was worth.
    pub value: Amount,
    /// The block that made it.
    pub created: Height,
    /// The block that spent it, if one has.
    pub spent: Option<Height>,
}

/// The ledger after a block, but for coins and closed jobs, of which there may be more than fit into memory.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Base {
    /// The block.
    pub tip: BlockHash,
    /// Money outside of outputs.
    pub totals: Totals,
    /// Jobs that are not closed.
    pub unclosed: BTreeMap<JobId, JobRecord>,
    /// Verifiers' tickets.
    pub tickets: BTreeMap<OutPoint, Ticket>,
    /// Number of unspent outputs.
    pub coin_count: u64,
    /// Number of closed jobs.
    pub closed_count: u64,
    /// Fingerprint of the unspent outputs.
    pub coins_digest: SetDigest,
    /// Fingerprint of all jobs.
    pub jobs_digest: SetDigest,
    /// Fingerprint of the tickets.
    pub tickets_digest: SetDigest,
}

// The encoding knows nothing of `Arc`.
impl BorshSerialize for Connected {
    fn serialize<W: Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        (self.block, &*self.delta, &*self.undo).serialize(writer)
    }
}

impl BorshDeserialize for Connected {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let (block, delta, undo) = <(BlockHash, Delta, Delta)>::deserialize_reader(reader)?;
        Ok(Self {
            block,
            delta: Arc::new(delta),
            undo: Arc::new(undo),
        })
    }
}
