//! Who has to go when too many call: nobody who is hard to replace, or to imitate in numbers.
//!
//! Bitcoin Core's idea (`node/eviction.cpp`): an attacker may be best by one measure, hardly by all of them.

use super::group::NetGroup;
use crate::keys::NodeId;
use crate::primitives::{Time, tagged_hash};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Kept for their groups: no attacker knows which ones are preferred.
const KEPT_BY_GROUP: usize = 4;
/// Kept because they gave new transactions last.
const KEPT_BY_TRANSACTIONS: usize = 4;
/// Kept because they gave new blocks last.
const KEPT_BY_BLOCKS: usize = 4;

/// An inbound peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The peer.
    pub peer: NodeId,
    /// Where it calls from.
    pub group: NetGroup,
    /// When it called.
    pub opened: Time,
    /// When it last gave a block that was news; 0 for never.
    pub last_block: Time,
    /// When it last gave a transaction that was news; 0 for never.
    pub last_transaction: Time,
}

/// The inbound peer that is missed least, if there is one that is not protected. `key` is secret.
pub fn choose_victim(key: &[u8; 32], mut candidates: Vec<Candidate>) -> Option<NodeId> {
    let rank = |peer: &Candidate| tagged_hash("camelid/eviction", &(key, peer.group));
    protect_groups(&mut candidates, rank);
    protect(&mut candidates, KEPT_BY_TRANSACTIONS, |peer| {
        Reverse(peer.last_transaction)
    });
    protect(&mut candidates, KEPT_BY_BLOCKS, |peer| Reverse(peer.last_block));
    let half = candidates.len() / 2;
    protect(&mut candidates, half, |peer| peer.opened);
    let mut groups: BTreeMap<NetGroup, Vec<&Candidate>> = BTreeMap::new();
    for candidate in &candidates {
        let group = groups.entry(crowd(&candidate.group)).or_default();
        group.push(candidate);
    }
    // The largest group loses its youngest.
    let youngest = |group: &[&Candidate]| group.iter().map(|peer| peer.opened).max();
    let largest = groups
        .into_values()
        .max_by_key(|group| (group.len(), youngest(group)))?;
    let victim = largest.into_iter().max_by_key(|peer| (peer.opened, peer.peer))?;
    Some(victim.peer)
}

/// Local addresses are all one crowd when it comes to who is many.
fn crowd(group: &NetGroup) -> NetGroup {
    match group {
        NetGroup::Local(_) => NetGroup::V4([127, 0]),
        other => *other,
    }
}

/// Takes out the first `count` in the order of `key`.
fn protect<K: Ord>(candidates: &mut Vec<Candidate>, count: usize, key: impl Fn(&Candidate) -> K) {
    candidates.sort_by_key(|candidate| (key(candidate), candidate.opened, candidate.peer));
    candidates.drain(..count.min(candidates.len()));
}

/// Takes out the oldest of each of the groups with the lowest ranks.
fn protect_groups<K: Ord>(candidates: &mut Vec<Candidate>, rank: impl Fn(&Candidate) -> K) {
    candidates.sort_by_key(|candidate| (rank(candidate), candidate.opened, candidate.peer));
    let mut kept = Vec::new();
    candidates.retain(|candidate| {
        let group = crowd(&candidate.group);
        let protected = kept.len() < KEPT_BY_GROUP && !kept.contains(&group);
        if protected {
            kept.push(group);
        }
        !protected
    });
}
