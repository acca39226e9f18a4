//! What is known of one address.

use super::group::NetGroup;
use crate::keys::NodeId;
use crate::primitives::Timestamp;
use crate::wire::{NetAddress, PeerAddress, Services};
use borsh::{BorshDeserialize, BorshSerialize};

const MINUTE_S: u32 = 60;
const DAY_S: u32 = 86_400;
/// An address that nobody has seen for so long is of no use.
const HORIZON_S: u32 = 30 * DAY_S;
/// Attempts without any success after which an address is given up.
const MAX_FIRST_ATTEMPTS: u32 = 3;
/// Attempts since the last success after which an address is given up, if that was a week ago.
const MAX_LATER_ATTEMPTS: u32 = 10;
/// Attempts that lower an address's chance further.
const MAX_COUNTED_ATTEMPTS: u32 = 8;

/// Which table an address is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Standing {
    /// Hearsay.
    New,
    /// It has answered.
    Tried,
}

/// An address and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Known {
    /// The address.
    pub address: NetAddress,
    /// The node that answered there, if one has.
    pub node: Option<NodeId>,
    /// What it is said to do for others.
    pub services: Services,
    /// When somebody last saw it, as far as is said.
    pub last_seen: Timestamp,
    /// When it last answered this node; 0 for never.
    pub last_success: Timestamp,
    /// When this node last tried.
    pub last_attempt: Timestamp,
    /// Failures since it last answered, as far as they count.
    pub failures: u32,
    /// When the last of them was counted.
    pub last_failure: Timestamp,
    /// Who told of it first.
    pub source: NetGroup,
    /// Which table it is in.
    pub standing: Standing,
}

impl Known {
    /// An address that a peer in the group `source` has told of.
    pub(super) fn hearsay(told: &PeerAddress, source: NetGroup) -> Self {
        Self {
            address: told.address,
            node: None,
            services: told.services,
            last_seen: told.last_seen,
            last_success: Timestamp(0),
            last_attempt: Timestamp(0),
            failures: 0,
            last_failure: Timestamp(0),
            source,
            standing: Standing::New,
        }
    }

    /// As peers are told of it.
    pub fn told(&self) -> PeerAddress {
        PeerAddress {
            address: self.address,
            services: self.services,
            last_seen: self.last_seen,
        }
    }

    /// Not worth its place (Bitcoin Core's rules and numbers).
    pub fn is_terrible(&self, now: Timestamp) -> bool {
        let ago = |then: Timestamp| now.0.saturating_sub(then.0);
        // What was tried in the last minute gets the benefit of the doubt.
        if self.last_attempt.0 != 0 && ago(self.last_attempt) <= MINUTE_S {
            return false;
        }
        let never = self.last_success.0 == 0;
        self.last_seen.0 > now.0.saturating_add(10 * MINUTE_S)
            || ago(self.last_seen) > HORIZON_S
            || never && self.failures >= MAX_FIRST_ATTEMPTS
            || ago(self.last_success) > 7 * DAY_S && self.failures >= MAX_LATER_ATTEMPTS
    }

    /// How likely it is taken when it is looked at, in millionths: two thirds for each failure, and a
    /// hundredth of that within ten minutes of an attempt.
    pub(super) fn chance_millionths(&self, now: Timestamp) -> u64 {
        let failures = self.failures.min(MAX_COUNTED_ATTEMPTS);
        let chance = (0..failures).fold(1_000_000, |chance, _| chance * 2 / 3);
        let recent = self.last_attempt.0 != 0 && now.0.saturating_sub(self.last_attempt.0) < 10 * MINUTE_S;
        if recent { chance / 100 } else { chance }
    }
}
