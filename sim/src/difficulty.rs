//! What a rule for targets makes of a network whose hash power changes.
//!
//! There are no nodes and no hashes here, only the times at which blocks are found: the time for one
//! is drawn around the expected number of hashes divided by the hash power.

use crate::mining::exponential;
use camelid_core::block::{BlockHeader, CompactTarget, genesis_block, required_bits};
use camelid_core::params::Params;
use camelid_core::primitives::{Height, Stream, Timestamp};

/// Blocks before anything happens.
const QUIET_BLOCKS: u32 = 4_032;
/// Blocks that are measured after that: five of Bitcoin's periods.
const MEASURED_BLOCKS: u32 = 10_080;
/// Blocks that the mean interval is taken over: one of Bitcoin's periods.
const MEAN_BLOCKS: u32 = 2_016;
/// Target of the genesis block: far from both ends of the scale.
const FIRST_BITS: CompactTarget = CompactTarget(0x1b00_ffff);

/// A rule for targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The main network's.
    Asert,
    /// Bitcoin's: every 2,016 blocks, by the time that the last 2,015 of them took, within a factor of four.
    Bitcoin,
}

/// What happens to a network of hash power 1, for which the genesis target is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Nothing.
    Steady,
    /// Its hash power becomes ten times as large.
    TenTimes,
    /// Its hash power becomes a tenth.
    ATenth,
    /// A miner with twenty times its hash power joins whenever a block takes no more work than the
    /// genesis block's target, and leaves when it takes more.
    Hopper,
    /// All miners date every other block two hours ahead, and those between one second after the
    /// median time past.
    Dates,
}

/// What came of it, over some seeds. Times are in thousandths of the desired interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Mean interval over the first 2,016 blocks.
    pub mean_interval: u64,
    /// Longest interval.
    pub worst_gap: u64,
    /// Mean time until the target is within a tenth of the one that the hash power asks for; `None` if
    /// that did not happen under every seed.
    pub settled_after: Option<u64>,
    /// Blocks that the hopper found, in thousandths.
    pub hopper_permille: u64,
}

/// Lets `course` happen under `rule`, once for each seed.
pub fn study(rule: Rule, course: Course, seeds: core::ops::Range<u64>) -> Outcome {
    let runs: Vec<Measured> = seeds.map(|seed| Run::new(rule, course, seed).measure()).collect();
    let count = (runs.len() as u64).max(1);
    let spacing_ms = u64::from(Params::mainnet().spacing_s) * 1_000;
    let permille = |ms: u64| ms.saturating_mul(1_000) / spacing_ms;
    let sum = |part: fn(&Measured) -> u64| runs.iter().map(part).sum::<u64>();
    let settled: Option<u64> = runs.iter().map(|run| run.settled_after_ms).sum();
    Outcome {
        mean_interval: permille(sum(|run| run.first_blocks_ms) / (count * u64::from(MEAN_BLOCKS))),
        worst_gap: permille(runs.iter().map(|run| run.worst_gap_ms).max().unwrap_or(0)),
        settled_after: settled.map(|ms| permille(ms / count)),
        hopper_permille: sum(|run| run.hopper_blocks) * 1_000 / (count * u64::from(MEASURED_BLOCKS)),
    }
}

#[derive(Default)]
struct Measured {
    first_blocks_ms: u64,
    worst_gap_ms: u64,
    settled_after_ms: Option<u64>,
    hopper_blocks: u64,
}

/// A chain of header times that grows.
struct Run {
    rule: Rule,
    course: Course,
    params: Params,
    genesis: BlockHeader,
    stream: Stream,
    now_ms: u64,
    times: Vec<Timestamp>,
    /// Expected hashes for the next block.
    work: u128,
}

impl Run {
    fn new(rule: Rule, course: Course, seed: u64) -> Self {
        let params = Params {
            genesis_bits: FIRST_BITS,
            ..Params::mainnet()
        };
        let genesis = genesis_block(&params).header;
        Self {
            rule,
            course,
            stream: Stream::new(seed, "difficulty"),
            now_ms: u64::from(params.genesis_time.0) * 1_000,
            times: vec![params.genesis_time],
            work: hashes(FIRST_BITS),
            genesis,
            params,
        }
    }

    fn measure(mut self) -> Measured {
        for _ in 0..QUIET_BLOCKS {
            self.find(10);
        }
        let (start_ms, mut measured) = (self.now_ms, Measured::default());
        for number in 0..MEASURED_BLOCKS {
            let (before_ms, power) = (self.now_ms, self.power());
            let right = hashes(FIRST_BITS) * u128::from(power) / 10;
            if self.work.abs_diff(right) <= right / 10 {
                measured.settled_after_ms.get_or_insert(before_ms - start_ms);
            }
            self.find(power);
            measured.worst_gap_ms = measured.worst_gap_ms.max(self.now_ms - before_ms);
            if number + 1 == MEAN_BLOCKS {
                measured.first_blocks_ms = self.now_ms - start_ms;
            }
            // Of 21 blocks found while it takes part, the hopper finds 20.
            let hopped = self.course == Course::Hopper && power > 10;
            measured.hopper_blocks += u64::from(hopped && self.stream.below(21) < 20);
        }
        measured
    }

    /// Hash power at work on the next block, in tenths.
    fn power(&self) -> u64 {
        match self.course {
            Course::Steady | Course::Dates => 10,
            Course::TenTimes => 100,
            Course::ATenth => 1,
            Course::Hopper if self.work <= hashes(FIRST_BITS) => 210,
            Course::Hopper => 10,
        }
    }

    /// The next block is found.
    fn find(&mut self, power_tenths: u64) {
        let spacing_ms = u128::from(self.params.spacing_s) * 1_000;
        let mean_ms = spacing_ms * self.work * 10 / (hashes(FIRST_BITS) * u128::from(power_tenths));
        let mean_ms = u64::try_from(mean_ms).unwrap_or(u64::MAX);
        self.now_ms += exponential(&mut self.stream, mean_ms);
        self.times.push(self.date());
        self.work = self.next_work();
    }

    fn date(&self) -> Timestamp {
        let height = self.times.len();
        let mut recent = self.times[height.saturating_sub(11)..].to_vec();
        recent.sort_unstable();
        let after_median = recent[recent.len() / 2].plus_seconds(1);
        let now = self.now_ms / 1_000;
        let dated = match (self.course, height % 2) {
            (Course::Dates, 0) => now + u64::from(self.params.max_future_s),
            (Course::Dates, _) => 0,
            _ => now,
        };
        Timestamp(u32::try_from(dated.max(after_median)).unwrap_or(u32::MAX))
    }

    fn next_work(&self) -> u128 {
        let height = self.times.len() - 1;
        match self.rule {
            Rule::Asert => {
                let parent = BlockHeader {
                    time: self.times[height],
                    ..self.genesis
                };
                let height = Height(u32::try_from(height).unwrap_or(u32::MAX));
                hashes(required_bits(&self.params, &parent, height))
            }
            Rule::Bitcoin if (height + 1).is_multiple_of(2_016) => {
                let due_s = 2_016 * u64::from(self.params.spacing_s);
                let took_s =
                    u64::from(self.times[height].0).saturating_sub(self.times[height - 2_015].0.into());
                self.work * u128::from(due_s) / u128::from(took_s.clamp(due_s / 4, due_s * 4))
            }
            Rule::Bitcoin => self.work,
        }
    }
}

fn hashes(bits: CompactTarget) -> u128 {
    bits.target().map_or(u128::MAX, |target| target.work().hashes())
}
