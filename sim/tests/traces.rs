//! Traces: whole ones replay, damaged ones are refused, altered ones are caught at the step.

mod support;

use camelid_core::keys::SharedVerifier;
use camelid_core::node::Node;
use camelid_core::primitives::{Digest, Hash256, Time};
use camelid_core::process::{Event, Input, Outputs, Process};
use camelid_core::wire::Packet;
use camelid_sim::scenario::{Scenario, Setup};
use camelid_sim::strategy::Actor;
use camelid_sim::trace::{
    Frame, Recorder, ReplayError, RunDigest, Trace, TraceError, TracedInput, outputs_check, replay,
};
use camelid_sim::{MemoVerifier, run};
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use support::small;

/// A short run: its scenario, and its trace.
fn recorded() -> &'static (Scenario, Vec<u8>) {
    static RECORDED: OnceLock<(Scenario, Vec<u8>)> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let scenario = small(150_000);
        let trace = run(&scenario, 1).trace;
        (scenario, trace)
    })
}

fn recorded_trace() -> Trace {
    Trace::read(&recorded().1).expect("a whole trace")
}

#[test]
fn the_traces_of_some_scenarios_replay() {
    support::for_each(support::all().iter().step_by(10), replays);
}

#[test]
#[ignore = "minutes"]
fn the_trace_of_every_scenario_replays() {
    support::for_each(support::all().iter(), replays);
}

