//! `camelid sim holes`: what became of each hole of the paper and of each attack, as a page of the book.

use super::catalogue::{CATALOGUE, Entry, Group};
use super::load::{Loaded, load};
use super::run::{STOPPING, progress_bar, stop_on_interrupt};
use super::suite::Suite;
use super::tally::Tally;
use super::traces::Traces;
use crate::args::{HolesArgs, Seeds};
use crate::exit::{Exit, Failure};
use camelid_sim::scenario::{JobGroup, NodeGroup, Rules};
use std::io::{Write as _, stdout};

/// Runs every scenario under every seed and prints the page.
///
/// # Errors
/// [`Failure`], before anything runs if a scenario cannot be loaded.
pub fn holes(args: &HolesArgs) -> Result<Exit, Failure> {
    let scenarios = load(&args.paths)?;
    let stop = stop_on_interrupt(STOPPING)?;
    let suite = Suite {
        scenarios: &scenarios,
        seeds: args.seeds,
        jobs: args.jobs(),
        traces: Traces {
            all: None,
            failures: args.failures.clone(),
        },
        stop: &stop,
    };
    let progress = progress_bar(suite.len(), "runs");
    let mut measured: Vec<Measured<'_>> = scenarios.iter().map(Measured::new).collect();
    suite.run(|finished| {
        progress.inc(1);
        if let Some(measured) = measured.get_mut(finished.scenario) {
            measured.tally.add(&finished.report);
        }
        Ok(())
    })?;
    progress.finish_and_clear();
    let runs: u64 = measured.iter().map(|scenario| scenario.tally.runs).sum();
    if runs < suite.len() {
        return Ok(Exit::Interrupted);
    }
    stdout()
        .lock()
        .write_all(page(&measured, args.seeds).as_bytes())?;
    let held = |scenario: &Measured<'_>| scenario.tally.passed == scenario.tally.runs;
    Ok(if measured.iter().all(held) {
        Exit::Success
    } else {
        Exit::Negative
    })
}

/// A scenario and what its runs came to.
struct Measured<'a> {
    loaded: &'a Loaded,
    tally: Tally,
}

