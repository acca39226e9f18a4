//! Counting what happens and asking the invariants about it.

use super::machine::Machine;
use crate::event;
use crate::invariant::Invariant;
use crate::report::Violation;
use crate::scenario::{MAX_AT_LEAST, Setup};
use camelid_core::block::Block;
use camelid_core::node::Node;
use camelid_core::primitives::{BlockHash, JobId};
use camelid_core::process::{Event, Output};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an invariant can look at.
pub struct Observation<'a> {
    /// The run's setup.
    pub setup: &'a Setup,
    /// All machines.
    pub machines: &'a [Machine],
    /// The machine that has just handled an input.
    pub node: usize,
    /// Events of that step.
    pub events: &'a [&'a Event],
    /// Blocks that left its best chain in that step, last one first.
    pub disconnected: &'a [Arc<Block>],
    /// Blocks that joined its best chain in that step, first one first.
    pub connected: &'a [Arc<Block>],
    /// Virtual time in milliseconds from the start.
    pub at_ms: u64,
}

/// Watches a run.
pub struct Observer<'a> {
    setup: &'a Setup,
    invariants: Vec<Box<dyn Invariant>>,
    /// Each machine's best chain as last seen. With the blocks: a node that crashed may have lost some.
    chains: Vec<Vec<(BlockHash, Option<Arc<Block>>)>>,
    counts: BTreeMap<String, u64>,
    /// When each event reached each count, for deadlines.
    times: BTreeMap<String, Vec<u64>>,
    /// Events that count once for each job.
    seen: BTreeSet<(String, JobId)>,
    violations: Vec<Violation>,
}

impl<'a> Observer<'a> {
    pub(super) fn new(setup: &'a Setup, invariants: Vec<Box<dyn Invariant>>) -> Self {
        Self {
            setup,
            invariants,
            chains: vec![Vec::new(); setup.nodes.len()],
            counts: BTreeMap::new(),
            times: BTreeMap::new(),
            seen: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    /// Takes a step in and returns the names of what happened.
    pub(super) fn step(
        &mut self,
        machines: &[Machine],
        node: usize,
        at_ms: u64,
        outputs: &[Output],
        attacks: u64,
    ) -> Vec<String> {
        let events: Vec<&Event> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Event(event) => Some(event),
                _ => None,
            })
            .collect();
        let mut happened = Vec::new();
        if let (1.., Some(strategy)) = (
            attacks,
            machines.get(node).and_then(|m| m.setup.strategy.as_ref()),
        ) {
            happened.push(event::of_attack(strategy));
        }
        if machines.get(node).is_some_and(Machine::is_honest) {
            happened.extend(events.iter().filter_map(|event| self.name(event)));
        }
        for name in &happened {
            self.note(name, at_ms);
        }
        self.ask(machines, node, at_ms, &events);
        happened
    }

    /// Notes that something happened.
    pub(super) fn note(&mut self, name: &str, at_ms: u64) {
        *self.counts.entry(name.into()).or_default() += 1;
        let times = self.times.entry(name.into()).or_default();
        if (times.len() as u64) < MAX_AT_LEAST {
            times.push(at_ms);
        }
    }

    /// The event's name in scenarios. What concerns a job counts once for each job.
    fn name(&mut self, event: &Event) -> Option<String> {
        let job = match event {
            Event::JobOffered { offer } => Some(offer.job),
            Event::JobChanged { job, .. }
            | Event::JobAccepted { job }
            | Event::OutputCommitted { job }
            | Event::EngageSigned { job }
            | Event::DeliverySent { job }
            | Event::DeliveryOpened { job }
            | Event::DeliveryBad { job }
            | Event::Claimed { job, .. }
            | Event::EvidenceSent { job }
            | Event::VoteCommitted { job, .. }
            | Event::VoteRevealed { job, .. }
            | Event::CheckRequested { job }
            | Event::CheckReplied { job }
            | Event::Judged { job, .. } => Some(*job),
            Event::TipChanged { .. }
            | Event::JobRefused { .. }
            | Event::TicketRegistered
            | Event::CheckRefused { .. }
            | Event::CanaryFailed { .. }
            | Event::ChecksPaid { .. }
            | Event::Rejected { .. }
            | Event::TransactionSubmitted { .. }
            | Event::CommandRefused { .. }
            | Event::Banned { .. }
            | Event::LedgerFlushed => None,
        };
        let name = event::of_node(event);
        let new = job.is_none_or(|job| self.seen.insert((name.clone(), job)));
        new.then_some(name)
    }

