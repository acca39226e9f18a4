//! Blocks between peers: asked for, given, taken in and told of.

use super::base::Base;
use super::downloads::MAX_STALLS;
use super::gossip::ReplyBudget;
use super::record::Record;
use crate::block::Block;
use crate::chain::{Connected, Flush, Submission, TipChange};
use crate::keys::NodeId;
use crate::peers::{Offence, Refusal};
use crate::primitives::{BlockHash, BoundedVec, Time};
use crate::process::{Event, Output, Outputs, Timer};
use crate::wire::Message;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Base {
    /// Asks for missing blocks, of all peers that have them.
    pub(super) fn download(&mut self, now: Time, out: &mut Outputs) {
        for (peer, hashes) in self.downloads.plan(now, &self.chain) {
            match hashes[..] {
                [block] if self.ask_compactly(now, peer, block, out) => {}
                _ => self.ask_whole(now, peer, hashes, out),
            }
        }
        if let Some(at) = self.downloads.take_alarm() {
            let timer = Timer::Downloads;
            out.push(Output::SetTimer { timer, at });
        }
    }

    pub(super) fn ask_whole(&mut self, now: Time, peer: NodeId, blocks: Vec<BlockHash>, out: &mut Outputs) {
        self.expect_from(now, peer, Message::BLOCK, blocks.len());
        if let Some(blocks) = BoundedVec::from_vec(blocks) {
            self.send(peer, &Message::GetBlocks(blocks), out);
        }
    }

    /// Looks whether what was asked for comes.
    pub(super) fn tend_downloads(&mut self, now: Time, out: &mut Outputs) {
        for (peer, stalls) in self.downloads.take_stalled(now) {
            let refusal = Refusal::new(
                Offence::Stalled,
                "blocks that it has were asked for and did not come",
            );
            self.refuse(now, peer, refusal, out);
            // Fixed peers stay, and one that was banned is gone.
            if stalls >= MAX_STALLS && self.connection(Some(peer)).is_some() {
                self.drop_peer(now, peer, out);
            }
        }
        self.download(now, out);
    }

    pub(super) fn reply_blocks(&mut self, to: NodeId, hashes: &[BlockHash], out: &mut Outputs) {
        let mut asked = BTreeSet::new();
        let mut budget = ReplyBudget::default();
        for hash in hashes.iter().filter(|hash| asked.insert(**hash)) {
            // None is read from the disk for nothing.
            if budget.is_spent() {
                return;
            }
            if let Some(block) = self.chain.block(hash) {
                let block = Message::Block(Box::new(Arc::unwrap_or_clone(block)));
                budget.spend(self.send(to, &block, out));
            }
        }
    }

    /// A block has come from a peer.
    pub(super) fn handle_block(
        &mut self,
        now: Time,
        from: NodeId,
        block: Arc<Block>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        // Whatever it is worth, it is not waited for any more.
        self.downloads.note_arrival(now, block.header.hash(), Some(from));
        self.accept_block(now, block, Some(from), out)?;
        self.download(now, out);
        Ok(())
    }

    /// Takes a block in; if the tip moves, tells the peers and remembers it.
    pub(super) fn accept_block(
        &mut self,
        now: Time,
        block: Arc<Block>,
        from: Option<NodeId>,
        out: &mut Outputs,
    ) -> Result<(), Refusal> {
        let header = block.header;
        if from.is_some() && !self.header_sync.is_worth_keeping(&self.chain, &header) {
            let reason = "a block of a chain with too little work";
            return Err(Refusal::new(Offence::LowWork, reason));
        }
        let submission = self.chain.submit_block(block.clone(), now)?;
        if matches!(submission, Submission::Known) {
            return Ok(());
        }
        let hash = header.hash();
        self.note_news(now, hash, from);
        let invalid = |change: &TipChange| change.invalid.iter().any(|(culprit, _)| *culprit == hash);
        if !matches!(&submission, Submission::Moved(change) if invalid(change)) {
            out.push(Output::Persist(Box::new(Record::Block(block))));
        }
        if let Submission::Moved(change) = submission {
            self.move_tip(now, &change, from, out);
        }
        self.flush_if_due(out);
        Ok(())
    }

    /// A block has come that was not here.
    fn note_news(&mut self, now: Time, block: BlockHash, from: Option<NodeId>) {
        let Some(peer) = from else { return };
        self.downloads.note_giver(block, peer);
        self.downloads.note_best(&self.chain, peer, block);
        if let Some(connection) = self.connection(from) {
            connection.last_block = now;
        }
    }

    pub(super) fn move_tip(
        &mut self,
        now: Time,
        change: &TipChange,
        from: Option<NodeId>,
        out: &mut Outputs,
    ) {
        for (hash, error) in &change.invalid {
            let culprit = self.downloads.giver(hash).or(from).unwrap_or(self.id());
            let refusal = Refusal::new(Offence::InvalidBlock, format!("block {hash}: {error}"));
            self.refuse(now, culprit, refusal, out);
        }
        self.record_checked(&change.checked, out);
        if change.connected.is_empty() {
            return;
        }
        let time = self.block_time(now);
        self.mempool
            .rebase(change, self.chain.ledger(), time, self.chain.verifier());
        self.purse.follow(change, self.chain.ledger());
        out.event(Event::TipChanged {
            tip: self.chain.tip(),
            height: self.chain.height(),
            disconnected: u32::try_from(change.disconnected.len()).unwrap_or(u32::MAX),
        });
        self.report_jobs(change, out);
        self.tip_moved = true;
        for block in &change.connected {
            self.downloads.forget_giver(&block.header.hash());
        }
        self.announce_tip(from, out);
    }

    pub(super) fn record_checked(&self, checked: &[Connected], out: &mut Outputs) {
        for connected in checked {
            let record = Record::Connected(Box::new(connected.clone()));
            out.push(Output::Persist(Box::new(record)));
        }
    }

    pub(super) fn flush_is_due(&self) -> bool {
        let storage = self.config.storage.as_ref();
        storage.is_some_and(|storage| self.chain.unflushed_bytes() > storage.cache_bytes)
    }

    /// Hands what is new since the last flush to the storage, when there is much of it.
    pub(super) fn flush_if_due(&mut self, out: &mut Outputs) {
        if !self.flush_is_due() {
            return;
        }
        if let Some(flush) = self.chain.begin_flush() {
            let record = Record::Flush(Box::new(Flush {
                owner: self.id(),
                own_coins: self.purse.take_unflushed(),
                ..flush
            }));
            out.push(Output::Persist(Box::new(record)));
        }
    }

    /// Tells the peers about a new tip, but those that are known to have as much: while a node catches up,
    /// it does not tell of every block on the way. What is told of is valid for sure.
    fn announce_tip(&mut self, from: Option<NodeId>, out: &mut Outputs) {
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
}
