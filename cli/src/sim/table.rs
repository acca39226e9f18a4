//! The table of who was caught, for people.

use super::load::Loaded;
use super::suite::Finished;
use super::tally::Tally;
use camelid_sim::{RunReport, Violation};
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};
use comfy_table::{LineStyle, TableStyle};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Characters across when standard output is no terminal.
const WIDTH: u16 = 120;
/// Failed runs that are listed in full.
const MAX_LISTED: usize = 20;

/// A failed run, as it is listed below the table.
pub struct FailedRun {
    scenario: usize,
    seed: u64,
    violations: Vec<Violation>,
    trace: Option<PathBuf>,
}

impl From<Finished> for FailedRun {
    fn from(finished: Finished) -> Self {
        let RunReport { seed, violations, .. } = finished.report;
        Self {
            scenario: finished.scenario,
            seed,
            violations,
            trace: finished.trace,
        }
    }
}

/// An empty table with these headings, as wide as the terminal; `color` allows colours.
pub fn new_table(headings: &[&str], color: bool) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─')));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    let width = table.width().unwrap_or(WIDTH);
    table.set_width(width).force_no_tty();
    if color {
        table.enforce_styling();
    }
    table.set_header(headings);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The table, the failures below it and the totals on the last line.
pub fn render(
    scenarios: &[Loaded],
    tallies: &[Tally],
    failed: &[FailedRun],
    elapsed: Duration,
    color: bool,
) -> String {
    let headings = [
        "scenario",
        "adversary",
        "runs",
        "attacks",
        "jobs",
        "clients saw",
        "outcome",
    ];
    let mut table = new_table(&headings, color);
    for (loaded, tally) in scenarios.iter().zip(tallies) {
        table.add_row(row(loaded, tally));
    }
    let mut text = format!("{table}\n");
    list_failed(&mut text, scenarios, failed);
    list_never_happened(&mut text, scenarios, tallies);
    text + &totals(tallies, elapsed)
}

fn row(loaded: &Loaded, tally: &Tally) -> Vec<Cell> {
    let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let jobs = [
        (tally.jobs.settled, "settled"),
        (tally.jobs.slashed, "slashed"),
        (tally.jobs.refunded, "refunded"),
    ];
    let seen = [
        (tally.count("judged-valid"), "valid"),
        (tally.count("judged-invalid"), "invalid"),
        (tally.count("judged-inconclusive"), "inconclusive"),
        (tally.count("withheld-claimed"), "withheld"),
        (tally.count("delivery-bad"), "bad delivery"),
    ];
    vec![
        Cell::new(format!(
            "{}\n  {}",
            loaded.scenario.name,
            loaded.scenario.shows.join(" ")
        )),
        Cell::new(loaded.strategies().join("\n")),
        number(format!("{}/{}", tally.passed, tally.runs)),
        number(tally.attacks().to_string()),
        Cell::new(what_happened(&jobs)),
        Cell::new(what_happened(&seen)),
        outcome(loaded, tally),
    ]
}

/// What happened at all, one kind a line.
fn what_happened(kinds: &[(u64, &str)]) -> String {
    let happened = kinds.iter().filter(|(count, _)| *count > 0);
    let lines: Vec<String> = happened.map(|(count, kind)| format!("{count} {kind}")).collect();
    lines.join("\n")
}

fn outcome(loaded: &Loaded, tally: &Tally) -> Cell {
    let (text, color) = if tally.runs == 0 {
        ("not run".into(), Color::Yellow)
    } else if tally.passed < tally.runs {
        (format!("{} FAILED", tally.runs - tally.passed), Color::Red)
    } else if !tally.never_happened(loaded).is_empty() {
        ("FAILED: not shown".into(), Color::Red)
    } else {
        (tally.verdict(loaded), Color::Green)
    };
    Cell::new(text).fg(color)
}

fn list_failed(text: &mut String, scenarios: &[Loaded], failed: &[FailedRun]) {
    for run in failed.iter().take(MAX_LISTED) {
        let Some(loaded) = scenarios.get(run.scenario) else {
            continue;
        };
        for Violation { id, at_ms, message } in &run.violations {
            line(
                text,
                &format!(
                    "FAILED {} seed {}: {id} at {at_ms} ms: {message}",
                    loaded.scenario.name, run.seed
                ),
            );
        }
        line(
            text,
            &format!(
                "  reproduce: camelid sim run {} --seed {}",
                quoted(&loaded.path),
                run.seed
            ),
        );
        if let Some(trace) = &run.trace {
            line(text, &format!("  trace:     {}", trace.display()));
        }
    }
    if let Some(more @ 1..) = failed.len().checked_sub(MAX_LISTED) {
        line(text, &format!("and {more} more failed runs"));
    }
}

fn list_never_happened(text: &mut String, scenarios: &[Loaded], tallies: &[Tally]) {
    for (loaded, tally) in scenarios.iter().zip(tallies) {
        for event in tally.never_happened(loaded) {
            let (name, runs) = (&loaded.scenario.name, tally.runs);
            line(
                text,
                &format!("FAILED {name}: {event} must happen sometimes, and happened in none of {runs} runs"),
            );
        }
    }
}

fn totals(tallies: &[Tally], elapsed: Duration) -> String {
    let sum = |of: fn(&Tally) -> u64| -> u64 { tallies.iter().map(of).sum() };
    let (runs, passed) = (sum(|tally| tally.runs), sum(|tally| tally.passed));
    format!(
        "{} scenarios, {runs} runs: {passed} passed, {} failed; {} jobs, {} stakes slashed, {} of them of \
         honest nodes; {} events in {}.{} s\n",
        tallies.len(),
        runs - passed,
        sum(|tally| tally.jobs.opened),
        sum(|tally| tally.jobs.slashed),
        sum(|tally| tally.honest_slashed),
        sum(|tally| tally.events),
        elapsed.as_secs(),
        elapsed.subsec_millis() / 100,
    )
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// A path that a shell takes as one word.
pub fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@%".contains(c);
    if path.chars().all(plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
