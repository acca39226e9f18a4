//! Measuring in turns, and the table.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A way to do some work.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'a str,
    work: Box<dyn FnMut() + 'a>,
}

/// A contender called `name`, whose `work` is one round.
pub(crate) fn contender<'a>(name: &'a str, work: impl FnMut() + 'a) -> Contender<'a> {
    Contender {
        name,
        work: Box::new(work),
    }
}

/// Prints rows, and remembers whether all floors were held.
pub(crate) struct Table {
    broken: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { broken: Vec::new() }
    }

    /// Lets the contenders work in turns, `rounds` times, each round being `count` operations. Prints
    /// the time of one operation and how many times as long the contender takes as the last one, which
    /// is the peer. Returns the best time of each.
    pub(crate) fn compare<const N: usize>(
        &mut self,
        title: &str,
        (rounds, count): (usize, u32),
        mut contenders: [Contender<'_>; N],
    ) -> [Duration; N] {
        let mut times = [const { Vec::new() }; N];
        for _ in 0..rounds {
            for (contender, times) in contenders.iter_mut().zip(&mut times) {
                let start = Instant::now();
                (contender.work)();
                times.push(start.elapsed() / count);
            }
        }
        times.iter_mut().for_each(|times| times.sort_unstable());
        let best = times.each_ref().map(|times| times[0]);
        let peer = best[N - 1].as_secs_f64();
        println!("\n{title:<58} {:>12} {:>12} {:>8}", "best", "median", "ratio");
        for (index, contender) in contenders.iter().enumerate() {
            println!(
                "  {:<56} {:>12} {:>12} {:>8.2}",
                contender.name,
                show(best[index]),
                show(times[index][rounds / 2]),
                best[index].as_secs_f64() / peer,
            );
        }
        best
    }

    /// Prints sizes; the last is the peer.
    pub(crate) fn sizes(&mut self, title: &str, sizes: &[(&str, f64)]) {
        let peer = sizes.last().map_or(1.0, |(_, size)| *size);
        println!("\n{title:<58} {:>12} {:>12} {:>8}", "bytes", "", "ratio");
        for (name, size) in sizes {
            println!("  {name:<56} {size:>12.1} {:>12} {:>8.2}", "", size / peer);
        }
    }

    /// `fast` must do at least `least` times as much as `slow` in the same time.
    pub(crate) fn require(&mut self, what: &str, least: f64, (fast, slow): (Duration, Duration)) {
        let factor = slow.as_secs_f64() / fast.as_secs_f64();
        let held = factor >= least;
        let sign = if held { "held" } else { "BROKEN" };
        println!("  floor {sign}: {what}: {factor:.2} x, at least {least} x");
        if !held {
            self.broken
                .push(format!("{what}: {factor:.2} x, at least {least} x"));
        }
    }

    pub(crate) fn verdict(self) -> ExitCode {
        if self.broken.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("\nbelow the floor: {}", self.broken.join("; "));
        eprintln!("Was this built with target-cpu=native or +avx? That slows SHA-256 down a hundredfold.");
        ExitCode::FAILURE
    }
}

fn show(time: Duration) -> String {
    let nanoseconds = time.as_secs_f64() * 1e9;
    match nanoseconds {
        ..1e4 => format!("{nanoseconds:.1} ns"),
        ..1e7 => format!("{:.1} us", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}
