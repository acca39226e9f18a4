//! `camelid sim replay`: whole traces replay, damaged ones are refused, others diverge.

use crate::support::{Place, frames_of, resealed, sound};
use camelid_sim::trace::Frame;
use serde_json::Value;
use std::fs;

/// A place with a trace in it.
fn traced() -> (Place, Vec<u8>) {
    let place = Place::new();
    place.write("a.toml", sound("a"));
    assert_eq!(place.sim("run a.toml --seed 1 --trace-dir .").code, 0);
    let trace = fs::read(place.path("a-1.trace")).expect("the trace");
    (place, trace)
}

#[test]
fn a_whole_trace_replays_without_its_scenario() {
    let (place, _) = traced();
    let run: Value = {
        let ran = place.sim("run a.toml --seed 1 --json");
        let first = ran.stdout.lines().next().expect("a record").to_string();
        serde_json::from_str(&first).expect("JSON")
    };
    fs::remove_file(place.path("a.toml")).expect("removed");
    let ran = place.sim("replay a-1.trace --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = format!(
        r#"{{"schema":"camelid.sim.replay.v1","trace":"a-1.trace","outcome":"equal","steps":{},"digest":{},"divergence":null}}"#,
        run["events"], run["digest"]
    );
    assert_eq!(ran.stdout.trim_end(), expected);
    let words = place.sim("replay a-1.trace");
    assert!(
        words.stdout.contains(&format!("{} steps", run["events"])),
        "{}",
        words.stdout
    );
}

#[test]
fn damaged_traces_are_refused() {
    let (place, trace) = traced();
    let spread = (0..64).map(|part| part * trace.len() / 64);
    let edges = (0..24).chain(trace.len() - 12..trace.len());
    for at in spread.chain(edges) {
        let mut flipped = trace.clone();
        flipped[at] ^= 1 << (at % 8);
        for (what, bytes) in [("flipped", &flipped[..]), ("cut", &trace[..at])] {
            place.write("damaged.trace", bytes);
            let ran = place.sim("replay damaged.trace");
            assert!(
                matches!(ran.code, 4 | 9),
                "{what} at {at}: {} {}",
                ran.code,
                ran.stderr
            );
        }
    }
    let mut longer = trace.clone();
    longer.push(0);
    place.write("damaged.trace", &longer);
    assert_eq!(place.sim("replay damaged.trace").code, 4);
}

#[test]
fn other_files_are_refused() {
    let (place, _) = traced();
    for file in ["absent.trace", "a.toml", "."] {
        let ran = place.sim(&format!("replay {file}"));
        assert_eq!(ran.code, 4, "{file}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}

/// A trace with other outputs in one step, and checks that fit again: what a program that behaves
/// otherwise would find.
#[test]
fn a_divergence_names_the_first_step_that_differs() {
    let (place, trace) = traced();
    let mut frames = frames_of(&trace);
    let steps = frames
        .iter_mut()
        .filter(|frame| matches!(frame, Frame::Step { .. }));
    let mut number = 0;
    let mut expected = (0, 0);
    for frame in steps {
        // Two of them: the first is named.
        if let Frame::Step { at, outputs, .. } = frame
            && (number == 100 || number == 200)
        {
            outputs[0] ^= 1;
            if number == 100 {
                expected = (number, at.0);
            }
        }
        number += 1;
    }
    assert!(number > 200);
    place.write("other.trace", resealed(&trace, &frames));
    let ran = place.sim("replay other.trace a-1.trace --json");
    assert_eq!(ran.code, 9, "{}", ran.stderr);
    let records: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(records[0]["outcome"], "diverged");
    assert_eq!(records[0]["divergence"]["step"], expected.0);
    assert_eq!(records[0]["divergence"]["at_ms"], expected.1);
    assert_eq!(records[0]["divergence"]["what"], "its outputs differ");
    assert_eq!(
        records[1]["outcome"], "equal",
        "the others are replayed all the same"
    );
    let words = place.sim("replay other.trace");
    assert!(words.stdout.contains("step 100 differs"), "{}", words.stdout);
}

/// Frames in an order that no simulation writes.
#[test]
fn impossible_traces_are_refused() {
    let (place, trace) = traced();
    let frames = frames_of(&trace);
    let without = |drop: fn(&Frame) -> bool| -> Vec<Frame> {
        frames.iter().filter(|frame| !drop(frame)).cloned().collect()
    };
    for frames in [
        without(|frame| matches!(frame, Frame::Boot { .. })),
        without(|frame| matches!(frame, Frame::Packet(_))),
        without(|frame| matches!(frame, Frame::Step { node: 2, .. })),
        without(|frame| matches!(frame, Frame::End { .. })),
        without(|frame| matches!(frame, Frame::Header { .. })),
    ] {
        place.write("impossible.trace", resealed(&trace, &frames));
        let ran = place.sim("replay impossible.trace");
        assert!(matches!(ran.code, 4 | 9), "{} {}", ran.code, ran.stderr);
    }
}
