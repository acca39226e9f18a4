//! Nodes at work: a job from offer to settlement, crashes in between, and a chain that turns.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::block::Block;
use camelid_core::escrow::{Closing, JobState, Outcome};
use camelid_core::node::{Matter, Record};
use camelid_core::primitives::{BoundedVec, JobId};
use camelid_core::process::{Event, Input};
use camelid_core::rastic::Verdict;
use camelid_core::tx::ActionKind;
use camelid_core::wire::{Envelope, Message};
use std::sync::Arc;
use support::network::*;
use support::*;

fn verdicts(network: &Network) -> Vec<Verdict> {
    let judged = network.events.iter().filter_map(|(_, event)| match event {
        Event::Judged { verdict, .. } => Some(*verdict),
        _ => None,
    });
    judged.collect()
}

fn assert_settled(network: &Network, job: &JobId) {
    for node in 0..network.nodes.len() {
        assert_eq!(network.outcome(node, job), Some(Outcome::Settled), "node {node}");
        let ledger = network.nodes[node].chain().ledger();
        assert_conserved(ledger);
        // Reward and least stake: 1 + 32 coins.
        let payout = ledger.coin(&Closing::outpoint(job, 0)).unwrap();
        assert_eq!(payout.output, pay_to(NODE, coins(33)));
    }
}

#[test]
fn a_job_goes_from_offer_to_settlement() {
    let mut network = Network::new();
    network.minutes(2);
    let job = network.open_job();
    network.run_to_state(&job, "Engaged");
    network.run_to_state(&job, "Closed");
    assert_settled(&network, &job);
    assert_eq!(verdicts(&network), [Verdict::Valid]);
    for (node, event) in [
        (WORKER_NODE, "job-accepted"),
        (WORKER_NODE, "output-committed"),
        (CLIENT_NODE, "engage-signed"),
        (WORKER_NODE, "delivery-sent"),
        (CLIENT_NODE, "delivery-opened"),
    ] {
        assert_eq!(network.count(node, event), 1, "{event}");
    }
    assert_eq!(network.count(CLIENT_NODE, "withheld-claimed"), 0);
    for node in 0..network.nodes.len() {
        assert_eq!(network.count(node, "rejected"), 0, "{:?}", network.events);
    }
}

#[test]
fn a_node_that_recovers_from_any_of_its_records_reaches_the_tip() {
    let mut network = Network::new();
    let job = network.open_job();
    network.run_to_state(&job, "Closed");
    for node in 0..network.nodes.len() {
        for kept in 0..=network.records[node].len() {
            // Message ids go up with time.
            network.wait_ms(1_000);
            network.restart_from(node, kept);
            let tip = network.nodes[(node + 1) % network.nodes.len()].chain().tip();
            assert_eq!(
                network.nodes[node].chain().tip(),
                tip,
                "node {node}, {kept} records"
            );
            let digests = [CLIENT_NODE, WORKER_NODE, MINER_NODE, BYSTANDER_NODE]
                .map(|node| network.nodes[node].chain().ledger().digest());
            assert_eq!(digests, [digests[0]; 4]);
        }
    }
    // And they go on.
    network.minutes(3);
    assert_settled(&network, &job);
}

#[test]
fn a_worker_that_crashes_between_engage_and_delivery_still_delivers() {
    for minutes in [0, 3, 5] {
        let mut network = Network::new();
        let job = network.open_job();
        network.run_to_state(&job, "Engaged");
        network.minutes(minutes);
        assert_eq!(network.count(WORKER_NODE, "delivery-sent"), 0);
        network.restart(WORKER_NODE, network.records[WORKER_NODE].len());
        network.run_to_state(&job, "Closed");
        assert_settled(&network, &job);
        assert_eq!(verdicts(&network), [Verdict::Valid]);
        assert_eq!(network.count(CLIENT_NODE, "withheld-claimed"), 0);
    }
}

#[test]
fn a_client_that_crashes_while_its_check_runs_checks_again() {
    let mut network = Network::new();
    let job = network.open_job();
    network.mute_model = Some(CLIENT_NODE);
    network.run_to_state(&job, "Engaged");
    while network.count(CLIENT_NODE, "delivery-opened") == 0 {
        network.minute();
    }
    assert_eq!(verdicts(&network), []);
    network.mute_model = None;
    network.restart(CLIENT_NODE, network.records[CLIENT_NODE].len());
    network.run_to_state(&job, "Closed");
    assert_eq!(verdicts(&network), [Verdict::Valid]);
    assert_settled(&network, &job);
}

