//! The digest of a run.

use super::format::first_16;
use camelid_core::primitives::{Digest, Hash256, Time, encode, tagged_hash};
use camelid_core::process::{Input, Outputs};
use sha2::{Digest as _, Sha256};

/// Fingerprint of all that happened in a run: who handled what, when, and what came of it; at the end, the
/// state of every node that is up. It is the same whether the run is recorded or not, and does not
/// hang on the text of the scenario's file: a comment in it changes nothing.
pub struct RunDigest {
    hash: Sha256,
    steps: u64,
}

impl RunDigest {
    /// The digest of a run of the scenario `name` before it begins.
    pub fn new(name: &str, seed: u64) -> Self {
        Self {
            hash: Sha256::new().chain_update(tagged_hash("camelid/run", &(name, seed))),
            steps: 0,
        }
    }

    /// Takes in that a node starts from `records` durable records.
    pub fn boot(&mut self, at: Time, node: u16, records: u32) {
        self.update(&(0u8, at, node, records));
    }

    /// Takes in that a node stops without warning.
    pub fn crash(&mut self, at: Time, node: u16) {
        self.update(&(1u8, at, node));
    }

    /// Takes in that a node handles an input, which is from node number `from` if it is a packet. `outputs` is
    /// their [check](outputs_check).
    pub fn step(&mut self, at: Time, node: u16, from: u16, input: &Input, outputs: &[u8; 16]) {
        self.steps += 1;
        match input {
            // What is in it was covered when it was sent; this tells it from the sender's others.
            Input::Message { packet, .. } => {
                let length = packet.len() as u64;
                let end = packet.last_chunk::<4>().copied().unwrap_or_default();
                self.update(&(2u8, at, node, from, length, end, outputs));
            }
            other => self.update(&(3u8, at, node, other, outputs)),
        }
    }

    /// Inputs that were handled so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The digest, with those of the nodes that are up at the end and their numbers.
    pub fn finish(mut self, nodes: impl Iterator<Item = (u16, Digest)>) -> Hash256 {
        for (node, digest) in nodes {
            self.update(&(4u8, node, digest));
        }
        Hash256(self.hash.finalize().into())
    }

    fn update(&mut self, fields: &impl borsh::BorshSerialize) {
        self.hash.update(encode(fields));
    }
}

/// Start of the hash of a batch of outputs.
pub fn outputs_check(outputs: &Outputs) -> [u8; 16] {
    first_16(&tagged_hash("camelid/outputs", outputs).0)
}
