//! A simulated machine: a node that may be down, its disk, its timers and its mining hardware.

use crate::disk::Disk;
use crate::scenario::NodeSetup;
use crate::strategy::Actor;
use camelid_core::block::BlockHeader;
use camelid_core::keys::NodeId;
use camelid_core::node::{Node, Record};
use camelid_core::primitives::{Digest, Time};
use camelid_core::process::{Input, Outputs, Process, Timer};
use std::collections::BTreeMap;

/// Nonces tried for one block; simnet's target is met by every second hash.
const MAX_NONCES: u32 = 1 << 20;

/// Number of a start of a machine; what was under way before it is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot(u64);

/// A machine of the simulation.
pub struct Machine {
    /// What it is.
    pub setup: NodeSetup,
    /// Its key's name, which takes two hashes to compute.
    id: NodeId,
    actor: Option<Actor>,
    /// Crashes that are not over.
    crashes: u32,
    boots: u64,
    disk: Disk,
    /// When each record is durable.
    durable_at: Vec<Time>,
    timers: BTreeMap<Timer, u64>,
    settings: u64,
    template: Option<BlockHeader>,
    searches: u64,
}

impl Machine {
    pub(super) fn new(setup: &NodeSetup, cache_bytes: Option<usize>) -> Self {
        Self {
            setup: setup.clone(),
            id: setup.config.key.node_id(),
            actor: None,
            crashes: 0,
            boots: 0,
            disk: Disk::new(cache_bytes),
            durable_at: Vec::new(),
            timers: BTreeMap::new(),
            settings: 0,
            template: None,
            searches: 0,
        }
    }

    /// Its node's name on the network.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The production node, if the machine is up.
    pub fn node(&self) -> Option<&Node> {
        self.actor.as_ref().map(Actor::node)
    }

    /// True for a node that follows the protocol.
    pub fn is_honest(&self) -> bool {
        self.setup.strategy.is_none()
    }

    pub(super) fn boot(&self) -> Boot {
        Boot(self.boots)
    }

    pub(super) fn is_running(&self, boot: Boot) -> bool {
        self.actor.is_some() && self.boot() == boot
    }

    /// Starts the node from its durable records and returns their number.
    pub(super) fn start(&mut self) -> u32 {
        let node = self.disk.recover(&self.setup.config);
        self.actor = Some(Actor::new(node, &self.setup));
        self.boots += 1;
        u32::try_from(self.disk.len()).unwrap_or(u32::MAX)
    }

    /// Stops without warning: what is not durable at `now` is lost.
    pub(super) fn crash(&mut self, now: Time) {
        self.crashes += 1;
        self.actor = None;
        let durable = self.durable_at.partition_point(|at| *at <= now);
        self.disk.truncate(durable);
        self.durable_at.truncate(durable);
        self.timers.clear();
        self.template = None;
    }

    /// One crash is over; true if it was the last, so that the machine can start.
    pub(super) fn recover(&mut self) -> bool {
        self.crashes = self.crashes.saturating_sub(1);
        self.crashes == 0
    }

    /// Fingerprint of its node's state, if the machine is up.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.actor.as_ref().map(Actor::digest)
    }

    /// Handles an input: outputs, and attacks carried out. `None` if the machine is down.
    pub(super) fn handle(&mut self, now: Time, input: Input) -> Option<(Outputs, u64)> {
        let actor = self.actor.as_mut()?;
        let mut out = Outputs::new();
        actor.handle(self.setup.clock.at(now), input, &mut out);
        Some((out, actor.take_attacks()))
    }

    /// Writes a record, after all earlier ones.
    pub(super) fn persist(&mut self, record: Record, now: Time, disk_ms: u64) {
        let durable_at = self.durable_at().max(now).after_ms(disk_ms);
        self.disk.push(record);
        self.durable_at.push(durable_at);
    }

    /// A flush is durable.
    pub(super) fn show_flush(&mut self) {
        self.disk.show_flush();
    }

    /// When everything that was written so far is durable.
    pub(super) fn durable_at(&self) -> Time {
        self.durable_at.last().copied().unwrap_or(Time(0))
    }

    /// Sets a timer and returns the number of the setting.
    pub(super) fn set_timer(&mut self, timer: Timer) -> u64 {
        self.settings += 1;
        self.timers.insert(timer, self.settings);
        self.settings
    }

    /// True when `setting` is the last one; the timer is spent by it.
    pub(super) fn timer_is_current(&mut self, timer: Timer, setting: u64) -> bool {
        let current = self.timers.get(&timer) == Some(&setting);
        if current {
            self.timers.remove(&timer);
        }
        current
    }

    /// Takes a template; the number of a new search if it is for another parent. Search times are
    /// memoryless, so a search for the same parent simply goes on with other transactions.
    pub(super) fn mine(&mut self, template: BlockHeader) -> Option<u64> {
        let goes_on = self
            .template
            .is_some_and(|before| before.previous == template.previous);
        self.template = Some(template);
        if goes_on {
            return None;
        }
        self.searches += 1;
        Some(self.searches)
    }

    /// Solves the current template, if `search` is still the one that runs.
    pub(super) fn solve(&mut self, search: u64, now: Time) -> Option<BlockHeader> {
        if search != self.searches {
            return None;
        }
        let mut header = self.template.take()?;
        header.time = header.time.max(self.setup.clock.at(now).timestamp());
        (0..MAX_NONCES)
            .map(|nonce| BlockHeader { nonce, ..header })
            .find(|header| header.check_work().is_ok())
    }
}
