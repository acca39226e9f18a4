//! Engines under the protocol's tasks.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a test may fail

mod support;

use camelid_core::model::{
    Finish, InferenceResult, InferenceTask, LanguageModel, Prediction, Sampling, TokenId, run_task,
    run_task_watched,
};
use camelid_core::primitives::{BoundedVec, JobId};
use camelid_inference_ggml::{
    Engine, GgmlInference, Model, Numerics, Sequence, Shape, read_chunks, self_test,
};
use camelid_io::Inference;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use support::{CONTEXT, END, VOCABULARY, draw, tiny, tiny_quantized, tokens};

const SAMPLINGS: [Sampling; 3] = [
    Sampling::GREEDY,
    Sampling {
        temperature_milli: 1000,
        ..Sampling::GREEDY
    },
    Sampling {
        temperature_milli: 700,
        top_k: 40,
        top_p_milli: 950,
    },
];

fn engine() -> &'static Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| Arc::new(Engine::open(&tiny_quantized("q4_1"), Shape::default()).unwrap()))
}

fn bounded<const MAX: usize>(tokens: &[TokenId]) -> BoundedVec<TokenId, MAX> {
    BoundedVec::from_vec(tokens.to_vec()).unwrap()
}

fn generate(prompt: &[TokenId], max_tokens: u32, sampling: Sampling) -> InferenceTask {
    InferenceTask::Generate {
        model: engine().manifest().id(),
        job: JobId([7; 32]),
        prompt: bounded(prompt),
        prefix: bounded(&[]),
        max_tokens,
        seed: 5,
        sampling,
    }
}

fn predict(prompt: &[TokenId], output: &[TokenId], positions: Vec<u32>, sampling: Sampling) -> InferenceTask {
    InferenceTask::Predict {
        model: engine().manifest().id(),
        job: JobId([7; 32]),
        prompt: bounded(prompt),
        output: bounded(output),
        positions: BoundedVec::from_vec(positions).unwrap(),
        seed: 5,
        sampling,
    }
}

fn generated(result: InferenceResult) -> (Vec<TokenId>, Finish) {
    match result {
        InferenceResult::Generated { output, finish } => (output.to_vec(), finish),
        other => panic!("{other:?}"),
    }
}