fn page(measured: &[Measured<'_>], seeds: Seeds) -> String {
    let groups = CATALOGUE.iter().map(|group| section(group, measured));
    let groups: String = groups.collect();
    let scenarios: String = measured.iter().map(Measured::row).collect();
    format!(
        "\
# Holes and attacks, measured

<!-- Written by `make holes`. Do not edit. -->

What became of each [hole of the paper](protocol.md#holes-in-the-paper) and of each attack, in every
[scenario](scenarios.md) that names it, over the seeds {first}..{end}. On the left are the runs under the paper's
rules: its rules for disputes, its sampled checks, as written or repaired, or checks by neighbours without planted
errors. On the right are those under ours. A scenario that watches over all invariants but *no-honest-slashed* slashes honest nodes by
design: it shows the hole, or the limit.

*Invalid* is the share of outputs that honest clients judged invalid, by their own or their neighbours' check;
*slashed* the share of all jobs that ended in a slash on the ledger. Where no verifiers take part, as in most
scenarios about content, a claim finds no committee and the job settles (*undecided* below). Figures for whole
scenarios are [at the end](#scenarios).
{groups}
## Scenarios

*Attacks* counts what strategies did, once or more for a job, so it compares only with itself. *Cleared* and
*undecided* are disputes that ended so; both are among the settled jobs.

| scenario | runs that held | jobs | attacks | valid | invalid | settled | cleared | undecided | refunded | slashed | of them honest |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{scenarios}",
        first = seeds.first,
        end = seeds.first + seeds.count,
    )
}

fn section(group: &Group, measured: &[Measured<'_>]) -> String {
    let rows: String = group.entries.iter().map(|entry| row(entry, measured)).collect();
    format!(
        "\n## {}\n\n| id | what | the paper's rules | our rules |\n|---|---|---|---|\n{rows}",
        group.title
    )
}

/// An entry's row, with its scenarios on the side of the rules that they run under.
fn row(entry: &Entry, measured: &[Measured<'_>]) -> String {
    let side = |paper: bool| {
        let shows = |scenario: &&Measured<'_>| {
            let ids = &scenario.loaded.scenario.shows;
            ids.iter().any(|id| id == entry.id) && scenario.has_paper_rules() == paper
        };
        let lines: Vec<String> = measured.iter().filter(shows).map(Measured::line).collect();
        lines.join("<br>")
    };
    let ours = match entry.unshown {
        Some(why) => format!("*Not shown:* {why}"),
        None => side(false),
    };
    format!("| {} | {} | {} | {ours} |\n", entry.id, entry.about, side(true))
}

impl<'a> Measured<'a> {
    fn new(loaded: &'a Loaded) -> Self {
        Self {
            loaded,
            tally: Tally::default(),
        }
    }

    /// True when disputes follow the paper's rules, outputs are checked at samples, or checkers are not
    /// tested.
    fn has_paper_rules(&self) -> bool {
        let scenario = &self.loaded.scenario;
        let samples = |group: &JobGroup| group.spec != "v2";
        let trusts = |group: &NodeGroup| group.canary_permille.high == 0;
        scenario.chain.rules == Rules::Paper
            || scenario.jobs.iter().any(|group| samples(group.get_ref()))
            || scenario.nodes.iter().any(|group| trusts(group.get_ref()))
    }

    /// Name and main figures.
    fn line(&self) -> String {
        let tally = &self.tally;
        let invalid = tally.count("judged-invalid");
        let judged = invalid + tally.count("judged-valid") + tally.count("judged-inconclusive");
        let mut figures = Vec::new();
        if judged > 0 {
            figures.push(format!("{invalid}/{judged} invalid"));
        }
        figures.push(format!("{}/{} slashed", tally.jobs.slashed, tally.jobs.opened));
        if tally.honest_slashed > 0 {
            figures.push(format!("**{} honest**", tally.honest_slashed));
        }
        format!("`{}` {}", self.loaded.scenario.name, figures.join(", "))
    }

    /// The row of the table of scenarios.
    fn row(&self) -> String {
        let tally = &self.tally;
        let figures = [
            tally.jobs.opened,
            tally.attacks(),
            tally.count("judged-valid"),
            tally.count("judged-invalid"),
            tally.jobs.settled,
            tally.count("job-cleared"),
            tally.count("job-inconclusive"),
            tally.jobs.refunded,
            tally.jobs.slashed,
            tally.honest_slashed,
        ];
        let figures: Vec<String> = figures.iter().map(u64::to_string).collect();
        let name = &self.loaded.scenario.name;
        format!(
            "| `{name}` | {}/{} | {} |\n",
            tally.passed,
            tally.runs,
            figures.join(" | ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn scenarios() -> Vec<Loaded> {
        load(&[repository().join("scenarios")]).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// What a page says but for its figures: of each row of a table, the first cells and all names.
    fn skeleton(page: &str) -> Vec<String> {
        let rows = page.lines().filter(|line| line.starts_with("| "));
        let outline = |row: &str| {
            let head: Vec<&str> = row
                .split(" | ")
                .take(2)
                .filter(|cell| !cell.contains('/'))
                .collect();
            let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
            format!("{} {}", head.join(" | "), names.join(" "))
        };
        rows.map(outline).collect()
    }

    #[test]
    fn the_page_in_the_book_lists_what_there_is() {
        let scenarios = scenarios();
        let measured: Vec<Measured<'_>> = scenarios.iter().map(Measured::new).collect();
        let seeds = Seeds { first: 0, count: 20 };
        let written = std::fs::read_to_string(repository().join("docs/src/holes-and-attacks.md"));
        let written = written.expect("the page: make holes writes it");
        assert_eq!(
            skeleton(&written),
            skeleton(&page(&measured, seeds)),
            "make holes writes the page anew"
        );
    }

    #[test]
    fn every_id_is_known_and_either_shown_or_excused() {
        let scenarios = scenarios();
        let all = scenarios.iter().flat_map(|loaded| &loaded.scenario.shows);
        let named: BTreeSet<&str> = all.map(String::as_str).collect();
        let entries = || CATALOGUE.iter().flat_map(|group| group.entries);
        let known: BTreeSet<&str> = entries().map(|entry| entry.id).collect();
        assert_eq!(named.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
        for entry in entries() {
            assert_eq!(named.contains(entry.id), entry.unshown.is_none(), "{}", entry.id);
        }
    }

    #[test]
    fn figures_are_no_part_of_the_skeleton_and_names_are() {
        let page = "| H1 | a hole | `one` 1/2 slashed |\n| `one` | 3/4 | 5 |\n";
        let later = "| H1 | a hole | `one` 2/2 slashed |\n| `one` | 4/4 | 6 |\n";
        assert_eq!(skeleton(page), skeleton(later));
        assert_ne!(skeleton(page), skeleton(&page.replace("one", "two")));
        assert_ne!(skeleton(page), skeleton(&page.replace("H1", "H2")));
    }
}
