//! Simulated CamelidCoin networks: the production node, driven by an event heap instead of a
//! network, with everything drawn from one seed.
//!
//! Nothing here reads a clock or a random device, and nothing computes with floats, so that a seed
//! gives the same run on every machine.
#![forbid(unsafe_code)]

pub mod model;
