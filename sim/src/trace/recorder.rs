//! Writing a trace.

use super::format::{ANSWERS_PER_FRAME, CheckChain, Frame, MAGIC, TracedInput, VERSION, first_16};
use crate::model::{LanguageModel as _, Recording};
use camelid_core::primitives::{Digest, Hash256, Map, Time, encode};
use camelid_core::process::Input;
use camelid_core::wire::Packet;
use std::sync::Arc;

/// Records a run.
pub struct Recorder {
    bytes: Vec<u8>,
    checks: CheckChain,
    packets: Map<Packet, u32>,
}

impl Recorder {
    /// A recorder for a run of the scenario `name`, whose file is `scenario`.
    pub fn new(name: &str, seed: u64, scenario: &str) -> Self {
        let mut recorder = Self {
            bytes: [&MAGIC[..], &VERSION.to_le_bytes()].concat(),
            checks: CheckChain::new(),
            packets: Map::with_seed(0),
        };
        recorder.write(&Frame::Header {
            name: name.into(),
            seed,
            scenario: scenario.into(),
        });
        recorder
    }

    /// Records a start from `records` durable records.
    pub fn boot(&mut self, at: Time, node: u16, records: u32) {
        self.write(&Frame::Boot { at, node, records });
    }

    /// Records a crash.
    pub fn crash(&mut self, at: Time, node: u16) {
        self.write(&Frame::Crash { at, node });
    }

    /// Records a step; `from` is the number of the sender, if the input is a packet. `outputs` is their
    /// check, `digest` the node's afterwards.
    pub fn step(
        &mut self,
        at: Time,
        node: u16,
        from: u16,
        input: &Input,
        outputs: [u8; 16],
        digest: &Digest,
    ) {
        let input = match input {
            Input::Message { packet, .. } => TracedInput::Packet {
                from,
                packet: self.intern(packet),
            },
            other => TracedInput::Other(other.clone()),
        };
        self.write(&Frame::Step {
            at,
            node,
            input,
            outputs,
            digest: first_16(&digest.0),
        });
    }

    /// Closes the trace, with what models that run elsewhere have said, and returns its bytes.
    pub fn finish(mut self, models: &[Arc<Recording>], steps: u64, digest: Hash256) -> Vec<u8> {
        for model in models {
            self.model(model);
        }
        self.write(&Frame::End { steps, digest });
        self.bytes
    }

    fn model(&mut self, model: &Recording) {
        self.write(&Frame::Model(Box::new(model.manifest().clone())));
        let answers: Vec<_> = model.answers().into_iter().collect();
        for answers in answers.chunks(ANSWERS_PER_FRAME) {
            self.write(&Frame::Answers(answers.to_vec()));
        }
    }

    fn intern(&mut self, packet: &Packet) -> u32 {
        if let Some(number) = self.packets.get(packet) {
            return *number;
        }
        let number = u32::try_from(self.packets.len()).unwrap_or(u32::MAX);
        self.packets.insert(packet.clone(), number);
        self.write(&Frame::Packet(packet.clone()));
        number
    }

    fn write(&mut self, frame: &Frame) {
        let payload = encode(frame);
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(&payload);
        self.bytes.extend(self.checks.next(&payload));
    }
}
