//! The format: a magic number, then frames of `length ‖ payload ‖ check`.
//!
//! Each check is the start of a hash over all that came before, so that any flipped bit is found at
//! its frame and a cut is found by the missing end.

use crate::model::Question;
use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::model::{Manifest, Prediction};
use camelid_core::primitives::{Hash256, Time};
use camelid_core::process::Input;
use camelid_core::wire::Packet;
use sha2::{Digest as _, Sha256};

/// First bytes of every trace.
pub(super) const MAGIC: &[u8; 8] = b"CAMELTRC";
/// Version of the format.
pub const VERSION: u16 = 2;
/// Largest payload of a frame: a record of the largest packet, with room to spare.
pub(super) const MAX_FRAME_BYTES: usize = 4 << 20;
/// Answers in a frame: those about as many positions as there can be take half of the largest payload.
pub(super) const ANSWERS_PER_FRAME: usize = 32;
/// Bytes of the check behind each frame.
pub(super) const CHECK_BYTES: usize = 8;

/// A piece of a trace.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Frame {
    /// The first frame.
    Header {
        /// The scenario's name.
        name: String,
        /// The seed.
        seed: u64,
        /// The scenario file.
        scenario: String,
    },
    /// A packet; later frames name it by its number.
    Packet(Packet),
    /// A node starts, or restarts, from so many of the records that it had persisted.
    Boot {
        /// When.
        at: Time,
        /// Which node.
        node: u16,
        /// Records that were durable.
        records: u32,
    },
    /// A node stops without warning.
    Crash {
        /// When.
        at: Time,
        /// Which node.
        node: u16,
    },
    /// A node handles an input.
    Step {
        /// When.
        at: Time,
        /// Which node.
        node: u16,
        /// The input.
        input: TracedInput,
        /// Start of the hash of its outputs.
        outputs: [u8; 16],
        /// Start of the node's digest afterwards.
        digest: [u8; 16],
    },
    /// The last frame: without it a trace is incomplete.
    End {
        /// Number of steps.
        steps: u64,
        /// The run's digest, see [`RunDigest`](super::RunDigest).
        digest: Hash256,
    },
    /// A model that ran elsewhere, before the end.
    Model(Box<Manifest>),
    /// Some of what the last such model said.
    Answers(Vec<(Question, Vec<Prediction>)>),
}

/// An input; packets are named by number, because each goes to many nodes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum TracedInput {
    /// [`Input::Message`].
    Packet {
        /// Number of the sending node.
        from: u16,
        /// Number of the packet.
        packet: u32,
    },
    /// Any other input.
    Other(Input),
}

pub(super) fn first_16(bytes: &[u8; 32]) -> [u8; 16] {
    let mut start = [0; 16];
    start.copy_from_slice(&bytes[..16]);
    start
}

/// The hash behind the checks.
pub(super) struct CheckChain([u8; 32]);

impl CheckChain {
    pub(super) fn new() -> Self {
        Self(
            Sha256::new()
                .chain_update(MAGIC)
                .chain_update(VERSION.to_le_bytes())
                .finalize()
                .into(),
        )
    }

    /// Takes a frame's payload in and returns its check.
    pub(super) fn next(&mut self, payload: &[u8]) -> [u8; CHECK_BYTES] {
        let length = payload.len() as u64;
        self.0 = Sha256::new()
            .chain_update(self.0)
            .chain_update(length.to_le_bytes())
            .chain_update(payload)
            .finalize()
            .into();
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&self.0[..CHECK_BYTES]);
        check
    }
}
