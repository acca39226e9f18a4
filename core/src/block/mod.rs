//! Blocks: Bitcoin's 80-byte headers over an RFC 6962 root of transactions.

mod coinbase;
mod difficulty;
mod genesis;
mod header;
mod search;
mod target;
mod types;

pub use coinbase::{coinbase, records_root_of};
pub use difficulty::{Difficulty, asert, required_bits};
pub use genesis::genesis_block;
pub use header::BlockHeader;
pub use search::search;
pub use target::{CompactTarget, Target, TargetError, Work};
pub use types::{Block, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS};
