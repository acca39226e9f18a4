//! Calls every module of `camelid-core`, one function per module.
//!
//! Built for `wasm32-unknown-unknown`, where a program can reach nothing that it does not import,
//! the result must have no imports at all: no clock, no randomness, no files, no host
//! (`make probe`). A module that is not called here proves nothing, so a new module of the core
//! comes with a function here.
//!
//! Every input passes through [`black_box`](core::hint::black_box) and so does every result:
//! otherwise the compiler could compute them at build time and leave nothing to look at.

mod primitives;

fn main() {
    primitives::probe();
}
