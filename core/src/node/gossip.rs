//! Headers, blocks and transactions between peers: headers first, bodies and transactions on request.

use super::base::Base;
use super::header_sync::HeaderStep;
use crate::block::BlockHeader;
use crate::keys::NodeId;
use crate::mempool::MempoolError;
use crate::primitives::{BlockHash, BoundedVec, Time, Wtxid};
use crate::process::Outputs;
use crate::wire::{MAX_HEADERS, MAX_INVENTORY, MAX_LOCATOR, MAX_REQUESTED_BLOCKS, Message};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A block that was asked for and has not come is asked for again after this long.
const REQUEST_TIMEOUT_MS: u64 = 10_000;
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
    ) -> Result<(), String> {
        self.ask_elsewhere(now, out);
        match message {
            Message::GetHeaders(locator) => self.reply_headers(from, &locator, out),
            Message::Headers(headers) => return self.handle_headers(now, from, &headers, out),
            Message::GetBlocks(hashes) => self.reply_blocks(from, &hashes, out),
            Message::Block(block) => {
                self.accept_block(now, Arc::from(block), Some(from), out)?;
                self.request_bodies(now, from, self.chain.headers().best(), out);
            }
            Message::Inventory(wtxids) => self.handle_inventory(now, from, &wtxids, out),
            Message::GetTransactions(wtxids) => self.reply_transactions(from, &wtxids, out),
            Message::Transaction(transaction) => {
                return match self.accept_transaction(now, Arc::from(transaction), Some(from), out) {
                    // Its sender's clock or tip may be a little ahead.
                    Ok(()) | Err(MempoolError::Known | MempoolError::NotYet(_)) => Ok(()),
                    Err(error) => Err(error.to_string()),
                };
            }
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

    fn request_headers(&mut self, peer: NodeId, out: &mut Outputs) {
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
    ) -> Result<(), String> {
        let mut rest = headers;
        while !rest.is_empty() {
            match self.header_sync.step(&self.chain, now, from, rest)? {
                HeaderStep::Keep(count) => {
                    let (kept, after) = rest.split_at(count);
                    for header in kept {
                        let kept = self.chain.submit_header(header, now);
                        kept.map_err(|error| error.to_string())?;
                    }
                    rest = after;
                }
                HeaderStep::Ask(after) => {
                    self.request_headers_after(from, after, out);
                    return Ok(());
                }
                HeaderStep::Ignore => return Ok(()),
                HeaderStep::Unknown => {
                    self.request_headers(from, out);
                    return Ok(());
                }
            }
        }
        let Some(last) = headers.last().map(BlockHeader::hash) else {
            return Ok(());
        };
        self.announcements.note_header(from, last);
        if headers.len() == MAX_HEADERS {
            self.request_headers_after(from, last, out);
        }
        self.request_bodies(now, from, last, out);
        Ok(())
    }

    /// Asks for bodies on the way to `towards` (a block that the peer has said it has).
    fn request_bodies(&mut self, now: Time, from: NodeId, towards: BlockHash, out: &mut Outputs) {
        self.requested
            .retain(|_, asked| now < asked.after_ms(REQUEST_TIMEOUT_MS));
        let missing: Vec<BlockHash> = self
            .chain
            .missing_bodies(towards, MAX_REQUESTED_BLOCKS)
            .into_iter()
            .filter(|hash| !self.requested.contains_key(hash))
            .collect();
        self.requested.extend(missing.iter().map(|hash| (*hash, now)));
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
        let wtxids: Vec<Wtxid> = self.mempool.wtxids().take(MAX_INVENTORY).collect();
        let Some(peer) = self.stream.pick(&self.peers).copied() else {
            return;
        };
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
        self.request_transactions(from, ask, out);
    }

    /// Asks others for the transactions that somebody has told of and not sent.
    fn ask_elsewhere(&mut self, now: Time, out: &mut Outputs) {
        for (peer, wtxid) in self.announcements.overdue(now) {
            self.request_transactions(peer, Vec::from([wtxid]), out);
        }
    }

    fn request_transactions(&mut self, from: NodeId, wtxids: Vec<Wtxid>, out: &mut Outputs) {
        if let (false, Some(wtxids)) = (wtxids.is_empty(), BoundedVec::from_vec(wtxids)) {
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
