//! What one seed makes of a scenario: every range drawn, every key made, every job and fault planned.

use super::file::{Fault, FaultKind, JobGroup, ModelKind, NodeGroup, Role, Scenario, VerifyKind};
use super::range::Range;
use crate::model::{Brought, HashModel, HashModelConfig, LanguageModel, Models, NgramModel, Recording};
use camelid_core::keys::{NodeId, SecretKey, SharedVerifier};
use camelid_core::model::{Manifest, Sampling, TokenId};
use camelid_core::node::{
    CheckerConfig, ClientConfig, NodeConfig, Outsourcing, VerifierConfig, Verify, WorkerConfig,
};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, Stream, Time, tagged_hash};
use camelid_core::process::{Command, JobRequest};
use camelid_core::rastic::Spec;
use camelid_core::script::key_hash_script;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rounding of the coarse model's scores, in milli-logits: it then writes about one token in thirty
/// differently.
const COARSE_STEP_MILLI: u16 = 500;

/// Everything that a run needs.
pub struct Setup {
    /// The scenario.
    pub scenario: Scenario,
    /// The seed.
    pub seed: u64,
    /// The network's parameters, with the nodes' coins.
    pub params: Arc<Params>,
    /// The nodes.
    pub nodes: Vec<NodeSetup>,
    /// Jobs to open.
    pub jobs: Vec<PlannedJob>,
    /// What goes wrong.
    pub faults: Vec<PlannedFault>,
    /// How packets travel.
    pub link: Link,
    /// Milliseconds to make a record durable.
    pub disk_ms: Range,
    /// Bytes, about, that a node holds in memory before it flushes them.
    pub cache_bytes: Option<usize>,
    /// Milliseconds to generate a token.
    pub token_ms: Range,
    /// Virtual time at which the run begins.
    pub start: Time,
    /// What was drawn for each range.
    pub drawn: Vec<(String, u64)>,
    /// Models that run elsewhere: the network's and the coarse one, or none.
    pub recordings: Vec<Arc<Recording>>,
}

/// A node of a run.
#[derive(Clone)]
pub struct NodeSetup {
    /// `GROUP-NUMBER`.
    pub name: String,
    /// Its group.
    pub group: String,
    /// What the production node is told.
    pub config: NodeConfig,
    /// The models on its machine.
    pub models: Models,
    /// The strategy, or `None` for an honest node.
    pub strategy: Option<String>,
    /// What its strategy makes of it.
    pub level: u64,
    /// Relative hash power.
    pub hash_power: u64,
    /// Its clock.
    pub clock: Clock,
}

/// A clock that is right, ahead or behind, always by as much.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    ahead_ms: u64,
    behind_ms: u64,
}

impl Clock {
    /// What it shows at `time`.
    pub fn at(self, time: Time) -> Time {
        Time(time.after_ms(self.ahead_ms).0.saturating_sub(self.behind_ms))
    }

    /// The time at which it shows `shown`.
    pub fn when(self, shown: Time) -> Time {
        Time(shown.after_ms(self.behind_ms).0.saturating_sub(self.ahead_ms))
    }
}

/// A job to open.
#[derive(Clone, Debug)]
pub struct PlannedJob {
    /// When, in milliseconds from the start.
    pub at_ms: u64,
    /// Which node.
    pub node: usize,
    /// What it is told.
    pub command: Command,
}

/// A fault to come.
#[derive(Clone, Debug)]
pub struct PlannedFault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When.
    pub trigger: Trigger,
    /// It does not set in from here on, in milliseconds from the start.
    pub before_ms: Option<u64>,
    /// For how long, in milliseconds.
    pub for_ms: u64,
    /// The nodes concerned.
    pub nodes: BTreeSet<usize>,
}

/// When a fault sets in.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// So many milliseconds from the start.
    At(u64),
    /// So many milliseconds after the first time that an event happens.
    After(String, u64),
}

