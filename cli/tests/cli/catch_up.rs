//! A fresh node and two peers over QUIC: one is a node with the chain, the other, which the test plays, gives
//! nothing of what it says that it has, or something else.

use super::guests::{bind, config, params};
use super::nodes::{Running, record, records, until, until_logged};
use super::support::Place;
use camelid_core::block::{Block, genesis_block, search};
use camelid_core::keys::{NodeId, SecretKey};
use camelid_core::node::{Node, NodeConfig, Record};
use camelid_core::params::Params;
use camelid_core::primitives::{BlockHash, BoundedVec, Time};
use camelid_core::process::{Input, Output, Outputs, Process as _};
use camelid_core::wire::{Envelope, MAX_HEADERS, Message};
use camelid_io::{Received, RedbStorage, Storage as _, Transport as _};
use camelid_net_quic::QuicTransport;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// What the other peer does with the blocks whose headers it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Sends none of them.
    Stalls,
    /// Sends them with another body.
    Lies,
}

/// A peer that answers what it is asked, in its manner.
struct Stranger {
    transport: QuicTransport,
    id: NodeId,
    magic: [u8; 4],
    blocks: Vec<Arc<Block>>,
    places: BTreeMap<BlockHash, usize>,
    manner: Manner,
    sent: u64,
}

impl Stranger {
    /// Inside a runtime, with its address.
    fn new(params: &Arc<Params>, blocks: Vec<Arc<Block>>, manner: Manner) -> (Self, SocketAddr) {
        let config = config(params.clone(), key(2));
        let (transport, address) = bind(&config);
        let hashes = blocks.iter().map(|block| block.header.hash());
        let stranger = Self {
            transport,
            id: config.key.node_id(),
            magic: params.magic,
            places: hashes.zip(0..).collect(),
            blocks,
            manner,
            sent: 0,
        };
        (stranger, address)
    }

    async fn play(mut self) {
        while let Some(received) = self.transport.recv().await {
            let Received::Packet(from, packet) = received else {
                continue;
            };
            let envelope = Envelope::from_packet(&packet, self.magic).expect("a node sends envelopes");
            let message = envelope
                .message()
                .expect("and messages")
                .expect("of this version");
            for answer in self.answers(&message) {
                self.sent += 1;
                let envelope = Envelope::new(self.magic, self.id, None, self.sent, 0, &answer);
                let packet = envelope.expect("small").to_packet();
                self.transport.send(from, packet).await;
            }
        }
    }

