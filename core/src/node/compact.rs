//! New blocks without the transactions that are here already.

use super::base::Base;
use crate::keys::NodeId;
use crate::peers::{Offence, Refusal};
use crate::primitives::{BlockHash, BoundedVec, Time};
use crate::process::Outputs;
use crate::tx::Transaction;
use crate::wire::{CompactBlock, Message, PartialBlock, Place};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Base {
    /// Asks for a block in the way that costs least: true if that is its compact form. It is where the
    /// block comes next and its transactions have likely been heard of.
    pub(super) fn ask_compactly(
        &mut self,
        now: Time,
        peer: NodeId,
        block: BlockHash,
        out: &mut Outputs,
    ) -> bool {
        let header = self.chain.headers().header(&block);
        let comes_next = header.is_some_and(|header| header.previous == self.chain.tip());
        if !comes_next || self.mempool.is_empty() {
            return false;
        }
        let salt = self.stream.next_u64();
        if !self.downloads.expect_compact(&block, salt) {
            return false;
        }
        self.expect_from(now, peer, Message::COMPACT_BLOCK, 1);
        self.send(peer, &Message::GetCompactBlock { block, salt }, out);
        true
    }

    pub(super) fn reply_compact_block(
        &mut self,
        to: NodeId,
        block: &BlockHash,
        salt: u64,
        out: &mut Outputs,
    ) {
        let block = self.chain.block(block);
        if let Some(compact) = block.and_then(|block| CompactBlock::new(&block, salt)) {
            self.send(to, &Message::CompactBlock(Box::new(compact)), out);
        }
    }

    /// Fills in what is here, and asks for the rest.
    pub(super) fn handle_compact_block(
        &mut self,
        now: Time,
        from: NodeId,
        compact: CompactBlock,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let block = compact.header.hash();
        let Some(salt) = self.downloads.take_salt(&block, &from) else {
            return Ok(());
        };
        let known = self.mempool.transactions().map(|(transaction, _)| transaction);
        let partial = PartialBlock::new(compact, salt, self.mempool.wtxids().zip(known));
        let places = partial.missing();
        if places.is_empty() {
            return self.complete_block(now, from, block, partial, Vec::new(), out);
        }
        self.downloads.keep_partial(&block, partial);
        self.expect_from(now, from, Message::BLOCK_TRANSACTIONS, 1);
        self.send(from, &Message::GetBlockTransactions { block, places }, out);
        Ok(())
    }

    /// # Errors
    /// A request that no honest node makes.
    pub(super) fn reply_block_transactions(
        &mut self,
        to: NodeId,
        block: BlockHash,
        places: &[Place],
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let Some(body) = self.chain.block(&block) else {
            return Ok(());
        };
        let ascending = places.is_sorted_by(|a, b| a < b);
        let wanted = places
            .iter()
            .map(|place| body.transactions.get(usize::from(*place)).cloned());
        let wanted = ascending.then(|| wanted.collect::<Option<Vec<_>>>()).flatten();
        let Some(transactions) = wanted.and_then(BoundedVec::from_vec) else {
            let reason = "a request for transactions that a block does not have";
            return Err(Refusal::new(Offence::Malformed, reason));
        };
        self.send(to, &Message::BlockTransactions { block, transactions }, out);
        Ok(())
    }

    pub(super) fn handle_block_transactions(
        &mut self,
        now: Time,
        from: NodeId,
        block: BlockHash,
        transactions: Vec<Transaction>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        match self.downloads.take_partial(&block, &from) {
            Some(partial) => self.complete_block(now, from, block, partial, transactions, out),
            None => Ok(()),
        }
    }

    /// Takes a block in of which everything has come. If that is not it, two transactions have the same id, or
    /// the peer has sent others than it was asked for: the whole block will show.
    fn complete_block(
        &mut self,
        now: Time,
        from: NodeId,
        block: BlockHash,
        partial: PartialBlock,
        rest: Vec<Transaction>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        match partial.complete(rest) {
            Some(block) => self.handle_block(now, from, Arc::new(block), out),
            None => {
                self.ask_whole(now, from, Vec::from([block]), out);
                Ok(())
            }
        }
    }
}
