//! What a scenario must keep to beyond the types of its values. What cannot be, or could only hang
//! or pass without a word, is refused before anything runs.

use super::error::LoadError;
use super::file::{ModelKind, NodeGroup, Role, Scenario};
use super::place::place;
use super::range::Range;
use crate::{event, invariant, strategy};
use camelid_core::params::Params;
use camelid_core::primitives::Amount;
use std::ops::RangeInclusive;
use toml::Spanned;

/// The longest run: a week. No time of a scenario is longer, so sums of them stay far from 2^64.
const MAX_MS: u64 = 7 * 24 * 3_600_000;
/// Most nodes of a scenario.
const MAX_NODES: u64 = 1_000;
/// Most jobs of a scenario.
const MAX_JOBS: u64 = 10_000;
/// Most genesis outputs of a node.
const MAX_NODE_COINS: u64 = 256;
/// Most tickets of one node.
const MAX_NODE_TICKETS: u64 = 100;
/// Most genesis outputs of a network (`Params::allocations`).
const MAX_ALLOCATIONS: u64 = 4_096;
/// Most whole coins that exist from the start: blocks issue 100 million more in the end, and all
/// of it must stay within [`Amount::MAX`].
const MAX_ALLOCATED: u64 = 300_000_000;
/// Most neighbours that a client asks about an output at first.
const MAX_HELPERS: u64 = 100;
/// Most tokens of a prompt or an output.
const MAX_TOKENS: u64 = camelid_core::model::MAX_TOKENS as u64;
/// Most occurrences that an `eventually` can ask for, and whose times are kept.
pub(crate) const MAX_AT_LEAST: u64 = 10_000;

/// Highest level of a strategy.
const MAX_LEVEL: u64 = 1_000;

const TIME_MS: RangeInclusive<u64> = 0..=MAX_MS;
const PERMILLE: RangeInclusive<u64> = 0..=1_000;
const CACHE_BYTES: RangeInclusive<u64> = 0..=1 << 30;
/// Differences between scores: up to ten logits.
const LOGIT_MILLI: RangeInclusive<u64> = 0..=10_000;

/// Checks `scenario`; `file` is how errors call it.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn check(scenario: &Scenario, file: &str) -> Result<(), LoadError> {
    let checker = Checker { scenario, file };
    checker.check_name()?;
    checker.check_run()?;
    checker.check_network()?;
    checker.check_chain()?;
    checker.check_params()?;
    checker.check_model()?;
    checker.check_groups()?;
    checker.check_topology()?;
    checker.check_coins()?;
    checker.check_jobs()?;
    checker.check_faults()?;
    checker.check_expectations()
}

/// The first role that the group's strategy needs and the group does not have.
fn missing_role(group: &NodeGroup) -> Option<Role> {
    let mut kinds = strategy::KINDS.iter();
    let kind = kinds.find(|kind| Some(kind.name) == group.strategy.as_deref())?;
    let mut roles = kind.roles.iter();
    roles.find(|role| !group.roles.contains(role)).copied()
}

struct Checker<'a> {
    scenario: &'a Scenario,
    file: &'a str,
}

