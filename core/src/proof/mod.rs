//! Proofs for whoever has the headers and not the blocks (`docs/src/proofs.md`).
//!
//! A full node makes them from its [`Chain`](crate::chain::Chain); a light client takes headers into a
//! [`HeaderTree`] and checks them against that. They are worth what the work above their block is worth,
//! so a client asks for [`Included::confirmations`].

mod job;
mod transaction;

pub use job::JobProof;
pub use transaction::TransactionProof;

use crate::block::BlockHeader;
use crate::chain::HeaderTree;
use crate::primitives::{BlockHash, Height};

/// Largest encoding of a proof, in bytes: a transaction may be as large as a block, and the branches
/// come beside it.
pub const MAX_PROOF_BYTES: usize = 1_100_000;

/// Where in the best chain the block of a proof stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Included {
    /// Height of the block.
    pub height: Height,
    /// Blocks of the best chain from this one on: 1 for its last.
    pub confirmations: u32,
}

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No header has this hash. It may not have arrived yet.
    #[error("no known header has the hash {0}")]
    UnknownBlock(BlockHash),
    /// The header is on a branch that is not the best one, now.
    #[error("block {0} is not on the best chain")]
    NotOnBestChain(BlockHash),
    /// The transaction is not one of those that the header commits to.
    #[error("the header does not commit to the transaction")]
    Transaction,
    /// The transaction that is to carry the records root is not the block's first, or no coinbase of
    /// the one form.
    #[error("not the coinbase of the block")]
    Coinbase,
    /// The job did not stand so after the block.
    #[error("the coinbase does not commit to what is said of the job")]
    Status,
}

/// The header with this hash, and where it stands in the best chain. Walks down from the best header.
fn find(headers: &HeaderTree, block: &BlockHash) -> Result<(BlockHeader, Included), ProofError> {
    let (header, height) = headers
        .header(block)
        .zip(headers.height(block))
        .ok_or(ProofError::UnknownBlock(*block))?;
    let elsewhere = ProofError::NotOnBestChain(*block);
    let mut above = headers.best();
    let best_height = headers.height(&above).ok_or(elsewhere)?;
    let depth = best_height.0.checked_sub(height.0).ok_or(elsewhere)?;
    for _ in 0..depth {
        above = headers.header(&above).ok_or(elsewhere)?.previous;
    }
    if above != *block {
        return Err(elsewhere);
    }
    let confirmations = depth.saturating_add(1);
    Ok((
        *header,
        Included {
            height,
            confirmations,
        },
    ))
}
