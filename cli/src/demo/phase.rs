//! One line for each thing that happens.

use super::cast::{CHEAT, cast};
use super::record::{NetworkRecord, PhaseRecord};
use super::stage::Stage;
use super::words::list;
use crate::exit::Failure;
use crate::sim::print_json;
use std::io::{Write, stdout};
use std::time::Instant;

/// Something that happened to a job.
pub struct Phase<'a> {
    /// Which job, from 1.
    pub job: usize,
    /// What happened.
    pub phase: &'static str,
    /// Whose doing it is.
    pub node: &'a str,
    /// In words, after the node's name.
    pub words: String,
    /// A prompt or an output.
    pub text: Option<String>,
}

/// Tells what happens as it does, to people or to scripts.
pub struct Teller {
    json: bool,
    began: Instant,
}

impl Teller {
    /// With a clock that was started at `began`.
    pub fn new(json: bool, began: Instant) -> Self {
        Self { json, began }
    }

    /// Seconds from the start, to the tenth.
    pub fn seconds(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 10.0).round() / 10.0
    }

    /// Says who takes part and who has what.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn introduce(&self, stage: &Stage) -> Result<(), Failure> {
        let network = stage.describe();
        match self.json {
            true => print_json(&network),
            false => Ok(introduce(&network)?),
        }
    }

    /// Says what happened when the client's tip was at `height`.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn tell(&self, height: u32, phase: &Phase<'_>) -> Result<(), Failure> {
        let (seconds, text) = (self.seconds(), phase.text.as_deref());
        let Phase {
            job,
            phase,
            node,
            words,
            ..
        } = phase;
        if self.json {
            return print_json(&PhaseRecord {
                schema: "camelid.demo.phase.v1",
                seconds,
                height,
                job: *job,
                phase,
                node,
                words,
                text,
            });
        }
        let mut out = stdout().lock();
        writeln!(
            out,
            "{seconds:5.1} s  block {height:<3} job {job}  {phase:<9}  {node} {words}"
        )?;
        if let Some(text) = text {
            writeln!(out, "{:37}“{text}”", "")?;
        }
        Ok(out.flush()?)
    }
}

fn introduce(network: &NetworkRecord) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let (now, later) = network.nodes.split_at(CHEAT);
    let ports: Vec<&str> = now
        .iter()
        .filter_map(|node| node.listens.as_deref()?.rsplit(':').next())
        .collect();
    writeln!(
        out,
        "A network on this machine: {} nodes in one process, which talk QUIC over loopback, UDP ports {}.",
        now.len(),
        list(&ports)
    )?;
    writeln!(out, "Model {}, genesis block {}.", network.model, network.genesis)?;
    writeln!(out, "Coins in the genesis block:")?;
    for (node, party) in network.nodes.iter().zip(cast()) {
        let role = format!("{:?}", party.role).to_lowercase();
        writeln!(out, "  {:<16} {:>3}  {role}", node.name, party.wealth())?;
    }
    for node in later {
        writeln!(
            out,
            "{} comes when the first job is done. It runs the same node, but swaps one token of what its model \
             writes before it commits to it.\n",
            node.name
        )?;
    }
    out.flush()
}
