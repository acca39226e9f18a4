//! Blocks that were asked for: of whom, since when, and who is asked next.
//!
//! Blocks come from several peers at the same time. A peer that has said that it has
//! a chain and does not send its blocks loses them to others, and its turn with it.

use crate::chain::Chain;
use crate::keys::NodeId;
use crate::primitives::{BlockHash, Time};
use crate::wire::PartialBlock;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A block that was asked for and has not come is asked for again after this long, if nothing else has come
/// from the same peer either.
const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// However much else comes, a block that takes so long is asked for elsewhere.
const SLOWEST_MS: u64 = 60_000;
/// Blocks that a peer is asked for at a time. It sends no more of the largest ones in answer to one request.
const SHARE: usize = 4;
/// While others can be asked, a peer that stalls is asked for nothing for this long, and twice as long each
/// further time.
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
    /// When what was asked for is looked after next.
    alarm: Option<Time>,
}

struct Request {
    peer: NodeId,
    asked: Time,
    form: Form,
}

/// How a block was asked for.
enum Form {
    /// All of it.
    Whole,
    /// With ids made with this salt.
    Compact(u64),
    /// These transactions are here, the others were asked for.
    Partial(PartialBlock),
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
    /// It is asked for nothing until then, while others can be asked.
    resumes: Time,
}

impl Downloads {
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

    // --- Compact blocks ---

    /// What was asked for will be asked for in compact form; false if its peer has stalled since it gave its
    /// last block, and so might not know that form.
    pub(super) fn expect_compact(&mut self, block: &BlockHash, salt: u64) -> bool {
        let Some(request) = self.in_flight.get_mut(block) else {
            return false;
        };
        let source = self.sources.get(&request.peer);
        let reliable = source.is_some_and(|source| source.stalls == 0);
        if reliable {
            request.form = Form::Compact(salt);
        }
        reliable
    }

    /// The salt with which the block was asked for, of `peer`; it counts once.
    pub(super) fn take_salt(&mut self, block: &BlockHash, peer: &NodeId) -> Option<u64> {
        match self.take_form(block, peer, |form| matches!(form, Form::Compact(_)))? {
            Form::Compact(salt) => Some(salt),
            _ => None,
        }
    }

    /// A part of the block has come, from the peer that was asked for it.
    pub(super) fn keep_partial(&mut self, block: &BlockHash, partial: PartialBlock) {
        if let Some(request) = self.in_flight.get_mut(block) {
            request.form = Form::Partial(partial);
        }
    }

    /// The part that has come from `peer`; it counts once.
    pub(super) fn take_partial(&mut self, block: &BlockHash, peer: &NodeId) -> Option<PartialBlock> {
        match self.take_form(block, peer, |form| matches!(form, Form::Partial(_)))? {
            Form::Partial(partial) => Some(partial),
            _ => None,
        }
    }

    /// How `peer` was asked for the block, if that is as wanted. After the answer, whatever it is worth, only the
    /// whole block is left.
    fn take_form(&mut self, block: &BlockHash, peer: &NodeId, is_wanted: fn(&Form) -> bool) -> Option<Form> {
        let request = self.in_flight.get_mut(block)?;
        let wanted = request.peer == *peer && is_wanted(&request.form);
        wanted.then(|| core::mem::replace(&mut request.form, Form::Whole))
    }

    // --- Blocks that came ---

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
        self.alarm = None;
        let mut stalled = Vec::new();
        for (peer, source) in &mut self.sources {
            let late = |request: &Request| request.peer == *peer && request.due(source) <= now;
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

    /// When to look after what was asked for, if nobody has been told yet.
    pub(super) fn take_alarm(&mut self) -> Option<Time> {
        if self.alarm.is_some() {
            return None;
        }
        let due = |request: &Request| Some(request.due(self.sources.get(&request.peer)?));
        self.alarm = self.in_flight.values().filter_map(due).min();
        self.alarm
    }

    /// Whom to ask for what now.
    pub(super) fn plan(&mut self, now: Time, chain: &Chain) -> Vec<(NodeId, Vec<BlockHash>)> {
        if chain.is_caught_up() {
            return Vec::new();
        }
        let plan = self.plan_among(now, chain, |source| source.resumes <= now);
        if plan.is_empty() && self.in_flight.is_empty() {
            return self.plan_among(now, chain, |_| true);
        }
        plan
    }

    /// What to ask of those that may be asked. A peer that has more than half of its share to send yet is
    /// left alone, so that requests are few.
    fn plan_among(
        &mut self,
        now: Time,
        chain: &Chain,
        may_be_asked: impl Fn(&Source) -> bool,
    ) -> Vec<(NodeId, Vec<BlockHash>)> {
        let mut plan = Vec::new();
        // Bodies may come in any order as long as there is room for them to wait; the lowest never waits.
        let window = chain.waiting_room().max(1);
        for (peer, source) in &self.sources {
            let open = self.in_flight.values().filter(|request| request.peer == *peer);
            let open = open.count();
            if open > SHARE / 2 || !may_be_asked(source) {
                continue;
            }
            let mut missing = chain.missing_bodies(source.best, window);
            missing.retain(|hash| !self.in_flight.contains_key(hash));
            missing.truncate(SHARE - open);
            if missing.is_empty() {
                continue;
            }
            let request = |hash: &BlockHash| {
                let request = Request {
                    peer: *peer,
                    asked: now,
                    form: Form::Whole,
                };
                (*hash, request)
            };
            self.in_flight.extend(missing.iter().map(request));
            plan.push((*peer, missing));
        }
        plan
    }
}

impl Request {
    /// When it is taken back.
    fn due(&self, source: &Source) -> Time {
        let last = self.asked.max(source.delivered);
        last.after_ms(REQUEST_TIMEOUT_MS)
            .min(self.asked.after_ms(SLOWEST_MS))
    }
}
