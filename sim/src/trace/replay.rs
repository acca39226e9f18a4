//! Open-loop replay: recorded inputs in, outputs and states compared.

use super::digest::{RunDigest, outputs_check};
use super::format::{Frame, TracedInput, first_16};
use super::reader::Trace;
use crate::disk::Disk;
use crate::model::{Answers, Brought, ModelSource, NoModels, Recalled};
use crate::scenario::{LoadError, Scenario, Setup};
use crate::strategy::Actor;
use crate::verifier::MemoVerifier;
use camelid_core::keys::SharedVerifier;
use camelid_core::model::Manifest;
use camelid_core::primitives::{Hash256, Time};
use camelid_core::process::{Input, Output, Outputs, Process};
use camelid_core::wire::Packet;
use std::sync::Arc;

/// A replay that agreed with its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Steps that were replayed.
    pub steps: u64,
    /// The run's digest.
    pub digest: Hash256,
}

/// The first step at which this program does something else than the one that recorded the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Number of the step, from 0.
    pub step: u64,
    /// Virtual time of the step.
    pub at: Time,
    /// Name of the node.
    pub node: String,
    /// Kind of input that the node handled.
    pub input: String,
    /// What differs.
    pub what: &'static str,
}

/// Why a replay did not end well.
#[derive(Debug)]
pub enum ReplayError {
    /// The trace is whole, but cannot be what a simulation recorded.
    Impossible(String),
    /// Its scenario cannot be loaded.
    Scenario(LoadError),
    /// This program does something else.
    Diverged(Divergence),
}

/// Replays a trace.
///
/// # Errors
/// [`ReplayError`]; a divergence names the first step that differs.
pub fn replay(trace: &Trace) -> Result<Replay, ReplayError> {
    replay_watched(trace, &mut |_| {}).map(|(replay, _)| replay)
}

/// A step that did what its trace says.
pub(super) struct Replayed<'a> {
    /// What the scenario and the seed made.
    pub setup: &'a Setup,
    /// Number of the node.
    pub node: usize,
    /// What it handled.
    pub input: &'a Input,
    /// What it gave out.
    pub outputs: &'a [Output],
}

/// [`replay`], shown to `watch` step by step.
///
/// # Errors
/// As for [`replay`].
pub(super) fn replay_watched(
    trace: &Trace,
    watch: &mut dyn FnMut(&Replayed<'_>),
) -> Result<(Replay, Setup), ReplayError> {
    let models = recalled(&trace.frames);
    let models: &dyn ModelSource = models.as_ref().map_or(&NoModels, |models| models);
    let scenario =
        Scenario::parse_with(&trace.scenario, &trace.name, models).map_err(ReplayError::Scenario)?;
    let verifier: SharedVerifier = Arc::new(MemoVerifier::new());
    let setup = Setup::draw(&scenario, trace.seed, &verifier);
    let mut replayer = Replayer {
        actors: setup.nodes.iter().map(|_| None).collect(),
        disks: setup.nodes.iter().map(|_| Disk::new(setup.cache_bytes)).collect(),
        packets: Vec::new(),
        digest: RunDigest::new(&scenario.name, trace.seed),
        setup: &setup,
        watch,
    };
    for frame in &trace.frames {
        replayer.apply(frame)?;
    }
    let (steps, digest) = replayer.finish();
    if steps != trace.steps || digest != trace.digest {
        return Err(impossible("the end frame does not fit the frames before it"));
    }
    Ok((Replay { steps, digest }, setup))
}

/// The models that the trace has the answers of: the network's and the coarse one.
fn recalled(frames: &[Frame]) -> Option<Brought> {
    let mut models: Vec<(Manifest, Answers)> = Vec::new();
    for frame in frames {
        match (frame, models.last_mut()) {
            (Frame::Model(manifest), _) => models.push(((**manifest).clone(), Answers::new())),
            (Frame::Answers(some), Some((_, answers))) => answers.extend(some.iter().cloned()),
            _ => {}
        }
    }
    let mut models = models
        .into_iter()
        .map(|(manifest, answers)| Arc::new(Recalled::new(manifest, answers)));
    let (full, coarse) = (models.next()?, models.next()?);
    Some(Brought { full, coarse })
}

fn impossible(reason: &str) -> ReplayError {
    ReplayError::Impossible(reason.into())
}

struct Replayer<'a> {
    setup: &'a Setup,
    actors: Vec<Option<Actor>>,
    disks: Vec<Disk>,
    packets: Vec<Packet>,
    digest: RunDigest,
    watch: &'a mut dyn FnMut(&Replayed<'_>),
}

