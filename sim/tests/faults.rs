//! Faults as the trace shows them.

mod support;

use camelid_core::primitives::Time;
use camelid_sim::trace::{Frame, Trace, TracedInput};
use camelid_sim::{Violation, run};
use support::{SMALL, parse};

const FAULT_FOR_MS: u64 = 200_000;

/// The frames of [`SMALL`] with a fault of the worker, node 1, from `at_ms` on; times count from the first frame.
fn frames(kind: &str, at_ms: u64) -> Vec<(u64, Frame)> {
    let fault = format!(
        "[[faults]]\nkind = {kind:?}\nat_ms = {at_ms}\nfor_ms = {FAULT_FOR_MS}\nnodes = [\"worker\"]\n\n[expect]"
    );
    let scenario = parse(&SMALL.replace("[expect]", &fault));
    let trace = Trace::read(&run(&scenario, 2).trace).expect("a whole trace");
    let at = |frame: &Frame| match frame {
        Frame::Boot { at, .. } | Frame::Crash { at, .. } | Frame::Step { at, .. } => Some(*at),
        _ => None,
    };
    let Time(start) = trace.frames.iter().find_map(at).expect("a start");
    let timed = trace.frames.into_iter();
    timed
        .filter_map(|frame| Some((at(&frame)?.0 - start, frame)))
        .collect()
}

/// Numbers of a frame's sender and recipient, if it is an arrival.
fn arrival(frame: &Frame) -> Option<(u16, u16)> {
    match frame {
        Frame::Step {
            node,
            input: TracedInput::Packet { from, .. },
            ..
        } => Some((*from, *node)),
        _ => None,
    }
}

#[test]
fn nothing_passes_a_partition() {
    const AT_MS: u64 = 50_000;
    // What was on the way when it began still arrives, and takes 250 ms at most.
    let (begin, end) = (AT_MS + 250, AT_MS + FAULT_FOR_MS);
    let (mut before, mut during, mut inside, mut after) = (0, 0, 0, 0);
    for (at, frame) in frames("partition", AT_MS) {
        let Some((from, to)) = arrival(&frame) else {
            continue;
        };
        let crosses = (from == 1) != (to == 1);
        match at {
            _ if !crosses => inside += u32::from((begin..end).contains(&at)),
            _ if at <= begin => before += 1,
            _ if at < end => during += 1,
            _ => after += 1,
        }
    }
    assert_eq!(during, 0, "packets crossed the partition");
    assert!(
        before > 0 && inside > 0 && after > 0,
        "{before} before, {inside} beside, {after} after"
    );
}

#[test]
fn a_crashed_node_does_nothing_and_restarts_with_its_records() {
    const AT_MS: u64 = 300_000;
    let frames = frames("crash", AT_MS);
    let worker: Vec<&(u64, Frame)> = frames
        .iter()
        .filter(|(_, frame)| match frame {
            Frame::Boot { node, .. } | Frame::Crash { node, .. } | Frame::Step { node, .. } => *node == 1,
            _ => false,
        })
        .collect();
    let crash = worker
        .iter()
        .position(|(_, frame)| matches!(frame, Frame::Crash { .. }))
        .expect("a crash");
    assert_eq!(worker[crash].0, AT_MS);
    let (at, restart) = worker[crash + 1];
    assert_eq!(*at, AT_MS + FAULT_FOR_MS, "a step while it was down");
    assert!(
        matches!(restart, Frame::Boot { records: 1.., .. }),
        "blocks that it had taken in are remembered: {restart:?}"
    );
    assert!(worker.len() > crash + 3, "it goes on");
}

/// What the run of [`SMALL`] says when the worker's fault, which begins at 50 s, is expected by `by_ms`.
fn fault_by(kind: &str, by_ms: u64) -> Vec<Violation> {
    let expected = format!(
        "[[faults]]\nkind = {kind:?}\nat_ms = 50_000\nfor_ms = 1_000\nnodes = [\"worker\"]\n\n\
        [expect]\neventually = [{{ event = \"fault:{kind}\", by_ms = {by_ms} }}]"
    );
    run(&parse(&SMALL.replace("[expect]", &expected)), 2)
        .report
        .violations
}

