//! Everything a network may choose, in one place. The genesis hash commits to all of it.

mod check;

pub use check::ParamsError;

use crate::block::{CompactTarget, Difficulty};
use crate::primitives::{Amount, BoundedVec, Hash256, Height, Timestamp, encode, tagged_hash};
use crate::rastic::Spec;
use crate::script::Script;
use borsh::{BorshDeserialize, BorshSerialize};

/// The consensus parameters of a network (`docs/src/protocol.md`, "Constants").
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Params {
    /// First four bytes of every message; keeps networks apart on the wire.
    pub magic: [u8; 4],
    /// Time of the genesis block.
    pub genesis_time: Timestamp,
    /// Proof-of-work target of the genesis block.
    pub genesis_bits: CompactTarget,
    /// How later targets follow from it.
    pub difficulty: Difficulty,
    /// Desired time between blocks, in seconds.
    pub spacing_s: u32,
    /// Reward of a block before the first halving.
    pub subsidy: Amount,
    /// Blocks between halvings of the subsidy.
    pub halving_interval: u32,
    /// Blocks before a coinbase output, or a disputed payout, may be spent.
    pub maturity: u32,
    /// Largest encoding of a block, in bytes.
    pub max_block_bytes: u32,
    /// Largest number of signature operations in a block's scripts.
    pub max_block_signature_operations: u32,
    /// How far a header's time may run ahead of a node's clock, in seconds.
    pub max_future_s: u32,
    /// Rules for jobs.
    pub jobs: JobParams,
    /// Rules for disputes.
    pub committee: CommitteeParams,
    /// Coins that exist from the start.
    pub allocations: BoundedVec<Allocation, 4096>,
}

/// Coins given to a script by the genesis block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Allocation {
    /// Who may spend them.
    pub script: Script,
    /// How much.
    pub amount: Amount,
}

/// Windows (in blocks), prices and limits of jobs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobParams {
    /// CHALLENGE: how long the client may claim after Engage or Deliver.
    pub challenge: u32,
    /// DELIVER_COUNTER: how long the node may answer a Withheld claim.
    pub deliver_counter: u32,
    /// Depth of Engage at which the node delivers, and from which Withheld may be claimed.
    pub burial: u32,
    /// Fewest blocks between opening a job and its deadline.
    pub min_deadline: u32,
    /// Most blocks between opening a job and its deadline.
    pub max_deadline: u32,
    /// A job enters the chain at the earliest this long after its creation (paper, 2.4.1), in seconds.
    pub min_age_s: u32,
    /// Least seat pay `p`.
    pub min_seat_pay: Amount,
    /// Stake `S` is at least this many seat pays.
    pub min_stake_in_seat_pays: u32,
    /// Audit fee `a` of a public job, in thousandths of a seat pay, rounded up.
    pub audit_fee_permille: u32,
    /// Units of Withheld deposit per byte of the largest opening.
    pub withheld_units_per_byte: u32,
    /// Bytes added to `4 T` for the price of a Withheld deposit.
    pub withheld_overhead_bytes: u32,
    /// RASTiC specifications a job may name.
    pub specs: BoundedVec<Spec, 3>,
}

/// Windows (in blocks), sizes and prices of verifier bonds, committees and audits.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CommitteeParams {
    /// DRAW: from the start of a round to its draw.
    pub draw: u32,
    /// COMMIT: how long seats may commit to a ballot.
    pub commit: u32,
    /// REVEAL: how long they may reveal it.
    pub reveal: u32,
    /// APPEAL: how long the loser of round 1 may ask for round 2.
    pub appeal: u32,
    /// Seats of round 1 and of round 2.
    pub seats: [u32; 2],
    /// With fewer eligible tickets a round has no seats and is inconclusive.
    pub min_eligible: u32,
    /// What a majority is a majority of.
    pub quorum: Quorum,
    /// Findings of a model with an exact profile count together only if their score roots agree.
    pub score_roots: bool,
    /// Where a committee's sampled positions come from.
    pub challenge: ChallengeSource,
    /// Whether the client can open a bad delivery in public.
    pub public_decryption: bool,
    /// Jobs that are audited without a claim, in thousandths.
    pub audit_permille: u32,
    /// Deposit of an Invalid claim, in seat pays.
    pub claim_deposit_in_seat_pays: u32,
    /// Deposit of an appeal, in seat pays.
    pub appeal_deposit_in_seat_pays: u32,
    /// Fine of a seat that does not reveal, in seat pays.
    pub no_show_fine_in_seat_pays: u32,
    /// The bond behind a ticket.
    pub verifier_bond: Amount,
    /// Blocks that a bond must be old at Engage to be drawn for the job.
    pub ticket_maturity: u32,
    /// Blocks from the wish to leave to the return of the bond.
    pub unbonding: u32,
}

