//! Blocks that were asked for: of whom, since when, and who is asked next.
//!
//! In an open network blocks come from several peers at the same time. A peer that has said that it has
//! a chain and does not send its blocks loses them to others, and its turn with it.

use crate::chain::Chain;
use crate::keys::NodeId;
use crate::primitives::{BlockHash, Time};
use crate::wire::MAX_REQUESTED_BLOCKS;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A block that was asked for and has not come is asked for again after this long; in an open network, when
/// nothing else has come from the same peer either.
const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// However much else comes, a block that takes so long is asked for elsewhere.
const SLOWEST_MS: u64 = 60_000;
/// A peer that stalls is asked for nothing for this long, and twice as long each further time.
const STALL_PAUSE_MS: u64 = 15_000;
/// Stalls without a block in between after which a peer is not worth its connection.
pub(super) const MAX_STALLS: u32 = 4;
/// Givers of blocks that are remembered until it shows whether the blocks are valid.
const MAX_GIVERS: usize = 1_024;

/// What was asked for, and what peers have.
#[derive(Default)]
pub(super) struct Downloads {
    in_flight: BTreeMap<BlockHash, Request>,
    sources: BTreeMap<NodeId, Source>,
    givers: BTreeMap<BlockHash, NodeId>,
}

#[derive(Clone, Copy)]
struct Request {
    peer: NodeId,
    asked: Time,
}

/// A peer with blocks.
#[derive(Default)]
struct Source {
    /// The header with the most work that it has sent.
    best: BlockHash,
    /// When it last sent a block that it was asked for.
    delivered: Time,
    /// Stalls since then.
    stalls: u32,
    /// It is asked for nothing until then.
    resumes: Time,
}

impl Downloads {
    // --- Where peers are fixed ---

    /// Notes those of `blocks` that nobody is being asked for as asked of `peer`, and returns them.
    pub(super) fn note_asked(&mut self, now: Time, peer: NodeId, blocks: Vec<BlockHash>) -> Vec<BlockHash> {
        self.in_flight
            .retain(|_, request| now < request.asked.after_ms(REQUEST_TIMEOUT_MS));
        let mut missing = blocks;
        missing.retain(|hash| !self.in_flight.contains_key(hash));
        let request = Request { peer, asked: now };
        self.in_flight.extend(missing.iter().map(|hash| (*hash, request)));
        missing
    }

    // --- In an open network ---

    /// `peer` has sent this header, and so has its block.
    pub(super) fn note_best(&mut self, chain: &Chain, peer: NodeId, header: BlockHash) {
        let work = |hash: &BlockHash| chain.headers().work(hash);
        let source = self.sources.entry(peer).or_default();
        if work(&header) > work(&source.best) {
            source.best = header;
        }
    }

    /// Does `peer` have a chain with at least the work of `block`, as far as is known?
    pub(super) fn has(&self, chain: &Chain, peer: &NodeId, block: &BlockHash) -> bool {
        let work = |hash: &BlockHash| chain.headers().work(hash);
        let best = self.sources.get(peer).and_then(|source| work(&source.best));
        best.is_some() && best >= work(block)
    }

    /// A block has come that was not here.
    pub(super) fn note_arrival(&mut self, now: Time, block: BlockHash, from: Option<NodeId>) {
        let asked = self.in_flight.remove(&block);
        let Some(peer) = from else { return };
        if let Some(source) = self.sources.get_mut(&peer)
            && asked.is_some_and(|request| request.peer == peer)
        {
            (source.delivered, source.stalls) = (now, 0);
        }
    }

    /// `peer` gave a block of which it will show later whether it is valid.
    pub(super) fn note_giver(&mut self, block: BlockHash, peer: NodeId) {
        if self.givers.len() >= MAX_GIVERS {
            self.givers.pop_first();
        }
        self.givers.insert(block, peer);
    }

    /// Who gave a block.
    pub(super) fn giver(&self, block: &BlockHash) -> Option<NodeId> {
        self.givers.get(block).copied()
    }

    /// A block is valid.
    pub(super) fn forget_giver(&mut self, block: &BlockHash) {
        self.givers.remove(block);
    }

    /// A peer is gone; what it was asked for is free.
    pub(super) fn forget(&mut self, peer: &NodeId) {
        self.sources.remove(peer);
        self.in_flight.retain(|_, request| request.peer != *peer);
    }

    /// Takes blocks back from peers that do not send them. Each such peer, with its stalls so far.
    pub(super) fn take_stalled(&mut self, now: Time) -> Vec<(NodeId, u32)> {
        let mut stalled = Vec::new();
        for (peer, source) in &mut self.sources {
            let late = |request: &Request| {
                let last = request.asked.max(source.delivered);
                request.peer == *peer
                    && (last.after_ms(REQUEST_TIMEOUT_MS) <= now || request.asked.after_ms(SLOWEST_MS) <= now)
            };
            if !self.in_flight.values().any(late) {
                continue;
            }
            source.stalls += 1;
            source.resumes = now.after_ms(STALL_PAUSE_MS << (source.stalls - 1).min(MAX_STALLS));
            self.in_flight.retain(|_, request| request.peer != *peer);
            stalled.push((*peer, source.stalls));
        }
        stalled
    }

    /// Whom to ask for what now. A peer that has more than half of its share to send yet is left alone, so
    /// that requests are few.
    pub(super) fn plan(&mut self, now: Time, chain: &Chain) -> Vec<(NodeId, Vec<BlockHash>)> {
        let mut plan = Vec::new();
        // Bodies may come in any order as long as there is room for them to wait; the lowest never waits.
        let window = chain.waiting_room().max(1);
        for (peer, source) in &self.sources {
            let open = self.in_flight.values().filter(|request| request.peer == *peer);
            let open = open.count();
            if now < source.resumes || open > MAX_REQUESTED_BLOCKS / 2 {
                continue;
            }
            let mut missing = chain.missing_bodies(source.best, window);
            missing.retain(|hash| !self.in_flight.contains_key(hash));
            missing.truncate(MAX_REQUESTED_BLOCKS - open);
            if missing.is_empty() {
                continue;
            }
            let request = Request {
                peer: *peer,
                asked: now,
            };
            self.in_flight.extend(missing.iter().map(|hash| (*hash, request)));
            plan.push((*peer, missing));
        }
        plan
    }
}
