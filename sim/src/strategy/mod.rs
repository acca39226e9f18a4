//! Byzantine nodes: the production node with a strategy between it and the world.
//!
//! A strategy may rewrite, drop and add inputs and outputs. It holds its own node's key and no
//! other, so whatever it signs is signed as itself. One file per strategy.

mod double_spend;
mod garbage_ciphertext;
mod never_cosign;
mod substitution;
mod withhold_output;

use camelid_core::keys::SecretKey;
use camelid_core::node::Node;
use camelid_core::primitives::{Digest, Stream, Time};
use camelid_core::process::{Input, Output, Outputs, Process};
use camelid_core::wire::{Envelope, Message, Packet};

/// All strategies, by the names that scenarios use.
pub const NAMES: &[&str] = &[
    "double-spend",
    "garbage-ciphertext",
    "never-cosign",
    "substitution",
    "withhold-output",
];

/// A way to misbehave.
pub trait Strategy: Send {
    /// Sees an input before the node does; what it returns goes to the node. It may also act on its
    /// own account through `out`.
    fn on_input(&mut self, _context: &mut Context<'_>, input: Input, _out: &mut Outputs) -> Option<Input> {
        Some(input)
    }

    /// Sees an output of the node; what it pushes to `out` leaves.
    fn on_output(&mut self, _context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        out.push(output);
    }
}

/// What a strategy can see and use.
pub struct Context<'a> {
    /// The current time.
    pub now: Time,
    /// The node behind it.
    pub node: &'a Node,
    /// The node's key.
    pub key: &'a SecretKey,
    /// Its own random stream.
    pub stream: &'a mut Stream,
    attacks: &'a mut u64,
}

impl Context<'_> {
    /// Notes that an attack was carried out, not merely planned.
    pub fn attacked(&mut self) {
        *self.attacks += 1;
    }

    /// The message inside a packet, if it is one of this network.
    pub fn open(&self, packet: &Packet) -> Option<(Envelope, Message)> {
        let envelope = Envelope::from_packet(packet, self.node.chain().params().magic).ok()?;
        let message = envelope.message().ok()??;
        Some((envelope, message))
    }

    /// The same envelope around another message.
    pub fn rewrap(&self, envelope: &Envelope, message: &Message) -> Option<Packet> {
        let Envelope {
            magic,
            sender,
            recipient,
            message_id,
            hops_left,
            ..
        } = envelope;
        let envelope = Envelope::new(*magic, *sender, *recipient, *message_id, *hops_left, message)?;
        Some(envelope.to_packet())
    }
}

/// The strategy called `name`.
pub fn by_name(name: &str) -> Option<Box<dyn Strategy>> {
    Some(match name {
        "double-spend" => Box::new(double_spend::DoubleSpend::default()),
        "garbage-ciphertext" => Box::new(garbage_ciphertext::GarbageCiphertext::default()),
        "never-cosign" => Box::new(never_cosign::NeverCosign),
        "substitution" => Box::new(substitution::Substitution::default()),
        "withhold-output" => Box::new(withhold_output::WithholdOutput),
        _ => return None,
    })
}

/// A production node, perhaps behind a strategy.
pub struct Actor {
    node: Node,
    key: SecretKey,
    strategy: Option<Box<dyn Strategy>>,
    stream: Stream,
    attacks: u64,
}

impl Actor {
    /// `node` behind the strategy called `strategy` (honest without one).
    pub fn new(node: Node, key: SecretKey, strategy: Option<&str>, seed: u64) -> Self {
        let strategy = strategy.and_then(by_name);
        Self {
            node,
            key,
            strategy,
            stream: Stream::new(seed, "strategy"),
            attacks: 0,
        }
    }

    /// The production node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Takes the number of attacks carried out since the last call.
    pub fn take_attacks(&mut self) -> u64 {
        std::mem::take(&mut self.attacks)
    }
}

impl Process for Actor {
    fn handle(&mut self, now: Time, input: Input, out: &mut Outputs) {
        let Some(strategy) = &mut self.strategy else {
            return self.node.handle(now, input, out);
        };
        let (key, stream, attacks) = (&self.key, &mut self.stream, &mut self.attacks);
        let mut context = Context {
            now,
            node: &self.node,
            key,
            stream,
            attacks,
        };
        let Some(input) = strategy.on_input(&mut context, input, out) else {
            return;
        };
        let mut produced = Outputs::new();
        self.node.handle(now, input, &mut produced);
        let mut context = Context {
            now,
            node: &self.node,
            key,
            stream,
            attacks,
        };
        for output in produced.take() {
            strategy.on_output(&mut context, output, out);
        }
    }

    fn digest(&self) -> Digest {
        self.node.digest()
    }
}
