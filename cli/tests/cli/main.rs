//! The binary as scripts see it: standard output, standard error and exit codes.

mod corpus;
mod detection;
mod economics;
mod load;
mod power;
mod rastic_replay;
mod replay;
mod run;
mod support;
mod swarm;
mod wallet;
