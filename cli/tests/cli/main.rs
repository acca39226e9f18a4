//! The binary as scripts see it: standard output, standard error and exit codes.

#[cfg(feature = "ggml")]
mod bad_claims;
#[cfg(feature = "ggml")]
mod catch_up;
#[cfg(feature = "ggml")]
mod cheat;
#[cfg(feature = "ggml")]
mod claims;
mod corpus;
#[cfg(feature = "ggml")]
mod crashes;
#[cfg(feature = "ggml")]
mod demo;
mod detection;
mod difficulty;
mod economics;
#[cfg(feature = "ggml")]
mod guests;
#[cfg(feature = "ggml")]
mod jobs;
mod load;
#[cfg(feature = "ggml")]
mod models;
#[cfg(feature = "ggml")]
mod node;
#[cfg(feature = "ggml")]
mod nodes;
mod power;
mod rastic_replay;
#[cfg(feature = "ggml")]
mod real_models;
mod replay;
mod run;
#[cfg(feature = "ggml")]
mod selftest;
mod support;
mod swarm;
mod wallet;
