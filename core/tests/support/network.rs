//! A few nodes that hand each other their packets in order, with a clock that the test moves.

use super::*;
use camelid_core::block::BlockHeader;
use camelid_core::escrow::{JobState, Outcome};
use camelid_core::keys::NodeId;
use camelid_core::model::{InferenceResult, InferenceTask, Prediction, PromptTokens};
use camelid_core::node::{ClientConfig, Node, NodeConfig, Record, Verify, WorkerConfig};
use camelid_core::primitives::decode;
use camelid_core::process::{Command, Event, Input, JobRequest, Output, Outputs, Process, Timer};
use camelid_core::wire::Packet;
use std::collections::VecDeque;

/// Places of the nodes in [`Network::nodes`].
pub const CLIENT_NODE: usize = 0;
pub const WORKER_NODE: usize = 1;
pub const MINER_NODE: usize = 2;
pub const BYSTANDER_NODE: usize = 3;

/// A client, a worker and a bystander, each connected to a miner and to nobody else.
pub struct Network {
    pub nodes: Vec<Node>,
    pub configs: Vec<NodeConfig>,
    /// What each node persisted, in order.
    pub records: Vec<Vec<Record>>,
    pub events: Vec<(usize, Event)>,
    /// All that was sent, in order.
    pub packets: Vec<Packet>,
    pub now: Time,
    /// Answers of this node's model are lost.
    pub mute_model: Option<usize>,
    inputs: VecDeque<(usize, Input)>,
    timers: Vec<Option<Time>>,
    templates: Vec<Option<BlockHeader>>,
}

pub fn config(owner: u8, peers: &[u8]) -> NodeConfig {
    NodeConfig {
        peers: peers.iter().map(|peer| secret(*peer).node_id()).collect(),
        seed: u64::from(owner),
        models: vec![manifest()],
        ..NodeConfig::new(network(), secret(owner), Arc::new(EcdsaVerifier))
    }
}

/// The job that the client of these tests asks for.
pub fn job_request() -> JobRequest {
    JobRequest {
        prompt: PromptTokens::from_vec(vec![5, 6]).unwrap(),
        max_tokens: 8,
        seed: 1,
        sampling: Sampling::GREEDY,
        model: manifest().id(),
        spec: Spec::V2,
        samples: 0,
        reward: coins(1),
        stake: None,
        engage_fee: units(10_000),
        deadline_blocks: 30,
        private: false,
    }
}

impl Network {
    /// All nodes have started.
    pub fn new() -> Self {
        let configs = vec![
            NodeConfig {
                client: Some(ClientConfig { verify: Verify::Own }),
                ..config(CLIENT, &[MINER])
            },
            NodeConfig {
                worker: Some(WorkerConfig { parallel_jobs: 1 }),
                ..config(NODE, &[MINER])
            },
            NodeConfig {
                miner: true,
                ..config(MINER, &[CLIENT, NODE, STRANGER])
            },
            config(STRANGER, &[MINER]),
        ];
        let mut network = Self {
            nodes: configs.iter().cloned().map(Node::new).collect(),
            records: vec![Vec::new(); configs.len()],
            events: Vec::new(),
            packets: Vec::new(),
            now: Time(u64::from(network().genesis_time.0) * 1_000 + 60_000),
            mute_model: None,
            inputs: VecDeque::new(),
            timers: vec![None; configs.len()],
            templates: vec![None; configs.len()],
            configs,
        };
        for node in 0..network.nodes.len() {
            network.input(node, Input::Start);
        }
        network
    }

    /// Gives a node an input, and everybody what follows from it.
    pub fn input(&mut self, node: usize, input: Input) {
        self.inputs.push_back((node, input));
        while let Some((node, input)) = self.inputs.pop_front() {
            let mut out = Outputs::new();
            self.nodes[node].handle(self.now, input, &mut out);
            for output in out.take() {
                self.carry_out(node, output);
            }
        }
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        match output {
            Output::Persist(record) => self.records[node].push(*record),
            Output::Send { to, packet } => {
                let from = self.nodes[node].id();
                self.packets.push(packet.clone());
                let receiver = self.nodes.iter().position(|node| node.id() == to);
                let input = Input::Message { from, packet };
                self.inputs.extend(receiver.map(|receiver| (receiver, input)));
            }
            Output::SetTimer { at, .. } => self.timers[node] = Some(at),
            Output::Infer { request, task } => {
                if self.mute_model != Some(node) {
                    let result = infer(&task);
                    self.inputs.push_back((node, Input::Inferred { request, result }));
                }
            }
            Output::Mine { template } => self.templates[node] = Some(template),
            Output::Event(event) => self.events.push((node, event)),
            // All nodes are connected.
            Output::Connect { .. } | Output::Disconnect { .. } => {}
        }
    }

