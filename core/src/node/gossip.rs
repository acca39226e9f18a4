//! Headers and transactions between peers: headers first, transactions on request.

use super::base::Base;
use super::header_sync::HeaderStep;
use crate::block::BlockHeader;
use crate::chain::HeaderError;
use crate::keys::NodeId;
use crate::mempool::MempoolError;
use crate::peers::{Offence, Refusal};
use crate::primitives::{BlockHash, BoundedVec, Time, Wtxid};
use crate::process::Outputs;
use crate::wire::{MAX_HEADERS, MAX_INVENTORY, MAX_LOCATOR, Message};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Bytes of blocks or transactions that one request is answered with, at most one message more.
const REPLY_BUDGET_BYTES: usize = 4_000_000;

/// What an answer of several messages has taken so far.
#[derive(Default)]
pub(super) struct ReplyBudget(usize);

impl ReplyBudget {
    pub(super) fn spend(&mut self, bytes: usize) {
        self.0 += bytes;
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0 > REPLY_BUDGET_BYTES
    }
}

impl Base {
    /// Handles what only concerns two neighbours.
    pub(super) fn handle_gossip(
        &mut self,
        now: Time,
        from: NodeId,
        message: Message,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        self.ask_elsewhere(now, out);
        match message {
            Message::GetHeaders(locator) => self.reply_headers(from, &locator, out),
            Message::Headers(headers) => return self.handle_headers(now, from, &headers, out),
            Message::GetBlocks(hashes) => self.reply_blocks(from, &hashes, out),
            Message::Block(block) => return self.handle_block(now, from, Arc::from(block), out),
            Message::GetCompactBlock { block, salt } => self.reply_compact_block(from, &block, salt, out),
            Message::CompactBlock(compact) => return self.handle_compact_block(now, from, *compact, out),
            Message::GetBlockTransactions { block, places } => {
                return self.reply_block_transactions(from, block, &places, out);
            }
            Message::BlockTransactions { block, transactions } => {
                return self.handle_block_transactions(now, from, block, transactions.into_vec(), out);
            }
            Message::Inventory(wtxids) => self.handle_inventory(now, from, &wtxids, out),
            Message::GetTransactions(wtxids) => self.reply_transactions(from, &wtxids, out),
            Message::Transaction(transaction) => {
                return match self.accept_transaction(now, Arc::from(transaction), Some(from), out) {
                    // Its sender's clock or tip may be a little ahead.
                    Ok(()) | Err(MempoolError::Known | MempoolError::NotYet(_)) => Ok(()),
                    Err(error) => Err(error.into()),
                };
            }
            Message::GetAddresses => self.reply_addresses(now, from, out),
            Message::Addresses(addresses) => self.handle_addresses(now, from, &addresses, out),
            // The roles' messages were handled before.
            _ => {}
        }
        Ok(())
    }

    /// Asks a random peer for headers beyond the tip.
    pub(super) fn sync(&mut self, out: &mut Outputs) {
        let Some(peer) = self.stream.pick(&self.peers).copied() else {
            return;
        };
        self.request_headers(peer, out);
    }

    pub(super) fn request_headers(&mut self, peer: NodeId, out: &mut Outputs) {
        self.send_locator(peer, self.chain.locator(), out);
    }

    /// Goes on from where a batch ended: on a long branch our own chain is no help.
    fn request_headers_after(&mut self, peer: NodeId, last: BlockHash, out: &mut Outputs) {
        let locator = [last].into_iter().chain(self.chain.locator());
        self.send_locator(peer, locator.take(MAX_LOCATOR).collect(), out);
    }

    fn send_locator(&mut self, peer: NodeId, locator: Vec<BlockHash>, out: &mut Outputs) {
        if let Some(locator) = BoundedVec::from_vec(locator) {
            self.send(peer, &Message::GetHeaders(locator), out);
        }
    }

    fn reply_headers(&mut self, to: NodeId, locator: &[BlockHash], out: &mut Outputs) {
        let headers = self.chain.headers_after(locator, MAX_HEADERS);
        if let (false, Some(headers)) = (headers.is_empty(), BoundedVec::from_vec(headers)) {
            self.send(to, &Message::Headers(headers), out);
        }
    }

