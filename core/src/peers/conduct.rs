//! How one peer behaves.

use super::allowance::{Allowance, Rate};
use super::offence::{BAN_POINTS, Offence};
use crate::primitives::Time;
use crate::wire::Message;
use alloc::collections::BTreeMap;

/// A point is forgiven after this long.
const FORGIVEN_MS: u64 = 60_000;

const fn rate(per_second: u64, burst: u32) -> Rate {
    Rate {
        milli_per_second: per_second * 1_000,
        burst,
    }
}

/// Messages of each type that a peer may send, by the type's number. What was asked for comes on top. A
/// transaction or block takes work to check, so it is asked for, or rare.
const RATES: [Rate; Message::KINDS as usize] = [
    rate(5, 100),     // GetHeaders
    rate(20, 200),    // Headers
    rate(200, 1_000), // GetBlocks
    rate(1, 32),      // Block
    rate(100, 1_000), // Inventory
    rate(100, 1_000), // GetTransactions
    rate(20, 200),    // Transaction
    rate(20, 400),    // JobOffer
    rate(20, 400),    // JobAccepted
    rate(20, 400),    // Engage
    rate(20, 400),    // Delivery
    rate(20, 400),    // DeliveryReceived
    rate(20, 400),    // GetEvidence
    rate(20, 400),    // Evidence
    rate(5, 50),      // CheckRequest
    rate(20, 200),    // CheckReply
    rate(20, 200),    // CheckRefused
    rate(1, 8),       // GetAddresses
    rate(1, 32),      // Addresses
    rate(5, 50),      // GetCompactBlock
    rate(1, 32),      // CompactBlock
    rate(5, 50),      // GetBlockTransactions
    rate(1, 32),      // BlockTransactions
];

/// For messages of types from the future, all together.
const UNKNOWN_RATE: Rate = rate(10, 100);

/// How often a peer may send messages of a type.
pub fn rate_of(kind: u8) -> Rate {
    RATES.get(usize::from(kind)).copied().unwrap_or(UNKNOWN_RATE)
}

/// Points and budgets of a peer.
#[derive(Clone, Debug, Default)]
pub struct Conduct {
    points: u32,
    /// Since when points are forgiven.
    since: Time,
    /// By type of message; those from the future share one.
    budgets: BTreeMap<u8, Allowance>,
}

impl Conduct {
    /// Adds an offence up; true if that is enough for a ban.
    pub fn note(&mut self, now: Time, offence: Offence) -> bool {
        let minutes = now.0.saturating_sub(self.since.0) / FORGIVEN_MS;
        self.points = self
            .points
            .saturating_sub(u32::try_from(minutes).unwrap_or(u32::MAX));
        self.since = match self.points {
            0 => now,
            _ => self.since.after_ms(minutes.saturating_mul(FORGIVEN_MS)),
        };
        self.points = self.points.saturating_add(offence.points());
        self.points >= BAN_POINTS
    }

    /// Points so far.
    pub fn points(&self) -> u32 {
        self.points
    }

    /// Counts a message of type `kind`; false if it is one too many.
    pub fn admit(&mut self, now: Time, kind: u8) -> bool {
        self.budget(now, kind).take(now)
    }

    /// The peer was asked for `count` messages of type `kind`.
    pub fn expect(&mut self, now: Time, kind: u8, count: u32) {
        self.budget(now, kind).credit(count);
    }

    fn budget(&mut self, now: Time, kind: u8) -> &mut Allowance {
        let kind = kind.min(Message::KINDS);
        let budget = || Allowance::full(rate_of(kind), now);
        self.budgets.entry(kind).or_insert_with(budget)
    }
}
