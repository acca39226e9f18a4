//! Byzantine nodes: the production node with a strategy between it and the world.
//!
//! A strategy may rewrite, drop and add inputs and outputs. It holds its own node's key and no
//! other, so whatever it signs is signed as itself. One file per strategy, but for those that only
//! hand in another output than the model's: they share the folder `content`.

mod content;
mod copied_commitment;
mod copied_vote;
mod double_spend;
mod engage;
mod evidence;
mod garbage_ciphertext;
mod misread;
mod never_cosign;
mod withhold_output;

use crate::model::Models;
use crate::scenario::{NodeSetup, Role};
use camelid_core::keys::{NodeId, SecretKey};
use camelid_core::node::Node;
use camelid_core::primitives::{Digest, Stream, Time};
use camelid_core::process::{Input, Output, Outputs, Process};
use camelid_core::wire::{Envelope, MAX_HOPS, Message, Packet};
use content::{Content, edit, rerun};
use misread::Misread;

/// A strategy that scenarios can name.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The role it perverts: nodes without that role have nothing to attack with.
    pub role: Role,
    make: fn() -> Box<dyn Strategy>,
}

/// All strategies, in alphabetical order.
pub const KINDS: &[Kind] = &[
    verifier("colluding-verifier", || Misread::boxed(misread::opposite)),
    worker("copied-commitment", || {
        Box::new(copied_commitment::CopiedCommitment::default())
    }),
    verifier("copied-vote", || Box::new(copied_vote::CopiedVote::default())),
    verifier("deaf-verifier", || Box::new(evidence::DeafVerifier)),
    client("double-spend", || Box::new(double_spend::DoubleSpend::default())),
    worker("draft-between-honest-ends", || {
        Content::boxed(rerun::draft_between_honest_ends)
    }),
    worker("early-end", || Content::boxed(edit::early_end)),
    verifier("echo-verifier", || Misread::boxed(misread::echo)),
    worker("edit", || Content::boxed(edit::one_token)),
    worker("empty-output", || Content::boxed(edit::empty)),
    client("false-claim", || Misread::boxed(misread::find_fault)),
    worker("foreseen-challenge", || Content::boxed(rerun::foreseen_challenge)),
    worker("garbage", || Content::boxed(edit::garbage)),
    worker("garbage-ciphertext", || {
        Box::new(garbage_ciphertext::GarbageCiphertext::default())
    }),
    worker("late-draft", || Content::boxed(rerun::late_draft)),
    client("never-cosign", || Box::new(never_cosign::NeverCosign)),
    client("no-evidence", || Box::new(evidence::NoEvidence)),
    worker("over-limit", || Content::boxed(edit::over_limit)),
    worker("padding", || Content::boxed(edit::padding)),
    worker("prompt-cut", || Content::boxed(rerun::prompt_cut)),
    worker("quantized-model", || Content::boxed(rerun::quantized_model)),
    worker("repetition", || Content::boxed(edit::repetition)),
    worker("replay", || Content::boxed(rerun::replay)),
    client("selective-evidence", || {
        Box::new(evidence::SelectiveEvidence::default())
    }),
    verifier("silent-verifier", || Misread::boxed(misread::nothing)),
    worker("smaller-model", || Content::boxed(rerun::smaller_model)),
    worker("splice", || Content::boxed(rerun::splice)),
    worker("substitution", || Content::boxed(rerun::substitution)),
    worker("substitution-without-evidence", || {
        Box::new(Both(
            Content::boxed(rerun::substitution),
            Box::new(evidence::NoEvidence),
        ))
    }),
    worker("truncation", || Content::boxed(edit::truncation)),
    client("unproven-claim", || {
        Box::new(Both(
            Misread::boxed(misread::find_fault),
            Box::new(evidence::NoEvidence),
        ))
    }),
    worker("withhold-output", || Box::new(withhold_output::WithholdOutput)),
    worker("wrong-seed", || Content::boxed(rerun::wrong_seed)),
    worker("wrong-temperature", || Content::boxed(rerun::wrong_temperature)),
];

const fn worker(name: &'static str, make: fn() -> Box<dyn Strategy>) -> Kind {
    let role = Role::Worker;
    Kind { name, role, make }
}

const fn verifier(name: &'static str, make: fn() -> Box<dyn Strategy>) -> Kind {
    let role = Role::Verifier;
    Kind { name, role, make }
}

const fn client(name: &'static str, make: fn() -> Box<dyn Strategy>) -> Kind {
    let role = Role::Client;
    Kind { name, role, make }
}

/// The names of all strategies.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

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

    /// Sends a message of our own to all peers, who pass it on to `recipient`.
    pub fn send(&self, recipient: NodeId, message: &Message, out: &mut Outputs) {
        let magic = self.node.chain().params().magic;
        // Ids of a strategy's messages count down, away from those of the node behind it.
        let id = u64::MAX - self.now.0;
        let Some(envelope) = Envelope::new(magic, self.key.node_id(), Some(recipient), id, MAX_HOPS, message)
        else {
            return;
        };
        let packet = envelope.to_packet();
        for peer in self.node.peers() {
            out.push(Output::Send {
                to: *peer,
                packet: packet.clone(),
            });
        }
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
    attacks: u64,
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
        let (key, models) = (&self.key, &self.models);
        let (stream, attacks) = (&mut self.stream, &mut self.attacks);
        let mut context = Context {
            now,
            node: &self.node,
            key,
            models,
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
            models,
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
