//! Who has told of which transaction: nobody is told what it has said itself, and nothing is asked for
//! twice at once.

use crate::keys::NodeId;
use crate::primitives::{Time, Wtxid};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

/// A transaction that was asked for and has not come is asked for elsewhere after this long.
const TRANSACTION_TIMEOUT_MS: u64 = 2_000;
/// Transactions that are waited for. What is announced beyond is asked for and not noted.
const MAX_WANTED: usize = 4_096;

/// What peers have announced.
#[derive(Default)]
pub(super) struct Announcements {
    /// Transactions that are not here yet.
    wanted: BTreeMap<Wtxid, Wanted>,
    /// When to look after each of them, in that order. One that has come stays until then.
    due: VecDeque<(Time, Wtxid)>,
}

/// A transaction that peers have told of.
struct Wanted {
    /// Who has, first one first.
    told_by: Vec<NodeId>,
    /// How many of them were asked.
    asked: usize,
}

impl Announcements {
    /// A peer is gone: it is asked for nothing any more.
    pub(super) fn forget(&mut self, peer: &NodeId) {
        for wanted in self.wanted.values_mut() {
            if let Some(at) = wanted.told_by.iter().position(|other| other == peer) {
                wanted.told_by.remove(at);
                wanted.asked -= usize::from(at < wanted.asked);
            }
        }
    }

    /// Notes that `peer` has a transaction that is not here; true if it is to be asked for it now.
    pub(super) fn note_transaction(&mut self, now: Time, peer: NodeId, wtxid: Wtxid) -> bool {
        if let Some(wanted) = self.wanted.get_mut(&wtxid) {
            if !wanted.told_by.contains(&peer) {
                wanted.told_by.push(peer);
            }
            return false;
        }
        if self.due.len() < MAX_WANTED {
            let told_by = Vec::from([peer]);
            self.wanted.insert(wtxid, Wanted { told_by, asked: 1 });
            self.due.push_back((now.after_ms(TRANSACTION_TIMEOUT_MS), wtxid));
        }
        true
    }

    /// A transaction has come: who has told of it.
    pub(super) fn take(&mut self, wtxid: &Wtxid) -> Vec<NodeId> {
        let wanted = self.wanted.remove(wtxid);
        wanted.map(|wanted| wanted.told_by).unwrap_or_default()
    }

    /// Transactions that did not come, each with the next peer to ask for it. One that nobody is left for
    /// is forgotten: whoever tells of it next is asked.
    pub(super) fn overdue(&mut self, now: Time) -> Vec<(NodeId, Wtxid)> {
        let mut ask = Vec::new();
        while let Some((_, wtxid)) = self.due.pop_front_if(|(due, _)| *due <= now) {
            let Some(wanted) = self.wanted.get_mut(&wtxid) else {
                continue;
            };
            match wanted.told_by.get(wanted.asked) {
                Some(peer) => {
                    wanted.asked += 1;
                    ask.push((*peer, wtxid));
                    self.due.push_back((now.after_ms(TRANSACTION_TIMEOUT_MS), wtxid));
                }
                None => {
                    self.wanted.remove(&wtxid);
                }
            }
        }
        ask
    }
}