fn replays(scenario: &Scenario) {
    let run = run(scenario, 0);
    let trace = Trace::read(&run.trace).expect("a whole trace");
    assert_eq!((&trace.name, trace.seed), (&scenario.name, 0));
    let replay = replay(&trace).unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
    assert_eq!(replay.steps, run.report.events, "{}", scenario.name);
    assert_eq!(replay.digest.0, run.report.digest.0, "{}", scenario.name);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The first bytes and the last hold the format's own fields; they get their share of the cases.
    #[test]
    fn a_flipped_bit_is_found(place in place(), bit in 0..8u8) {
        let mut bytes = recorded().1.clone();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(Trace::read(&bytes).is_err(), "bit {bit} of byte {place}");
    }

    #[test]
    fn a_cut_is_found(from in place(), length in 1..2_000usize) {
        let mut bytes = recorded().1.clone();
        let from = from.index(bytes.len());
        bytes.drain(from..(from + length).min(bytes.len()));
        prop_assert!(Trace::read(&bytes).is_err(), "{length} bytes from byte {from}");
    }

    #[test]
    fn a_lost_end_is_found(length in place()) {
        let bytes = &recorded().1;
        prop_assert!(Trace::read(&bytes[..length.index(bytes.len())]).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
        let head = if magic { &recorded().1[..10] } else { &[] };
        prop_assert!(Trace::read(&[head, &bytes[..]].concat()).is_err());
    }
}

proptest! {
    // Each case is a run and a replay.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever differs, and wherever: the replay stops at that step and says what is wrong.
    #[test]
    fn an_altered_step_is_named(step in any::<prop::sample::Index>(), outputs in any::<bool>()) {
        let altered = step.index(usize::try_from(recorded_trace().steps).expect("few steps")) as u64;
        let bytes = reseal(&recorded_trace(), |step, _, out, digest| {
            if step == altered && outputs {
                out.event(Event::JobRefused { reason: "never said".into() });
            } else if step == altered {
                digest.0[3] ^= 1;
            }
        });
        let trace = Trace::read(&bytes).expect("a whole trace");
        let Err(ReplayError::Diverged(divergence)) = replay(&trace) else {
            return Err(TestCaseError::fail("the replay agrees"));
        };
        prop_assert_eq!(divergence.step, altered);
        let what = if outputs { "its outputs differ" } else { "its state differs" };
        prop_assert_eq!(divergence.what, what);
    }

    /// Another input at one step shows there, unless the node would have done the same.
    #[test]
    fn another_input_is_never_a_panic(step in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let altered = step.index(usize::try_from(recorded_trace().steps).expect("few steps")) as u64;
        let packet = Packet::from(bytes);
        let bytes = reseal(&recorded_trace(), |step, input, _, _| {
            if step == altered {
                *input = Input::Message { from: sender(), packet: packet.clone() };
            }
        });
        match replay(&Trace::read(&bytes).expect("a whole trace")) {
            Err(ReplayError::Diverged(divergence)) => prop_assert!(divergence.step >= altered),
            Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
            Ok(_) => {}
        }
    }
}

/// Any place, every second time one of the first or last hundred.
fn place() -> impl Strategy<Value = Place> {
    (any::<prop::sample::Index>(), 0..4u8).prop_map(|(index, part)| Place { index, part })
}

#[derive(Clone, Debug)]
struct Place {
    index: prop::sample::Index,
    part: u8,
}

impl Place {
    fn index(&self, length: usize) -> usize {
        match self.part {
            0 => self.index.index(100.min(length)),
            1 => length - 1 - self.index.index(100.min(length)),
            _ => self.index.index(length),
        }
    }
}

#[test]
fn resealing_changes_nothing_by_itself() {
    let (_, bytes) = recorded();
    assert!(
        &reseal(&recorded_trace(), |_, _, _, _| {}) == bytes,
        "the two recorders differ"
    );
}

#[test]
fn more_after_the_end_is_refused() {
    let mut bytes = recorded().1.clone();
    bytes.push(0);
    assert_eq!(Trace::read(&bytes).unwrap_err(), TraceError::TrailingBytes(1));
}

#[test]
fn another_version_is_refused_by_its_number() {
    let mut bytes = recorded().1.clone();
    bytes[8] = 77;
    assert_eq!(Trace::read(&bytes).unwrap_err(), TraceError::Version(77));
    bytes[0] = b'c';
    assert_eq!(Trace::read(&bytes).unwrap_err(), TraceError::NotATrace);
}

#[test]
fn impossible_histories_are_refused() {
    let (scenario, _) = recorded();
    let at = Time(0);
    let say_nothing = |recorder: &mut Recorder, from, input| {
        let nothing = outputs_check(&Outputs::new());
        recorder.step(at, 0, from, &input, nothing, &Digest([0; 32]));
    };
    let history = |record: &dyn Fn(&mut Recorder)| {
        let mut recorder = Recorder::new(&scenario.name, 1, &scenario.text);
        record(&mut recorder);
        let digest = RunDigest::new(&scenario.name, 1).finish([].into_iter());
        replay(&Trace::read(&recorder.finish(&[], 0, digest)).expect("a whole trace"))
    };
    type History<'a> = (&'a str, &'a dyn Fn(&mut Recorder));
    let histories: [History<'_>; 5] = [
        ("does not have", &|recorder| recorder.boot(at, 99, 0)),
        ("does not have", &|recorder| recorder.crash(at, 99)),
        ("never had", &|recorder| recorder.boot(at, 0, 1)),
        ("not running", &|recorder| say_nothing(recorder, 0, Input::Start)),
        ("does not exist", &|recorder| {
            recorder.boot(at, 0, 0);
            let packet = Packet::from(Vec::new());
            say_nothing(
                recorder,
                99,
                Input::Message {
                    from: sender(),
                    packet,
                },
            );
        }),
    ];
    for (why, record) in histories {
        match history(record) {
            Err(ReplayError::Impossible(reason)) => assert!(reason.contains(why), "{why}: {reason}"),
            other => panic!("{why}: {other:?}"),
        }
    }
    assert!(history(&|_| {}).is_ok(), "an empty run is possible");
}

#[test]
fn a_trace_of_a_broken_scenario_says_where() {
    let recorder = Recorder::new("small", 1, "name = \"small\"\nsurprise = 1\n");
    let bytes = recorder.finish(&[], 0, Hash256::default());
    match replay(&Trace::read(&bytes).expect("a whole trace")) {
        Err(ReplayError::Scenario(error)) => assert!(error.line.is_some(), "{error}"),
        other => panic!("{other:?}"),
    }
}

fn sender() -> camelid_core::keys::NodeId {
    let setup = setup(&recorded().0, 1);
    setup.nodes[0].config.key.node_id()
}

fn setup(scenario: &Scenario, seed: u64) -> Setup {
    let verifier: SharedVerifier = Arc::new(MemoVerifier::new());
    Setup::draw(scenario, seed, &verifier)
}

/// Records the run of a trace anew, as it was but for what `alter` does to a step: what is written is
/// altered, not what the nodes see.
fn reseal(trace: &Trace, alter: impl Fn(u64, &mut Input, &mut Outputs, &mut Digest)) -> Vec<u8> {
    let scenario = Scenario::parse(&trace.scenario, &trace.name).expect("a scenario");
    let setup = setup(&scenario, trace.seed);
    let mut recorder = Recorder::new(&trace.name, trace.seed, &trace.scenario);
    let mut run = RunDigest::new(&trace.name, trace.seed);
    let mut actors: Vec<Option<Actor>> = setup.nodes.iter().map(|_| None).collect();
    let mut packets = Vec::new();
    for frame in &trace.frames {
        match frame {
            Frame::Packet(packet) => packets.push(packet.clone()),
            Frame::Boot { at, node, records } => {
                assert_eq!(*records, 0, "the short run has no crash");
                let setup = &setup.nodes[usize::from(*node)];
                actors[usize::from(*node)] = Some(Actor::new(Node::new(setup.config.clone()), setup));
                recorder.boot(*at, *node, 0);
                run.boot(*at, *node, 0);
            }
            Frame::Step { at, node, input, .. } => {
                let (from, mut input) = match input {
                    TracedInput::Packet { from, packet } => {
                        let sender = setup.nodes[usize::from(*from)].config.key.node_id();
                        let packet = packets[*packet as usize].clone();
                        (*from, Input::Message { from: sender, packet })
                    }
                    TracedInput::Other(input) => (*node, input.clone()),
                };
                let actor = actors[usize::from(*node)].as_mut().expect("a running node");
                let mut outputs = Outputs::new();
                actor.handle(*at, input.clone(), &mut outputs);
                let mut digest = actor.digest();
                alter(run.steps(), &mut input, &mut outputs, &mut digest);
                let check = outputs_check(&outputs);
                recorder.step(*at, *node, from, &input, check, &digest);
                run.step(*at, *node, from, &input, &check);
            }
            other => panic!("the short run has no {other:?}"),
        }
    }
    let steps = run.steps();
    let nodes = (0..).zip(actors.iter().flatten());
    let digest = run.finish(nodes.map(|(node, actor)| (node, actor.digest())));
    recorder.finish(&[], steps, digest)
}
