//! The format of a scenario file.

use super::chain::ChainSection;
use super::check::check;
use super::error::LoadError;
use super::place::place;
use super::range::Range;
use crate::model::{Brought, ModelSource, NoModels, SourceError};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use toml::Spanned;

/// Largest scenario file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A scenario as its file says.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// Whose rules hold, and what differs from them.
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
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunSection {
    /// Virtual time at which the run ends.
    pub until_ms: u64,
    /// From here on the network loses, repeats and delays nothing; liveness is judged after it.
    pub heal_at_ms: u64,
    /// The run ends before `until_ms` once everything is decided.
    #[serde(default)]
    pub ends_early: bool,
}

/// `[network]`
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// Bytes, about, of blocks and changes of the ledger that a node holds in memory before it flushes them; without it a
    /// node holds everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_bytes: Option<Range>,
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
            cache_bytes: None,
        }
    }
}

/// `[model]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSection {
    /// Which kind of model.
    pub kind: ModelKind,
    /// GGUF: the file, or what it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// GGUF: the quantization of the coarse copy.
    pub coarse: String,
    /// Order of the n-gram model.
    pub order: Range,
    /// Hash model: contexts in which the next token is hard to guess, in thousandths.
    pub hard_permille: Range,
    /// Hash model: contexts in which the output ends, in thousandths.
    pub end_permille: Range,
    /// Hash model: how far a machine's scores may be off, in milli-logits.
    pub jitter_milli: Range,
    /// Hash model: the tolerance it declares, in milli-logits; 0 for exact arithmetic.
    pub tolerance_milli: Range,
    /// Time that one generated token takes.
    pub token_ms: Range,
    /// GGUF: the model. There is one in every scenario of that kind that has been loaded.
    #[serde(skip)]
    pub brought: Option<Brought>,
}

impl Default for ModelSection {
    fn default() -> Self {
        Self {
            kind: ModelKind::Hash,
            file: None,
            coarse: "q4_0".into(),
            order: Range::fixed(3),
            hard_permille: Range::fixed(250),
            end_permille: Range::fixed(5),
            jitter_milli: Range::fixed(0),
            tolerance_milli: Range::fixed(0),
            token_ms: Range { low: 10, high: 60 },
            brought: None,
        }
    }
}

/// A kind of language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// [`HashModel`](crate::model::HashModel).
    Hash,
    /// [`NgramModel`](crate::model::NgramModel).
    Ngram,
    /// A real one, which a [`ModelSource`] brings.
    Gguf,
}

/// `[[nodes]]`: nodes of one kind, named `NAME-0`, `NAME-1`, …
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// A number that some strategies use.
    #[serde(default = "zero")]
    pub level: Range,
    /// How far their clocks are ahead of the time.
    #[serde(default = "zero")]
    pub clock_ahead_ms: Range,
    /// How far they are behind it.
    #[serde(default = "zero")]
    pub clock_behind_ms: Range,
    /// Genesis outputs that each of them owns.
    #[serde(default = "zero")]
    pub coins: Range,
    /// Whole coins in each of those outputs.
    #[serde(default = "fifty")]
    pub coin_value: Range,
    /// Share of the network's hash power, relative to the other miners.
    #[serde(default = "one")]
    pub hash_power: Range,
    /// Verifiers: bonds to lock.
    #[serde(default = "one")]
    pub tickets: Range,
    /// Clients: how they check outputs.
    #[serde(default)]
    pub verify: VerifyKind,
    /// Outsourced checks: neighbours asked about an output at first.
    #[serde(default = "three")]
    pub helpers: Range,
    /// Outsourced checks: requests with a planted error, in thousandths.
    #[serde(default = "canaries")]
    pub canary_permille: Range,
    /// Units for each token of a check: what clients offer and checkers ask for.
    #[serde(default = "check_fee")]
    pub check_fee_units: Range,
    /// Checkers: units that one client may owe.
    #[serde(default = "credit")]
    pub credit_units: Range,
}