/// How packets travel until the network heals.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Milliseconds on the way, drawn for each packet.
    pub latency_ms: Range,
    /// Packets lost, in thousandths.
    pub loss_permille: u32,
    /// Packets that arrive twice, in thousandths.
    pub duplicate_permille: u32,
    /// Packets that are held back, in thousandths.
    pub reorder_permille: u32,
}

impl Setup {
    /// Draws everything from `seed`.
    pub fn draw(scenario: &Scenario, seed: u64, verifier: &SharedVerifier) -> Self {
        Drawing {
            scenario,
            seed,
            drawn: Vec::new(),
            recordings: Vec::new(),
        }
        .setup(verifier)
    }

    /// The network's model, as the first machine computes it (there is one: the loader asks for two).
    pub fn model(&self) -> &dyn LanguageModel {
        &*self.nodes[0].models.full
    }

    /// True when node `index` follows the protocol.
    pub fn is_honest(&self, index: usize) -> bool {
        self.nodes.get(index).is_some_and(|node| node.strategy.is_none())
    }
}

/// Draws values and remembers them.
struct Drawing<'a> {
    scenario: &'a Scenario,
    seed: u64,
    drawn: Vec<(String, u64)>,
    recordings: Vec<Arc<Recording>>,
}

impl Drawing<'_> {
    fn setup(mut self, verifier: &SharedVerifier) -> Setup {
        let models_on = self.models();
        let manifest = models_on(0).full.manifest().clone();
        let groups = self.groups();
        let params = Arc::new(self.params(&groups));
        let neighbours = self.topology(groups.len());
        let ids: Vec<NodeId> = groups.iter().map(|member| member.key.node_id()).collect();
        let nodes = groups
            .iter()
            .zip(&neighbours)
            .zip(0..)
            .map(|((member, peers), number)| NodeSetup {
                name: member.name.clone(),
                group: member.group.name.clone(),
                config: NodeConfig {
                    peers: peers.iter().filter_map(|peer| ids.get(*peer)).copied().collect(),
                    seed: self.stream(&format!("{} seed", member.name)).next_u64(),
                    models: vec![manifest.clone()],
                    client: member.has(Role::Client).then_some(ClientConfig {
                        verify: member.verify,
                    }),
                    worker: member
                        .has(Role::Worker)
                        .then_some(WorkerConfig { parallel_jobs: 2 }),
                    committee: member.has(Role::Verifier).then_some(VerifierConfig {
                        tickets: usize::try_from(member.tickets).unwrap_or(0),
                    }),
                    miner: member.has(Role::Miner),
                    checker: member.has(Role::Checker).then_some(member.checker),
                    ..NodeConfig::new(params.clone(), member.key.clone(), verifier.clone())
                },
                models: models_on(number),
                strategy: member.group.strategy.clone(),
                level: member.level,
                hash_power: member.hash_power,
                clock: member.clock,
            })
            .collect();
        let names: Vec<(String, String)> = groups
            .iter()
            .map(|member| (member.name.clone(), member.group.name.clone()))
            .collect();
        let jobs = self.jobs(&names, &manifest);
        let faults = self.faults(&names);
        let network = &self.scenario.network;
        let link = Link {
            latency_ms: network.latency_ms,
            loss_permille: self.draw_u32(network.loss_permille, "network.loss_permille"),
            duplicate_permille: self.draw_u32(network.duplicate_permille, "network.duplicate_permille"),
            reorder_permille: self.draw_u32(network.reorder_permille, "network.reorder_permille"),
        };
        let cache_bytes = network.cache_bytes;
        let cache_bytes = cache_bytes.map(|range| self.draw_u32(range, "network.cache_bytes") as usize);
        Setup {
            scenario: self.scenario.clone(),
            seed: self.seed,
            nodes,
            jobs,
            faults,
            link,
            disk_ms: self.scenario.network.disk_ms,
            cache_bytes,
            token_ms: self.scenario.model.token_ms,
            // A minute after the genesis block, so that the first block's time can be after it.
            start: Time(u64::from(params.genesis_time.0) * 1_000).after_ms(60_000),
            params,
            drawn: self.drawn,
            recordings: self.recordings,
        }
    }

    fn stream(&self, label: &str) -> Stream {
        Stream::new(self.seed, label)
    }

    /// Draws from `range` with a stream of its own; only real ranges are worth remembering.
    fn draw(&mut self, range: Range, label: &str) -> u64 {
        let value = self.stream(label).range(range.low, range.high);
        if range.low != range.high {
            self.drawn.push((label.into(), value));
        }
        value
    }

    fn draw_u32(&mut self, range: Range, label: &str) -> u32 {
        u32::try_from(self.draw(range, label)).unwrap_or(u32::MAX)
    }

    /// The models of the machine with a given number.
    fn models(&mut self) -> Box<dyn Fn(u64) -> Models> {
        let section = self.scenario.model.clone();
        match section.kind {
            ModelKind::Hash => {
                let narrow = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
                let config = HashModelConfig {
                    language: self.seed,
                    hard_permille: narrow(self.draw(section.hard_permille, "model.hard_permille")),
                    end_permille: narrow(self.draw(section.end_permille, "model.end_permille")),
                    jitter_milli: narrow(self.draw(section.jitter_milli, "model.jitter_milli")),
                    tolerance_milli: self.draw_u32(section.tolerance_milli, "model.tolerance_milli"),
                    ..HashModelConfig::default()
                };
                let model = HashModel::new(config);
                let models_on = move |machine| {
                    let model = model.on_machine(machine);
                    Models {
                        draft: Arc::new(model.imitation(1)),
                        coarse: Arc::new(model.quantized(COARSE_STEP_MILLI)),
                        full: Arc::new(model),
                    }
                };
                if config.jitter_milli > 0 {
                    return Box::new(models_on);
                }
                // All machines compute the same: one model for all, whose answers they can share.
                let models = models_on(0);
                Box::new(move |_| models.clone())
            }
            ModelKind::Ngram => {
                let order = usize::try_from(self.draw(section.order, "model.order")).unwrap_or(1);
                let draft = Arc::new(NgramModel::train(
                    order.saturating_sub(1).max(1),
                    NgramModel::TEXT,
                ));
                let models = Models {
                    full: Arc::new(NgramModel::train(order, NgramModel::TEXT)),
                    draft: draft.clone(),
                    coarse: draft,
                };
                Box::new(move |_| models.clone())
            }
            ModelKind::Gguf => {
                // The loader has seen to it that there is one.
                let Brought { full, coarse } = section.brought.expect("a loaded scenario has its model");
                let (full, coarse) = (Arc::new(Recording::new(full)), Arc::new(Recording::new(coarse)));
                self.recordings = vec![full.clone(), coarse.clone()];
                let models = Models {
                    full,
                    draft: coarse.clone(),
                    coarse,
                };
                Box::new(move |_| models.clone())
            }
        }
    }

    fn groups(&mut self) -> Vec<Member> {
        let mut members = Vec::new();
        for group in &self.scenario.nodes {
            let group = group.get_ref();
            let count = self.draw(group.count, &format!("{}.count", group.name));
            for number in 0..count {
                let name = format!("{}-{number}", group.name);
                let hash = tagged_hash("camelid/sim-key", &(self.seed, &name));
                // A hash is no valid key once in 2^128; hashing it again is.
                let key = SecretKey::from_bytes(hash.0)
                    .unwrap_or_else(|| SecretKey::from_bytes([1; 32]).expect("1 is a valid key"));
                let clock = Clock {
                    ahead_ms: self.draw(group.clock_ahead_ms, &format!("{name}.clock_ahead_ms")),
                    behind_ms: self.draw(group.clock_behind_ms, &format!("{name}.clock_behind_ms")),
                };
                let (verify, checker) = self.checks(group, &name);
                members.push(Member {
                    clock,
                    level: self.draw(group.level, &format!("{name}.level")),
                    verify,
                    checker,
                    hash_power: self.draw(group.hash_power, &format!("{name}.hash_power")),
                    coins: self.draw(group.coins, &format!("{name}.coins")),
                    coin_value: self.draw(group.coin_value, &format!("{name}.coin_value")),
                    tickets: self.draw(group.tickets, &format!("{name}.tickets")),
                    group: group.clone(),
                    name,
                    key,
                });
            }
        }
        members
    }

    /// How a node of the group checks outputs, as a client and as a checker.
    fn checks(&mut self, group: &NodeGroup, name: &str) -> (Verify, CheckerConfig) {
        let mut draw = |range, key: &str| self.draw(range, &format!("{name}.{key}"));
        let amount = |units| Amount::from_units(units).unwrap_or(Amount::MAX);
        let narrow = |value| u32::try_from(value).unwrap_or(u32::MAX);
        let fee_per_token = amount(draw(group.check_fee_units, "check_fee_units"));
        let verify = match group.verify {
            VerifyKind::No => Verify::No,
            VerifyKind::Own => Verify::Own,
            VerifyKind::Outsourced => Verify::Outsourced(Outsourcing {
                helpers: narrow(draw(group.helpers, "helpers")),
                canary_permille: narrow(draw(group.canary_permille, "canary_permille")),
                fee_per_token,
            }),
        };
        let checker = CheckerConfig {
            fee_per_token,
            credit: amount(draw(group.credit_units, "credit_units")),
        };
        (verify, checker)
    }

    fn params(&self, members: &[Member]) -> Params {
        let mut params = self.scenario.chain.params();
        let allocations = members.iter().flat_map(Member::allocations).collect();
        // The loader has seen to it that they fit.
        params.allocations = BoundedVec::from_vec(allocations).unwrap_or_default();
        params
    }

    /// A ring, so that everybody is connected, and random links until everybody has enough.
    fn topology(&mut self, nodes: usize) -> Vec<BTreeSet<usize>> {
        let wanted =
            usize::try_from(self.draw(self.scenario.network.peers, "network.peers")).unwrap_or(nodes);
        let mut neighbours = vec![BTreeSet::new(); nodes];
        let mut link = |a: usize, b: usize| {
            if a != b && a < nodes && b < nodes {
                neighbours[a].insert(b);
                neighbours[b].insert(a);
            }
        };
        for node in 0..nodes {
            link(node, (node + 1) % nodes);
        }
        let mut stream = self.stream("topology");
        for node in 0..nodes {
            for _ in 2..wanted {
                let other = usize::try_from(stream.below(nodes as u64)).unwrap_or(0);
                link(node, other);
            }
        }
        neighbours
    }

    fn jobs(&mut self, names: &[(String, String)], manifest: &Manifest) -> Vec<PlannedJob> {
        let mut jobs = Vec::new();
        for (group_index, group) in self.scenario.jobs.iter().enumerate() {
            let group = group.get_ref();
            let clients: Vec<usize> = members_of(names, &group.client).collect();
            let label = format!("jobs[{group_index}]");
            let count = self.draw(group.count, &format!("{label}.count"));
            let mut at_ms = self.draw(group.start_ms, &format!("{label}.start_ms"));
            for number in 0..count {
                let drawn_as = if group.alike { 0 } else { number };
                let mut stream = self.stream(&format!("{label} {drawn_as}"));
                let Some(node) = clients.get(usize::try_from(number).unwrap_or(0) % clients.len().max(1))
                else {
                    break;
                };
                let command = Command::OpenJob(Box::new(job_request(group, manifest, &mut stream)));
                jobs.push(PlannedJob {
                    at_ms,
                    node: *node,
                    command,
                });
                at_ms += stream.range(group.every_ms.low, group.every_ms.high);
            }
        }
        jobs
    }

    fn faults(&mut self, names: &[(String, String)]) -> Vec<PlannedFault> {
        let faults: Vec<Fault> = self
            .scenario
            .faults
            .iter()
            .map(|fault| fault.get_ref().clone())
            .collect();
        let plan = |(index, fault): (usize, Fault)| {
            let at_ms = self.draw(fault.at_ms, &format!("faults[{index}].at_ms"));
            PlannedFault {
                kind: fault.kind,
                before_ms: fault.before_ms,
                for_ms: self.draw(fault.for_ms, &format!("faults[{index}].for_ms")),
                nodes: fault
                    .nodes
                    .iter()
                    .flat_map(|name| members_of(names, name))
                    .collect(),
                trigger: match fault.on {
                    Some(event) => Trigger::After(event, at_ms),
                    None => Trigger::At(at_ms),
                },
            }
        };
        faults.into_iter().enumerate().map(plan).collect()
    }
}

