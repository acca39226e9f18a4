//! The format of a scenario file, and the checks that need no seed.

use super::error::LoadError;
use super::range::Range;
use crate::invariant;
use crate::strategy;
use serde::Deserialize;
use std::fs;
use std::path::Path;
use toml::Spanned;

/// Largest scenario file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most nodes of a scenario.
const MAX_NODES: u64 = 1_000;

/// A scenario as its file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Unique name: lower case, digits and hyphens.
    pub name: String,
    /// One line about what happens.
    pub about: String,
    /// Holes of the paper (`H1`…) and attacks of the catalogue (`C01`…) that it shows.
    #[serde(default)]
    pub shows: Vec<String>,
    /// How long it runs.
    pub run: RunSection,
    /// The network between the nodes.
    #[serde(default)]
    pub network: NetworkSection,
    /// Consensus parameters that differ from simnet's.
    #[serde(default)]
    pub chain: ChainSection,
    /// The language model.
    #[serde(default)]
    pub model: ModelSection,
    /// Who takes part.
    pub nodes: Vec<Spanned<NodeGroup>>,
    /// Jobs that clients open.
    #[serde(default)]
    pub jobs: Vec<Spanned<JobGroup>>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Spanned<Fault>>,
    /// What must come of it.
    pub expect: Spanned<ExpectSection>,
    /// The file's text, which a trace carries.
    #[serde(skip)]
    pub text: String,
}

/// `[run]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSection {
    /// Virtual time at which the run ends.
    pub until_ms: u64,
    /// From here on the network loses, repeats and delays nothing; liveness is judged after it.
    pub heal_at_ms: u64,
}

/// `[network]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSection {
    /// Neighbours of each node, at least.
    pub peers: Range,
    /// Time a packet takes, drawn for each packet.
    pub latency_ms: Range,
    /// Packets lost, in thousandths.
    pub loss_permille: Range,
    /// Packets that arrive twice, in thousandths.
    pub duplicate_permille: Range,
    /// Packets that are held back long enough to be overtaken, in thousandths.
    pub reorder_permille: Range,
    /// Time to make a record durable, drawn for each record.
    pub disk_ms: Range,
}

impl Default for NetworkSection {
    fn default() -> Self {
        Self {
            peers: Range::fixed(4),
            latency_ms: Range { low: 20, high: 250 },
            loss_permille: Range::fixed(0),
            duplicate_permille: Range::fixed(0),
            reorder_permille: Range::fixed(0),
            disk_ms: Range { low: 1, high: 10 },
        }
    }
}

/// `[chain]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainSection {
    /// Seconds between blocks.
    pub spacing_s: Option<u32>,
    /// Blocks before a coinbase may be spent.
    pub maturity: Option<u32>,
    /// CHALLENGE, in blocks.
    pub challenge: Option<u32>,
    /// DELIVER_COUNTER, in blocks.
    pub deliver_counter: Option<u32>,
    /// Seconds a job must be old before it is mined.
    pub min_age_s: Option<u32>,
}

/// `[model]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSection {
    /// Which toy model.
    pub kind: ModelKind,
    /// Order of the n-gram model.
    pub order: Range,
    /// Hash model: contexts in which the next token is hard to guess, in thousandths.
    pub hard_permille: Range,
    /// Hash model: contexts in which the output ends, in thousandths.
    pub end_permille: Range,
    /// Time that one generated token takes.
    pub token_ms: Range,
}

impl Default for ModelSection {
    fn default() -> Self {
        Self {
            kind: ModelKind::Hash,
            order: Range::fixed(3),
            hard_permille: Range::fixed(250),
            end_permille: Range::fixed(5),
            token_ms: Range { low: 10, high: 60 },
        }
    }
}

/// A toy language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// [`HashModel`](crate::model::HashModel).
    Hash,
    /// [`NgramModel`](crate::model::NgramModel).
    Ngram,
}

/// `[[nodes]]`: nodes of one kind, named `NAME-0`, `NAME-1`, …
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeGroup {
    /// The group's name.
    pub name: String,
    /// How many.
    #[serde(default = "one")]
    pub count: Range,
    /// What they do beside relaying.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Their strategy; without one they are honest.
    pub strategy: Option<String>,
    /// Genesis outputs that each of them owns.
    #[serde(default = "zero")]
    pub coins: Range,
    /// Whole coins in each of those outputs.
    #[serde(default = "fifty")]
    pub coin_value: Range,
    /// Share of the network's hash power, relative to the other miners.
    #[serde(default = "one")]
    pub hash_power: Range,
    /// Clients: check outputs with RASTiC.
    #[serde(default = "yes")]
    pub verify: bool,
}

/// A node's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Opens jobs.
    Client,
    /// Works on jobs.
    Worker,
    /// Makes blocks.
    Miner,
}

