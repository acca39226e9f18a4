//! Headers that peers send, in memory that headers of little work cannot fill.
//!
//! A header costs its maker no more than its own proof of work, and at the lowest difficulty that is next
//! to nothing. So headers are kept only if their chain has enough work, which shows only at its end. A
//! chain that is too long for one message is therefore gone through twice: the first time only its
//! last header and a hash for each message are kept; when it has shown enough work, the second time
//! each message has to lead to the same hash before its headers are kept. (Bitcoin Core does likewise
//! since version 24, with one bit for some headers instead of a hash for 2,000.)

use crate::block::{BlockHeader, Work};
use crate::chain::{Chain, HeaderTip};
use crate::keys::NodeId;
use crate::peers::{Offence, Refusal};
use crate::primitives::{BlockHash, Time};
use crate::wire::MAX_HEADERS;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Branches that end so many blocks' work below our tip are not kept.
const KEPT_BELOW_TIP: u32 = 144;
/// Peers whose chains are gone through at the same time.
const MAX_WALKS: usize = 64;
/// A peer that has not answered for this long may begin anew.
const WALK_TIMEOUT_MS: u64 = 120_000;

/// Decides which headers are kept.
pub(super) struct HeaderSync {
    minimum_work: Work,
    walks: BTreeMap<NodeId, Walk>,
}

/// What becomes of a message of headers.
pub(super) enum HeaderStep {
    /// These are to be kept, and the rest of the message is to be handled after them.
    Keep(usize),
    /// Nothing is kept, and the peer is asked for the headers after this block.
    Ask(BlockHash),
    /// Nothing is kept or asked.
    Ignore,
    /// The first one's parent is not known.
    Unknown,
}

/// A chain on its way to enough work.
struct Walk {
    /// The known header that it begins after.
    start: BlockHash,
    /// The last header of each message of the first time.
    marks: Vec<BlockHash>,
    stage: Stage,
    asked: Time,
}

enum Stage {
    /// The first time: the last header so far.
    First(Box<HeaderTip>),
    /// The second time: how many marks have been reached again.
    Second(usize),
}

impl HeaderSync {
    pub(super) fn new(minimum_work: Work) -> Self {
        Self {
            minimum_work,
            walks: BTreeMap::new(),
        }
    }

    /// A peer is gone.
    pub(super) fn forget(&mut self, peer: &NodeId) {
        self.walks.remove(peer);
    }

    /// Is a chain with this work worth keeping?
    fn suffices(&self, chain: &Chain, work: Work) -> bool {
        let headers = chain.headers();
        let tip_work = headers.work(&chain.tip()).unwrap_or_default();
        let near_tip = || {
            let tip = headers
                .header(&chain.tip())
                .and_then(|tip| tip.bits.target().ok());
            let below = tip.map(|target| target.work().times(KEPT_BELOW_TIP));
            tip_work.minus(&below.unwrap_or_default())
        };
        work >= self.minimum_work && (work >= tip_work || work >= near_tip())
    }

    /// Is a block with this header worth keeping: is its header kept, or would it be for the work that it
    /// claims?
    pub(super) fn is_worth_keeping(&self, chain: &Chain, header: &BlockHeader) -> bool {
        let headers = chain.headers();
        let (Some(parent), Ok(target)) = (headers.work(&header.previous), header.bits.target()) else {
            // What is wrong with it will be found anyway.
            return true;
        };
        self.suffices(chain, parent.plus(&target.work())) || headers.work(&header.hash()).is_some()
    }

