//! Every invariant must be able to fail: bugs are planted into a copy of the code, one at a time, and
//! each must be caught by the invariants that `bugs.toml` names.
//!
//! The copy has its own target directory, kept between runs, so that a bug costs a rebuild of two
//! crates and a run of a second. `docs/src/planted-bugs.md` is the same list as a table.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

/// Members of the copy: what it takes to run a scenario.
const MEMBERS: [&str; 2] = ["core", "sim"];
/// Seeds under which the unchanged copy must hold and each bug must show itself, unless it says otherwise.
const SEEDS: [u64; 2] = [0, 4];
/// In place of a scenario file: each seed draws a scenario of its own.
const SWARM: &str = "swarm";
/// Environment variable with ids of bugs, with commas between: no others are planted.
const ONLY: &str = "PLANTED";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    bugs: Vec<Bug>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    /// Stable name.
    id: String,
    /// What is wrong, as a sentence.
    about: String,
    /// The scenario file that shows it, or `swarm`.
    scenario: String,
    /// First seed, and the one after the last.
    #[serde(default = "default_seeds")]
    seeds: [u64; 2],
    /// Each of these must fail, watching alone; `panic` is an assertion of the code itself.
    trips: Vec<String>,
    /// How the code is changed.
    edits: Vec<Edit>,
    /// Judged in the nightly run only.
    #[serde(default)]
    nightly: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    /// Text that occurs exactly once in the file.
    find: String,
    replace: String,
}

fn default_seeds() -> [u64; 2] {
    SEEDS
}

#[test]
fn planted_bugs_are_caught() {
    judge(|bug| !bug.nightly);
}

#[test]
#[ignore = "nightly: some ten seconds for each bug"]
fn nightly_planted_bugs_are_caught() {
    judge(|bug| bug.nightly);
}

#[test]
fn every_invariant_has_a_planted_bug_in_the_daily_run() {
    let bugs = load();
    let daily = bugs.iter().filter(|bug| !bug.nightly);
    let tripped: BTreeSet<&str> = daily
        .flat_map(|bug| bug.trips.iter().map(String::as_str))
        .collect();
    for id in camelid_sim::invariant::IDS {
        assert!(tripped.contains(id), "no planted bug trips {id}");
    }
}

#[test]
fn every_edit_finds_its_text_once() {
    for bug in load() {
        for edit in &bug.edits {
            edited(&root(), edit, &bug.id);
        }
    }
}

#[test]
fn the_table_in_the_book_is_current() {
    let path = root().join("docs/src/planted-bugs.md");
    let table = table(&load());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, table).expect("the book is writable");
        return;
    }
    let current = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        current == table,
        "{} is not current; refresh it with\n  UPDATE_GOLDEN=1 cargo test -p camelid-tests --test planted-bugs table",
        path.display()
    );
}

/// Plants the chosen bugs one by one and asserts that all are caught.
fn judge(chosen: impl Fn(&Bug) -> bool) {
    let copy = Copy::make();
    let only = std::env::var(ONLY).ok();
    let is_wanted = |bug: &Bug| {
        only.as_ref()
            .is_none_or(|ids| ids.split(',').any(|id| id == bug.id))
    };
    let mut bugs = load();
    bugs.retain(|bug| chosen(bug) && is_wanted(bug));
    copy.build().expect("the unchanged copy builds");
    let scenarios: BTreeSet<_> = bugs.iter().map(|bug| (&bug.scenario, bug.seeds)).collect();
    for (scenario, seeds) in scenarios {
        let verdict = copy.run(scenario, "all", seeds);
        assert!(verdict.is_empty(), "{scenario}, nothing planted: {verdict}");
    }
    let mut escaped = Vec::new();
    for bug in &bugs {
        let begun = Instant::now();
        let missed = copy.escapes(bug);
        let outcome = if missed.is_empty() { "caught" } else { "ESCAPED" };
        eprintln!("{outcome} {} in {} s", bug.id, begun.elapsed().as_secs());
        escaped.extend(missed);
    }
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}

fn load() -> Vec<Bug> {
    let list: List = toml::from_str(include_str!("bugs.toml")).expect("bugs.toml is well formed");
    list.bugs
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// The text of the edit's file under `base` after the edit.
fn edited(base: &Path, edit: &Edit, bug: &str) -> String {
    let text = fs::read_to_string(base.join(&edit.file)).unwrap_or_else(|error| panic!("{bug}: {error}"));
    let count = text.matches(&edit.find).count();
    assert!(
        count == 1,
        "{bug}: the text to replace occurs {count} times in {}, adjust bugs.toml:\n{}",
        edit.file,
        edit.find
    );
    text.replacen(&edit.find, &edit.replace, 1)
}

fn table(bugs: &[Bug]) -> String {
    let mut text = String::from(
        "# Planted bugs\n\n\
         A check that cannot fail checks nothing. Each of these bugs is planted into a copy of the code, alone,\n\
         and each id in the last column must then fail while it watches alone: an [invariant](invariants.md), an\n\
         expectation of the scenario, or an assertion of the ledger itself (`panic`). `swarm` stands for\n\
         [scenarios drawn from seeds](swarm.md). The list is `tests/planted-bugs/bugs.toml`, from which this page\n\
         is written; `cargo test -p camelid-tests --test planted-bugs` plants those marked daily, with\n\
         `-- --include-ignored` all of them, and with `PLANTED=ID,ID` set only those.\n\n\
         | bug | what is wrong | run | scenario | caught by |\n|---|---|---|---|---|\n",
    );
    for bug in bugs {
        let [first, end] = bug.seeds;
        let name = Path::new(&bug.scenario).file_stem().unwrap_or_default().display();
        let scenario = if bug.seeds == SEEDS {
            format!("`{name}`")
        } else {
            format!("`{name}`, seeds {first}..{end}")
        };
        let when = if bug.nightly { "nightly" } else { "daily" };
        let trips: Vec<String> = bug.trips.iter().map(|id| format!("`{id}`")).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {when} | {scenario} | {} |",
            bug.id,
            bug.about,
            trips.join(", ")
        );
    }
    text
}