    fn ask(&mut self, machines: &[Machine], node: usize, at_ms: u64, events: &[&Event]) {
        let moved = events
            .iter()
            .any(|event| matches!(event, Event::TipChanged { .. }));
        let (disconnected, connected) = if moved {
            self.follow(machines, node)
        } else {
            (Vec::new(), Vec::new())
        };
        let observation = Observation {
            setup: self.setup,
            machines,
            node,
            events,
            disconnected: &disconnected,
            connected: &connected,
            at_ms,
        };
        for invariant in &mut self.invariants {
            let step = invariant.check_step(&observation);
            let tip = if moved && step.is_ok() {
                invariant.check_tip(&observation)
            } else {
                Ok(())
            };
            if let Err(message) = step.and(tip) {
                self.violations.push(Violation {
                    id: invariant.id().into(),
                    at_ms,
                    message,
                });
            }
        }
    }

    /// What changed on a machine's best chain since it was last looked at.
    fn follow(&mut self, machines: &[Machine], node: usize) -> (Vec<Arc<Block>>, Vec<Arc<Block>>) {
        let (Some(chain), Some(before)) = (
            machines.get(node).and_then(Machine::node).map(Node::chain),
            self.chains.get_mut(node),
        ) else {
            return (Vec::new(), Vec::new());
        };
        let shared = before
            .iter()
            .zip(chain.active())
            .take_while(|((a, _), b)| a == *b)
            .count();
        let left = before.drain(shared..).rev();
        let disconnected = left.filter_map(|(_, block)| block).collect();
        let joined = chain.active().get(shared..).unwrap_or_default();
        before.extend(joined.iter().map(|hash| (*hash, chain.block(hash))));
        let joined = before.get(shared..).unwrap_or_default();
        let connected = joined.iter().filter_map(|(_, block)| block.clone()).collect();
        (disconnected, connected)
    }

    /// The run is over: asks the invariants a last time and judges the expectations.
    pub(super) fn end(&mut self, machines: &[Machine], at_ms: u64) {
        let observation = Observation {
            setup: self.setup,
            machines,
            node: 0,
            events: &[],
            disconnected: &[],
            connected: &[],
            at_ms,
        };
        for invariant in &mut self.invariants {
            if let Err(message) = invariant.check_end(&observation) {
                self.violations.push(Violation {
                    id: invariant.id().into(),
                    at_ms,
                    message,
                });
            }
        }
        self.judge_expectations(at_ms);
    }

    /// How often something happened until `by_ms` (as far as anybody may ask).
    fn count_until(&self, event: &str, by_ms: u64) -> u64 {
        let in_time = |times: &Vec<u64>| times.iter().filter(|at| **at <= by_ms).count() as u64;
        self.times.get(event).map_or(0, in_time)
    }

    /// True when nothing that must happen is still to come.
    pub(super) fn has_seen_all(&self) -> bool {
        let expect = self.setup.scenario.expect.get_ref();
        expect.eventually.iter().all(|expectation| {
            let by_ms = expectation.by_ms.unwrap_or(u64::MAX);
            self.count_until(&expectation.event, by_ms) >= expectation.at_least
        })
    }

    /// How often `event` happened.
    pub(super) fn count(&self, event: &str) -> u64 {
        self.counts.get(event).copied().unwrap_or(0)
    }

    fn judge_expectations(&mut self, end_ms: u64) {
        let expect = self.setup.scenario.expect.get_ref();
        for expectation in &expect.eventually {
            let by_ms = expectation.by_ms.unwrap_or(end_ms);
            let count = self.count_until(&expectation.event, by_ms);
            if count < expectation.at_least {
                let (event, at_least) = (&expectation.event, expectation.at_least);
                let message =
                    format!("{event} happened {count} times by {by_ms} ms, at least {at_least} expected");
                self.violations.push(Violation {
                    id: format!("eventually:{event}"),
                    at_ms: by_ms,
                    message,
                });
            }
        }
        for event in &expect.never {
            if let Some(count) = self.counts.get(event) {
                let at_ms = self
                    .times
                    .get(event)
                    .and_then(|times| times.first())
                    .copied()
                    .unwrap_or(end_ms);
                let message = format!("{event} happened {count} times, and must not");
                self.violations.push(Violation {
                    id: format!("never:{event}"),
                    at_ms,
                    message,
                });
            }
        }
    }

    /// True once an expectation has failed.
    pub fn violated(&self) -> bool {
        !self.violations.is_empty()
    }

    /// Expectations that failed.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How often each event happened.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }
}