fn predicted(result: InferenceResult) -> Vec<Prediction> {
    match result {
        InferenceResult::Predicted { predictions } => predictions.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn failed(result: InferenceResult) -> String {
    match result {
        InferenceResult::Failed { reason } => reason.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_it_writes_it_recognizes() {
    for sampling in SAMPLINGS {
        let prompt = tokens(1, 20, VOCABULARY);
        let (output, finish) = generated(run_task(&**engine(), &generate(&prompt, 50, sampling)));
        assert_eq!(
            finish,
            Finish::derive(&output, &engine().manifest().end_tokens, 50).unwrap()
        );
        let end = 20 + u32::try_from(output.len()).unwrap();
        let predictions = predicted(run_task(
            &**engine(),
            &predict(&prompt, &output, (20..end).collect(), sampling),
        ));
        for (prediction, token) in predictions.iter().zip(&output) {
            assert_eq!((prediction.token, prediction.gap_milli), (*token, 0));
            // Alone, or better than another.
            let alone = prediction.margin_milli == Prediction::EXCLUDED;
            assert_eq!(prediction.runner_up == *token, alone);
            assert!(prediction.margin_milli > 0 && (!alone || sampling.top_k > 0));
        }
    }
}

/// The positions asked for, in any order and some twice, have the predictions that they have when
/// asked for alone.
#[test]
fn positions_do_not_influence_each_other() {
    let tokens = tokens(2, 40, VOCABULARY);
    for sampling in SAMPLINGS {
        let task = |positions| predict(&tokens[..10], &tokens[10..], positions, sampling);
        let positions = vec![39, 10, 40, 10, 25];
        let together = predicted(run_task(&**engine(), &task(positions.clone())));
        for (position, prediction) in positions.into_iter().zip(together) {
            assert_eq!(
                predicted(run_task(&**engine(), &task(vec![position]))),
                [prediction]
            );
        }
    }
}

/// Greedy predictions against scores read directly.
#[test]
fn the_greedy_token_has_the_largest_score() {
    let tokens = tokens(3, 30, VOCABULARY);
    let draw = draw(0, 0);
    let mut sequence = Sequence::new(engine().model(), Shape::default()).unwrap();
    let prefixes: Vec<usize> = (1..=30).collect();
    sequence
        .scores(&tokens, &prefixes, |prefix, logits| {
            let mut order: Vec<usize> = (0..logits.len()).collect();
            order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
            let under = |token: usize| f64::from(logits[order[0]]) - f64::from(logits[token]);
            let milli = |token| (under(token) * 1000.0).ceil() as u32;
            let claimed = tokens.get(prefix).copied();
            let prediction = engine().predict(&draw, &tokens[..prefix], claimed);
            assert_eq!(prediction.token as usize, order[0]);
            assert_eq!(prediction.runner_up as usize, order[1]);
            assert_eq!(prediction.margin_milli, milli(order[1]));
            assert_eq!(
                prediction.gap_milli,
                claimed.map_or(0, |claimed| milli(claimed as usize))
            );
        })
        .unwrap();
}

#[test]
fn the_manifest_tells_of_the_file() {
    let manifest = engine().manifest();
    assert_eq!(manifest.check(), Ok(()));
    assert_eq!((manifest.vocabulary, manifest.context), (VOCABULARY, CONTEXT));
    assert_eq!(&manifest.end_tokens[..], [END]);
    assert!(manifest.profile.exact && manifest.profile.name.as_str().starts_with("ggml-exact-"));
    let chunks = read_chunks(engine().model().path()).unwrap();
    assert_eq!((manifest.chunk_root, manifest.bytes), (chunks.root, chunks.bytes));

    let shape = Shape { threads: 2, rows: 7 };
    let again = Engine::open(engine().model().path(), shape).unwrap();
    assert_eq!(again.manifest(), manifest);
    let coarser = Engine::open(&tiny_quantized("q2_K"), Shape::default()).unwrap();
    assert_eq!(coarser.manifest().tokenizer, manifest.tokenizer);
    assert_ne!(coarser.manifest().golden, manifest.golden);
}

#[test]
fn profiles_have_names_of_their_own() {
    let name = |numerics: Numerics| numerics.profile().unwrap().name;
    assert_eq!(name(Numerics::Exact), name(Numerics::Exact));
    assert_ne!(name(Numerics::Exact), name(Numerics::Library));
    let facts = Numerics::Exact.facts().unwrap();
    assert!(facts.contains("GGML_CPU_TILED_MM=0 "), "{facts}");
    if cfg!(target_arch = "x86_64") {
        assert!(
            facts.contains("AVX2 = 1") && !facts.contains("AVX512 = 1"),
            "{facts}"
        );
        assert!(
            !facts.contains("LLAMAFILE = 1") && !facts.contains("OPENMP = 1"),
            "{facts}"
        );
    }
}

#[test]
fn the_self_test_compares_64_positions() {
    let comparison = self_test(engine().model()).unwrap();
    assert_eq!((comparison.positions, comparison.differing), (64, 0));
}

#[test]
fn tasks_that_do_not_fit_fail_with_a_reason() {
    let run = |task| failed(run_task(&**engine(), &task));
    let long = tokens(4, CONTEXT as usize - 10, VOCABULARY);
    assert!(run(generate(&long, 11, Sampling::GREEDY)).contains("context"));
    assert!(run(generate(&[VOCABULARY], 5, Sampling::GREEDY)).contains("vocabulary"));
    assert!(run(generate(&[], 5, Sampling::GREEDY)).contains("no finite scores"));
    let sampling = Sampling {
        top_p_milli: 0,
        ..Sampling::GREEDY
    };
    assert!(run(generate(&[5], 5, sampling)).contains("sampling"));
}

#[test]
fn sequences_refuse_what_would_break_the_library() {
    let mut sequence = Sequence::new(engine().model(), Shape::default()).unwrap();
    let mut error = |tokens: &[TokenId], prefixes: &[usize]| {
        sequence
            .scores(tokens, prefixes, |_, _| {})
            .unwrap_err()
            .to_string()
    };
    assert!(error(&[VOCABULARY], &[1]).contains("vocabulary"));
    assert!(error(&[u32::MAX], &[1]).contains("vocabulary"));
    assert!(error(&[1], &[0]).contains("no tokens"));
    assert!(error(&[1], &[2]).contains("no tokens"));
    assert!(error(&[1, 2], &[2, 1]).contains("no tokens"));
    assert!(error(&vec![1; CONTEXT as usize + 1], &[CONTEXT as usize + 1]).contains("context"));
    // And go on.
    sequence.scores(&[1, 2], &[2], |_, _| {}).unwrap();
}

#[test]
fn generation_can_be_watched_and_given_up() {
    let task = generate(&tokens(6, 10, VOCABULARY), 60, SAMPLINGS[1]);
    let mut seen = Vec::new();
    let (output, _) = generated(run_task_watched(&**engine(), &task, &mut |token| {
        seen.push(token);
        ControlFlow::Continue(())
    }));
    assert_eq!(seen, output);
    let mut left = 3;
    let result = run_task_watched(&**engine(), &task, &mut |_| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((failed(result).as_str(), left), ("cancelled", 0));
}

/// Many tasks at once through the node's interface have the results that they have alone.
#[tokio::test]
async fn tasks_run_side_by_side() {
    let inference = GgmlInference::new([Arc::clone(engine())]);
    let tasks: Vec<_> = (0..6)
        .map(|seed| generate(&tokens(seed, 12, VOCABULARY), 20, SAMPLINGS[1]))
        .collect();
    let alone: Vec<_> = tasks.iter().map(|task| run_task(&**engine(), task)).collect();
    let mut running: Vec<_> = tasks.iter().map(|task| inference.run(task.clone())).collect();
    // Polled in turn, all of them run on their threads.
    for (future, alone) in running.drain(..).zip(alone) {
        assert_eq!(future.await, alone);
    }
    let mut elsewhere = tasks[0].clone();
    if let InferenceTask::Generate { model, .. } = &mut elsewhere {
        model.0[0] ^= 1;
    }
    assert!(failed(inference.run(elsewhere).await).contains("does not have the model"));
}

/// At the end of a process the library's memory is taken down: a thread that is still in it crashes.
#[test]
fn no_task_outlives_the_models_of_a_node() {
    let engine = Arc::new(Engine::open(&tiny_quantized("q4_1"), Shape::default()).unwrap());
    let inference = GgmlInference::new([Arc::clone(&engine)]);
    let task = generate(&tokens(1, 12, VOCABULARY), 1_000, SAMPLINGS[1]);
    let mut running = inference.run(task);
    let waker = std::task::Waker::noop();
    let begun = running.as_mut().poll(&mut std::task::Context::from_waker(waker));
    assert!(begun.is_pending());
    drop(running);
    drop(inference);
    assert_eq!(Arc::strong_count(&engine), 1, "a thread has the engine yet");
}

#[test]
fn text_becomes_tokens_and_text_again() {
    let model = Model::load(tiny(), Numerics::Exact).unwrap();
    for text in ["hello world", "naïve 🦙 \0 \u{10ffff}", ""] {
        let tokens = model.tokenize(text, false).unwrap();
        assert_eq!(tokens[0], 1, "every text begins with <s>");
        assert_eq!(model.detokenize(&tokens, false).trim_start(), text);
    }
    let rendered = model.render_chat("hi").unwrap();
    assert_eq!(
        rendered,
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    );
    assert_eq!(model.tokenize("</s>", true).unwrap().last(), Some(&END));
    assert!(!model.tokenize("</s>", false).unwrap().contains(&END));
    assert_eq!(model.piece(VOCABULARY, true), b"");
}
