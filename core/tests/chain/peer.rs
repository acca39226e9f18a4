//! One node, and a peer of it that the test plays.

use super::support::network::config;
use super::support::*;
use camelid_core::block::{Block, BlockHeader, Work};
use camelid_core::node::{MemoryStore, Node, NodeConfig, Record, SharedMemoryStore, StorageConfig};
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
    /// Where its records of the chain go, if it has a store.
    store: Option<Arc<SharedMemoryStore>>,
    params: Arc<Params>,
    sent: u64,
}

impl Peer {
    pub fn new(params: &Arc<Params>, minimum_chain_work: Work, now: Time) -> Self {
        Self::with(Node::new(node_config(params, minimum_chain_work)), params, now)
    }

    /// A peer of a node that was there before.
    pub fn with(node: Node, params: &Arc<Params>, now: Time) -> Self {
        Self::begin(node, None, params, now)
    }

    /// A peer of a node that goes on from the records of its chain in a store, and flushes what is new after every few
    /// blocks.
    pub fn with_store(records: &[Record], params: &Arc<Params>, now: Time) -> Self {
        let mut store = MemoryStore::default();
        records.iter().for_each(|record| drop(store.take(record.clone())));
        let store = Arc::new(SharedMemoryStore::new(store));
        let storage = StorageConfig {
            store: store.clone(),
            cache_bytes: 3_000,
        };
        let config = NodeConfig {
            storage: Some(storage),
            ..node_config(params, Work::default())
        };
        Self::begin(Node::recover(config, []), Some(store), params, now)
    }

    fn begin(node: Node, store: Option<Arc<SharedMemoryStore>>, params: &Arc<Params>, now: Time) -> Self {
        let mut peer = Self {
            node,
            now,
            store,
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
        let (mut answers, mut has_flushed) = (Vec::new(), false);
        for output in out.take() {
            match output {
                Output::Send { packet, .. } => {
                    let envelope = Envelope::from_packet(&packet, self.params.magic).unwrap();
                    answers.extend(envelope.message().unwrap());
                }
                Output::Persist(record) => {
                    has_flushed |= matches!(*record, Record::Flush(_));
                    let store = self.store.iter();
                    store.for_each(|store| drop(store.take((*record).clone())));
                    self.records.push(*record);
                }
                Output::Event(Event::Rejected { reason, .. }) => self.refusals.push(reason),
                _ => {}
            }
        }
        if has_flushed {
            answers.extend(self.input(Input::Flushed));
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
