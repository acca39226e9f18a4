//! Finding and loading scenarios.

use crate::exit::Failure;
use camelid_sim::model::ModelSource;
use camelid_sim::scenario::{LoadError, NodeGroup, Role, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A scenario and where it came from.
pub struct Loaded {
    /// Its file, as the user can name it.
    pub path: PathBuf,
    /// The scenario.
    pub scenario: Scenario,
}

impl Loaded {
    /// Strategies of its adversaries, each once.
    pub fn strategies(&self) -> Vec<&str> {
        let groups = self.scenario.nodes.iter();
        let names: BTreeSet<&str> = groups
            .filter_map(|group| group.get_ref().strategy.as_deref())
            .collect();
        names.into_iter().collect()
    }

    /// Whether a worker follows a strategy.
    pub fn has_dishonest_worker(&self) -> bool {
        let mut groups = self.scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        groups.any(|group| group.strategy.is_some() && group.roles.contains(&Role::Worker))
    }

    /// How many nodes take part: `20`, or `4-9`.
    pub fn nodes(&self) -> String {
        let counts = || self.scenario.nodes.iter().map(|group| group.get_ref().count);
        let low: u64 = counts().map(|count| count.low).sum();
        let high: u64 = counts().map(|count| count.high).sum();
        if low == high {
            low.to_string()
        } else {
            format!("{low}-{high}")
        }
    }
}

/// Loads all scenarios that `paths` name, in the order of their paths. Those in directories that need a
/// real model are passed over, with a word about it, when this program has none.
///
/// # Errors
/// [`Failure::Load`] with every fault found.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, Failure> {
    load_with(paths, &*models())
}

/// [`load`] with real models from `source`.
fn load_with(paths: &[PathBuf], source: &dyn ModelSource) -> Result<Vec<Loaded>, Failure> {
    let files = find(paths)?;
    let (mut loaded, mut errors, mut passed_over) = (Vec::new(), Vec::new(), 0);
    for path in files {
        match Scenario::load_with(&path, source) {
            Ok(scenario) => loaded.push(Loaded { path, scenario }),
            Err(error) if error.needs_models && !paths.contains(&path) => passed_over += 1,
            Err(error) => errors.push(error),
        }
    }
    if passed_over > 0 {
        eprintln!(
            "camelid: {passed_over} scenarios need a real model and are passed over: this program has none"
        );
    }
    errors.extend(doubles(&loaded));
    if errors.is_empty() {
        Ok(loaded)
    } else {
        Err(Failure::Load(errors))
    }
}

/// Where scenarios get real models from.
#[cfg(feature = "ggml")]
pub fn models() -> Box<dyn ModelSource> {
    Box::new(crate::model::Bringer::default())
}

/// Where scenarios would get real models from.
#[cfg(not(feature = "ggml"))]
pub fn models() -> Box<dyn ModelSource> {
    Box::new(camelid_sim::model::NoModels)
}

/// The files behind `paths`, sorted, each once.
fn find(paths: &[PathBuf]) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut files = BTreeSet::new();
    let mut known = BTreeSet::new();
    for path in paths {
        let mut found = BTreeSet::new();
        if path.is_dir() {
            find_in(path, &mut found)?;
            if found.is_empty() {
                let hint = "name a directory that holds .toml files";
                return Err(Failure::load(path, "holds no scenario", hint));
            }
        } else {
            found.insert(path.clone());
        }
        // A file that is absent has no canonical name; loading it says so.
        let new = |file: &PathBuf| known.insert(fs::canonicalize(file).unwrap_or_else(|_| file.clone()));
        files.extend(found.into_iter().filter(new));
    }
    Ok(files)
}

/// All `*.toml` below `directory`. Linked directories are not followed, so that this ends.
fn find_in(directory: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        let message = format!("cannot be read: {error}");
        Failure::load(directory, message, "check its permissions")
    };
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            find_in(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.insert(path);
        }
    }
    Ok(())
}

/// Scenarios that have the name of an earlier one.
fn doubles(loaded: &[Loaded]) -> Vec<LoadError> {
    let mut names: BTreeMap<&str, &Path> = BTreeMap::new();
    let mut errors = Vec::new();
    for Loaded { path, scenario } in loaded {
        if let Some(first) = names.get(scenario.name.as_str()) {
            let message = format!("{} has the name {:?} too", first.display(), scenario.name);
            let hint = "give each scenario a name of its own";
            errors.push(LoadError::of_file(&path.display().to_string(), message, hint));
        } else {
            names.insert(&scenario.name, path);
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use camelid_sim::model::NoModels;

    fn scenario(model: &str) -> String {
        format!(
            r#"
            name = "{model}"
            about = "Two miners."
            run = {{ until_ms = 1000, heal_at_ms = 0 }}
            network = {{ peers = 1 }}
            model = {{ kind = "{model}"{} }}
            nodes = [{{ name = "miner", count = 2, roles = ["miner"] }}]
            expect = {{ sometimes = [{{ event = "tip-extended" }}] }}
            "#,
            if model == "gguf" {
                ", file = \"embedded\""
            } else {
                ""
            }
        )
    }

    #[test]
    fn without_real_models_a_suite_passes_over_what_needs_one() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = |name: &str| folder.path().join(name);
        for model in ["hash", "gguf"] {
            fs::write(path(&format!("{model}.toml")), scenario(model)).expect("a file");
        }
        let loaded = load_with(&[folder.path().to_owned()], &NoModels).expect("the suite");
        let names: Vec<&str> = loaded.iter().map(|loaded| &*loaded.scenario.name).collect();
        assert_eq!(names, ["hash"]);
        // What was named is not passed over.
        let Err(failure) = load_with(&[path("hash.toml"), path("gguf.toml")], &NoModels) else {
            panic!("it loads");
        };
        assert_eq!(failure.exit(), crate::exit::Exit::Load);
        assert!(failure.to_string().contains("feature `ggml`"), "{failure}");
    }
}