/// Commitments are public: anybody can put one into an Engage of his own. It is no Engage of the
/// worker's, who then owes nothing and must not sign deliveries for it.
#[test]
fn a_worker_does_not_take_a_copy_of_its_commitment_for_its_own_engage() {
    let mut network = Network::new();
    let job = network.open_job();
    network.run_to_state(&job, "Open");
    let records = |node: usize| network.records[node].iter().rev();
    let open = records(CLIENT_NODE).find_map(|record| match record {
        Record::ClientJob(entry) => Some(entry.open.clone()),
        _ => None,
    });
    let committed = records(WORKER_NODE).find_map(|record| match record {
        Record::WorkerJob(entry) => Some(entry.engage.action.clone()),
        _ => None,
    });
    let Some(Some(ActionKind::Engage {
        commitment: copied, ..
    })) = committed.map(|action| action.map(|action| action.kind))
    else {
        panic!("the worker has not committed");
    };
    let chain = network.nodes[MINER_NODE].chain();
    let genesis = *chain.ledger().genesis();
    let params = support::network();
    let stake = genesis_fund(&params, STRANGER, 0);
    let mut copy = engaging(&genesis, &open.unwrap(), &stake, &opening(&[END]));
    if let ActionKind::Engage { commitment, .. } = &mut copy.action.kind {
        *commitment = copied;
    }
    let time = network.now.after_ms(60_000).timestamp();
    let block = mine(chain.ledger(), time, coins(50), &[copy.signed(&genesis)]);
    announce(&mut network, &[block]);
    network.minutes(10);
    let state = network.state(WORKER_NODE, &job).unwrap();
    let engaged = state.engagement().unwrap();
    assert_eq!(engaged.node_key, secret(STRANGER).public_key());
    assert_eq!(network.count(WORKER_NODE, "delivery-sent"), 0);
}

/// Blocks that replace the best chain from `fork` on, the first of them with a Withheld claim.
fn withholding_branch(network: &Network, fork: usize, job: &JobId) -> Vec<Arc<Block>> {
    let chain = network.nodes[MINER_NODE].chain();
    let mut workshop = Workshop::new(1);
    for hash in &chain.active()[1..=fork] {
        workshop.submit(&chain.block(hash).unwrap()).unwrap();
    }
    let genesis = workshop.genesis();
    let record = workshop.ledger().job(job).unwrap();
    let (seq, max_tokens) = (record.seq, record.terms.max_tokens);
    let deposit = workshop.params.jobs.withheld_deposit(max_tokens);
    let fund = (0..COINS_PER_KEY)
        .map(|index| workshop.fund(CLIENT, index))
        .find(|fund| workshop.ledger().coin(&fund.outpoint).is_some());
    let claim = withheld(&genesis, *job, seq, deposit, &fund.unwrap());
    let mut blocks = Vec::new();
    let mut time = chain.headers().header(&chain.active()[fork]).unwrap().time;
    while fork + blocks.len() <= chain.height().0 as usize {
        time.0 += 60;
        let transactions = if blocks.is_empty() {
            vec![claim.clone()]
        } else {
            vec![]
        };
        let block = mine(workshop.ledger(), time, coins(50), &transactions);
        workshop.submit(&block).unwrap();
        assert_eq!(workshop.chain.tip(), block.header.hash());
        blocks.push(block);
    }
    blocks
}

fn announce(network: &mut Network, blocks: &[Arc<Block>]) {
    let headers = blocks.iter().map(|block| block.header).collect();
    let messages = [Message::Headers(BoundedVec::from_vec(headers).unwrap())]
        .into_iter()
        .chain(
            blocks
                .iter()
                .map(|block| Message::Block(Box::new((**block).clone()))),
        );
    for (number, message) in (1_u64..).zip(messages) {
        for node in 0..network.nodes.len() {
            let from = secret(4).node_id();
            let magic = support::network().magic;
            let envelope = Envelope::new(magic, from, None, number, 0, &message).unwrap();
            let packet = envelope.to_packet();
            network.input(node, Input::Message { from, packet });
        }
    }
}

/// A client with hash power can put a Withheld claim where the ledger had settled two blocks before.
#[test]
fn a_worker_answers_a_claim_that_a_reorganisation_puts_before_its_settlement() {
    let mut network = Network::new();
    let job = network.open_job();
    network.run_to_state(&job, "Closed");
    let settled = network.nodes[MINER_NODE].chain().height().0 as usize;
    let blocks = withholding_branch(&network, settled - 2, &job);
    announce(&mut network, &blocks);
    let state = network.state(WORKER_NODE, &job).unwrap();
    assert!(matches!(state, JobState::Withheld { .. }), "{state:?}");
    network.run_to_state(&job, "Delivered");
    network.run_to_state(&job, "Closed");
    assert_settled(&network, &job);
}

/// Neither a node's memory nor its disk fills with jobs.
#[test]
fn what_is_long_over_is_forgotten() {
    let mut network = Network::new();
    let job = network.open_job();
    network.run_to_state(&job, "Closed");
    network.minutes(102);
    for (node, matter) in [
        (CLIENT_NODE, Matter::ClientJob(job)),
        (WORKER_NODE, Matter::WorkerJob(job)),
    ] {
        let forgotten = network.records[node]
            .iter()
            .filter(|record| **record == Record::Forget(matter));
        assert_eq!(forgotten.count(), 1, "{matter:?}");
        network.restart_from(node, network.records[node].len());
    }
    assert_eq!(network.nodes[CLIENT_NODE].client_jobs().count(), 0);
}
