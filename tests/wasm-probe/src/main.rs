//! Calls every module of `camelid-core`, one function per module.
//!
//! Built for `wasm32-unknown-unknown`, where a program can reach nothing that it does not import,
//! the result must have no imports at all: no clock, no randomness, no files, no host
//! (`make probe`). A module that is not called here proves nothing, so a new module of the core
//! comes with a function here.
//!
//! Inputs and results pass through [`black_box`](core::hint::black_box): otherwise the compiler could
//! compute them at build time and leave nothing to look at. The same calls run as a test on the
//! machine at hand, so that none of them ends early.

mod block;
mod chain;
mod committee;
mod dispute;
mod escrow;
mod job;
mod keys;
mod mempool;
mod model;
mod node;
mod peers;
mod primitives;
mod proof;
mod rastic;
mod script;
mod tx;
mod wire;
mod workshop;

fn main() {
    primitives::probe();
    keys::probe();
    script::probe();
    model::probe();
    rastic::probe();
    tx::probe();
    block::probe();
    chain::probe();
    job::probe();
    escrow::probe();
    proof::probe();
    dispute::probe();
    committee::probe();
    mempool::probe();
    wire::probe();
    peers::probe();
    node::probe();
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_calls_run_to_their_end() {
        super::main();
    }
}