impl Replayer<'_> {
    fn apply(&mut self, frame: &Frame) -> Result<(), ReplayError> {
        match frame {
            Frame::Packet(packet) => self.packets.push(packet.clone()),
            Frame::Boot { at, node, records } => {
                self.boot(usize::from(*node), *records as usize)?;
                self.digest.boot(*at, *node, *records);
            }
            Frame::Crash { at, node } => {
                let actor = self.actors.get_mut(usize::from(*node));
                *actor.ok_or_else(|| impossible("a node that the scenario does not have"))? = None;
                self.digest.crash(*at, *node);
            }
            Frame::Step {
                at,
                node,
                input,
                outputs,
                digest,
            } => {
                let from = match input {
                    TracedInput::Packet { from, .. } => *from,
                    TracedInput::Other(_) => *node,
                };
                let input = self.input(input)?;
                self.step(*at, usize::from(*node), &input, outputs, digest)?;
                self.digest.step(*at, *node, from, &input, outputs);
            }
            // Taken in before the first step.
            Frame::Model(_) | Frame::Answers(_) => {}
            Frame::Header { .. } | Frame::End { .. } => return Err(impossible("a second header")),
        }
        Ok(())
    }

    /// How many steps there were, and the run's digest.
    fn finish(self) -> (u64, Hash256) {
        let nodes = (0..).zip(&self.actors);
        let states = nodes.filter_map(|(node, actor)| Some((node, actor.as_ref()?.digest())));
        (self.digest.steps(), self.digest.finish(states))
    }

    fn boot(&mut self, node: usize, durable: usize) -> Result<(), ReplayError> {
        let (Some(setup), Some(disk)) = (self.setup.nodes.get(node), self.disks.get_mut(node)) else {
            return Err(impossible("a node that the scenario does not have"));
        };
        if durable > disk.len() {
            return Err(impossible("a node that restarts from records it never had"));
        }
        disk.truncate(durable);
        let actor = Actor::new(disk.recover(&setup.config), setup);
        if let Some(slot) = self.actors.get_mut(node) {
            *slot = Some(actor);
        }
        Ok(())
    }

    fn input(&self, input: &TracedInput) -> Result<Input, ReplayError> {
        match input {
            TracedInput::Other(input) => Ok(input.clone()),
            TracedInput::Packet { from, packet } => {
                let from = self.setup.nodes.get(usize::from(*from));
                let packet = self.packets.get(*packet as usize);
                match (from, packet) {
                    (Some(from), Some(packet)) => Ok(Input::Message {
                        from: from.config.key.node_id(),
                        packet: packet.clone(),
                    }),
                    _ => Err(impossible("a packet or a sender that does not exist")),
                }
            }
        }
    }

    fn step(
        &mut self,
        at: Time,
        node: usize,
        input: &Input,
        outputs: &[u8; 16],
        digest: &[u8; 16],
    ) -> Result<(), ReplayError> {
        let (Some(Some(actor)), Some(setup)) = (self.actors.get_mut(node), self.setup.nodes.get(node)) else {
            return Err(impossible("a step of a node that is not running"));
        };
        let kind = input_name(input);
        let disk = self.disks.get_mut(node);
        let disk = disk.ok_or_else(|| impossible("a node that the scenario does not have"))?;
        if *input == Input::Flushed {
            disk.show_flush();
        }
        let mut out = Outputs::new();
        actor.handle(setup.clock.at(at), input.clone(), &mut out);
        let differs = if outputs_check(&out) != *outputs {
            Some("its outputs differ")
        } else if first_16(&actor.digest().0) != *digest {
            Some("its state differs")
        } else {
            None
        };
        if let Some(what) = differs {
            let name = self
                .setup
                .nodes
                .get(node)
                .map(|setup| setup.name.clone())
                .unwrap_or_default();
            let divergence = Divergence {
                step: self.digest.steps(),
                at,
                node: name,
                input: kind.into(),
                what,
            };
            return Err(ReplayError::Diverged(divergence));
        }
        (self.watch)(&Replayed {
            setup: self.setup,
            node,
            input,
            outputs: out.as_slice(),
        });
        for output in out.take() {
            if let Output::Persist(record) = output {
                disk.push(*record);
            }
        }
        Ok(())
    }
}

fn input_name(input: &Input) -> &'static str {
    match input {
        Input::Start => "Start",
        Input::Message { .. } => "Message",
        Input::TimerFired(_) => "TimerFired",
        Input::Inferred { .. } => "Inferred",
        Input::Mined { .. } => "Mined",
        Input::Command(_) => "Command",
        Input::Connection(_) => "Connection",
        Input::Flushed => "Flushed",
    }
}