    /// A minute passes: timers fire, then the miner finds a block.
    pub fn minute(&mut self) {
        self.wait_ms(60_000);
        let mut header = self.templates[MINER_NODE].expect("a template");
        header.time = header.time.max(self.now.timestamp());
        solve(&mut header);
        self.input(MINER_NODE, Input::Mined { header });
    }

    pub fn minutes(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.minute();
        }
    }

    /// Time passes without a block.
    pub fn wait_ms(&mut self, ms: u64) {
        let end = self.now.after_ms(ms);
        while self.now < end {
            self.now = self.now.after_ms(1_000);
            for node in 0..self.nodes.len() {
                if self.timers[node].is_some_and(|at| at <= self.now) {
                    self.timers[node] = None;
                    self.input(node, Input::TimerFired(Timer::Maintenance));
                }
            }
        }
    }

    /// A node loses its memory and comes back with the first `kept` of its records, as they were
    /// written.
    pub fn restart(&mut self, node: usize, kept: usize) {
        self.records[node].truncate(kept);
        self.restart_from(node, kept);
    }

    /// As [`restart`](Self::restart), for a trial: the records stay.
    pub fn restart_from(&mut self, node: usize, kept: usize) {
        let records = self.records[node][..kept].iter().map(|record| {
            let bytes = encode(record);
            decode(&bytes, bytes.len()).expect("a record can be read again")
        });
        self.nodes[node] = Node::recover(self.configs[node].clone(), records.collect::<Vec<_>>());
        self.timers[node] = None;
        self.input(node, Input::Start);
    }

    pub fn open_job(&mut self) -> JobId {
        let command = Command::OpenJob(Box::new(job_request()));
        self.input(CLIENT_NODE, Input::Command(command));
        let offered = self.events.iter().find_map(|(_, event)| match event {
            Event::JobOffered { offer } => Some(offer.job),
            _ => None,
        });
        offered.unwrap_or_else(|| panic!("no job was offered: {:?}", self.events))
    }

    pub fn state(&self, node: usize, job: &JobId) -> Option<JobState> {
        let record = self.nodes[node].chain().ledger().job(job)?;
        Some(record.into_owned().state)
    }

    pub fn outcome(&self, node: usize, job: &JobId) -> Option<Outcome> {
        self.state(node, job)?.outcome()
    }

    /// Minutes pass until the miner's ledger has the job in a state with this name.
    pub fn run_to_state(&mut self, job: &JobId, name: &str) {
        for _ in 0..80 {
            if self
                .state(MINER_NODE, job)
                .is_some_and(|state| state.name() == name)
            {
                return;
            }
            self.minute();
        }
        panic!("{name} is not reached: {:?}", self.state(MINER_NODE, job));
    }

    pub fn count(&self, node: usize, name: &str) -> usize {
        let named = |(at, event): &&(usize, Event)| *at == node && event.name() == name;
        self.events.iter().filter(named).count()
    }

    pub fn id(&self, node: usize) -> NodeId {
        self.nodes[node].id()
    }
}

/// The model: what follows is a function of all that stands before.
fn next_token(prefix: &[TokenId]) -> TokenId {
    let mixed = prefix
        .iter()
        .fold(7u32, |sum, token| sum.wrapping_mul(31).wrapping_add(*token));
    (mixed >> 3) % 64
}

pub fn infer(task: &InferenceTask) -> InferenceResult {
    match task {
        InferenceTask::Generate {
            prompt, max_tokens, ..
        } => {
            let mut tokens = prompt.to_vec();
            let ends = manifest().end_tokens;
            loop {
                tokens.push(next_token(&tokens));
                let output = &tokens[prompt.len()..];
                if let Some(finish) = Finish::derive(output, &ends, *max_tokens) {
                    let output = Tokens::from_vec(output.to_vec()).unwrap();
                    return InferenceResult::Generated { output, finish };
                }
            }
        }
        InferenceTask::Predict {
            prompt,
            output,
            positions,
            ..
        } => {
            let all = [&prompt[..], &output[..]].concat();
            let predict = |position: &u32| Prediction {
                token: next_token(&all[..*position as usize]),
                gap_milli: 0,
                ..Prediction::default()
            };
            let predictions = positions.iter().map(predict).collect();
            InferenceResult::Predicted {
                predictions: BoundedVec::from_vec(predictions).unwrap(),
            }
        }
    }
}
