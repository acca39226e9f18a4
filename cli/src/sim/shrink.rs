//! `camelid sim shrink`.

use super::load::models;
use super::minimal::minimise;
use super::record::MinimalRecord;
use super::run::print_json;
use super::suite::guard;
use crate::args::ShrinkArgs;
use crate::exit::{Exit, Failure};
use camelid_sim::scenario::Scenario;
use camelid_sim::trace::{Trace, is_trace};
use camelid_sim::{Violation, judge};
use std::fs;
use std::io::{Write, stdout};
use std::path::Path;

/// Seeds that are tried when none is given.
const SEEDS: u64 = 20;

/// Makes a failing scenario as small as it goes.
///
/// # Errors
/// [`Failure`]; one that does not fail is an error, too.
pub fn shrink(args: &ShrinkArgs) -> Result<Exit, Failure> {
    let (scenario, own_seed) = load(&args.file)?;
    let seeds: Vec<u64> = match args.seed.or(own_seed) {
        Some(seed) => vec![seed],
        None => (0..SEEDS).collect(),
    };
    let mut runs = seeds
        .iter()
        .map(|seed| (*seed, first_violation(&scenario, *seed)));
    let failing = runs.find_map(|(seed, violation)| Some((seed, violation?)));
    let Some((seed, violation)) = failing else {
        let tried = seeds.last().copied().unwrap_or(0);
        return Err(Failure::System(format!(
            "{}: does not fail under {}: nothing to shrink",
            args.file.display(),
            if seeds.len() == 1 {
                format!("seed {tried}")
            } else {
                format!("the seeds up to {tried}")
            }
        )));
    };
    let minimal = minimise(&scenario, seed, &violation, args.max_runs, &args.failures)?;
    if args.json {
        print_json(&MinimalRecord::from(&minimal))?;
    } else {
        write!(stdout().lock(), "{} seed {seed}\n{minimal}", scenario.name)?;
    }
    Ok(Exit::Success)
}

fn first_violation(scenario: &Scenario, seed: u64) -> Option<Violation> {
    guard(scenario, seed, judge).violations.into_iter().next()
}

/// A scenario, from its file or from a trace that carries it and its seed.
fn load(file: &Path) -> Result<(Scenario, Option<u64>), Failure> {
    let bytes = fs::read(file).unwrap_or_default();
    if !is_trace(&bytes) {
        let scenario = Scenario::load_with(file, &*models()).map_err(|error| Failure::Load(vec![error]))?;
        return Ok((scenario, None));
    }
    let trace = Trace::read(&bytes).map_err(|error| {
        let hint = "the file is damaged, or of another version: shrink the scenario itself";
        Failure::load(file, error.to_string(), hint)
    })?;
    let scenario = Scenario::parse_with(&trace.scenario, &trace.name, &*models())
        .map_err(|error| Failure::Load(vec![error]))?;
    Ok((scenario, Some(trace.seed)))
}
