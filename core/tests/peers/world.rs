//! Nodes and scripted peers whose addresses lead to one another, with a clock that the test moves.

use super::support::network::config;
use super::support::*;
use camelid_core::block::{Block, BlockHeader};
use camelid_core::keys::NodeId;
use camelid_core::node::{NetworkConfig, Node, NodeConfig, Record};
use camelid_core::primitives::{BoundedVec, Time};
use camelid_core::process::{ConnectionEvent, Direction, Event, Input, Output, Outputs, Process as _, Timer};
use camelid_core::wire::{Envelope, MAX_HEADERS, Message, NetAddress};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

pub fn address(text: &str) -> NetAddress {
    text.parse::<SocketAddr>().unwrap().into()
}

/// A peer that the test writes: a chain, and what it does with it.
pub struct Script {
    pub id: NodeId,
    pub blocks: Vec<Arc<Block>>,
    /// Whether it gives bodies.
    pub gives_bodies: bool,
    /// What it is asked, all in all.
    pub asked_blocks: usize,
}

impl Script {
    pub fn new(key: u8, blocks: Vec<Arc<Block>>, gives_bodies: bool) -> Self {
        Self {
            id: secret(key).node_id(),
            blocks,
            gives_bodies,
            asked_blocks: 0,
        }
    }