/// What a majority of a committee is a majority of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Quorum {
    /// All seats: silence counts for nobody.
    Seats,
    /// The votes that were revealed (the paper's "51 %", hole H12).
    Votes,
}

/// Where the positions that a sampled specification checks come from (hole H6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ChallengeSource {
    /// From a block that is mined after the claim.
    Beacon,
    /// From the job id, which the node knows while it generates: what an unsaid rule may come to.
    Job,
}

impl Params {
    /// The main network's constants, without allocations.
    pub fn mainnet() -> Self {
        Self {
            magic: *b"CAML",
            genesis_time: Timestamp(1_795_305_600), // 2026-11-22 00:00:00 UTC
            genesis_bits: CompactTarget(0x1d00_ffff),
            difficulty: Difficulty::Asert {
                half_life_s: 72 * 60,
                limit: CompactTarget(0x1d00_ffff),
            },
            spacing_s: 60,
            subsidy: coins(50),
            halving_interval: 1_000_000,
            maturity: 100,
            max_block_bytes: 1_000_000,
            max_block_signature_operations: 20_000,
            max_future_s: 7_200,
            jobs: JobParams {
                challenge: 16,
                deliver_counter: 30,
                burial: 6,
                min_deadline: 10,
                max_deadline: 10_080,
                min_age_s: 600,
                min_seat_pay: units(100_000),
                min_stake_in_seat_pays: 64,
                audit_fee_permille: 220,
                withheld_units_per_byte: 200,
                withheld_overhead_bytes: 600,
                specs: specs(&[Spec::V2]),
            },
            committee: CommitteeParams {
                draw: 6,
                commit: 60,
                reveal: 10,
                appeal: 20,
                seats: [7, 15],
                min_eligible: 30,
                quorum: Quorum::Seats,
                score_roots: true,
                challenge: ChallengeSource::Beacon,
                public_decryption: true,
                audit_permille: 30,
                claim_deposit_in_seat_pays: 7,
                appeal_deposit_in_seat_pays: 15,
                no_show_fine_in_seat_pays: 4,
                verifier_bond: coins(100),
                ticket_maturity: 100,
                unbonding: 2_000,
            },
            allocations: BoundedVec::new(),
        }
    }

    /// The simulator's network: trivial proof of work for ever, all specifications, coins and tickets that
    /// mature quickly, small committees with short windows, no waiting before a job may be mined, and
    /// audits only where a scenario asks for them.
    pub fn simnet() -> Self {
        let mainnet = Self::mainnet();
        Self {
            magic: *b"CAMS",
            genesis_bits: CompactTarget(0x207f_ffff),
            difficulty: Difficulty::Constant,
            maturity: 10,
            jobs: JobParams {
                min_age_s: 0,
                specs: specs(&[Spec::V1AsWritten, Spec::V1Repaired, Spec::V2]),
                ..mainnet.jobs
            },
            committee: CommitteeParams {
                draw: 3,
                commit: 8,
                reveal: 4,
                appeal: 4,
                seats: [3, 5],
                min_eligible: 8,
                verifier_bond: coins(10),
                ticket_maturity: 2,
                audit_permille: 0,
                ..mainnet.committee
            },
            ..mainnet
        }
    }

