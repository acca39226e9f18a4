//! Chains of real headers and blocks, on any network and with any dates.

use super::support::*;
use camelid_core::block::{Block, BlockHeader, CompactTarget, Difficulty, genesis_block, required_bits};
use camelid_core::params::Params;
use camelid_core::primitives::{BoundedVec, Hash256, Height, Timestamp};
use camelid_core::tx::Transaction;
use std::sync::Arc;

/// The simulator's network with difficulty: blocks take `first_bits` at first, and at least two hashes.
pub fn asert_network(first_bits: u32, half_life_s: u32) -> Arc<Params> {
    Arc::new(Params {
        genesis_bits: CompactTarget(first_bits),
        difficulty: Difficulty::Asert {
            half_life_s,
            limit: CompactTarget(0x207f_ffff),
        },
        ..(*network()).clone()
    })
}

/// A chain under construction.
#[derive(Clone)]
pub struct Forge {
    pub params: Arc<Params>,
    pub tip: BlockHeader,
    pub height: Height,
    /// Tells its blocks apart from those of others.
    pub miner: u8,
    /// Seconds that it is behind schedule.
    pub late_s: u32,
}

impl Forge {
    pub fn new(params: &Arc<Params>, miner: u8) -> Self {
        Self {
            params: params.clone(),
            tip: genesis_block(params).header,
            height: Height(0),
            miner,
            late_s: 0,
        }
    }

    /// Seconds after the genesis block as a date.
    pub fn date(&self, seconds: u32) -> Timestamp {
        Timestamp(self.params.genesis_time.0 + seconds)
    }

    /// The next header, `seconds` after the genesis block, over a body that nobody has.
    pub fn header(&mut self, seconds: u32) -> BlockHeader {
        let merkle_root = Hash256([self.miner; 32]);
        let header = self.solved(self.date(seconds), merkle_root);
        self.push(header)
    }

    /// So many headers, one for each spacing.
    pub fn headers(&mut self, count: u32) -> Vec<BlockHeader> {
        let next = |_| self.header(self.next_date());
        (0..count).map(next).collect()
    }

    /// The next block, `seconds` after the genesis block.
    pub fn block(&mut self, seconds: u32, transactions: &[Transaction]) -> Arc<Block> {
        let height = self.height.plus(1);
        let reward = vec![pay_to(self.miner, coins(50))];
        let reward = idle_coinbase(height, 0, reward);
        let transactions = [reward].into_iter().chain(transactions.iter().cloned());
        let mut block = Block {
            header: self.tip,
            transactions: BoundedVec::from_vec(transactions.collect()).unwrap(),
        };
        block.header = self.solved(self.date(seconds), block.merkle_root());
        self.push(block.header);
        Arc::new(block)
    }

    /// So many blocks, one for each spacing.
    pub fn blocks(&mut self, count: u32) -> Vec<Arc<Block>> {
        let next = |_| self.block(self.next_date(), &[]);
        (0..count).map(next).collect()
    }

    /// When the next block is due, in seconds after the genesis block.
    pub fn next_date(&self) -> u32 {
        (self.height.0 + 1) * self.params.spacing_s + self.late_s
    }

    /// The next header, with its proof of work.
    pub fn solved(&self, time: Timestamp, merkle_root: Hash256) -> BlockHeader {
        let mut header = BlockHeader {
            version: 1,
            previous: self.tip.hash(),
            merkle_root,
            time,
            bits: required_bits(&self.params, &self.tip, self.height),
            nonce: 0,
        };
        solve(&mut header);
        header
    }

    fn push(&mut self, header: BlockHeader) -> BlockHeader {
        self.tip = header;
        self.height = self.height.plus(1);
        header
    }
}
