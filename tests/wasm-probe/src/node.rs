//! `camelid_core::node` and `camelid_core::process`.

use crate::model::manifest;
use crate::workshop::{CLIENT, WORKER, key, params, units};
use camelid_core::keys::EcdsaVerifier;
use camelid_core::model::{InferenceResult, PromptTokens, Sampling};
use camelid_core::node::{ClientConfig, Node, NodeConfig, Record, VerifierConfig, Verify, WorkerConfig};
use camelid_core::primitives::{COIN, Time, decode, encode};
use camelid_core::process::{
    Command, Event, Input, JobRequest, Output, Outputs, Process as _, RequestId, Timer,
};
use camelid_core::rastic::Spec;
use camelid_core::wire::Packet;
use core::hint::black_box;
use std::sync::Arc;

/// A node with all roles: every kind of input, and a recovery from what it persisted.
pub fn probe() {
    let config = config();
    let mut now = Time(u64::from(config.params.genesis_time.0) * 1_000).after_ms(60_000);
    let mut node = Node::new(config.clone());
    let mut records = Vec::new();
    let mut template = None;
    let mut offered = 0;

    let mut step = |node: &mut Node, input: Input| {
        let mut out = Outputs::new();
        now = now.after_ms(20_000);
        node.handle(now, black_box(input), &mut out);
        let read: Outputs = decode(&encode(&out), 1 << 20).expect("it was just encoded");
        assert_eq!(read, out);
        for output in out.take() {
            match output {
                Output::Persist(record) => records.push(*record),
                Output::Mine { template: header } => template = Some(header),
                Output::Event(event) => offered += u32::from(matches!(event, Event::JobOffered { .. })),
                _ => {}
            }
        }
        template
    };

    step(&mut node, Input::Start);
    step(&mut node, Input::Command(Command::OpenJob(Box::new(request()))));
    let garbage = Input::Message {
        from: key(WORKER).node_id(),
        packet: Packet::from(black_box(vec![0xff; 100])),
    };
    step(&mut node, garbage);
    let answer = Input::Inferred {
        request: RequestId(7),
        result: InferenceResult::failed("no such request"),
    };
    step(&mut node, answer);
    let mut header = step(&mut node, Input::TimerFired(Timer::Maintenance)).expect("a miner asks for work");
    while header.check_work().is_err() {
        header.nonce += 1;
    }
    step(&mut node, Input::Mined { header });

    assert_eq!((offered, node.chain().height().0), (1, 1));
    let records: Vec<Record> = records;
    let recovered = Node::recover(config, records);
    assert_eq!(recovered.chain().tip(), node.chain().tip());
    black_box((node.digest(), recovered.digest()));
}

fn config() -> NodeConfig {
    NodeConfig {
        peers: vec![key(WORKER).node_id()],
        seed: black_box(11),
        models: vec![manifest()],
        client: Some(ClientConfig { verify: Verify::Own }),
        worker: Some(WorkerConfig { parallel_jobs: 1 }),
        committee: Some(VerifierConfig { tickets: 1 }),
        miner: true,
        ..NodeConfig::new(params(), key(CLIENT), Arc::new(EcdsaVerifier))
    }
}

fn request() -> JobRequest {
    JobRequest {
        prompt: PromptTokens::from_vec(vec![5, 6]).expect("two tokens fit"),
        max_tokens: 8,
        seed: 1,
        sampling: Sampling::GREEDY,
        model: manifest().id(),
        spec: Spec::V2,
        samples: 0,
        reward: units(COIN),
        stake: None,
        engage_fee: units(10_000),
        deadline_blocks: 30,
        private: false,
    }
}
