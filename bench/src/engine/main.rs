//! Events per second of the simulation engine: bare, and with fifty production nodes; beside madsim's
//! endpoint moving the same messages in the same run (`make bench`).
//!
//! Each figure is the best of a few rounds, because the machine is shared; what counts are the ratios.

#![allow(clippy::print_stdout)] // a table on standard output is all that it is for

mod bare;
#[cfg(madsim)]
mod endpoint;
mod scenario;

use std::time::{Duration, Instant};

/// Rounds of each measurement.
const ROUNDS: usize = 3;

/// What all engines move: `MESSAGES` packets of `BYTES` bytes around a ring of `NODES` nodes, with
/// `IN_FLIGHT` on their way at a time.
pub(crate) struct Load;

impl Load {
    pub(crate) const NODES: usize = 50;
    pub(crate) const IN_FLIGHT: usize = 200;
    pub(crate) const MESSAGES: usize = 200_000;
    pub(crate) const BYTES: usize = 200;
}

fn main() {
    println!("{:<58} {:>12} {:>9}", "engine", "events/s", "ratio");
    let bare = best(|| (Load::MESSAGES as u64, time(bare::run)));
    row("event heap and network model, bare", bare, bare);
    #[cfg(madsim)]
    row(
        "madsim endpoint, the same messages",
        best(|| (Load::MESSAGES as u64, time(endpoint::run))),
        bare,
    );
    #[cfg(not(madsim))]
    println!("madsim endpoint: not measured without `--cfg madsim` (use `make bench`)");
    let scenario = scenario::load();
    row(
        "50 nodes, each signature verified once for all",
        best(|| scenario::run(&scenario, true)),
        bare,
    );
    row(
        "50 nodes, each signature verified by every node",
        best(|| scenario::run(&scenario, false)),
        bare,
    );
}

/// The highest rate of a few rounds, in events per second.
fn best(round: impl Fn() -> (u64, Duration)) -> u64 {
    let rate = |(events, elapsed): (u64, Duration)| {
        let nanoseconds = elapsed.as_nanos().max(1);
        u64::try_from(u128::from(events) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
    };
    (0..ROUNDS).map(|_| rate(round())).max().unwrap_or(0)
}

pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// One line; the ratio is to the bare engine.
fn row(name: &str, rate: u64, bare: u64) {
    let thousandths = rate.saturating_mul(1_000) / bare.max(1);
    println!(
        "{name:<58} {rate:>12} {:>5}.{:03}",
        thousandths / 1_000,
        thousandths % 1_000
    );
}
