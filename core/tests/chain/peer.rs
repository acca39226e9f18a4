//! One node, and a peer of it that the test plays.

use super::support::network::config;
use super::support::*;
use camelid_core::block::{Block, BlockHeader, Work};
use camelid_core::node::{Node, NodeConfig, Record};
use camelid_core::params::Params;
use camelid_core::primitives::{BoundedVec, Time};
use camelid_core::process::{Event, Input, Output, Outputs, Process as _};
use camelid_core::wire::{Envelope, Message};
use std::sync::Arc;

pub struct Peer {
    pub node: Node,
    pub now: Time,
    /// What the node persisted.
    pub records: Vec<Record>,
    /// Why it refused something.
    pub refusals: Vec<String>,
    params: Arc<Params>,
    sent: u64,
}

impl Peer {
    pub fn new(params: &Arc<Params>, minimum_chain_work: Work, now: Time) -> Self {
        Self::with(Node::new(node_config(params, minimum_chain_work)), params, now)
    }

    /// A peer of a node that was there before.
    pub fn with(node: Node, params: &Arc<Params>, now: Time) -> Self {
        let mut peer = Self {
            node,
            now,
            records: Vec::new(),
            refusals: Vec::new(),
            params: params.clone(),
            sent: 0,
        };
        peer.input(Input::Start);
        peer
    }

    /// Sends `message` and returns the answers. What is too large for a message is not sent.
    pub fn send(&mut self, message: &Message) -> Vec<Message> {
        let from = secret(STRANGER).node_id();
        self.sent += 1;
        let Some(envelope) = Envelope::new(self.params.magic, from, None, self.sent, 0, message) else {
            return Vec::new();
        };
        let packet = envelope.to_packet();
        self.input(Input::Message { from, packet })
    }

    pub fn send_headers(&mut self, headers: &[BlockHeader]) -> Vec<Message> {
        self.send(&Message::Headers(BoundedVec::from_vec(headers.to_vec()).unwrap()))
    }

    pub fn send_block(&mut self, block: &Block) -> Vec<Message> {
        self.send(&Message::Block(Box::new(block.clone())))
    }

    /// Sends a chain's headers and then all bodies, in this order.
    pub fn send_chain(&mut self, blocks: &[Arc<Block>]) {
        for blocks in blocks.chunks(camelid_core::wire::MAX_HEADERS) {
            let headers: Vec<BlockHeader> = blocks.iter().map(|block| block.header).collect();
            self.send_headers(&headers);
        }
        for block in blocks {
            self.send_block(block);
        }
    }

    fn input(&mut self, input: Input) -> Vec<Message> {
        let mut out = Outputs::new();
        self.node.handle(self.now, input, &mut out);
        let mut answers = Vec::new();
        for output in out.take() {
            match output {
                Output::Send { packet, .. } => {
                    let envelope = Envelope::from_packet(&packet, self.params.magic).unwrap();
                    answers.extend(envelope.message().unwrap());
                }
                Output::Persist(record) => self.records.push(*record),
                Output::Event(Event::Rejected { reason, .. }) => self.refusals.push(reason),
                _ => {}
            }
        }
        answers
    }
}

pub fn node_config(params: &Arc<Params>, minimum_chain_work: Work) -> NodeConfig {
    NodeConfig {
        params: params.clone(),
        minimum_chain_work,
        ..config(CLIENT, &[STRANGER])
    }
}