/// A copy of the code to plant bugs in.
struct Copy {
    base: PathBuf,
    /// Two tests must not plant into one copy at a time.
    _lock: fs::File,
}

impl Copy {
    /// Copies what has changed since the last time; the rest keeps its age, and need not be rebuilt.
    fn make() -> Self {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-bugs");
        fs::create_dir_all(&base).expect("the target folder is writable");
        let lock = fs::File::create(base.join("lock")).expect("the target folder is writable");
        lock.lock().expect("files can be locked");
        for member in MEMBERS {
            copy_folder(&root().join(member), &base.join(member));
        }
        for file in ["Cargo.lock", "rust-toolchain.toml"] {
            copy_file(&root().join(file), &base.join(file));
        }
        let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
        write_if_changed(&base.join("Cargo.toml"), only_members(&manifest).as_bytes());
        let runner = include_bytes!("runner.rs");
        write_if_changed(&base.join("sim/examples/planted.rs"), runner);
        Self { base, _lock: lock }
    }

    fn target(&self) -> PathBuf {
        self.base.join("target")
    }

    fn build(&self) -> Result<(), String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args([
                "build",
                "--quiet",
                "--offline",
                "-p",
                "camelid-sim",
                "--example",
                "planted",
            ])
            .env("CARGO_TARGET_DIR", self.target())
            // Nobody debugs a planted bug.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            // A little optimisation costs seconds to build and saves minutes of runs.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .current_dir(&self.base);
        let Output { status, stderr, .. } = cargo.output().map_err(|error| error.to_string())?;
        if status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&stderr).into_owned())
        }
    }

    /// What `id` (or with `all`, everything) has to say of a scenario under the seeds.
    fn run(&self, scenario: &str, id: &str, seeds: [u64; 2]) -> String {
        let path = if scenario == SWARM {
            PathBuf::from(SWARM)
        } else {
            root().join(scenario)
        };
        let output = Command::new(self.target().join("debug/examples/planted"))
            .arg(path)
            .arg(id)
            .args(seeds.map(|seed| seed.to_string()))
            .output()
            .expect("the runner runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Plants a bug, and names what should have caught it and has not.
    fn escapes(&self, bug: &Bug) -> Vec<String> {
        for edit in &bug.edits {
            let text = edited(&self.base, edit, &bug.id);
            write_if_changed(&self.base.join(&edit.file), text.as_bytes());
        }
        let built = self.build();
        for edit in &bug.edits {
            copy_file(&root().join(&edit.file), &self.base.join(&edit.file));
        }
        if let Err(error) = built {
            return vec![format!("{}: does not build:\n{error}", bug.id)];
        }
        let missed = bug.trips.iter().filter_map(|id| {
            let verdict = self.run(&bug.scenario, id, bug.seeds);
            let caught = verdict.split(": ").nth(1) == Some(id);
            (!caught).then(|| format!("{}: {id} says nothing ({verdict})", bug.id))
        });
        missed.collect()
    }
}

/// The workspace's manifest with nothing but the copy's members.
fn only_members(manifest: &str) -> String {
    let members = MEMBERS.map(|member| format!("{member:?}")).join(", ");
    let lines = manifest.lines().map(|line| match line.starts_with("members = ") {
        true => format!("members = [{members}]\n"),
        false => format!("{line}\n"),
    });
    lines.collect()
}

/// Makes `to` hold the same files as `from`, but for tests.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target folder is writable");
    let names = |folder: &Path| -> BTreeSet<_> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect()
    };
    let wanted: BTreeSet<_> = names(from)
        .into_iter()
        .filter(|name| name != "tests" && name != "benches" && name != "examples")
        .collect();
    for stale in names(to).difference(&wanted) {
        let stale = to.join(stale);
        let _ = fs::remove_file(&stale).or_else(|_| fs::remove_dir_all(&stale));
    }
    for name in wanted {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            copy_file(&from, &to);
        }
    }
}

fn copy_file(from: &Path, to: &Path) {
    let bytes = fs::read(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    write_if_changed(to, &bytes);
}

/// An unchanged file keeps its age, by which cargo decides what to rebuild.
fn write_if_changed(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return;
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("the target folder is writable");
    }
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
