//! Finding and loading scenarios.

use crate::exit::Failure;
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

/// Loads all scenarios that `paths` name, in the order of their paths.
///
/// # Errors
/// [`Failure::Load`] with every fault found.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>, Failure> {
    let files = find(paths)?;
    let (mut loaded, mut errors) = (Vec::new(), Vec::new());
    for path in files {
        match Scenario::load(&path) {
            Ok(scenario) => loaded.push(Loaded { path, scenario }),
            Err(error) => errors.push(error),
        }
    }
    errors.extend(doubles(&loaded));
    if errors.is_empty() {
        Ok(loaded)
    } else {
        Err(Failure::Load(errors))
    }
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