#[test]
fn faults_have_times() {
    for kind in ["crash", "partition"] {
        assert_eq!(fault_by(kind, 50_000), [], "{kind}");
        let late = fault_by(kind, 49_999);
        assert_eq!(late.len(), 1, "{kind}");
        assert_eq!(late[0].id, format!("eventually:fault:{kind}"));
    }
}

#[test]
fn every_strategy_has_a_scenario_that_shows_it() {
    let scenarios = support::all();
    for strategy in camelid_sim::strategy::names() {
        let event = format!("attack:{strategy}");
        let shown = scenarios.iter().any(|scenario| {
            let expect = scenario.expect.get_ref();
            expect.sometimes.iter().any(|sometimes| sometimes.event == event)
        });
        assert!(shown, "no scenario has {event} under `sometimes`");
    }
}

#[test]
fn a_fault_that_comes_too_late_does_not_come() {
    let crashes = |when: &str| {
        let fault =
            format!("[[faults]]\nkind = \"crash\"\n{when}\nfor_ms = 10\nnodes = [\"relay\"]\n\n[expect]");
        let scenario = parse(&SMALL.replace("[expect]", &fault));
        run(&scenario, 2).report.count("fault:crash")
    };
    assert_eq!(crashes("on = \"tip-extended\""), 1);
    assert_eq!(crashes("on = \"tip-extended\"\nbefore_ms = 500_000"), 1);
    assert_eq!(crashes("on = \"tip-extended\"\nbefore_ms = 1"), 0);
    assert_eq!(crashes("at_ms = 1_000\nbefore_ms = 1_001"), 1);
    assert_eq!(crashes("at_ms = 1_000\nbefore_ms = 1_000"), 0);
}

/// The node is down until both are over, starts once, and then does its work.
#[test]
fn crashes_may_overlap() {
    let crash = |at_ms: u64, for_ms: u64| {
        format!("[[faults]]\nkind = \"crash\"\nat_ms = {at_ms}\nfor_ms = {for_ms}\nnodes = [\"miner\"]\n\n")
    };
    let faults = [
        crash(10_000, 50_000),
        crash(30_000, 0),
        crash(40_000, 60_000),
        "[expect]".into(),
    ];
    let run = run(&parse(&SMALL.replace("[expect]", &faults.concat())), 2);
    assert_eq!(run.report.violations, []);
    let trace = Trace::read(&run.trace).expect("a whole trace");
    let mut boots = trace.frames.iter().filter_map(|frame| match frame {
        Frame::Boot { at, node: 0, .. } => Some(at.0),
        _ => None,
    });
    let (first, second) = (boots.next().expect("a start"), boots.next().expect("a restart"));
    assert_eq!((second - first, boots.next()), (100_000, None));
}

/// Blocks that were not durable are gone after a crash, and come again one by one. That is no double spend.
#[test]
fn blocks_that_a_crash_has_cost_may_come_again() {
    // The relay catches up on some blocks at once, and goes down before they are on its disk.
    let slow_disk = SMALL.replace("peers = 2", "peers = 2\ndisk_ms = 1_500");
    let faults = "\
        [[faults]]\nkind = \"partition\"\nfor_ms = 240_000\nnodes = [\"relay\"]\n\n\
        [[faults]]\nkind = \"crash\"\nat_ms = 250_000\nfor_ms = 0\nnodes = [\"relay\"]\n\n[expect]";
    let scenario = parse(&slow_disk.replace("[expect]", faults));
    for seed in 0..20 {
        let report = run(&scenario, seed).report;
        let twice = |violation: &&Violation| violation.id == "no-double-spend";
        assert_eq!(report.violations.iter().find(twice), None, "seed {seed}");
    }
}
