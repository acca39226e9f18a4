//! What nodes tell each other about where nodes can be reached (the idea of BIP 155: one form for all
//! kinds of addresses).

use super::address::NetAddress;
use crate::primitives::Timestamp;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most addresses in a message.
pub const MAX_ADDRESSES: usize = 1_000;

/// What a node does for others, a bit each. Its own word, and never relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Services(pub u64);

impl Services {
    /// It has the whole chain.
    pub const CHAIN: Self = Self(1);
    /// It works on jobs.
    pub const WORKER: Self = Self(1 << 1);
    /// It sits on committees.
    pub const VERIFIER: Self = Self(1 << 2);
    /// It makes blocks.
    pub const MINER: Self = Self(1 << 3);
    /// It checks outputs for neighbours.
    pub const CHECKER: Self = Self(1 << 4);

    /// Both together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Are all of `other` among these?
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A node's address, as others are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PeerAddress {
    /// The address.
    pub address: NetAddress,
    /// What the node there does.
    pub services: Services,
    /// When somebody last saw it.
    pub last_seen: Timestamp,
}
