//! Work in parallel, with results in order.

use crate::exit::Failure;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

/// Does `work` for each number below `count`, `jobs` at the same time, and hands each result to `take` as
/// soon as it is the next one. Work is begun in order too, and none after `stop` is raised: what is done
/// then has no gaps.
///
/// # Errors
/// The first error of `work` or `take`. Nothing new is begun after it.
pub fn in_order<T: Send>(
    count: u64,
    jobs: usize,
    stop: &AtomicBool,
    work: impl Fn(u64) -> Result<T, Failure> + Sync,
    mut take: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| Failure::System(format!("no threads to run on: {error}")))?;
    let next = AtomicU64::new(0);
    let halt = AtomicBool::new(false);
    let (sender, results) = mpsc::channel();
    let worker = |sender: mpsc::Sender<(u64, Result<T, Failure>)>| {
        while !stop.load(Ordering::Relaxed) && !halt.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            // Nobody listens after an error.
            if index >= count || sender.send((index, work(index))).is_err() {
                return;
            }
        }
    };
    pool.in_place_scope(|scope| {
        for _ in 0..jobs {
            let (sender, worker) = (sender.clone(), &worker);
            scope.spawn(move |_| worker(sender));
        }
        drop(sender);
        let mut order = InOrder::new();
        for (index, result) in results {
            let taken = result.and_then(|result| order.push(index, result, &mut take));
            if taken.is_err() {
                halt.store(true, Ordering::Relaxed);
                return taken;
            }
        }
        Ok(())
    })
}

/// Holds results back until all before them are there.
struct InOrder<T> {
    next: u64,
    waiting: BTreeMap<u64, T>,
}

impl<T> InOrder<T> {
    fn new() -> Self {
        Self {
            next: 0,
            waiting: BTreeMap::new(),
        }
    }

    fn push(
        &mut self,
        index: u64,
        result: T,
        take: &mut impl FnMut(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.waiting.insert(index, result);
        while let Some(result) = self.waiting.remove(&self.next) {
            self.next += 1;
            take(result)?;
        }
        Ok(())
    }
}