/// `[[jobs]]`: jobs that a group of clients opens in turn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobGroup {
    /// The group of clients.
    pub client: String,
    /// How many.
    #[serde(default = "one")]
    pub count: Range,
    /// When the first is opened.
    pub start_ms: Range,
    /// Time from one to the next, drawn for each.
    #[serde(default = "minute")]
    pub every_ms: Range,
    /// Tokens of the prompt.
    #[serde(default = "prompt")]
    pub prompt_tokens: Range,
    /// Token limit `T`.
    #[serde(default = "limit")]
    pub max_tokens: Range,
    /// Sampling temperature in thousandths.
    #[serde(default = "thousand")]
    pub temperature_milli: Range,
    /// RASTiC specification.
    #[serde(default = "v2")]
    pub spec: String,
    /// Interior samples for `v1-repaired`.
    #[serde(default = "one")]
    pub samples: Range,
    /// Reward in units.
    #[serde(default = "reward")]
    pub reward_units: Range,
    /// Engage fee in units.
    #[serde(default = "engage_fee")]
    pub engage_fee_units: Range,
    /// Blocks to the deadline.
    #[serde(default = "deadline")]
    pub deadline_blocks: Range,
}

/// `[[faults]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When: a time, or with `on`, the delay after the event.
    #[serde(default = "zero")]
    pub at_ms: Range,
    /// The event that sets it off, the first time it happens.
    pub on: Option<String>,
    /// For how long.
    pub for_ms: Range,
    /// The nodes concerned: groups or single nodes (`worker-0`). A crash stops each of them, a
    /// partition cuts them off from all others.
    pub nodes: Vec<String>,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The nodes lose everything that was not durable, and restart from their records.
    Crash,
    /// No packet passes between the nodes and the others.
    Partition,
}

/// `[expect]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectSection {
    /// Invariants to check; all of them unless given.
    pub always: Option<Vec<String>>,
    /// Blocks by which honest nodes may differ (the `agreement` invariant).
    #[serde(default = "six")]
    pub agreement_depth: u32,
    /// What must have happened, and how often.
    #[serde(default)]
    pub eventually: Vec<Expectation>,
    /// What must not happen.
    #[serde(default)]
    pub never: Vec<String>,
    /// What must happen in at least one of the runs, or the scenario shows nothing.
    pub sometimes: Vec<Sometimes>,
}

/// An event that must happen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Its name.
    pub event: String,
    /// Least number of times.
    #[serde(default = "one_u64")]
    pub at_least: u64,
    /// Deadline; the end of the run unless given.
    pub by_ms: Option<u64>,
}

/// An event that must happen in some run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sometimes {
    /// Its name.
    pub event: String,
    /// Judged when at least so many seeds were run.
    #[serde(default = "one_u64")]
    pub in_runs: u64,
}

fn zero() -> Range {
    Range::fixed(0)
}
fn one() -> Range {
    Range::fixed(1)
}
fn one_u64() -> u64 {
    1
}
fn six() -> u32 {
    6
}
fn fifty() -> Range {
    Range::fixed(50)
}
fn yes() -> bool {
    true
}
fn minute() -> Range {
    Range::fixed(60_000)
}
fn prompt() -> Range {
    Range { low: 8, high: 24 }
}
fn limit() -> Range {
    Range { low: 24, high: 48 }
}
fn thousand() -> Range {
    Range::fixed(1_000)
}
fn v2() -> String {
    "v2".into()
}
fn reward() -> Range {
    Range::fixed(10_000_000)
}
fn engage_fee() -> Range {
    Range::fixed(100_000)
}
fn deadline() -> Range {
    Range::fixed(20)
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and a hint.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let file = path.display().to_string();
        let metadata = fs::metadata(path).map_err(|error| {
            LoadError::of_file(
                &file,
                format!("cannot be read: {error}"),
                "check the path; `camelid sim list` shows what is there",
            )
        })?;
        if metadata.len() > MAX_FILE_BYTES {
            return Err(LoadError::of_file(
                &file,
                "is larger than 1 MiB",
                "a scenario is a short TOML file",
            ));
        }
        let bytes = fs::read(path).map_err(|error| {
            LoadError::of_file(&file, format!("cannot be read: {error}"), "check its permissions")
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            LoadError::of_file(&file, "is not text (invalid UTF-8)", "a scenario is a TOML file")
        })?;
        Self::parse(&text, &file)
    }

    /// Reads a scenario from `text`; `file` is how errors call it.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and a hint.
    pub fn parse(text: &str, file: &str) -> Result<Self, LoadError> {
        if text.trim().is_empty() {
            return Err(LoadError::of_file(
                file,
                "is empty",
                "docs/src/scenarios.md shows a complete example",
            ));
        }
        let mut scenario: Self = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            LoadError::at(file, text, span, error.message(), hint_for(error.message()))
        })?;
        scenario.text = text.into();
        Checker {
            scenario: &scenario,
            file,
        }
        .check()?;
        Ok(scenario)
    }
}

fn hint_for(message: &str) -> &'static str {
    if message.contains("unknown field") {
        "remove the key, or correct its spelling to one of those listed"
    } else if message.contains("missing field") {
        "add the key; docs/src/scenarios.md lists all of them"
    } else if message.contains("invalid type") || message.contains("number") || message.contains("range") {
        "numbers are whole and not negative; a range is written [low, high]"
    } else {
        "the file is not valid TOML here"
    }
}