/// How clients check outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyKind {
    /// Not at all.
    No,
    /// With RASTiC on a model of their own.
    #[default]
    Own,
    /// By asking neighbours.
    Outsourced,
}

/// A node's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Opens jobs.
    Client,
    /// Works on jobs.
    Worker,
    /// Sits on committees.
    Verifier,
    /// Makes blocks.
    Miner,
    /// Checks outputs for neighbours.
    Checker,
}

impl Role {
    /// Its name in scenarios.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Worker => "worker",
            Self::Verifier => "verifier",
            Self::Checker => "checker",
            Self::Miner => "miner",
        }
    }
}

/// `[[jobs]]`: jobs that a group of clients opens in turn.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// All jobs of the table ask for the same: the prompt, the seed and all else is drawn once.
    #[serde(default)]
    pub alike: bool,
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
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When: a time, or with `on`, the delay after the event.
    #[serde(default = "zero")]
    pub at_ms: Range,
    /// The event that sets it off, the first time it happens.
    pub on: Option<String>,
    /// It does not set in from here on.
    pub before_ms: Option<u64>,
    /// For how long.
    pub for_ms: Range,
    /// The nodes concerned: groups or single nodes (`worker-0`). A crash stops each of them, a
    /// partition cuts them off from all others.
    pub nodes: Vec<String>,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The nodes lose everything that was not durable, and restart from their records.
    Crash,
    /// No packet passes between the nodes and the others.
    Partition,
}

/// `[expect]`
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    #[serde(default)]
    pub sometimes: Vec<Sometimes>,
    /// It has nothing to show and is there for its invariants alone; the other lists are empty.
    #[serde(default)]
    pub invariants_only: bool,
}

/// An event that must happen.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
#[derive(Clone, Debug, Deserialize, Serialize)]
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
fn three() -> Range {
    Range::fixed(3)
}
fn canaries() -> Range {
    Range::fixed(300)
}
fn check_fee() -> Range {
    Range::fixed(100)
}
fn credit() -> Range {
    Range::fixed(50_000)
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
    /// Reads a scenario file of toy models.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and a hint.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::load_with(path, &NoModels)
    }

    /// Reads a scenario file; real models come from `source`.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and a hint.
    pub fn load_with(path: &Path, source: &dyn ModelSource) -> Result<Self, LoadError> {
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
        Self::parse_with(&text, &file, source)
    }

    /// Reads a scenario of toy models from `text`; `file` is how errors call it.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and a hint.
    pub fn parse(text: &str, file: &str) -> Result<Self, LoadError> {
        Self::parse_with(text, file, &NoModels)
    }

    /// Reads a scenario from `text`; `file` is how errors call it, and real models come from `source`.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and a hint.
    pub fn parse_with(text: &str, file: &str, source: &dyn ModelSource) -> Result<Self, LoadError> {
        let mut scenario = Self::parse_unchecked(text, file)?;
        check(&scenario, file)?;
        let model = &mut scenario.model;
        if let (ModelKind::Gguf, Some(name)) = (model.kind, &model.file) {
            let brought = source.bring(name, &model.coarse);
            model.brought = Some(brought.map_err(|error| unavailable(error, text, file))?);
        }
        Ok(scenario)
    }

    /// [`Self::parse`] without the checks that look beyond a single value, for a sketch of a scenario.
    pub(crate) fn parse_unchecked(text: &str, file: &str) -> Result<Self, LoadError> {
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
        Ok(scenario)
    }
}

fn unavailable(error: SourceError, text: &str, file: &str) -> LoadError {
    let span = place(text, "model.file");
    match error {
        SourceError::Unable => LoadError {
            needs_models: true,
            ..LoadError::at(
                file,
                text,
                span,
                "the scenario runs a real model, and this program has none",
                "use a `camelid` that is built with the feature `ggml`",
            )
        },
        SourceError::Unavailable { message, hint } => LoadError::at(file, text, span, message, hint),
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
