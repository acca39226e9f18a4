//! What peers tell each other of, and whom a node asks for it.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::keys::NodeId;
use camelid_core::node::Node;
use camelid_core::primitives::{BoundedVec, Time, Wtxid};
use camelid_core::process::{Input, Output, Outputs, Process};
use camelid_core::tx::Transaction;
use camelid_core::wire::{Envelope, Message};
use support::network::config;
use support::*;

const OWN: u8 = 1;
const PEERS: [u8; 3] = [2, 3, 4];

/// A node with three peers, whose packets the test writes.
struct Talk {
    node: Node,
    now: Time,
    sent: u64,
}

impl Talk {
    fn new() -> Self {
        let mut talk = Self {
            node: Node::new(config(OWN, &PEERS)),
            now: Time(u64::from(network().genesis_time.0) * 1_000),
            sent: 0,
        };
        talk.node.handle(talk.now, Input::Start, &mut Outputs::new());
        talk
    }

    /// `peer` says something; what the node then says to whom.
    fn hear(&mut self, peer: u8, message: &Message) -> Vec<(NodeId, Message)> {
        self.sent += 1;
        let (magic, from) = (network().magic, id(peer));
        let envelope = Envelope::new(magic, from, None, self.sent, 0, message).unwrap();
        let packet = envelope.to_packet();
        let mut out = Outputs::new();
        self.node
            .handle(self.now, Input::Message { from, packet }, &mut out);
        let sends = out.take().into_iter().filter_map(|output| match output {
            Output::Send { to, packet } => {
                let envelope = Envelope::from_packet(&packet, magic).unwrap();
                Some((to, envelope.message().unwrap().unwrap()))
            }
            _ => None,
        });
        sends.collect()
    }

    fn wait_ms(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
    }

    fn payment(&self) -> Transaction {
        let params = network();
        let fund = genesis_fund(&params, OWN, 0);
        let genesis = self.node.chain().headers().genesis();
        let paid = fund.output.value.checked_sub(units(10_000)).unwrap();
        payment(&genesis, &[fund], vec![pay_to(OWN, paid)])
    }
}

fn id(owner: u8) -> NodeId {
    secret(owner).node_id()
}

fn inventory(wtxid: Wtxid) -> Message {
    Message::Inventory(BoundedVec::from_vec(vec![wtxid]).unwrap())
}

fn asks(wtxid: Wtxid) -> Message {
    Message::GetTransactions(BoundedVec::from_vec(vec![wtxid]).unwrap())
}

#[test]
fn of_several_that_announce_a_transaction_one_is_asked_and_then_the_next() {
    let (mut talk, wtxid) = (Talk::new(), Wtxid([7; 32]));
    assert_eq!(talk.hear(2, &inventory(wtxid)), [(id(2), asks(wtxid))]);
    assert_eq!(talk.hear(3, &inventory(wtxid)), []);
    assert_eq!(talk.hear(3, &inventory(wtxid)), [], "once is enough");
    talk.wait_ms(1_999);
    assert_eq!(
        talk.hear(4, &inventory(Wtxid([8; 32]))),
        [(id(4), asks(Wtxid([8; 32])))]
    );
    talk.wait_ms(1);
    let nothing = Message::Inventory(BoundedVec::new());
    assert_eq!(talk.hear(4, &nothing), [(id(3), asks(wtxid))]);
    // Nobody is left: whoever announces it next is asked.
    talk.wait_ms(2_000);
    assert_eq!(talk.hear(4, &nothing), []);
    assert_eq!(talk.hear(2, &inventory(wtxid)), [(id(2), asks(wtxid))]);
}

#[test]
fn a_transaction_is_not_announced_to_those_who_announced_it() {
    let mut talk = Talk::new();
    let transaction = talk.payment();
    let wtxid = transaction.wtxid();
    talk.hear(2, &inventory(wtxid));
    talk.hear(3, &inventory(wtxid));
    let message = Message::Transaction(Box::new(transaction));
    assert_eq!(talk.hear(2, &message), [(id(4), inventory(wtxid))]);
}

#[test]
fn a_flood_of_announcements_starves_nobody() {
    let mut talk = Talk::new();
    for batch in 0..6u8 {
        let wtxid = |number: u32| {
            let mut bytes = [batch; 32];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            Wtxid(bytes)
        };
        let wtxids = BoundedVec::from_vec((0..1_000).map(wtxid).collect()).unwrap();
        talk.hear(2, &Message::Inventory(wtxids));
    }
    let wtxid = Wtxid([7; 32]);
    assert_eq!(talk.hear(3, &inventory(wtxid)), [(id(3), asks(wtxid))]);
}