    fn answers(&self, message: &Message) -> Vec<Message> {
        match message {
            Message::GetHeaders(locator) => {
                let known = locator.iter().find_map(|hash| self.places.get(hash));
                let next = self.blocks.iter().skip(known.map_or(0, |place| place + 1));
                let headers = next.take(MAX_HEADERS).map(|block| block.header).collect();
                vec![Message::Headers(
                    BoundedVec::from_vec(headers).expect("not too many"),
                )]
            }
            Message::GetBlocks(hashes) if self.manner == Manner::Lies => {
                let places = hashes.iter().filter_map(|hash| self.places.get(hash));
                places.map(|place| self.lie(*place)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A block under its own header, with its neighbour's transactions.
    fn lie(&self, place: usize) -> Message {
        let other = if place == 0 { 1 } else { place - 1 };
        Message::Block(Box::new(Block {
            header: self.blocks[place].header,
            transactions: self.blocks[other].transactions.clone(),
        }))
    }
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_bytes([number; 32]).expect("a number below the order")
}

/// The first `count` blocks of a miner that is alone, a second from one to the next.
fn mined(params: &Arc<Params>, count: usize) -> Vec<Arc<Block>> {
    let mut miner = Node::new(NodeConfig {
        miner: true,
        ..config(params.clone(), key(1))
    });
    let mut now = Time(u64::from(params.genesis_time.0) * 1_000);
    let mut input = Input::Start;
    let mut blocks = Vec::new();
    while blocks.len() < count {
        let mut outputs = Outputs::new();
        miner.handle(now, input, &mut outputs);
        let mut template = None;
        for output in outputs.take() {
            match output {
                Output::Mine { template: newest } => template = Some(newest),
                Output::Persist(record) => {
                    if let Record::Block(block) = *record {
                        blocks.push(block);
                    }
                }
                _ => {}
            }
        }
        let mut header = template.expect("there is always something to mine");
        let target = header.bits.target().expect("a target");
        header.nonce = search(&header, &target, 0..=u32::MAX).expect("one in 256 will do");
        now = now.after_ms(1_000);
        input = Input::Mined { header };
    }
    blocks
}

/// Gives a node that has not run yet its blocks.
async fn store(place: &Place, dir: &str, params: &Params, blocks: &[Arc<Block>]) {
    let network = genesis_block(params).header.hash();
    let path = place.path(&format!("{dir}/records.redb"));
    let mut storage = RedbStorage::open(&path, &network).expect("a new file");
    let records = blocks.iter().cloned().map(Record::Block).collect();
    storage.append(records).await.expect("the disk works");
}

fn init(place: &Place, dir: &str, flags: &str) -> String {
    let made = place.camelid(&format!("node init --dir {dir} --genesis genesis.toml {flags}"));
    assert_eq!(made.code, 0, "{}", made.stderr);
    made.stdout.trim().to_owned()
}

/// A node without blocks finds `count` of them between a node that has them and a stranger. The stranger
/// shows one more than there are, so that it is asked however fast the other one answers.
fn catch_up(count: usize, manner: Manner) {
    let place = Place::new();
    place.write("genesis.toml", "begins = 1750000000\n");
    let honest_id = init(&place, "honest", "");
    let params = params(&place, "honest");
    let blocks = mined(&params, count + 1);
    let runtime = Runtime::new().expect("threads");
    runtime.block_on(store(&place, "honest", &params, &blocks[..count]));
    let inside = runtime.enter();
    let (stranger, strange_at) = Stranger::new(&params, blocks, manner);
    runtime.spawn(stranger.play());
    drop(inside);

    let (_honest, honest_at) = Running::start(&place, "honest", None);
    let seeds = format!("--seed-node {honest_at} --seed-node {strange_at} --log-level debug");
    init(&place, "fresh", &seeds);
    let (_fresh, _) = Running::start(&place, "fresh", None);
    let reached = until(&place, "chain info", "fresh", |info| {
        info["blocks"].as_u64() >= Some(count as u64)
    });
    let honest = record(&place, "chain info", "honest");
    for what in ["blocks", "bestblockhash", "ledgerdigest"] {
        assert_eq!(reached[what], honest[what], "{what}");
    }
    match manner {
        Manner::Stalls => until_logged(&place, "fresh", "did not come"),
        Manner::Lies => {
            until_logged(&place, "fresh", "banned");
            let peers = records(&place, "node peers", "fresh");
            let ids: Vec<_> = peers.iter().filter_map(|peer| peer["id"].as_str()).collect();
            assert_eq!(ids, [honest_id], "the liar is gone");
        }
    }
}

#[test]
fn a_fresh_node_has_500_blocks_soon_although_a_peer_gives_none_of_its_own() {
    catch_up(500, Manner::Stalls);
}

#[test]
fn a_fresh_node_has_500_blocks_soon_although_a_peer_gives_changed_ones() {
    catch_up(500, Manner::Lies);
}

#[test]
#[ignore = "nightly: 10,000 blocks"]
fn a_fresh_node_has_10_000_blocks_although_a_peer_gives_none_of_its_own() {
    catch_up(10_000, Manner::Stalls);
}

#[test]
#[ignore = "nightly: 10,000 blocks"]
fn a_fresh_node_has_10_000_blocks_although_a_peer_gives_changed_ones() {
    catch_up(10_000, Manner::Lies);
}