    fn answer(&mut self, message: &Message) -> Vec<Message> {
        match message {
            Message::GetHeaders(locator) => {
                let known = |hash| self.blocks.iter().position(|block| block.header.hash() == hash);
                let start = locator
                    .iter()
                    .find_map(|hash| known(*hash))
                    .map_or(0, |at| at + 1);
                let headers: Vec<BlockHeader> = self.blocks[start..]
                    .iter()
                    .take(MAX_HEADERS)
                    .map(|block| block.header)
                    .collect();
                vec![Message::Headers(BoundedVec::from_vec(headers).unwrap())]
            }
            // Any request may be answered with the whole block.
            Message::GetCompactBlock { block, .. } => {
                let hashes = BoundedVec::from_vec(vec![*block]).unwrap();
                self.answer(&Message::GetBlocks(hashes))
            }
            Message::GetBlocks(hashes) => {
                self.asked_blocks += hashes.len();
                let wanted = self
                    .blocks
                    .iter()
                    .filter(|block| self.gives_bodies && hashes.contains(&block.header.hash()));
                wanted
                    .map(|block| Message::Block(Box::new((**block).clone())))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

pub enum Actor {
    Node(Box<Node>),
    Script(Script),
}

impl Actor {
    pub fn id(&self) -> NodeId {
        match self {
            Self::Node(node) => node.id(),
            Self::Script(script) => script.id,
        }
    }
}

/// Everybody, and who is connected to whom.
pub struct World {
    pub actors: Vec<Actor>,
    pub addresses: Vec<NetAddress>,
    pub now: Time,
    pub records: Vec<Vec<Record>>,
    pub events: Vec<(usize, Event)>,
    /// Who called whom.
    pub links: BTreeSet<(usize, usize)>,
    pub calls: Vec<(usize, NetAddress)>,
    inputs: VecDeque<(usize, Input)>,
    timers: Vec<BTreeMap<Timer, Time>>,
    sent: u64,
}

pub fn open_config(owner: u8, network: NetworkConfig) -> NodeConfig {
    NodeConfig {
        network: Some(network),
        models: Vec::new(),
        ..config(owner, &[])
    }
}

impl World {
    pub fn new() -> Self {
        Self {
            actors: Vec::new(),
            addresses: Vec::new(),
            // Late enough for chains of a thousand blocks.
            now: Time((u64::from(network().genesis_time.0) + 200_000) * 1_000),
            records: Vec::new(),
            events: Vec::new(),
            links: BTreeSet::new(),
            calls: Vec::new(),
            inputs: VecDeque::new(),
            timers: Vec::new(),
            sent: 0,
        }
    }

    /// Adds somebody; nodes start at once.
    pub fn add(&mut self, actor: Actor, address: NetAddress) -> usize {
        let index = self.actors.len();
        self.actors.push(actor);
        self.addresses.push(address);
        self.records.push(Vec::new());
        self.timers.push(BTreeMap::new());
        self.give(index, Input::Start);
        index
    }

    pub fn add_node(&mut self, owner: u8, at: &str, network: NetworkConfig) -> usize {
        let address = address(at);
        let network = NetworkConfig {
            listen: Some(address),
            ..network
        };
        let node = Node::new(open_config(owner, network));
        self.add(Actor::Node(Box::new(node)), address)
    }

    pub fn node(&self, index: usize) -> &Node {
        match &self.actors[index] {
            Actor::Node(node) => node,
            Actor::Script(_) => panic!("a script is no node"),
        }
    }

    pub fn script(&self, index: usize) -> &Script {
        match &self.actors[index] {
            Actor::Node(_) => panic!("a node is no script"),
            Actor::Script(script) => script,
        }
    }

    /// Gives somebody an input, and everybody what follows from it.
    pub fn give(&mut self, index: usize, input: Input) {
        self.inputs.push_back((index, input));
        self.settle();
    }

    fn settle(&mut self) {
        while let Some((index, input)) = self.inputs.pop_front() {
            match &mut self.actors[index] {
                Actor::Node(node) => {
                    let mut out = Outputs::new();
                    node.handle(self.now, input, &mut out);
                    for output in out.take() {
                        self.carry_out(index, output);
                    }
                }
                Actor::Script(script) => {
                    let Input::Message { from, packet } = input else {
                        continue;
                    };
                    let envelope = Envelope::from_packet(&packet, network().magic).unwrap();
                    let message = envelope.message().unwrap().unwrap();
                    for answer in script.answer(&message) {
                        self.say(index, from, &answer);
                    }
                }
            }
        }
    }

    /// A script says something, as soon as the inputs before are handled.
    fn say(&mut self, from: usize, to: NodeId, message: &Message) {
        self.sent += 1;
        let sender = self.actors[from].id();
        let envelope = Envelope::new(network().magic, sender, None, self.sent, 0, message).unwrap();
        let Some(receiver) = self.find(&to).filter(|to| self.is_linked(from, *to)) else {
            return;
        };
        let packet = envelope.to_packet();
        self.inputs
            .push_back((receiver, Input::Message { from: sender, packet }));
    }

    /// A script says something on its own account.
    pub fn tell(&mut self, from: usize, to: usize, message: &Message) {
        let to = self.actors[to].id();
        self.say(from, to, message);
        self.settle();
    }

    fn find(&self, id: &NodeId) -> Option<usize> {
        self.actors.iter().position(|actor| actor.id() == *id)
    }

    pub fn is_linked(&self, one: usize, other: usize) -> bool {
        self.links.contains(&(one, other)) || self.links.contains(&(other, one))
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        match output {
            Output::Persist(record) => self.records[index].push(*record),
            Output::Send { to, packet } => {
                let from = self.actors[index].id();
                let receiver = self.find(&to).filter(|to| self.is_linked(index, *to));
                let input = Input::Message { from, packet };
                self.inputs.extend(receiver.map(|receiver| (receiver, input)));
            }
            Output::SetTimer { timer, at } => {
                self.timers[index].insert(timer, at);
            }
            Output::Event(event) => self.events.push((index, event)),
            Output::Connect { address } => {
                self.calls.push((index, address));
                self.connect(index, address);
            }
            Output::Disconnect { peer } => {
                if let Some(other) = self.find(&peer) {
                    self.hang_up(index, other);
                }
            }
            Output::Infer { .. } | Output::Mine { .. } => {}
        }
    }

    /// `caller` calls whoever listens at an address. A transport refuses a second connection.
    pub fn connect(&mut self, caller: usize, address: NetAddress) {
        let listener = self.addresses.iter().position(|other| *other == address);
        let listener = listener.filter(|to| *to != caller && !self.is_linked(caller, *to));
        let Some(listener) = listener else {
            let failed = ConnectionEvent::Failed { address };
            self.inputs.push_back((caller, Input::Connection(failed)));
            return;
        };
        self.links.insert((caller, listener));
        // A call comes from the caller's host and any port.
        let mut from = self.addresses[caller].socket();
        from.set_port(50_000 + u16::try_from(caller).unwrap());
        for (index, other, address, direction) in [
            (caller, listener, address, Direction::Outbound),
            (listener, caller, from.into(), Direction::Inbound),
        ] {
            let peer = self.actors[other].id();
            let opened = ConnectionEvent::Opened {
                peer,
                address,
                direction,
            };
            self.inputs.push_back((index, Input::Connection(opened)));
        }
    }

    /// As [`connect`](Self::connect), and all that follows.
    pub fn call(&mut self, caller: usize, listener: usize) {
        self.connect(caller, self.addresses[listener]);
        self.settle();
    }

    /// The connection between two ends, if there is one.
    pub fn hang_up(&mut self, one: usize, other: usize) {
        let was = self.links.remove(&(one, other)) | self.links.remove(&(other, one));
        if was {
            for (index, other) in [(one, other), (other, one)] {
                let peer = self.actors[other].id();
                let closed = ConnectionEvent::Closed { peer };
                self.inputs.push_back((index, Input::Connection(closed)));
            }
        }
    }

    /// Time passes, second by second.
    pub fn seconds(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = self.now.after_ms(1_000);
            for index in 0..self.actors.len() {
                let due: Vec<Timer> = self.timers[index]
                    .iter()
                    .filter(|(_, at)| **at <= self.now)
                    .map(|(timer, _)| *timer)
                    .collect();
                for timer in due {
                    self.timers[index].remove(&timer);
                    self.give(index, Input::TimerFired(timer));
                }
            }
        }
    }

    /// Whom a node has called and is connected to.
    pub fn outbound(&self, index: usize) -> Vec<usize> {
        let called = self.links.iter().filter(|(caller, _)| *caller == index);
        called.map(|(_, listener)| *listener).collect()
    }
}
