//! Headers, blocks and transactions between peers: headers first, bodies and transactions on request.

use super::base::Base;
use super::header_sync::HeaderStep;
use crate::block::BlockHeader;
use crate::chain::HeaderError;
use crate::keys::NodeId;
use crate::mempool::MempoolError;
use crate::peers::{Offence, Refusal};
use crate::primitives::{BlockHash, BoundedVec, Time, Wtxid};
use crate::process::Outputs;
use crate::wire::{MAX_HEADERS, MAX_INVENTORY, MAX_LOCATOR, MAX_REQUESTED_BLOCKS, Message};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Bytes of blocks or transactions that one request is answered with, at most one message more.
const REPLY_BUDGET_BYTES: usize = 4_000_000;

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
            Message::Block(block) => {
                // Whatever it is worth, it is not waited for any more.
                if self.network.is_some() {
                    self.downloads.note_arrival(now, block.header.hash(), Some(from));
                }
                self.accept_block(now, Arc::from(block), Some(from), out)?;
                self.request_bodies(now, from, self.chain.headers().best(), out);
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
        self.announcements.note_header(from, last);
        if self.network.is_some() {
            self.downloads.note_best(&self.chain, from, last);
        }
        if headers.len() == MAX_HEADERS {
            self.request_headers_after(from, last, out);
        }
        self.request_bodies(now, from, last, out);
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
        if self.network.is_none() {
            return Ok(());
        }
        if let Some(Err(error)) = headers.first().map(BlockHeader::check_work) {
            return Err(HeaderError::from(error).into());
        }
        if headers.len() > 1 {
            let refusal = Refusal::new(Offence::Unconnected, "headers that go on from nothing known");
            self.refuse(now, from, refusal, out);
        }
        Ok(())
    }

    /// Asks for bodies on the way to `towards` (a block that the peer has said it has).
    fn request_bodies(&mut self, now: Time, from: NodeId, towards: BlockHash, out: &mut Outputs) {
        if self.network.is_some() {
            return self.download(now, out);
        }
        let missing = self.chain.missing_bodies(towards, MAX_REQUESTED_BLOCKS);
        let missing = self.downloads.note_asked(now, from, missing);
        if let (false, Some(hashes)) = (missing.is_empty(), BoundedVec::from_vec(missing)) {
            self.send(from, &Message::GetBlocks(hashes), out);
        }
    }

    fn reply_blocks(&mut self, to: NodeId, hashes: &[BlockHash], out: &mut Outputs) {
        let hashes: BTreeSet<&BlockHash> = hashes.iter().collect();
        let blocks: Vec<_> = hashes
            .into_iter()
            .filter_map(|hash| self.chain.block(hash).cloned())
            .collect();
        self.reply(
            to,
            blocks
                .iter()
                .map(|block| Message::Block(Box::new((**block).clone()))),
            out,
        );
    }

    /// Sends answers up to a budget; who wants more asks again.
    fn reply(&mut self, to: NodeId, messages: impl Iterator<Item = Message>, out: &mut Outputs) {
        let mut bytes = 0;
        for message in messages {
            bytes += self.send(to, &message, out);
            if bytes > REPLY_BUDGET_BYTES {
                return;
            }
        }
    }

    /// Tells the peers about a new block, but those that have told of it last.
    pub(super) fn announce_block(&mut self, header: &BlockHeader, from: Option<NodeId>, out: &mut Outputs) {
        let hash = header.hash();
        let peers: Vec<NodeId> = self
            .peers
            .iter()
            .filter(|peer| Some(**peer) != from && !self.announcements.has_told(peer, &hash))
            .copied()
            .collect();
        if let Some(headers) = BoundedVec::from_vec(Vec::from([*header])) {
            self.send_to_each(&peers, &Message::Headers(headers), out);
        }
    }

    /// Tells the peers about a new tip, but those that are known to have as much: while a node catches up,
    /// it does not tell of every block on the way.
    pub(super) fn announce_tip(&mut self, from: Option<NodeId>, out: &mut Outputs) {
        let tip = self.chain.tip();
        let Some(header) = self.chain.headers().header(&tip).copied() else {
            return;
        };
        let is_behind = |peer: &&NodeId| Some(**peer) != from && !self.downloads.has(&self.chain, peer, &tip);
        let peers: Vec<NodeId> = self.peers.iter().filter(is_behind).copied().collect();
        if let Some(headers) = BoundedVec::from_vec(Vec::from([header])) {
            self.send_to_each(&peers, &Message::Headers(headers), out);
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