    fn handle_headers(
        &mut self,
        now: Time,
        from: NodeId,
        headers: &[BlockHeader],
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let mut rest = headers;
        while !rest.is_empty() {
            match self.header_sync.step(&self.chain, now, from, rest)? {
                HeaderStep::Keep(count) => {
                    let (kept, after) = rest.split_at(count);
                    for header in kept {
                        let kept = self.chain.submit_header(header, now);
                        kept?;
                    }
                    rest = after;
                }
                HeaderStep::Ask(after) => {
                    self.request_headers_after(from, after, out);
                    return Ok(());
                }
                HeaderStep::Ignore => return Ok(()),
                HeaderStep::Unknown => {
                    self.check_unconnected(now, from, rest, out)?;
                    self.request_headers(from, out);
                    return Ok(());
                }
            }
        }
        let Some(last) = headers.last().map(BlockHeader::hash) else {
            return Ok(());
        };
        self.downloads.note_best(&self.chain, from, last);
        if headers.len() == MAX_HEADERS {
            self.request_headers_after(from, last, out);
        }
        self.download(now, out);
        Ok(())
    }

    /// Headers that do not go on from anything known may announce a block whose parents were missed. More
    /// than one of them answers a question that named the genesis block.
    fn check_unconnected(
        &mut self,
        now: Time,
        from: NodeId,
        headers: &[BlockHeader],
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        if let Some(Err(error)) = headers.first().map(BlockHeader::check_work) {
            return Err(HeaderError::from(error).into());
        }
        if headers.len() > 1 {
            let refusal = Refusal::new(Offence::Unconnected, "headers that go on from nothing known");
            self.refuse(now, from, refusal, out);
        }
        Ok(())
    }

    /// Sends answers up to a budget; who wants more asks again.
    pub(super) fn reply(&mut self, to: NodeId, messages: impl Iterator<Item = Message>, out: &mut Outputs) {
        let mut budget = ReplyBudget::default();
        for message in messages {
            budget.spend(self.send(to, &message, out));
            if budget.is_spent() {
                return;
            }
        }
    }

    /// Tells the peers about a transaction, but those that have told of it.
    pub(super) fn announce(&mut self, wtxid: Wtxid, from: Option<NodeId>, out: &mut Outputs) {
        let told_by = self.announcements.take(&wtxid);
        let peers: Vec<NodeId> = self
            .peers
            .iter()
            .filter(|peer| Some(**peer) != from && !told_by.contains(peer))
            .copied()
            .collect();
        if let Some(wtxids) = BoundedVec::from_vec(Vec::from([wtxid])) {
            self.send_to_each(&peers, &Message::Inventory(wtxids), out);
        }
    }

    /// Reminds a random peer of the mempool, in case announcements were lost.
    pub(super) fn announce_mempool(&mut self, out: &mut Outputs) {
        if let Some(peer) = self.stream.pick(&self.peers).copied() {
            self.announce_mempool_to(peer, out);
        }
    }

    /// Tells a peer of the mempool: a new one has heard of none of it.
    pub(super) fn announce_mempool_to(&mut self, peer: NodeId, out: &mut Outputs) {
        let wtxids: Vec<Wtxid> = self.mempool.wtxids().take(MAX_INVENTORY).collect();
        if let (false, Some(wtxids)) = (wtxids.is_empty(), BoundedVec::from_vec(wtxids)) {
            self.send(peer, &Message::Inventory(wtxids), out);
        }
    }

    fn handle_inventory(&mut self, now: Time, from: NodeId, wtxids: &[Wtxid], out: &mut Outputs) {
        let unknown = wtxids.iter().filter(|wtxid| self.mempool.get(wtxid).is_none());
        let ask: Vec<Wtxid> = unknown
            .filter(|wtxid| self.announcements.note_transaction(now, from, **wtxid))
            .copied()
            .collect();
        self.request_transactions(now, from, ask, out);
    }

    /// Asks others for the transactions that somebody has told of and not sent.
    fn ask_elsewhere(&mut self, now: Time, out: &mut Outputs) {
        for (peer, wtxid) in self.announcements.overdue(now) {
            self.request_transactions(now, peer, Vec::from([wtxid]), out);
        }
    }

    fn request_transactions(&mut self, now: Time, from: NodeId, wtxids: Vec<Wtxid>, out: &mut Outputs) {
        if let (false, Some(wtxids)) = (wtxids.is_empty(), BoundedVec::from_vec(wtxids)) {
            self.expect_from(now, from, Message::TRANSACTION, wtxids.len());
            self.send(from, &Message::GetTransactions(wtxids), out);
        }
    }

    fn reply_transactions(&mut self, to: NodeId, wtxids: &[Wtxid], out: &mut Outputs) {
        let wtxids: BTreeSet<&Wtxid> = wtxids.iter().collect();
        let found: Vec<_> = wtxids
            .into_iter()
            .filter_map(|wtxid| self.mempool.get(wtxid).cloned())
            .collect();
        self.reply(
            to,
            found
                .iter()
                .map(|found| Message::Transaction(Box::new((**found).clone()))),
            out,
        );
    }
}
