//! Models that run elsewhere: what they say is in the trace, so that a replay needs none.

mod support;

use camelid_core::model::{Draw, LanguageModel, Manifest, Prediction, TokenId};
use camelid_sim::model::{Brought, ModelSource, NgramModel, SourceError};
use camelid_sim::run;
use camelid_sim::scenario::Scenario;
use camelid_sim::trace::{Frame, ReplayError, Trace, replay};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts how often it is asked.
struct Counted(NgramModel, Arc<AtomicU64>);

impl LanguageModel for Counted {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.predict(draw, prefix, claimed)
    }
}

/// Brings n-gram models, as if they came from files.
#[derive(Default)]
struct Library {
    asked: Arc<AtomicU64>,
}

impl ModelSource for Library {
    fn bring(&self, name: &str, coarse: &str) -> Result<Brought, SourceError> {
        let unavailable = |message: String| SourceError::Unavailable {
            message,
            hint: "ask for an n-gram model".into(),
        };
        let order: usize = name
            .parse()
            .map_err(|_| unavailable(format!("no model {name:?}")))?;
        let coarse: usize = coarse
            .parse()
            .map_err(|_| unavailable(format!("no copy {coarse:?}")))?;
        let model = |order| {
            Arc::new(Counted(
                NgramModel::train(order, NgramModel::TEXT),
                self.asked.clone(),
            ))
        };
        Ok(Brought {
            full: model(order),
            coarse: model(coarse),
        })
    }
}

fn text(strategy: &str, model: &str) -> String {
    format!(
        r#"
        name = "recorded"
        about = "Workers cheat with a model that comes from elsewhere."
        run = {{ until_ms = 3_000_000, heal_at_ms = 0, ends_early = true }}
        network = {{ peers = 1 }}
        model = {{ {model} }}
        nodes = [
            {{ name = "miner", roles = ["miner"] }},
            {{ name = "worker", roles = ["worker"], strategy = "{strategy}", coins = 6 }},
            {{ name = "client", roles = ["client"], coins = 6 }},
        ]
        jobs = [{{ client = "client", count = 3, start_ms = 60_000 }}]
        expect = {{ sometimes = [{{ event = "judged-invalid" }}] }}
        "#
    )
}

const MODEL: &str = r#"kind = "gguf", file = "3", coarse = "2""#;

#[test]
fn a_replay_asks_nobody() {
    for strategy in ["substitution", "quantized-model", "late-draft", "wrong-seed"] {
        let library = Library::default();
        let scenario =
            Scenario::parse_with(&text(strategy, MODEL), "test.toml", &library).expect("a scenario");
        let ran = run(&scenario, 5);
        assert!(
            ran.report.counts.contains_key("judged-invalid"),
            "{strategy}: {:?}",
            ran.report.counts
        );
        let asked = library.asked.load(Ordering::Relaxed);
        assert!(asked > 0);
        let trace = Trace::read(&ran.trace).expect("a trace");
        let replayed = replay(&trace).expect("the same steps");
        assert_eq!(replayed.digest.0, ran.report.digest.0, "{strategy}");
        assert_eq!(
            library.asked.load(Ordering::Relaxed),
            asked,
            "the replay has no model to ask"
        );
        assert_eq!(run(&scenario, 5).report.digest, ran.report.digest, "{strategy}");
    }
}

#[test]
fn without_its_answers_a_replay_goes_another_way() {
    let scenario = Scenario::parse_with(&text("substitution", MODEL), "test.toml", &Library::default());
    let ran = run(&scenario.expect("a scenario"), 5);
    let mut trace = Trace::read(&ran.trace).expect("a trace");
    for frame in &mut trace.frames {
        if let Frame::Answers(answers) = frame {
            answers.clear();
        }
    }
    assert!(matches!(replay(&trace), Err(ReplayError::Diverged(_))));
    // Without the model's manifest there is not even a scenario.
    trace.frames.retain(|frame| !matches!(frame, Frame::Model(_)));
    match replay(&trace) {
        Err(ReplayError::Scenario(error)) => assert!(error.needs_models, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_scenario_keeps_its_models_when_it_is_written_and_loaded() {
    let scenario = Scenario::parse_with(&text("substitution", MODEL), "test.toml", &Library::default());
    let again = scenario
        .expect("a scenario")
        .shortened("again")
        .expect("the same scenario");
    assert!(again.text.contains("file = \"3\""), "{}", again.text);
    assert!(run(&again, 5).report.counts.contains_key("judged-invalid"));
}

#[test]
fn faults_are_found_while_loading() {
    let load = |model: &str| {
        let text = text("substitution", model);
        Scenario::parse_with(&text, "test.toml", &Library::default()).expect_err(model)
    };
    for (model, says) in [
        (r#"kind = "gguf""#, "needs a file"),
        (r#"kind = "hash", file = "3""#, "has no file"),
        (r#"file = "3""#, "has no file"),
        (r#"kind = "gguf", file = "x""#, "no model \"x\""),
        (r#"kind = "gguf", file = "3", coarse = "x""#, "no copy \"x\""),
    ] {
        let error = load(model);
        assert!(
            error.message.contains(says) && error.line.is_some(),
            "{model}: {error}"
        );
        assert!(!error.needs_models, "{model}");
    }
    let error = Scenario::parse(&text("substitution", MODEL), "test.toml").expect_err("no source");
    assert!(error.needs_models, "{error}");
}
