//! What an operator asks a node for, and what the node says to it.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::escrow::JobState;
use camelid_core::mempool::FeeRate;
use camelid_core::node::{ClientConfig, NodeConfig, Verify};
use camelid_core::primitives::{Amount, JobId, Txid};
use camelid_core::process::{Command, Event, Input, Payment};
use camelid_core::tx::{ClaimKind, OutPoint};
use support::network::*;
use support::*;

/// What a command led to at once.
fn ask(network: &mut Network, node: usize, command: Command) -> Vec<Event> {
    let before = network.events.len();
    network.input(node, Input::Command(command));
    let events = network.events.iter().skip(before);
    events
        .filter(|(at, _)| *at == node)
        .map(|(_, event)| event.clone())
        .collect()
}

fn pay(amount: Amount, fee_rate: Option<FeeRate>) -> Command {
    Command::Pay(Payment {
        to: secret(STRANGER).node_id(),
        amount,
        fee_rate,
    })
}

fn submitted(events: &[Event]) -> Txid {
    match events {
        [Event::TransactionSubmitted { txid }] => *txid,
        other => panic!("{other:?}"),
    }
}

fn refusal(events: &[Event]) -> &str {
    match events {
        [Event::CommandRefused { reason }] => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_payment_is_mined_and_arrives() {
    let mut network = Network::new();
    let (ours, theirs) = (
        network.nodes[CLIENT_NODE].balance(),
        network.nodes[BYSTANDER_NODE].balance(),
    );
    let events = ask(&mut network, CLIENT_NODE, pay(coins(3), None));
    let txid = submitted(&events);
    let client = &network.nodes[CLIENT_NODE];
    let transaction = client.mempool().by_txid(&txid).unwrap().clone();
    let fee = client
        .mempool()
        .transactions()
        .map(|(_, fee)| fee)
        .next()
        .unwrap();
    assert!(client.balance().spendable < ours.spendable);
    // The rest is on its way back.
    let left = client.balance();
    let left = Amount::checked_sum([left.spendable, left.unconfirmed, coins(3), fee]);
    assert_eq!(left, Some(ours.spendable));
    assert!(
        transaction
            .inputs
            .iter()
            .all(|input| client.own_coin(&input.previous).is_some())
    );
    network.minutes(2);
    let arrived = network.nodes[BYSTANDER_NODE].balance().spendable;
    assert_eq!(theirs.spendable.checked_add(coins(3)), Some(arrived));
    assert_eq!(network.nodes[CLIENT_NODE].balance().unconfirmed, Amount::ZERO);
}

#[test]
fn a_payment_pays_the_fee_rate_that_it_is_told() {
    let mut network = Network::new();
    for rate in [5, 50] {
        let rate = FeeRate::per_byte(rate);
        let events = ask(&mut network, CLIENT_NODE, pay(coins(1), Some(rate)));
        let txid = submitted(&events);
        let mempool = network.nodes[CLIENT_NODE].mempool();
        let (transaction, fee) = mempool
            .transactions()
            .find(|(transaction, _)| transaction.txid() == txid)
            .unwrap();
        let bytes = transaction.size();
        assert!(
            rate.fee(bytes) <= fee && fee < rate.fee(bytes + 80),
            "{fee} for {bytes} bytes"
        );
    }
}

#[test]
fn a_payment_that_cannot_be_made_is_refused_with_its_reason() {
    let mut network = Network::new();
    let events = ask(&mut network, CLIENT_NODE, pay(Amount::MAX, None));
    assert_eq!(refusal(&events), "not enough spendable coins");
    let events = ask(&mut network, CLIENT_NODE, pay(units(1), None));
    assert!(refusal(&events).contains("less than it costs"), "{events:?}");
    assert!(network.nodes[CLIENT_NODE].mempool().is_empty());
}

#[test]
fn a_finished_transaction_is_taken_once_and_twice_and_not_when_it_is_wrong() {
    let mut network = Network::new();
    let events = ask(&mut network, CLIENT_NODE, pay(coins(2), None));
    let txid = submitted(&events);
    let transaction = network.nodes[CLIENT_NODE].mempool().by_txid(&txid).unwrap();
    let transaction = (**transaction).clone();
    for _ in 0..2 {
        let command = Command::Submit(Box::new(transaction.clone()));
        assert_eq!(submitted(&ask(&mut network, BYSTANDER_NODE, command)), txid);
    }
    let mut wrong = transaction;
    wrong.inputs.as_mut_slice()[0].previous = OutPoint::NULL;
    let events = ask(&mut network, BYSTANDER_NODE, Command::Submit(Box::new(wrong)));
    assert!(!refusal(&events).is_empty());
}

/// A client that does not check.
fn careless() -> Network {
    let mut network = Network::new();
    network.configs[CLIENT_NODE] = NodeConfig {
        client: Some(ClientConfig { verify: Verify::No }),
        ..network.configs[CLIENT_NODE].clone()
    };
    network.restart(CLIENT_NODE, 0);
    network
}

fn dispute(network: &mut Network, job: JobId) -> Vec<Event> {
    ask(network, CLIENT_NODE, Command::Dispute { job })
}

#[test]
fn a_client_that_does_not_check_can_object_by_hand() {
    let mut network = careless();
    let job = network.open_job();
    assert!(refusal(&dispute(&mut network, job)).contains("not mined"));
    network.run_to_state(&job, "Open");
    assert!(refusal(&dispute(&mut network, job)).contains("Open"));
    network.run_to_state(&job, "Engaged");
    assert!(refusal(&dispute(&mut network, job)).contains("no output"));
    while network.count(CLIENT_NODE, "delivery-opened") == 0 {
        network.minute();
    }
    let kind = ClaimKind::Invalid;
    assert_eq!(dispute(&mut network, job), [Event::Claimed { job, kind }]);
    assert!(refusal(&dispute(&mut network, job)).contains("waits to be mined"));
    network.run_to_state(&job, "Round1");
    let Some(JobState::Disputed(dispute)) = network.state(MINER_NODE, &job) else {
        panic!("not disputed");
    };
    assert!(!dispute.is_audit());
    assert_eq!(network.count(CLIENT_NODE, "invalid-claimed"), 1);
}

/// The claim is in no block when all machines crash, and mempools are not recorded.
#[test]
fn an_objection_outlives_a_crash() {
    let mut network = careless();
    let job = network.open_job();
    while network.count(CLIENT_NODE, "delivery-opened") == 0 {
        network.minute();
    }
    let kind = ClaimKind::Invalid;
    assert_eq!(dispute(&mut network, job), [Event::Claimed { job, kind }]);
    for node in 0..network.nodes.len() {
        network.restart_from(node, network.records[node].len());
    }
    assert_eq!(network.nodes[MINER_NODE].mempool().transactions().count(), 0);
    network.run_to_state(&job, "Round1");
}

#[test]
fn nobody_objects_to_a_job_of_somebody_else() {
    let mut network = careless();
    let strange = JobId::default();
    assert!(refusal(&dispute(&mut network, strange)).contains("no job of this node's"));
    let command = Command::Dispute { job: strange };
    let events = ask(&mut network, BYSTANDER_NODE, command);
    assert_eq!(refusal(&events), "this node has no client role");
}
