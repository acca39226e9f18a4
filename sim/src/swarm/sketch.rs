//! A scenario that is being drawn.

use super::terms;
use crate::scenario::{Fault, FaultKind, JobGroup, LoadError, NodeGroup, Range, Role, Scenario};
use crate::strategy::Kind;
use camelid_core::primitives::Stream;
use toml::Spanned;

/// What every swarm scenario starts from; features change it. Keys that it leaves out have the defaults of
/// scenario files.
const BASE: &str = r#"
name = "swarm"
about = "Drawn from a seed."
run = { until_ms = 1, heal_at_ms = 0 }
network = { peers = 2 }
nodes = [
    { name = "miner", roles = ["miner"] },
    { name = "relay", count = 0 },
    { name = "verifier", count = 0, roles = ["verifier"] },
    { name = "checker", count = 0, roles = ["checker"] },
    { name = "worker", roles = ["worker"], coins = 4 },
    { name = "client", roles = ["client"], coins = 6 },
]
jobs = [{ client = "client", start_ms = 0 }]
expect = { invariants_only = true }
"#;

/// Blocks' worth of time before healing, beside that for faults and committees: jobs are opened in the first
/// of them.
const BUSY_BLOCKS: u64 = 25;
/// Blocks' worth of time in which the first job of each table is opened.
const START_BLOCKS: u64 = 8;
/// Tickets beyond those without which there is no committee: some are jailed.
const SPARE_TICKETS: u64 = 4;

/// A scenario that is being drawn, and what its last touches depend on.
pub(super) struct Sketch {
    pub(super) scenario: Scenario,
    /// Neighbours of each node, if there are enough nodes.
    pub(super) peers: u64,
    /// Faults that take part of the time that all of them may last.
    planned: Vec<PlannedFault>,
}

/// A fault whose times are not yet known.
pub(super) struct PlannedFault {
    pub(super) kind: FaultKind,
    pub(super) on: Option<String>,
    pub(super) nodes: Vec<String>,
    /// Share of the time that all faults may last, in thousandths.
    pub(super) share_permille: u64,
    /// When it sets in, in thousandths of the time in which it may; with `on`, the delay in milliseconds.
    pub(super) at: u64,
}

impl Sketch {
    /// A small honest network with a job or two.
    pub(super) fn new(stream: &mut Stream) -> Result<Self, LoadError> {
        let mut sketch = Self {
            scenario: Scenario::parse_unchecked(BASE, "swarm.toml")?,
            peers: stream.range(2, 3),
            planned: Vec::new(),
        };
        let miners = stream.range(1, 2);
        sketch.each_group(Role::Miner, |group| group.count = Range::fixed(miners));
        let jobs = stream.range(1, 2);
        sketch.each_job(|job| job.count = Range::fixed(jobs));
        Ok(sketch)
    }

    /// Changes every group.
    pub(super) fn each_node(&mut self, change: impl FnMut(&mut NodeGroup)) {
        let groups = self.scenario.nodes.iter_mut().map(Spanned::get_mut);
        groups.for_each(change);
    }

    /// Changes the group called `name`.
    pub(super) fn group(&mut self, name: &str, change: impl FnMut(&mut NodeGroup)) {
        let groups = self.scenario.nodes.iter_mut().map(Spanned::get_mut);
        groups.filter(|group| group.name == name).for_each(change);
    }

    /// Changes every group of honest nodes with `role`.
    pub(super) fn each_group(&mut self, role: Role, change: impl FnMut(&mut NodeGroup)) {
        let groups = self.scenario.nodes.iter_mut().map(Spanned::get_mut);
        groups
            .filter(|group| group.strategy.is_none() && group.roles.contains(&role))
            .for_each(change);
    }

    /// Changes every table of jobs.
    pub(super) fn each_job(&mut self, change: impl FnMut(&mut JobGroup)) {
        self.scenario
            .jobs
            .iter_mut()
            .map(Spanned::get_mut)
            .for_each(change);
    }

    /// Adds nodes with a strategy; clients get jobs.
    pub(super) fn add_adversary(&mut self, kind: &Kind, count: u64, level: Range) {
        let (strategy, roles) = (kind.name, kind.roles);
        let name = format!("bad-{strategy}");
        let Some(template) = self.scenario.nodes.last().cloned() else {
            return;
        };
        let group = NodeGroup {
            name: name.clone(),
            count: Range::fixed(count),
            roles: roles.to_vec(),
            strategy: Some(strategy.into()),
            level,
            ..template.into_inner()
        };
        self.scenario.nodes.push(Spanned::new(0..0, group));
        if let (true, Some(jobs)) = (roles.contains(&Role::Client), self.scenario.jobs.first().cloned()) {
            let jobs = JobGroup {
                client: name,
                ..jobs.into_inner()
            };
            self.scenario.jobs.push(Spanned::new(0..0, jobs));
        }
    }