/// Checks that need more than the type of a value.
struct Checker<'a> {
    scenario: &'a Scenario,
    file: &'a str,
}

impl Checker<'_> {
    fn check(&self) -> Result<(), LoadError> {
        self.check_name()?;
        self.check_run()?;
        self.check_nodes()?;
        self.check_jobs()?;
        self.check_faults()?;
        self.check_expectations()
    }

    fn check_name(&self) -> Result<(), LoadError> {
        let name = &self.scenario.name;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return self.fail_at_key(
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
            return self.fail_at_key(
                "heal_at_ms",
                "the run ends before the network heals",
                "make heal_at_ms smaller than until_ms",
            );
        }
        if run.until_ms > 7 * 24 * 3_600_000 {
            return self.fail_at_key(
                "until_ms",
                "the run is longer than a week",
                "make until_ms smaller",
            );
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), LoadError> {
        let groups = &self.scenario.nodes;
        let Some(first) = groups.first() else {
            return Err(LoadError::of_file(
                self.file,
                "has no nodes",
                "add a [[nodes]] table",
            ));
        };
        for (index, group) in groups.iter().enumerate() {
            let node = group.get_ref();
            if groups
                .iter()
                .take(index)
                .any(|other| other.get_ref().name == node.name)
            {
                return self.fail(
                    group,
                    format!("two groups are called {:?}", node.name),
                    "give each group a name of its own",
                );
            }
            if let Some(strategy) = &node.strategy
                && !strategy::NAMES.contains(&strategy.as_str())
            {
                return self.fail(
                    group,
                    format!("unknown strategy {strategy:?}"),
                    format!("known are: {}", strategy::NAMES.join(", ")),
                );
            }
        }
        let most: u64 = groups
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
        let mines = groups
            .iter()
            .any(|group| group.get_ref().roles.contains(&Role::Miner) && group.get_ref().count.low > 0);
        if !mines {
            return self.fail(first, "nobody mines", "give a group the role \"miner\"");
        }
        Ok(())
    }

    fn check_jobs(&self) -> Result<(), LoadError> {
        for job in &self.scenario.jobs {
            let group = job.get_ref();
            let client = self
                .scenario
                .nodes
                .iter()
                .find(|node| node.get_ref().name == group.client);
            if client.is_none_or(|node| !node.get_ref().roles.contains(&Role::Client)) {
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
            let limits = [
                (group.prompt_tokens, "prompt_tokens"),
                (group.max_tokens, "max_tokens"),
            ];
            if let Some((_, key)) = limits
                .into_iter()
                .find(|(range, _)| range.low == 0 || range.high > 4_096)
            {
                return self.fail(job, format!("{key} out of range"), "use 1 to 4096");
            }
            if group.temperature_milli.high > 10_000 {
                return self.fail(job, "temperature_milli out of range", "use 0 to 10000");
            }
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), LoadError> {
        for fault in &self.scenario.faults {
            for name in &fault.get_ref().nodes {
                let known = self
                    .scenario
                    .nodes
                    .iter()
                    .any(|group| group.get_ref().contains(name));
                if !known {
                    return self.fail(
                        fault,
                        format!("no node or group {name:?}"),
                        "name a [[nodes]] group, or one node as GROUP-NUMBER",
                    );
                }
            }
        }
        Ok(())
    }

    fn check_expectations(&self) -> Result<(), LoadError> {
        let expect = &self.scenario.expect;
        for id in expect.get_ref().always.iter().flatten() {
            if !invariant::IDS.contains(&id.as_str()) {
                return self.fail(
                    expect,
                    format!("unknown invariant {id:?}"),
                    format!("known are: {}", invariant::IDS.join(", ")),
                );
            }
        }
        if expect.get_ref().sometimes.is_empty() {
            return self.fail(
                expect,
                "`sometimes` is empty",
                "name the event without which the scenario shows nothing",
            );
        }
        Ok(())
    }

    fn fail<T>(
        &self,
        place: &Spanned<T>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Result<(), LoadError> {
        Err(LoadError::at(
            self.file,
            &self.scenario.text,
            place.span(),
            message,
            hint,
        ))
    }

    fn fail_at_key(
        &self,
        key: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Result<(), LoadError> {
        let start = self.scenario.text.find(key).unwrap_or(0);
        Err(LoadError::at(
            self.file,
            &self.scenario.text,
            start..start,
            message,
            hint,
        ))
    }
}

impl NodeGroup {
    /// True when `name` is this group, or one of its nodes.
    pub fn contains(&self, name: &str) -> bool {
        if name == self.name {
            return true;
        }
        let index = name
            .strip_prefix(&self.name)
            .and_then(|rest| rest.strip_prefix('-'));
        index
            .and_then(|index| index.parse::<u64>().ok())
            .is_some_and(|index| index < self.count.high)
    }
}