    /// A network for development, on one desk: a block a second from one rate-limited miner (the target
    /// stays at 256 hashes and follows nobody, so that a network that slept for a night has nothing to
    /// catch up on), short windows, small committees, no waiting before a job may be mined. Whoever founds
    /// one says when it begins and who has coins.
    pub fn devnet() -> Self {
        let simnet = Self::simnet();
        Self {
            magic: *b"CAMD",
            genesis_bits: CompactTarget(0x2000_ffff),
            spacing_s: 1,
            jobs: JobParams {
                challenge: 15,
                deliver_counter: 10,
                burial: 2,
                specs: specs(&[Spec::V2]),
                ..simnet.jobs
            },
            committee: CommitteeParams {
                commit: 10,
                audit_permille: Self::mainnet().committee.audit_permille,
                unbonding: 120,
                ..simnet.committee
            },
            ..simnet
        }
    }

    /// The simulator's network under the paper's rules, as far as parameters can say them: disputes
    /// cost nothing (H16), an output counts as withheld on the client's word (H5), a majority of those
    /// who happen to vote decides (H12), votes show nothing of the work behind them (H4), nobody audits
    /// (H11), positions can be foreseen (H6), and garbage cannot be opened in public (H10).
    pub fn paper() -> Self {
        let simnet = Self::simnet();
        Self {
            magic: *b"CAMP",
            jobs: JobParams {
                deliver_counter: 0,
                withheld_units_per_byte: 0,
                audit_fee_permille: 0,
                specs: specs(&[Spec::V1AsWritten]),
                ..simnet.jobs
            },
            committee: CommitteeParams {
                quorum: Quorum::Votes,
                score_roots: false,
                challenge: ChallengeSource::Job,
                public_decryption: false,
                claim_deposit_in_seat_pays: 0,
                appeal_deposit_in_seat_pays: 0,
                no_show_fine_in_seat_pays: 0,
                ..simnet.committee
            },
            ..simnet
        }
    }

    /// Hash of all parameters.
    pub fn hash(&self) -> Hash256 {
        tagged_hash("camelid/params", &encode(self))
    }

    /// The subsidy of the block at `height`.
    pub fn subsidy_at(&self, height: Height) -> Amount {
        let halvings = height.0.checked_div(self.halving_interval).unwrap_or(0);
        units(self.subsidy.units().checked_shr(halvings).unwrap_or(0))
    }
}

impl CommitteeParams {
    /// Seats of round `round`, 1 or 2.
    pub fn seats_of(&self, round: u8) -> u32 {
        let [first, second] = self.seats;
        if round <= 1 { first } else { second }
    }
}

impl JobParams {
    /// Seat pay `p = max(least pay, ceil(r / 2))` for a reward `r`.
    pub fn seat_pay(&self, reward: Amount) -> Amount {
        self.min_seat_pay.max(units(reward.units().div_ceil(2)))
    }

    /// Least stake `S` for a reward `r`, or `None` beyond all coins.
    pub fn min_stake(&self, reward: Amount) -> Option<Amount> {
        self.seat_pay(reward)
            .checked_mul(u64::from(self.min_stake_in_seat_pays))
    }

    /// The audit fee `a` for a reward `r`; private jobs are not audited and pay none.
    pub fn audit_fee(&self, reward: Amount, private: bool) -> Amount {
        if private {
            return Amount::ZERO;
        }
        let permille = self
            .seat_pay(reward)
            .checked_mul(u64::from(self.audit_fee_permille));
        permille.map_or(Amount::MAX, |permille| units(permille.units().div_ceil(1000)))
    }

    /// The deposit of a Withheld claim for a token limit `T`: it pays for the answer's bytes.
    pub fn withheld_deposit(&self, max_tokens: u32) -> Amount {
        let bytes = u64::from(max_tokens) * 4 + u64::from(self.withheld_overhead_bytes);
        Amount::from_units(bytes.saturating_mul(u64::from(self.withheld_units_per_byte)))
            .unwrap_or(Amount::MAX)
    }
}

const fn coins(count: u64) -> Amount {
    match Amount::from_coins(count) {
        Some(amount) => amount,
        None => Amount::MAX,
    }
}

const fn units(count: u64) -> Amount {
    match Amount::from_units(count) {
        Some(amount) => amount,
        None => Amount::MAX,
    }
}

fn specs(list: &[Spec]) -> BoundedVec<Spec, 3> {
    BoundedVec::from_vec(list.to_vec()).unwrap_or_default()
}
