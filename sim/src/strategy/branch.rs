//! A branch of blocks that only its miner knows.

use super::Context;
use camelid_core::block::{Block, BlockHeader, coinbase, required_bits};
use camelid_core::chain::Delta;
use camelid_core::keys::NodeId;
use camelid_core::primitives::{BlockHash, BoundedVec, Hash256, Height};
use camelid_core::process::{Output, Outputs};
use camelid_core::script::key_hash_script;
use camelid_core::tx::{Transaction, TxOut};
use camelid_core::wire::Message;

/// Blocks above a fork with the public chain. Their transactions are the coinbase, and in the first
/// of them the payments that the branch is made for: they change no job.
pub(super) struct SecretBranch {
    parent: BlockHeader,
    height: Height,
    first: Vec<Transaction>,
    blocks: Vec<Block>,
    template: Option<Block>,
}

impl SecretBranch {
    /// A branch that begins above `parent`, a known block, with `first`. They pay no fee that is claimed.
    pub(super) fn new(context: &Context<'_>, parent: &BlockHash, first: Vec<Transaction>) -> Option<Self> {
        let headers = context.node.chain().headers();
        Some(Self {
            parent: *headers.header(parent)?,
            height: headers.height(parent)?,
            first,
            blocks: Vec::new(),
            template: None,
        })
    }

    /// Height of its last block.
    pub(super) fn height(&self) -> Height {
        self.height
    }

    /// Its last block; the fork while it is empty.
    pub(super) fn tip(&self) -> BlockHash {
        self.parent.hash()
    }

    /// Works on the next block.
    pub(super) fn mine(&mut self, context: &Context<'_>, out: &mut Outputs) {
        self.template = self.next_block(context);
        if let Some(block) = &self.template {
            out.push(Output::Mine {
                template: block.header,
            });
        }
    }

    fn next_block(&self, context: &Context<'_>) -> Option<Block> {
        let params = context.node.chain().params();
        let height = self.height.plus(1);
        let script = key_hash_script(&context.key.node_id().0);
        let reward = TxOut::to_script(params.subsidy_at(height), script);
        let first = self.first.iter().filter(|_| self.blocks.is_empty()).cloned();
        let transactions = [coinbase(
            height,
            0,
            &Delta::default().records_root(),
            vec![reward],
        )?]
        .into_iter()
        .chain(first);
        let mut block = Block {
            header: BlockHeader {
                version: 1,
                previous: self.tip(),
                merkle_root: Hash256([0; 32]),
                time: context.now.timestamp(),
                bits: required_bits(params, &self.parent, self.height),
                nonce: 0,
            },
            transactions: BoundedVec::from_vec(transactions.collect())?,
        };
        block.header.merkle_root = block.merkle_root();
        Some(block)
    }

    /// Takes a solved header in, if it is for the block that was worked on.
    pub(super) fn extend(&mut self, header: &BlockHeader) -> bool {
        let fits = |block: &Block| {
            block.header.previous == header.previous && block.header.merkle_root == header.merkle_root
        };
        let Some(block) = self.template.take_if(|block| fits(block)) else {
            return false;
        };
        self.blocks.push(Block {
            header: *header,
            ..block
        });
        self.parent = *header;
        self.height = self.height.plus(1);
        true
    }

    /// Shows all of it to all peers.
    pub(super) fn announce(&self, context: &mut Context<'_>, out: &mut Outputs) {
        let headers = self.blocks.iter().map(|block| block.header).collect();
        if let Some(headers) = BoundedVec::from_vec(headers) {
            for peer in context.node.peers() {
                context.send(*peer, &Message::Headers(headers.clone()), out);
            }
        }
    }

    /// Sends those of its blocks that a peer's message asks for, whole.
    pub(super) fn answer(&self, context: &mut Context<'_>, to: NodeId, message: &Message, out: &mut Outputs) {
        let is_wanted = |hash: &BlockHash| match message {
            Message::GetBlocks(hashes) => hashes.contains(hash),
            Message::GetCompactBlock { block, .. } => block == hash,
            _ => false,
        };
        for block in &self.blocks {
            if is_wanted(&block.header.hash()) {
                context.send(to, &Message::Block(Box::new(block.clone())), out);
            }
        }
    }
}
