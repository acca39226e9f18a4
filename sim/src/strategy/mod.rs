//! Byzantine nodes: the production node with a strategy between it and the world.
//!
//! A strategy may rewrite, drop and add inputs and outputs. It holds its own node's key and no
//! other, so whatever it signs is signed as itself. One file per strategy, but for those that only
//! hand in another output than the model's: they share the folder `content`.

mod branch;
mod censor;
mod coins;
mod content;
mod copied_commitment;
mod copied_vote;
mod double_engage;
mod double_spend;
mod engage;
mod erase;
mod evidence;
mod false_withheld;
mod garbage_ciphertext;
mod garbage_packets;
mod guess_checks;
mod kinds;
mod late_answer;
mod late_engage;
mod misread;
mod never_cosign;
mod never_pays;
mod never_replies;
mod offer_flood;
mod relay;
mod selfish_mining;
mod stake_twice;
mod stall;
mod timestamps;
mod vanish;
mod withhold_output;

use crate::model::Models;
use crate::scenario::NodeSetup;
use camelid_core::keys::{NodeId, SecretKey};
use camelid_core::node::Node;
use camelid_core::primitives::{Digest, Stream, Time};
use camelid_core::process::{Input, Output, Outputs, Process};
use camelid_core::wire::{Envelope, MAX_HOPS, Message, Packet};

pub use erase::PATIENCE;
pub use kinds::{KINDS, Kind, names};

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

/// One strategy behind another.
struct Both(Box<dyn Strategy>, Box<dyn Strategy>);

impl Strategy for Both {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        let input = self.0.on_input(context, input, out)?;
        self.1.on_input(context, input, out)
    }

    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        let mut between = Outputs::new();
        self.1.on_output(context, output, &mut between);
        for output in between.take() {
            self.0.on_output(context, output, out);
        }
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
    /// The models on its machine.
    pub models: &'a Models,
    /// Its own random stream.
    pub stream: &'a mut Stream,
    /// The node's `level` in the scenario; what it means is the strategy's business.
    pub level: u64,
    attacks: &'a mut u64,
    messages: &'a mut u64,
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

    /// Sends a message of the strategy's own to one peer.
    pub fn send(&mut self, to: NodeId, message: &Message, out: &mut Outputs) {
        let hops_left = 0;
        self.send_with(to, Some(to), hops_left, message, out);
    }

    /// Sends a message of the strategy's own to all peers, who pass it on as far as `hops_left`.
    pub fn broadcast(&mut self, hops_left: u8, message: &Message, out: &mut Outputs) {
        for peer in self.node.peers() {
            self.send_with(*peer, None, hops_left, message, out);
        }
    }

    /// Sends a message of the strategy's own to all peers, who pass it on to `recipient`.
    pub fn send_through(&mut self, recipient: NodeId, message: &Message, out: &mut Outputs) {
        for peer in self.node.peers() {
            self.send_with(*peer, Some(recipient), MAX_HOPS, message, out);
        }
    }

    fn send_with(
        &mut self,
        to: NodeId,
        recipient: Option<NodeId>,
        hops_left: u8,
        message: &Message,
        out: &mut Outputs,
    ) {
        *self.messages += 1;
        let magic = self.node.chain().params().magic;
        // Ids of the strategy's own messages count down, away from those of the node behind it.
        let id = u64::MAX - *self.messages;
        let envelope = Envelope::new(magic, self.node.id(), recipient, id, hops_left, message);
        if let Some(envelope) = envelope {
            let packet = envelope.to_packet();
            out.push(Output::Send { to, packet });
        }
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
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .map(|kind| (kind.make)())
}

/// A production node, perhaps behind a strategy.
pub struct Actor {
    node: Node,
    key: SecretKey,
    models: Models,
    strategy: Option<Box<dyn Strategy>>,
    stream: Stream,
    level: u64,
    attacks: u64,
    messages: u64,
}

impl Actor {
    /// `node` behind the strategy that `setup` names (honest without one).
    pub fn new(node: Node, setup: &NodeSetup) -> Self {
        Self {
            node,
            key: setup.config.key.clone(),
            models: setup.models.clone(),
            strategy: setup.strategy.as_deref().and_then(by_name),
            stream: Stream::new(setup.config.seed, "strategy"),
            level: setup.level,
            attacks: 0,
            messages: 0,
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
        let mut context = Context {
            now,
            node: &self.node,
            key: &self.key,
            models: &self.models,
            stream: &mut self.stream,
            level: self.level,
            attacks: &mut self.attacks,
            messages: &mut self.messages,
        };
        let Some(input) = strategy.on_input(&mut context, input, out) else {
            return;
        };
        let mut produced = Outputs::new();
        self.node.handle(now, input, &mut produced);
        let mut context = Context {
            now,
            node: &self.node,
            key: &self.key,
            models: &self.models,
            stream: &mut self.stream,
            level: self.level,
            attacks: &mut self.attacks,
            messages: &mut self.messages,
        };
        for output in produced.take() {
            strategy.on_output(&mut context, output, out);
        }
    }

    fn digest(&self) -> Digest {
        self.node.digest()
    }
}