    /// Takes a message in.
    ///
    /// # Errors
    /// What is wrong with it, for the peer to answer for.
    pub(super) fn step(
        &mut self,
        chain: &Chain,
        now: Time,
        from: NodeId,
        headers: &[BlockHeader],
    ) -> Result<HeaderStep, Refusal> {
        let Some(parent) = headers.first().map(|first| first.previous) else {
            return Ok(HeaderStep::Ignore);
        };
        if headers.windows(2).any(|pair| pair[1].previous != pair[0].hash()) {
            return Err(Refusal::new(
                Offence::BrokenHeaders,
                "headers that do not follow each other",
            ));
        }
        let parent_work = chain.headers().work(&parent);
        let recent = |walk: &Walk| now < walk.asked.after_ms(WALK_TIMEOUT_MS);
        match self.walks.get(&from) {
            Some(walk) if walk.expects() == parent => return self.walk_on(chain, now, from, headers),
            // The usual case: what extends a chain of enough work is checked once, when it is kept.
            _ if parent_work.is_some_and(|work| self.suffices(chain, work)) => {
                return Ok(HeaderStep::Keep(headers.len()));
            }
            // Nobody may have more than one walk.
            Some(walk) if recent(walk) => return Ok(HeaderStep::Ignore),
            _ => {}
        }
        let Some(mut tip) = chain.headers().tip(&parent) else {
            return Ok(HeaderStep::Unknown);
        };
        follow(&mut tip, headers, chain, now)?;
        if self.suffices(chain, tip.work()) {
            return Ok(HeaderStep::Keep(headers.len()));
        }
        if headers.len() < MAX_HEADERS {
            return Ok(HeaderStep::Ignore);
        }
        let last = tip.hash();
        let walk = Walk {
            start: parent,
            marks: Vec::from([last]),
            stage: Stage::First(Box::new(tip)),
            asked: now,
        };
        self.keep(from, walk);
        Ok(HeaderStep::Ask(last))
    }

    fn walk_on(
        &mut self,
        chain: &Chain,
        now: Time,
        from: NodeId,
        headers: &[BlockHeader],
    ) -> Result<HeaderStep, Refusal> {
        let Some(mut walk) = self.walks.remove(&from) else {
            return Ok(HeaderStep::Ignore);
        };
        walk.asked = now;
        match &mut walk.stage {
            Stage::First(tip) => {
                follow(tip, headers, chain, now)?;
                let (last, enough) = (tip.hash(), self.suffices(chain, tip.work()));
                walk.marks.push(last);
                let next = if enough {
                    walk.stage = Stage::Second(0);
                    walk.start
                } else if headers.len() < MAX_HEADERS {
                    return Ok(HeaderStep::Ignore);
                } else {
                    last
                };
                self.keep(from, walk);
                Ok(HeaderStep::Ask(next))
            }
            Stage::Second(reached) => {
                let mark = walk.marks.get(*reached).copied().unwrap_or_default();
                let Some(at) = headers.iter().position(|header| header.hash() == mark) else {
                    return Err(Refusal::new(
                        Offence::ChangedChain,
                        "a chain that changed after it had shown its work",
                    ));
                };
                *reached += 1;
                if *reached < walk.marks.len() {
                    self.keep(from, walk);
                }
                Ok(HeaderStep::Keep(at + 1))
            }
        }
    }

    /// Keeps a walk that goes on; if there are too many, in the place of the one that waits longest.
    fn keep(&mut self, from: NodeId, walk: Walk) {
        self.walks.insert(from, walk);
        if self.walks.len() > MAX_WALKS {
            let slowest = self.walks.iter().min_by_key(|(_, walk)| walk.asked);
            if let Some(peer) = slowest.map(|(peer, _)| *peer) {
                self.walks.remove(&peer);
            }
        }
    }
}

impl Walk {
    /// The parent of the header that comes next.
    fn expects(&self) -> BlockHash {
        match &self.stage {
            Stage::First(tip) => tip.hash(),
            Stage::Second(0) => self.start,
            Stage::Second(reached) => self.marks.get(reached - 1).copied().unwrap_or_default(),
        }
    }
}

/// Moves `tip` over headers that follow it.
fn follow(tip: &mut HeaderTip, headers: &[BlockHeader], chain: &Chain, now: Time) -> Result<(), Refusal> {
    headers
        .iter()
        .try_for_each(|header| tip.extend(header, header.hash(), chain.params(), now))
        .map_err(Refusal::from)
}
