//! The records of `--json`. Scripts depend on the keys and their order; new keys go to the end.

use serde::Serialize;

/// The network, first of all.
#[derive(Serialize)]
pub struct NetworkRecord {
    /// `camelid.demo.network.v1`
    pub schema: &'static str,
    /// Hash of the genesis block.
    pub genesis: String,
    /// The model's id.
    pub model: String,
    /// The nodes.
    pub nodes: Vec<NodeRecord>,
}

/// A node.
#[derive(Serialize)]
pub struct NodeRecord {
    /// What it is called.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Where it listens; none for one that comes later.
    pub listens: Option<String>,
    /// Its coins in the genesis block.
    pub coins: String,
}

/// A phase of a job.
#[derive(Serialize)]
pub struct PhaseRecord<'a> {
    /// `camelid.demo.phase.v1`
    pub schema: &'static str,
    /// Seconds from the start.
    pub seconds: f64,
    /// The client's tip.
    pub height: u32,
    /// Which job, from 1.
    pub job: usize,
    /// What happened.
    pub phase: &'static str,
    /// Whose doing it is.
    pub node: &'a str,
    /// In words.
    pub words: &'a str,
    /// A prompt or an output.
    pub text: Option<&'a str>,
}

/// What a node owned before and after.
#[derive(Serialize)]
pub struct BalanceRecord<'a> {
    /// `camelid.demo.balance.v1`
    pub schema: &'static str,
    /// The node.
    pub name: &'a str,
    /// Its coins in the genesis block.
    pub before: String,
    /// Its coins at the end, bonds included.
    pub after: String,
}

/// How it ended, last of all.
#[derive(Serialize)]
pub struct SummaryRecord {
    schema: &'static str,
    honest_settled: bool,
    cheater_slashed: bool,
    blocks: u32,
    seconds: f64,
}

impl SummaryRecord {
    /// After `blocks` blocks and `seconds` seconds.
    pub fn new(honest_settled: bool, cheater_slashed: bool, blocks: u32, seconds: f64) -> Self {
        Self {
            schema: "camelid.demo.v1",
            honest_settled,
            cheater_slashed,
            blocks,
            seconds,
        }
    }

    /// What is missing.
    pub fn words(&self) -> &'static str {
        match (self.honest_settled, self.cheater_slashed) {
            (true, true) => "nothing is missing",
            (false, true) => "the honest worker's job did not settle",
            (true, false) => "the cheat was not slashed",
            (false, false) => "neither did the honest worker's job settle, nor was the cheat slashed",
        }
    }
}
