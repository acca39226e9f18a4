//! The simulated world: nodes, disks, a network and a clock that jumps from event to event.

mod answers;
mod decided;
mod heap;
mod machine;
mod network;
mod observer;

pub use heap::Heap;
pub use machine::Machine;
pub use network::Network;
pub use observer::Observation;

use crate::event;
use crate::invariant::Invariant;
use crate::mining::{exponential, mean_search_ms};
use crate::report::Violation;
use crate::scenario::{FaultKind, PlannedFault, Setup, Trigger};
use crate::trace::{Recorder, RunDigest, outputs_check};
use answers::Answers;
use camelid_core::keys::NodeId;
use camelid_core::model::{InferenceResult, InferenceTask};
use camelid_core::node::Record;
use camelid_core::primitives::{Digest, Stream, Time};
use camelid_core::process::{Input, Output, RequestId, Timer};
use camelid_core::wire::Packet;
use machine::Boot;
use observer::Observer;
use std::collections::BTreeMap;

/// Something that is due.
enum Item {
    /// A packet arrives.
    Arrive { to: usize, from: usize, packet: Packet },
    /// A packet that waited for a record leaves, unless its node has crashed.
    Depart {
        from: usize,
        boot: Boot,
        to: NodeId,
        packet: Packet,
    },
    /// A timer fires, unless it was set anew or the node has crashed.
    Fire {
        node: usize,
        boot: Boot,
        timer: Timer,
        setting: u64,
    },
    /// An inference task ends.
    Infer {
        node: usize,
        boot: Boot,
        request: RequestId,
        result: Box<InferenceResult>,
    },
    /// A flush is durable, unless the node has crashed.
    Flushed { node: usize, boot: Boot },
    /// A miner finds a block, unless the search was begun anew.
    Mine { node: usize, boot: Boot, search: u64 },
    /// The operator of a node opens job number `job`.
    Command { job: usize },
    /// Fault number `fault` sets in, or is over.
    Fault { fault: usize, ends: bool },
    /// The network becomes perfect.
    Heal,
}

/// A run in progress.
pub struct World<'a> {
    setup: &'a Setup,
    now: Time,
    heap: Heap<Item>,
    machines: Vec<Machine>,
    index: BTreeMap<NodeId, usize>,
    network: Network,
    digest: RunDigest,
    /// `None` when nobody asks for a trace: most of what it takes to write one is then saved.
    recorder: Option<Recorder>,
    observer: Observer<'a>,
    disk: Stream,
    answers: Answers,
    inference: Stream,
    mining: Stream,
    hash_power: u64,
    triggered: Vec<bool>,
    /// Commands and faults, their ends included, that are still in the heap.
    planned: usize,
}

/// What is left of a run.
pub struct Remains<'a> {
    /// The nodes as they were at the end.
    pub machines: Vec<Machine>,
    /// What was seen.
    pub observer: Observer<'a>,
    /// The trace, if one was asked for.
    pub trace: Option<Vec<u8>>,
    /// The run's digest.
    pub digest: Digest,
    /// Inputs handled.
    pub steps: u64,
    /// Virtual time that passed, in milliseconds.
    pub virtual_ms: u64,
}

