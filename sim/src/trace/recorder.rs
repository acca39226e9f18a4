//! Writing a trace, and the digest of a run.

use super::format::{
    ANSWERS_PER_FRAME, CheckChain, Frame, MAGIC, TracedInput, VERSION, first_16, outputs_check,
};
use crate::model::{LanguageModel as _, Recording};
use camelid_core::primitives::{Digest, Hash256, Map, Time, encode, tagged_hash};
use camelid_core::process::{Input, Outputs};
use camelid_core::wire::Packet;
use sha2::{Digest as _, Sha256};

/// Records a run. The run's digest covers every frame but the header, which holds the scenario's
/// text: a comment in the file does not change the digest.
pub struct Recorder {
    bytes: Vec<u8>,
    checks: CheckChain,
    run: Sha256,
    packets: Map<Packet, u32>,
    steps: u64,
}

impl Recorder {
    /// A recorder for a run of the scenario `name`, whose file is `scenario`.
    pub fn new(name: &str, seed: u64, scenario: &str) -> Self {
        let mut recorder = Self {
            bytes: [&MAGIC[..], &VERSION.to_le_bytes()].concat(),
            checks: CheckChain::new(),
            run: Sha256::new().chain_update(tagged_hash("camelid/run", &(name, seed))),
            packets: Map::with_seed(0),
            steps: 0,
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
        self.record(&Frame::Boot { at, node, records });
    }

    /// Records a crash.
    pub fn crash(&mut self, at: Time, node: u16) {
        self.record(&Frame::Crash { at, node });
    }

    /// Records a step; `from` is the number of the sender, if the input is a packet.
    pub fn step(
        &mut self,
        at: Time,
        node: u16,
        from: u16,
        input: &Input,
        outputs: &Outputs,
        digest: &Digest,
    ) {
        let input = match input {
            Input::Message { packet, .. } => TracedInput::Packet {
                from,
                packet: self.intern(packet),
            },
            other => TracedInput::Other(other.clone()),
        };
        self.steps += 1;
        let (outputs, digest) = (outputs_check(outputs), first_16(&digest.0));
        self.record(&Frame::Step {
            at,
            node,
            input,
            outputs,
            digest,
        });
    }

    /// Records what a model that runs elsewhere has said.
    pub fn model(&mut self, model: &Recording) {
        self.record(&Frame::Model(Box::new(model.manifest().clone())));
        let answers: Vec<_> = model.answers().into_iter().collect();
        for answers in answers.chunks(ANSWERS_PER_FRAME) {
            self.record(&Frame::Answers(answers.to_vec()));
        }
    }

    /// Number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Closes the trace: its bytes, and the run's digest.
    pub fn finish(mut self) -> (Vec<u8>, Digest) {
        let digest = Hash256(self.run.clone().finalize().into());
        self.write(&Frame::End {
            steps: self.steps,
            digest,
        });
        (self.bytes, Digest(digest.0))
    }

    fn intern(&mut self, packet: &Packet) -> u32 {
        if let Some(number) = self.packets.get(packet) {
            return *number;
        }
        let number = u32::try_from(self.packets.len()).unwrap_or(u32::MAX);
        self.packets.insert(packet.clone(), number);
        self.record(&Frame::Packet(packet.clone()));
        number
    }

    fn record(&mut self, frame: &Frame) {
        let payload = self.write(frame);
        self.run.update(payload);
    }

    fn write(&mut self, frame: &Frame) -> Vec<u8> {
        let payload = encode(frame);
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(&payload);
        self.bytes.extend(self.checks.next(&payload));
        payload
    }
}
