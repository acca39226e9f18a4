//! What keys, headers, transactions, blocks and coins cost, each beside another implementation on the
//! same work in the same run (`make bench`). It fails when a floor is not held.
//!
//! The machine is shared: what is compared runs in turns, and best and median of the rounds are shown.
//! Ratios are between the best.

#![allow(clippy::print_stdout, clippy::print_stderr)] // tables are all that it is for

mod blocks;
mod encoding;
mod hashing;
mod memory;
mod pool;
mod signatures;
mod store;
mod table;
mod workshop;

use peak_alloc::PeakAlloc;
use std::process::ExitCode;
use table::Table;

/// Counts what is allocated.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    let mut table = Table::new();
    signatures::run(&mut table);
    hashing::run(&mut table);
    encoding::run(&mut table);
    blocks::run(&mut table);
    pool::run(&mut table);
    memory::run(&mut table);
    store::run(&mut table);
    table.verdict()
}
