//! One node in an open network, and peers that the test plays word by word.

use super::support::*;
use super::world::{address, open_config};
use camelid_core::keys::NodeId;
use camelid_core::node::{NetworkConfig, Node, Record};
use camelid_core::primitives::Time;
use camelid_core::process::{ConnectionEvent, Direction, Event, Input, Output, Outputs, Process as _, Timer};
use camelid_core::wire::{Envelope, Message, NetAddress, Packet};

pub const OWN: u8 = 1;

/// A conversation.
pub struct Talk {
    pub node: Node,
    pub now: Time,
    pub refusals: Vec<String>,
    pub disconnected: Vec<NodeId>,
    pub banned: Vec<NodeId>,
    /// How often addresses and bans were saved.
    pub saves: usize,
    /// Whom the node calls.
    pub calls: Vec<NetAddress>,
    sent: u64,
}

pub fn id(peer: u8) -> NodeId {
    secret(peer).node_id()
}

impl Talk {
    /// The node listens, and calls nobody of its own accord.
    pub fn new() -> Self {
        Self::with(NetworkConfig {
            outbound: 0,
            listen: Some(address("31.1.0.1:4000")),
            ..NetworkConfig::default()
        })
    }

    pub fn with(network: NetworkConfig) -> Self {
        Self::of(Node::new(open_config(OWN, network)))
    }

    /// A node before its start.
    pub fn of(node: Node) -> Self {
        let mut talk = Self {
            node,
            now: Time((u64::from(network_time()) + 100_000) * 1_000),
            refusals: Vec::new(),
            disconnected: Vec::new(),
            banned: Vec::new(),
            saves: 0,
            calls: Vec::new(),
            sent: 0,
        };
        talk.input(Input::Start);
        talk
    }

    pub fn input(&mut self, input: Input) -> Vec<(NodeId, Message)> {
        let mut out = Outputs::new();
        self.node.handle(self.now, input, &mut out);
        let mut said = Vec::new();
        for output in out.take() {
            match output {
                Output::Send { to, packet } => {
                    let envelope = Envelope::from_packet(&packet, network().magic).unwrap();
                    said.push((to, envelope.message().unwrap().unwrap()));
                }
                Output::Persist(record) if matches!(*record, Record::Peers(_)) => self.saves += 1,
                Output::Disconnect { peer } => self.disconnected.push(peer),
                Output::Connect { address } => self.calls.push(address),
                Output::Event(Event::Banned { peer, .. }) => self.banned.push(peer),
                Output::Event(Event::Rejected { reason, .. }) => self.refusals.push(reason),
                _ => {}
            }
        }
        said
    }

    pub fn open(&mut self, peer: u8, at: &str, direction: Direction) -> Vec<(NodeId, Message)> {
        let opened = ConnectionEvent::Opened {
            peer: id(peer),
            address: address(at),
            direction,
        };
        self.input(Input::Connection(opened))
    }

    /// `peer` calls from a host of its own.
    pub fn is_called_by(&mut self, peer: u8) -> Vec<(NodeId, Message)> {
        self.open(peer, &format!("{peer}.7.0.1:50000"), Direction::Inbound)
    }

    pub fn close(&mut self, peer: u8) {
        self.input(Input::Connection(ConnectionEvent::Closed { peer: id(peer) }));
    }

    pub fn packet(&mut self, peer: u8, message: &Message) -> Packet {
        self.sent += 1;
        let envelope = Envelope::new(network().magic, id(peer), None, self.sent, 0, message);
        envelope.unwrap().to_packet()
    }

    pub fn hear(&mut self, peer: u8, message: &Message) -> Vec<(NodeId, Message)> {
        let packet = self.packet(peer, message);
        self.hear_packet(peer, packet)
    }

    pub fn hear_packet(&mut self, peer: u8, packet: Packet) -> Vec<(NodeId, Message)> {
        let from = id(peer);
        self.input(Input::Message { from, packet })
    }

    pub fn wait_s(&mut self, seconds: u64) -> Vec<(NodeId, Message)> {
        self.now = self.now.after_ms(seconds * 1_000);
        let mut said = self.input(Input::TimerFired(Timer::Connections));
        said.extend(self.input(Input::TimerFired(Timer::Downloads)));
        said
    }
}

fn network_time() -> u32 {
    network().genesis_time.0
}
