//! A run that may end early does so when nothing is to come, and not before.

mod support;

use camelid_sim::{RunReport, run};
use support::{SMALL, parse};

const UNTIL_MS: u64 = 6_000_000;

/// [`SMALL`] for [`UNTIL_MS`], which may end early, with `expect` in place of its expectations.
fn early(expect: &str) -> RunReport {
    let text = SMALL
        .replace("until_ms = 600_000", &format!("until_ms = {UNTIL_MS}"))
        .replace("heal_at_ms = 300_000", "heal_at_ms = 300_000\nends_early = true");
    let (setting, _) = text.split_once("[expect]").expect("it has a section");
    run(&parse(&format!("{setting}{expect}")), 0).report
}

const SETTLED: &str = "[expect]\neventually = [{ event = \"job-settled\" }]\n\
    sometimes = [{ event = \"job-open\" }]\n";

#[test]
fn a_run_ends_when_its_jobs_are_closed() {
    let report = early(SETTLED);
    assert_eq!(report.violations, []);
    assert_eq!(report.jobs.settled, 1);
    assert!(report.virtual_ms < UNTIL_MS / 2, "{} ms", report.virtual_ms);
}

#[test]
fn it_waits_for_a_fault_that_is_to_come() {
    let fault = "[[faults]]\nkind = \"crash\"\nat_ms = 4_000_000\nfor_ms = 500_000\nnodes = [\"relay\"]\n\n";
    let report = early(&format!("{fault}{SETTLED}"));
    assert_eq!(report.violations, []);
    assert!(report.virtual_ms >= 4_500_000, "{} ms", report.virtual_ms);
}

#[test]
fn it_waits_in_vain_for_what_never_happens() {
    let report = early(&SETTLED.replace("job-settled", "job-slashed"));
    assert!(report.virtual_ms > UNTIL_MS - 300_000, "{} ms", report.virtual_ms);
    assert_eq!(report.violations.len(), 1);
}