impl<'a> World<'a> {
    /// A world in which everything is still to come; `records` says whether its trace is kept.
    pub fn new(setup: &'a Setup, invariants: Vec<Box<dyn Invariant>>, records: bool) -> Self {
        let stream = |label| Stream::new(setup.seed, label);
        let machine = |node| Machine::new(node, setup.cache_bytes);
        let machines: Vec<Machine> = setup.nodes.iter().map(machine).collect();
        let ids = setup
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.config.key.node_id(), index));
        let mut world = Self {
            now: setup.start,
            heap: Heap::new(),
            index: ids.collect(),
            network: Network::new(setup.link, stream("network")),
            digest: RunDigest::new(&setup.scenario.name, setup.seed),
            recorder: records.then(|| Recorder::new(&setup.scenario.name, setup.seed, &setup.scenario.text)),
            observer: Observer::new(setup, invariants),
            disk: stream("disk"),
            answers: Answers::new(),
            inference: stream("inference"),
            mining: stream("mining"),
            hash_power: machines
                .iter()
                .map(|machine| machine.setup.hash_power * u64::from(machine.setup.config.miner))
                .sum(),
            triggered: vec![false; setup.faults.len()],
            planned: 0,
            machines,
            setup,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        for (number, job) in self.setup.jobs.iter().enumerate() {
            self.plan_after(job.at_ms, Item::Command { job: number });
        }
        for (number, fault) in self.setup.faults.iter().enumerate() {
            if let Trigger::At(at_ms) = fault.trigger {
                self.plan_after(at_ms, fault_item(number, false));
            }
        }
        self.heap.push(
            self.setup.start.after_ms(self.setup.scenario.run.heal_at_ms),
            Item::Heal,
        );
    }

    /// Plans a command or a fault so long after now.
    fn plan_after(&mut self, delay_ms: u64, item: Item) {
        self.planned += 1;
        self.heap.push(self.now.after_ms(delay_ms), item);
    }

    /// Runs until the scenario's end, until an invariant is violated, or until everything is decided if the
    /// scenario says so.
    pub fn run(mut self) -> Remains<'a> {
        let end = self.setup.start.after_ms(self.setup.scenario.run.until_ms);
        for node in 0..self.machines.len() {
            self.boot(node);
        }
        while let Some((at, item)) = self.heap.pop_until(end) {
            self.now = at;
            if self.setup.scenario.run.ends_early && matches!(item, Item::Mine { .. }) && self.is_decided() {
                break;
            }
            self.handle(item);
            if self.observer.violated() {
                break;
            }
        }
        let virtual_ms = self.at_ms();
        let steps = self.digest.steps();
        let states = self.machines.iter().enumerate();
        let states = states.filter_map(|(node, machine)| Some((number(node), machine.digest()?)));
        let digest = self.digest.finish(states);
        let trace = self
            .recorder
            .map(|recorder| recorder.finish(&self.setup.recordings, steps, digest));
        if !self.observer.violated() {
            self.observer
                .end(&self.machines, self.setup.scenario.run.until_ms);
        }
        Remains {
            machines: self.machines,
            observer: self.observer,
            trace,
            digest: Digest(digest.0),
            steps,
            virtual_ms,
        }
    }

    fn handle(&mut self, item: Item) {
        match item {
            Item::Arrive { to, from, packet } => {
                let Some(id) = self.machines.get(from).map(Machine::id) else {
                    return;
                };
                self.step(to, from, &Input::Message { from: id, packet });
            }
            Item::Depart {
                from,
                boot,
                to,
                packet,
            } if self.is_current(from, boot) => self.send(from, to, &packet),
            Item::Fire {
                node,
                boot,
                timer,
                setting,
            } if self.is_current(node, boot) => {
                if self.machines[node].timer_is_current(timer, setting) {
                    self.step(node, node, &Input::TimerFired(timer));
                }
            }
            Item::Infer {
                node,
                boot,
                request,
                result,
            } if self.is_current(node, boot) => {
                self.step(
                    node,
                    node,
                    &Input::Inferred {
                        request,
                        result: *result,
                    },
                );
            }
            Item::Flushed { node, boot } if self.is_current(node, boot) => {
                self.machines[node].show_flush();
                self.step(node, node, &Input::Flushed);
            }
            Item::Mine { node, boot, search } if self.is_current(node, boot) => {
                if let Some(header) = self.machines[node].solve(search, self.now) {
                    self.step(node, node, &Input::Mined { header });
                }
            }
            Item::Command { job } => {
                self.planned -= 1;
                let Some(job) = self.setup.jobs.get(job) else {
                    return;
                };
                self.step(job.node, job.node, &Input::Command(job.command.clone()));
            }
            Item::Fault { fault, ends } => {
                self.planned -= 1;
                self.handle_fault(fault, ends);
            }
            Item::Heal => self.network.heal(),
            // What a node had under way before it crashed.
            Item::Depart { .. }
            | Item::Fire { .. }
            | Item::Infer { .. }
            | Item::Flushed { .. }
            | Item::Mine { .. } => {}
        }
    }

    /// Milliseconds since the start.
    fn at_ms(&self) -> u64 {
        self.now.0 - self.setup.start.0
    }

    fn is_current(&self, node: usize, boot: Boot) -> bool {
        self.machines
            .get(node)
            .is_some_and(|machine| machine.is_running(boot))
    }

    /// Lets a node handle an input, records it, and carries its outputs out.
    fn step(&mut self, node: usize, from: usize, input: &Input) {
        let Some(machine) = self.machines.get_mut(node) else {
            return;
        };
        let Some((outputs, attacks)) = machine.handle(self.now, input.clone()) else {
            return;
        };
        let check = outputs_check(&outputs);
        self.digest
            .step(self.now, number(node), number(from), input, &check);
        if let Some(recorder) = &mut self.recorder
            && let Some(digest) = machine.digest()
        {
            recorder.step(self.now, number(node), number(from), input, check, &digest);
        }
        let at_ms = self.at_ms();
        let happened = self
            .observer
            .step(&self.machines, node, at_ms, outputs.as_slice(), attacks);
        self.trigger(&happened);
        let mut outputs = outputs;
        for output in outputs.take() {
            self.carry_out(node, output);
        }
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        let Some(machine) = self.machines.get_mut(node) else {
            return;
        };
        let boot = machine.boot();
        match output {
            Output::Persist(record) => {
                let disk_ms = self.disk.range(self.setup.disk_ms.low, self.setup.disk_ms.high);
                let is_flush = matches!(*record, Record::Flush(_));
                machine.persist(*record, self.now, disk_ms);
                if is_flush {
                    let durable_at = machine.durable_at();
                    self.heap.push(durable_at, Item::Flushed { node, boot });
                }
            }
            Output::Send { to, packet } => {
                let leaves = machine.durable_at();
                if leaves > self.now {
                    self.heap.push(
                        leaves,
                        Item::Depart {
                            from: node,
                            boot,
                            to,
                            packet,
                        },
                    );
                } else {
                    self.send(node, to, &packet);
                }
            }
            Output::SetTimer { timer, at } => {
                let setting = machine.set_timer(timer);
                self.heap.push(
                    machine.setup.clock.when(at).max(self.now),
                    Item::Fire {
                        node,
                        boot,
                        timer,
                        setting,
                    },
                );
            }
            Output::Infer { request, task } => self.infer(node, boot, request, &task),
            Output::Mine { template } => {
                if let Some(search) = machine.mine(template) {
                    let power = machine.setup.hash_power.max(1);
                    let params = &self.setup.params;
                    let at_first_ms = u64::from(params.spacing_s) * 1_000 * self.hash_power / power;
                    let mean_ms = mean_search_ms(template.bits, params.genesis_bits, at_first_ms);
                    let at = self.now.after_ms(exponential(&mut self.mining, mean_ms));
                    self.heap.push(at, Item::Mine { node, boot, search });
                }
            }
            // The network's topology is the scenario's.
            Output::Event(_) | Output::Connect { .. } | Output::Disconnect { .. } => {}
        }
    }

    fn send(&mut self, from: usize, to: NodeId, packet: &Packet) {
        let Some(to) = self.index.get(&to).copied() else {
            return;
        };
        for delay_ms in self.network.carry(from, to) {
            let item = Item::Arrive {
                to,
                from,
                packet: packet.clone(),
            };
            self.heap.push(self.now.after_ms(delay_ms), item);
        }
    }

    fn infer(&mut self, node: usize, boot: Boot, request: RequestId, task: &InferenceTask) {
        let Some(machine) = self.machines.get(node) else {
            return;
        };
        let result = Box::new(self.answers.run(&machine.setup.models.full, task));
        let tokens = match (&*result, task) {
            (InferenceResult::Generated { output, .. }, _) => output.len(),
            // One pass over all positions costs about as much as a few tokens.
            (InferenceResult::Predicted { predictions }, _) => predictions.len().div_ceil(4),
            (InferenceResult::Failed { .. }, _) => 0,
        };
        let token_ms = self
            .inference
            .range(self.setup.token_ms.low, self.setup.token_ms.high);
        let at = self.now.after_ms(1 + token_ms.saturating_mul(tokens as u64));
        self.heap.push(
            at,
            Item::Infer {
                node,
                boot,
                request,
                result,
            },
        );
    }

    fn boot(&mut self, node: usize) {
        let Some(machine) = self.machines.get_mut(node) else {
            return;
        };
        let records = machine.start();
        self.digest.boot(self.now, number(node), records);
        if let Some(recorder) = &mut self.recorder {
            recorder.boot(self.now, number(node), records);
        }
        self.step(node, node, &Input::Start);
    }

    fn trigger(&mut self, happened: &[String]) {
        for (number, fault) in self.setup.faults.iter().enumerate() {
            let Trigger::After(event, delay_ms) = &fault.trigger else {
                continue;
            };
            let due = happened.iter().any(|name| name == event);
            if due && !std::mem::replace(&mut self.triggered[number], true) {
                self.plan_after(*delay_ms, fault_item(number, false));
            }
        }
    }

    fn handle_fault(&mut self, number: usize, ends: bool) {
        let Some(fault) = self.setup.faults.get(number) else {
            return;
        };
        let too_late = fault.before_ms.is_some_and(|before_ms| self.at_ms() >= before_ms);
        if too_late && !ends {
            return;
        }
        match (fault.kind, ends) {
            (FaultKind::Crash, false) => self.crash(fault),
            (FaultKind::Crash, true) => {
                for node in &fault.nodes {
                    if self.machines.get_mut(*node).is_some_and(Machine::recover) {
                        self.boot(*node);
                    }
                }
            }
            (FaultKind::Partition, false) => {
                self.network.cut(number, fault.nodes.clone());
                self.observer.note(event::PARTITION, self.at_ms());
            }
            (FaultKind::Partition, true) => self.network.join(number),
        }
        if !ends {
            self.plan_after(fault.for_ms, fault_item(number, true));
        }
    }

    fn crash(&mut self, fault: &PlannedFault) {
        let at_ms = self.at_ms();
        for node in &fault.nodes {
            if let Some(machine) = self.machines.get_mut(*node) {
                machine.crash(self.now);
                self.digest.crash(self.now, number(*node));
                if let Some(recorder) = &mut self.recorder {
                    recorder.crash(self.now, number(*node));
                }
                self.observer.note(event::CRASH, at_ms);
            }
        }
    }
}

fn fault_item(fault: usize, ends: bool) -> Item {
    Item::Fault { fault, ends }
}

/// A node's number in a trace; scenarios have at most 1,000 nodes.
fn number(node: usize) -> u16 {
    u16::try_from(node).unwrap_or(u16::MAX)
}

impl Remains<'_> {
    /// Expectations that did not hold.
    pub fn violations(&self) -> &[Violation] {
        self.observer.violations()
    }
}
