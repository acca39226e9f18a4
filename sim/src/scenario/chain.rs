//! `[chain]`: the network's rules, and what a scenario changes in them.

use camelid_core::block::{CompactTarget, Difficulty};
use camelid_core::params::Params;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Most blocks of a window: a week of them.
const MAX_WINDOW: u64 = 10_080;

/// Genesis target where difficulty is studied: 256 hashes a block, 128 times as many as the least.
const STUDIED_BITS: CompactTarget = CompactTarget(0x2000_ffff);
/// Blocks of a half-life there, as on the main network.
const HALF_LIFE_BLOCKS: u32 = 72;

/// `[chain]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainSection {
    /// Whose rules hold.
    pub rules: Rules,
    /// How targets follow the hash power.
    pub difficulty: DifficultyRule,
    /// Seconds between blocks.
    pub spacing_s: Option<u32>,
    /// Blocks before a coinbase may be spent.
    pub maturity: Option<u32>,
    /// CHALLENGE, in blocks.
    pub challenge: Option<u32>,
    /// DELIVER_COUNTER, in blocks.
    pub deliver_counter: Option<u32>,
    /// Seconds a job must be old before it is mined.
    pub min_age_s: Option<u32>,
    /// COMMIT, in blocks.
    pub commit: Option<u32>,
    /// REVEAL, in blocks.
    pub reveal: Option<u32>,
    /// APPEAL, in blocks.
    pub appeal: Option<u32>,
    /// Seats of round 1.
    pub seats: Option<u32>,
    /// Seats of round 2.
    pub appeal_seats: Option<u32>,
    /// Eligible tickets without which there is no committee.
    pub min_eligible: Option<u32>,
    /// Jobs that are audited, in thousandths.
    pub audit_permille: Option<u32>,
    /// Blocks until a verifier bond is paid back.
    pub unbonding: Option<u32>,
}

/// Whose rules hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rules {
    /// [`Params::simnet`].
    #[default]
    Simnet,
    /// [`Params::paper`].
    Paper,
}

/// How targets follow the hash power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifficultyRule {
    /// Not at all.
    #[default]
    Constant,
    /// As on the main network, with a half-life of 72 blocks.
    Asert,
}

/// A parameter that a scenario may change.
pub(super) struct Override {
    /// Its key.
    pub key: &'static str,
    /// What the scenario says.
    pub value: Option<u32>,
    /// What it may say.
    pub limit: RangeInclusive<u64>,
    /// Where it goes.
    place: fn(&mut Params) -> &mut u32,
}

impl ChainSection {
    /// All parameters that a scenario may change.
    pub(super) fn overrides(&self) -> Vec<Override> {
        let window = || 1..=MAX_WINDOW;
        let row = |key, value, limit, place| Override {
            key,
            value,
            limit,
            place,
        };
        vec![
            // Without spacing, miners would find block after block before any time passes.
            row("spacing_s", self.spacing_s, 1..=86_400, |params| {
                &mut params.spacing_s
            }),
            row("maturity", self.maturity, 0..=MAX_WINDOW, |params| {
                &mut params.maturity
            }),
            row("challenge", self.challenge, window(), |params| {
                &mut params.jobs.challenge
            }),
            row("deliver_counter", self.deliver_counter, window(), |params| {
                &mut params.jobs.deliver_counter
            }),
            row("min_age_s", self.min_age_s, 0..=604_800, |params| {
                &mut params.jobs.min_age_s
            }),
            row("commit", self.commit, window(), |params| {
                &mut params.committee.commit
            }),
            row("reveal", self.reveal, window(), |params| {
                &mut params.committee.reveal
            }),
            row("appeal", self.appeal, window(), |params| {
                &mut params.committee.appeal
            }),
            row("seats", self.seats, 1..=101, |params| {
                &mut params.committee.seats[0]
            }),
            row("appeal_seats", self.appeal_seats, 1..=101, |params| {
                &mut params.committee.seats[1]
            }),
            row("min_eligible", self.min_eligible, 0..=1_000, |params| {
                &mut params.committee.min_eligible
            }),
            row("audit_permille", self.audit_permille, 0..=1_000, |params| {
                &mut params.committee.audit_permille
            }),
            row("unbonding", self.unbonding, window(), |params| {
                &mut params.committee.unbonding
            }),
        ]
    }

    /// The network's parameters, without coins.
    pub(crate) fn params(&self) -> Params {
        let mut params = match self.rules {
            Rules::Simnet => Params::simnet(),
            Rules::Paper => Params::paper(),
        };
        for row in self.overrides() {
            if let Some(value) = row.value {
                *(row.place)(&mut params) = value;
            }
        }
        if self.difficulty == DifficultyRule::Asert {
            params.difficulty = Difficulty::Asert {
                half_life_s: params.spacing_s.saturating_mul(HALF_LIFE_BLOCKS),
                limit: params.genesis_bits,
            };
            params.genesis_bits = STUDIED_BITS;
        }
        params
    }
}