/// A node before its peers are known.
struct Member {
    name: String,
    group: NodeGroup,
    key: SecretKey,
    level: u64,
    clock: Clock,
    hash_power: u64,
    coins: u64,
    coin_value: u64,
    tickets: u64,
    verify: Verify,
    checker: CheckerConfig,
}

impl Member {
    fn has(&self, role: Role) -> bool {
        self.group.roles.contains(&role)
    }

    fn allocations(&self) -> impl Iterator<Item = Allocation> + use<> {
        let script = key_hash_script(&self.key.node_id().0);
        let amount = Amount::from_coins(self.coin_value).unwrap_or(Amount::MAX);
        (0..self.coins).map(move |_| Allocation {
            script: script.clone(),
            amount,
        })
    }
}

/// Indices of the nodes that `name` (a group or a node) stands for.
fn members_of<'a>(names: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let matching = names
        .iter()
        .enumerate()
        .filter(move |(_, (node, group))| node == name || group == name);
    matching.map(|(index, _)| index)
}

fn job_request(group: &JobGroup, manifest: &Manifest, stream: &mut Stream) -> JobRequest {
    let mut draw = |range: Range| stream.range(range.low, range.high);
    let prompt_tokens = draw(group.prompt_tokens);
    let max_tokens = draw(group.max_tokens);
    let temperature = draw(group.temperature_milli);
    let samples = draw(group.samples);
    let reward = draw(group.reward_units);
    let engage_fee = draw(group.engage_fee_units);
    let deadline = draw(group.deadline_blocks);
    let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let amount = |units: u64| Amount::from_units(units).unwrap_or(Amount::ZERO);
    JobRequest {
        prompt: BoundedVec::from_vec(prompt(
            prompt_tokens,
            manifest.vocabulary,
            &manifest.end_tokens,
            stream,
        ))
        .unwrap_or_default(),
        max_tokens: narrow(max_tokens),
        seed: stream.next_u64(),
        sampling: Sampling {
            temperature_milli: narrow(temperature),
            ..Sampling::GREEDY
        },
        model: manifest.id(),
        spec: group.spec.parse().unwrap_or(Spec::V2),
        samples: narrow(samples),
        reward: amount(reward),
        stake: None,
        engage_fee: amount(engage_fee),
        deadline_blocks: narrow(deadline),
        private: false,
    }
}

/// Random tokens that end nothing.
fn prompt(length: u64, vocabulary: u32, end_tokens: &[TokenId], stream: &mut Stream) -> Vec<TokenId> {
    let mut token = || u32::try_from(stream.below(u64::from(vocabulary))).unwrap_or(0);
    let mut tokens = Vec::new();
    while (tokens.len() as u64) < length {
        let candidate = token();
        if !end_tokens.contains(&candidate) || vocabulary <= 1 {
            tokens.push(candidate);
        }
    }
    tokens
}