impl Checker<'_> {
    fn check_name(&self) -> Result<(), LoadError> {
        let name = &self.scenario.name;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return self.fail_at(
                "name",
                format!("bad name {name:?}"),
                "use 1 to 64 lower-case letters, digits and hyphens",
            );
        }
        Ok(())
    }

    fn check_run(&self) -> Result<(), LoadError> {
        let run = &self.scenario.run;
        if run.heal_at_ms >= run.until_ms {
            return self.fail_at(
                "run.heal_at_ms",
                "the run ends before the network heals",
                "make heal_at_ms smaller than until_ms",
            );
        }
        if run.until_ms > MAX_MS {
            return self.fail_at(
                "run.until_ms",
                "the run is longer than a week",
                "make until_ms smaller",
            );
        }
        Ok(())
    }

    fn check_network(&self) -> Result<(), LoadError> {
        let network = &self.scenario.network;
        self.within("network.latency_ms", network.latency_ms, TIME_MS)?;
        self.within("network.loss_permille", network.loss_permille, PERMILLE)?;
        self.within("network.duplicate_permille", network.duplicate_permille, PERMILLE)?;
        self.within("network.reorder_permille", network.reorder_permille, PERMILLE)?;
        self.within("network.disk_ms", network.disk_ms, TIME_MS)?;
        let cache_bytes = network.cache_bytes.unwrap_or(Range::fixed(0));
        self.within("network.cache_bytes", cache_bytes, CACHE_BYTES)
    }

    fn check_chain(&self) -> Result<(), LoadError> {
        self.scenario.chain.overrides().into_iter().try_for_each(|row| {
            row.value.map_or(Ok(()), |value| {
                let path = format!("chain.{}", row.key);
                self.within(&path, Range::fixed(value.into()), row.limit)
            })
        })
    }

    fn check_params(&self) -> Result<(), LoadError> {
        match self.scenario.chain.params().check() {
            Ok(()) => Ok(()),
            Err(error) => self.fail_at(
                "chain",
                format!("no network could work like this: {error}"),
                "change the parameters under [chain]",
            ),
        }
    }

    fn check_model(&self) -> Result<(), LoadError> {
        let model = &self.scenario.model;
        match (model.kind, &model.file) {
            (ModelKind::Gguf, None) => {
                return self.fail_at(
                    "model.kind",
                    "a GGUF model needs a file",
                    "add `file`: \"embedded\", a path, or the root of a model in the store",
                );
            }
            (ModelKind::Hash | ModelKind::Ngram, Some(_)) => {
                return self.fail_at(
                    "model.file",
                    "a toy model has no file",
                    "remove the key, or set `kind = \"gguf\"`",
                );
            }
            _ => {}
        }
        self.within("model.order", model.order, 1..=6)?;
        self.within("model.hard_permille", model.hard_permille, PERMILLE)?;
        self.within("model.end_permille", model.end_permille, PERMILLE)?;
        self.within("model.jitter_milli", model.jitter_milli, LOGIT_MILLI)?;
        self.within("model.tolerance_milli", model.tolerance_milli, LOGIT_MILLI)?;
        self.within("model.token_ms", model.token_ms, TIME_MS)
    }

    fn check_groups(&self) -> Result<(), LoadError> {
        let groups = &self.scenario.nodes;
        for (index, group) in groups.iter().enumerate() {
            let node = group.get_ref();
            let mut before = groups.iter().take(index);
            if before.any(|other| other.get_ref().name == node.name) {
                return self.fail(
                    group,
                    format!("two groups are called {:?}", node.name),
                    "give each group a name of its own",
                );
            }
            if let Some(strategy) = &node.strategy
                && strategy::by_name(strategy).is_none()
            {
                return self.fail(
                    group,
                    format!("unknown strategy {strategy:?}"),
                    format!("known are: {}", strategy::names().collect::<Vec<_>>().join(", ")),
                );
            }
            let path = |key| format!("nodes.{index}.{key}");
            self.within(&path("tickets"), node.tickets, 0..=MAX_NODE_TICKETS)?;
            if let Some(role) = missing_role(node) {
                return self.fail_at(
                    &path("strategy"),
                    "the strategy needs a role that the group does not have",
                    format!("give it the role {:?}", role.name()),
                );
            }
            self.within(&path("level"), node.level, 0..=MAX_LEVEL)?;
            self.within(&path("clock_ahead_ms"), node.clock_ahead_ms, TIME_MS)?;
            self.within(&path("clock_behind_ms"), node.clock_behind_ms, TIME_MS)?;
            self.within(&path("coins"), node.coins, 0..=MAX_NODE_COINS)?;
            self.within(&path("coin_value"), node.coin_value, 1..=1_000_000)?;
            // A network without any hash power would find all its blocks at once.
            self.within(&path("hash_power"), node.hash_power, 1..=1_000_000)?;
            let amount = 0..=Amount::MAX.units();
            self.within(&path("helpers"), node.helpers, 1..=MAX_HELPERS)?;
            self.within(&path("canary_permille"), node.canary_permille, PERMILLE)?;
            self.within(&path("check_fee_units"), node.check_fee_units, amount.clone())?;
            self.within(&path("credit_units"), node.credit_units, amount)?;
        }
        Ok(())
    }

    fn check_topology(&self) -> Result<(), LoadError> {
        let groups = &self.scenario.nodes;
        let Some(first) = groups.first() else {
            return Err(LoadError::of_file(
                self.file,
                "has no nodes",
                "add a [[nodes]] table",
            ));
        };
        let most = groups
            .iter()
            .map(|group| group.get_ref().count.high)
            .fold(0, u64::saturating_add);
        if most > MAX_NODES {
            return self.fail(
                first,
                format!("{most} nodes"),
                format!("at most {MAX_NODES} are allowed"),
            );
        }
        let least: u64 = groups.iter().map(|group| group.get_ref().count.low).sum();
        let peers = self.scenario.network.peers;
        if least < 2 || peers.high >= least || peers.low == 0 {
            return self.fail(
                first,
                format!(
                    "impossible topology: {least} nodes cannot have {} neighbours each",
                    peers.high
                ),
                "raise the nodes' count or lower network.peers",
            );
        }
        let mines = |group: &NodeGroup| group.roles.contains(&Role::Miner) && group.count.low > 0;
        if !groups.iter().any(|group| mines(group.get_ref())) {
            return self.fail(first, "nobody mines", "give a group the role \"miner\"");
        }
        Ok(())
    }

    /// The genesis block has room for all coins. Counts and values were checked one by one.
    fn check_coins(&self) -> Result<(), LoadError> {
        let (mut outputs, mut coins) = (0, 0);
        for (index, group) in self.scenario.nodes.iter().enumerate() {
            let group = group.get_ref();
            let more = group.count.high * group.coins.high;
            outputs += more;
            coins += more * group.coin_value.high;
            if outputs > MAX_ALLOCATIONS {
                return self.fail_at(
                    &format!("nodes.{index}.coins"),
                    format!("{outputs} genesis outputs up to here"),
                    format!("at most {MAX_ALLOCATIONS} are allowed, over all nodes"),
                );
            }
            if coins > MAX_ALLOCATED {
                return self.fail_at(
                    &format!("nodes.{index}.coin_value"),
                    format!("{coins} coins up to here"),
                    format!("at most {MAX_ALLOCATED} may exist from the start, over all nodes"),
                );
            }
        }
        Ok(())
    }

    fn check_jobs(&self) -> Result<(), LoadError> {
        let max_deadline = u64::from(Params::simnet().jobs.max_deadline);
        let mut jobs: u64 = 0;
        for (index, job) in self.scenario.jobs.iter().enumerate() {
            let group = job.get_ref();
            let mut nodes = self.scenario.nodes.iter().map(Spanned::get_ref);
            let client = nodes.find(|node| node.name == group.client);
            if client.is_none_or(|node| !node.roles.contains(&Role::Client)) {
                return self.fail(
                    job,
                    format!("{:?} is no group of clients", group.client),
                    "name a [[nodes]] group with the role \"client\"",
                );
            }
            if group.spec.parse::<camelid_core::rastic::Spec>().is_err() {
                return self.fail(
                    job,
                    format!("unknown spec {:?}", group.spec),
                    "known are: v1-as-written, v1-repaired, v2",
                );
            }
            let amount = 0..=Amount::MAX.units();
            let limits = [
                ("start_ms", group.start_ms, TIME_MS),
                ("every_ms", group.every_ms, TIME_MS),
                ("prompt_tokens", group.prompt_tokens, 1..=MAX_TOKENS),
                ("max_tokens", group.max_tokens, 1..=MAX_TOKENS),
                ("temperature_milli", group.temperature_milli, 0..=10_000),
                ("samples", group.samples, 0..=MAX_TOKENS),
                ("reward_units", group.reward_units, amount.clone()),
                ("engage_fee_units", group.engage_fee_units, amount),
                ("deadline_blocks", group.deadline_blocks, 0..=max_deadline),
            ];
            for (key, value, limit) in limits {
                self.within(&format!("jobs.{index}.{key}"), value, limit)?;
            }
            jobs = jobs.saturating_add(group.count.high);
            if jobs > MAX_JOBS {
                return self.fail_at(
                    &format!("jobs.{index}.count"),
                    format!("{jobs} jobs up to here"),
                    format!("at most {MAX_JOBS} are allowed, over all tables"),
                );
            }
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), LoadError> {
        let triggers = event::triggers();
        for (index, spanned) in self.scenario.faults.iter().enumerate() {
            let fault = spanned.get_ref();
            let groups = || self.scenario.nodes.iter().map(Spanned::get_ref);
            let unknown = |name: &&String| !groups().any(|group| group.contains(name));
            if let Some(name) = fault.nodes.iter().find(unknown) {
                return self.fail(
                    spanned,
                    format!("no node or group {name:?}"),
                    "name a [[nodes]] group, or one node as GROUP-NUMBER",
                );
            }
            if fault.nodes.is_empty() {
                return self.fail_at(
                    &format!("faults.{index}.nodes"),
                    "the fault concerns nobody",
                    "name groups or nodes",
                );
            }
            self.within(&format!("faults.{index}.at_ms"), fault.at_ms, TIME_MS)?;
            self.within(&format!("faults.{index}.for_ms"), fault.for_ms, TIME_MS)?;
            if let Some(before_ms) = fault.before_ms {
                let path = format!("faults.{index}.before_ms");
                self.within(&path, Range::fixed(before_ms), TIME_MS)?;
            }
            if let Some(name) = &fault.on {
                self.known(&format!("faults.{index}.on"), name, &triggers)?;
            }
        }
        Ok(())
    }

    fn check_expectations(&self) -> Result<(), LoadError> {
        let spanned = &self.scenario.expect;
        let expect = spanned.get_ref();
        for id in expect.always.iter().flatten() {
            if !invariant::IDS.contains(&id.as_str()) {
                return self.fail(
                    spanned,
                    format!("unknown invariant {id:?}"),
                    format!("known are: {}", invariant::IDS.join(", ")),
                );
            }
        }
        let events = event::names();
        for (index, expectation) in expect.eventually.iter().enumerate() {
            let path = |key| format!("expect.eventually.{index}.{key}");
            self.known(&path("event"), &expectation.event, &events)?;
            let at_least = Range::fixed(expectation.at_least);
            self.within(&path("at_least"), at_least, 1..=MAX_AT_LEAST)?;
            if let Some(by_ms) = expectation.by_ms {
                let run = 0..=self.scenario.run.until_ms;
                self.within(&path("by_ms"), Range::fixed(by_ms), run)?;
            }
        }
        for (index, name) in expect.never.iter().enumerate() {
            self.known(&format!("expect.never.{index}"), name, &events)?;
        }
        for (index, sometimes) in expect.sometimes.iter().enumerate() {
            let path = format!("expect.sometimes.{index}.event");
            self.known(&path, &sometimes.event, &events)?;
        }
        let shows_something =
            !(expect.sometimes.is_empty() && expect.eventually.is_empty() && expect.never.is_empty());
        if expect.invariants_only && shows_something {
            return self.fail_at(
                "expect.invariants_only",
                "something is expected beside the invariants",
                "remove the key, or `sometimes`, `eventually` and `never`",
            );
        }
        if expect.sometimes.is_empty() && !expect.invariants_only {
            return self.fail(
                spanned,
                "`sometimes` is empty",
                "name the event without which the scenario shows nothing",
            );
        }
        Ok(())
    }

    /// Holds both ends of the range at `path` to `limit`.
    fn within(&self, path: &str, value: Range, limit: RangeInclusive<u64>) -> Result<(), LoadError> {
        if limit.contains(&value.low) && limit.contains(&value.high) {
            return Ok(());
        }
        let key = path.rsplit('.').next().unwrap_or(path);
        self.fail_at(
            path,
            format!("{key} out of range"),
            format!("use {} to {}", limit.start(), limit.end()),
        )
    }

    /// Holds the name of an event at `path` to those `known` there.
    fn known(&self, path: &str, name: &String, known: &[String]) -> Result<(), LoadError> {
        if known.contains(name) {
            return Ok(());
        }
        self.fail_at(
            path,
            format!("unknown event {name:?}"),
            format!("known here are: {}", known.join(", ")),
        )
    }

    /// A fault of a whole table.
    fn fail<T>(
        &self,
        table: &Spanned<T>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Result<(), LoadError> {
        Err(LoadError::at(
            self.file,
            &self.scenario.text,
            table.span(),
            message,
            hint,
        ))
    }

    /// A fault of the value at `path`.
    fn fail_at(
        &self,
        path: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Result<(), LoadError> {
        let text = &self.scenario.text;
        Err(LoadError::at(self.file, text, place(text, path), message, hint))
    }
}