    /// Names of the nodes that are there.
    pub(super) fn node_names(&self) -> Vec<String> {
        let groups = self.scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        let names = groups.flat_map(|group| (0..group.count.high).map(|n| format!("{}-{n}", group.name)));
        names.collect()
    }

    pub(super) fn add_fault(&mut self, fault: PlannedFault) {
        self.planned.push(fault);
    }

    /// Times, topology and expectations, which depend on all the rest; then the scenario's own text.
    pub(super) fn finish(mut self, seed: u64, features: &[&str]) -> Result<Scenario, LoadError> {
        self.scenario.nodes.retain(|group| group.get_ref().count.high > 0);
        self.plan_committees();
        self.plan_times();
        self.plan_network();
        let scenario = &mut self.scenario;
        scenario.name = format!("swarm-{seed}");
        scenario.about = format!("Drawn from seed {seed}: {}.", features.join(" "));
        let depth = terms::least_depth(scenario);
        scenario.expect.get_mut().agreement_depth = u32::try_from(depth).unwrap_or(u32::MAX);
        let heading = format!("camelid sim run --swarm --seed {seed}");
        scenario.rewritten(&heading)
    }

    /// Seats enough that hostile tickets are no majority, and tickets enough for the seats.
    fn plan_committees(&mut self) {
        let least = u32::try_from(2 * terms::bad_tickets(&self.scenario)).unwrap_or(u32::MAX);
        let [first, second] = terms::committee(&self.scenario).seats;
        let chain = &mut self.scenario.chain;
        if first < least {
            chain.seats = Some(least);
        }
        if second < least {
            chain.appeal_seats = Some(least);
        }
        let seats = first.max(least) + second.max(least);
        if terms::committee(&self.scenario).min_eligible < seats {
            self.scenario.chain.min_eligible = Some(seats);
        }
        let enough = u64::from(terms::committee(&self.scenario).min_eligible) + SPARE_TICKETS;
        self.group("verifier", |group| {
            let tickets = enough.div_ceil(group.count.high.max(1));
            group.tickets = Range::fixed(tickets);
            group.coins = Range::fixed(group.coins.high.max(tickets.div_ceil(4)));
        });
    }

    /// Blocks' worth of time that a committee takes, if there are any.
    fn judging_blocks(&self) -> u64 {
        let groups = self.scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        if !groups
            .flat_map(|group| &group.roles)
            .any(|role| *role == Role::Verifier)
        {
            return 0;
        }
        let committee = terms::committee(&self.scenario);
        let windows = [
            committee.draw,
            committee.commit,
            committee.reveal,
            committee.appeal,
        ];
        windows.map(u64::from).iter().sum()
    }

    fn plan_times(&mut self) {
        let spacing_ms = terms::spacing_ms(&self.scenario);
        let tolerated_ms = terms::tolerated_ms(&self.scenario);
        let heal_at_ms = (BUSY_BLOCKS + self.judging_blocks()) * spacing_ms + tolerated_ms;
        self.scenario.run.heal_at_ms = heal_at_ms;
        self.scenario.run.until_ms = heal_at_ms + terms::QUIET_BLOCKS * spacing_ms;
        self.each_job(|job| {
            let start_ms = job.start_ms.high.min(START_BLOCKS * spacing_ms);
            job.start_ms = Range::fixed(start_ms);
        });
        let shares: u64 = self.planned.iter().map(|fault| fault.share_permille).sum();
        for planned in std::mem::take(&mut self.planned) {
            // Rounded down, so that the sum stays within what is tolerated.
            let for_ms = tolerated_ms * planned.share_permille / shares.max(1_000);
            let latest_ms = heal_at_ms - for_ms;
            let fault = Fault {
                kind: planned.kind,
                at_ms: Range::fixed(match planned.on {
                    Some(_) => planned.at,
                    None => latest_ms * planned.at / 1_000,
                }),
                before_ms: planned.on.is_some().then_some(latest_ms),
                on: planned.on,
                for_ms: Range::fixed(for_ms),
                nodes: planned.nodes,
            };
            self.scenario.faults.push(Spanned::new(0..0, fault));
        }
    }

    fn plan_network(&mut self) {
        let nodes = self.node_names().len() as u64;
        self.scenario.network.peers = Range::fixed(self.peers.min(nodes - 1));
        let (honest, dishonest) = terms::powers(&self.scenario);
        if honest < terms::HONEST_POWER * dishonest {
            let factor = (terms::HONEST_POWER * dishonest).div_ceil(honest.max(1));
            self.each_group(Role::Miner, |group| {
                group.hash_power = Range {
                    low: group.hash_power.low * factor,
                    high: group.hash_power.high * factor,
                };
            });
        }
    }
}
