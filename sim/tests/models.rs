//! The models the simulator runs on: what they write, they predict; everywhere, every time.

use camelid_core::model::{
    Finish, InferenceResult, InferenceTask, NumericsProfile, Prediction, Sampling, TokenId,
};
use camelid_core::primitives::{BoundedVec, JobId, ModelId, Stream};
use camelid_core::rastic::{Claim, Spec, Verdict, judge_result, plan};
use camelid_sim::model::{
    Draw, HashModel, HashModelConfig, LanguageModel, Logit, NgramModel, Score, run_task,
};
use std::collections::BTreeSet;

const JOB: JobId = JobId([7; 32]);
const WARM: Sampling = Sampling {
    temperature_milli: 1000,
    ..Sampling::GREEDY
};

fn hash_model() -> HashModel {
    HashModel::new(HashModelConfig::default())
}

fn trigram() -> NgramModel {
    NgramModel::train(3, NgramModel::TEXT)
}

/// A model and prompts it can continue.
type Prompted = (Box<dyn LanguageModel>, Vec<Vec<TokenId>>);

/// Both kinds of model, each with prompts it can continue.
fn models() -> Vec<Prompted> {
    let trigram = trigram();
    let verses = ["In the beginning", "And Noah", "", "And the LORD said unto"];
    let verses = verses.map(|verse| trigram.words().encode(verse)).to_vec();
    let numbers = (0..20).map(|n| vec![1 + n, 2, 3]).collect();
    vec![(Box::new(trigram), verses), (Box::new(hash_model()), numbers)]
}

fn bounded<T: Clone, const MAX: usize>(items: &[T]) -> BoundedVec<T, MAX> {
    BoundedVec::from_vec(items.to_vec()).expect("tests are short")
}

fn length(tokens: &[TokenId]) -> u32 {
    u32::try_from(tokens.len()).expect("tests are short")
}

fn generate_task(
    model: &dyn LanguageModel,
    prompt: &[TokenId],
    max_tokens: u32,
    seed: u64,
    sampling: Sampling,
) -> InferenceTask {
    InferenceTask::Generate {
        model: model.manifest().id(),
        job: JOB,
        prompt: bounded(prompt),
        prefix: BoundedVec::new(),
        max_tokens,
        seed,
        sampling,
    }
}

fn predict_task(
    model: &dyn LanguageModel,
    prompt: &[TokenId],
    output: &[TokenId],
    positions: &[u32],
    seed: u64,
    sampling: Sampling,
) -> InferenceTask {
    InferenceTask::Predict {
        model: model.manifest().id(),
        job: JOB,
        prompt: bounded(prompt),
        output: bounded(output),
        positions: bounded(positions),
        seed,
        sampling,
    }
}

fn generate(
    model: &dyn LanguageModel,
    prompt: &[TokenId],
    max_tokens: u32,
    seed: u64,
    sampling: Sampling,
) -> (Vec<TokenId>, Finish) {
    match run_task(model, &generate_task(model, prompt, max_tokens, seed, sampling)) {
        InferenceResult::Generated { output, finish } => (output.into_vec(), finish),
        other => panic!("{other:?}"),
    }
}

fn predictions(result: InferenceResult) -> Vec<Prediction> {
    match result {
        InferenceResult::Predicted { predictions } => predictions.into_vec(),
        other => panic!("{other:?}"),
    }
}

// ---- Generation and prediction ----

#[test]
fn what_a_model_writes_it_predicts() {
    let top = Sampling {
        top_k: 5,
        top_p_milli: 900,
        ..WARM
    };
    for (model, prompts) in models() {
        let model = &*model;
        for prompt in &prompts {
            for (seed, sampling) in [(1, Sampling::GREEDY), (1, WARM), (2, WARM), (3, top)] {
                let (output, finish) = generate(model, prompt, 60, seed, sampling);
                let end_tokens = &model.manifest().end_tokens;
                assert_eq!(Finish::derive(&output, end_tokens, 60), Some(finish));
                assert!(
                    output[..output.len() - 1]
                        .iter()
                        .all(|token| !end_tokens.contains(token))
                );

                let claim = Claim {
                    prompt,
                    output: &output,
                    max_tokens: 60,
                    end_tokens,
                    vocabulary: model.manifest().vocabulary,
                };
                let plan = plan(Spec::V2, &claim, 0, &mut Stream::new(1, "rastic"));
                let task = predict_task(model, prompt, &output, &plan.positions, seed, sampling);
                let result = run_task(model, &task);
                let verdict = judge_result(&plan, &claim, &model.manifest().profile, &result);
                assert_eq!(verdict, Verdict::Valid);
                assert!(
                    predictions(result)
                        .iter()
                        .all(|prediction| prediction.gap_milli == 0)
                );
            }
        }
    }
}

#[test]
fn a_wrong_token_has_a_gap() {
    for (model, prompts) in models() {
        let model = &*model;
        for prompt in &prompts {
            let (mut output, _) = generate(model, prompt, 9, 1, WARM);
            let honest = output[0];
            output[0] = (honest + 1) % model.manifest().vocabulary;
            let at = length(prompt);
            let task = predict_task(model, prompt, &output, &[at], 1, WARM);
            let prediction = predictions(run_task(model, &task))[0];
            assert_eq!(prediction.token, honest);
            assert!(prediction.gap_milli > 0);
        }
    }
}

#[test]
fn nothing_is_claimed_behind_the_output() {
    let model = hash_model();
    let task = predict_task(&model, &[1, 2], &[3], &[3, 0], 1, WARM);
    let predictions = predictions(run_task(&model, &task));
    assert_eq!(predictions[0].gap_milli, 0);
    assert!(
        predictions[1].gap_milli > 0,
        "positions are answered in their order"
    );
}

#[test]
fn a_prefix_is_continued_as_if_it_had_just_been_written() {
    let model = hash_model();
    let (output, finish) = generate(&model, &[9, 9], 50, 5, WARM);
    for written in 0..=output.len() {
        let InferenceTask::Generate {
            model: id,
            job,
            prompt,
            max_tokens,
            seed,
            sampling,
            ..
        } = generate_task(&model, &[9, 9], 50, 5, WARM)
        else {
            unreachable!("made above")
        };
        let prefix = bounded(&output[..written]);
        let task = InferenceTask::Generate {
            model: id,
            job,
            prompt,
            prefix,
            max_tokens,
            seed,
            sampling,
        };
        let output = bounded(&output);
        assert_eq!(
            run_task(&model, &task),
            InferenceResult::Generated { output, finish }
        );
    }
}

#[test]
fn seeds_and_jobs_decide_when_it_is_warm() {
    for (model, prompts) in models() {
        let outputs = |sampling| {
            let outputs = prompts.iter().flat_map(|prompt| {
                let model = &*model;
                (0..10).map(move |seed| (prompt, generate(model, prompt, 40, seed, sampling)))
            });
            outputs
                .map(|(prompt, (output, _))| (prompt, output))
                .collect::<BTreeSet<_>>()
                .len()
        };
        assert_eq!(outputs(Sampling::GREEDY), prompts.len());
        assert!(outputs(WARM) > 5 * prompts.len());
    }
    let scores: Vec<Score> = (0..8)
        .map(|token| Score {
            token,
            logit: Logit::from_milli(0),
        })
        .collect();
    let token = |job| {
        let draw = Draw {
            seed: 1,
            job: JobId([job; 32]),
            sampling: WARM,
        };
        draw.predict(0, &scores, None).token
    };
    assert!((1..20).any(|job| token(job) != token(0)));
}

#[test]
fn outputs_do_not_change() {
    let written = |model: &NgramModel, sampling| {
        let prompt = model.words().encode("In the beginning");
        model.words().decode(&generate(model, &prompt, 24, 1, sampling).0)
    };
    assert_eq!(
        written(&trigram(), Sampling::GREEDY),
        ", between me and thee, and the morning were the families of the LORD God said, I will not destroy it."
    );
    assert_eq!(written(&trigram(), WARM), "God created and made.");
    assert_eq!(
        generate(&hash_model(), &[4, 5, 6], 8, 1, WARM).0,
        [15, 44, 7, 116, 61, 232, 103, 223]
    );
}

#[test]
fn some_outputs_end_and_some_reach_the_limit() {
    for (model, prompts) in models() {
        let ended = prompts
            .iter()
            .flat_map(|prompt| (0..20).map(move |seed| (prompt, seed)))
            .map(|(prompt, seed)| generate(&*model, prompt, 40, seed, WARM).1)
            .collect::<Vec<_>>();
        assert!(ended.contains(&Finish::EndToken));
        assert!(ended.contains(&Finish::Limit));
    }
}

// ---- Imitations ----

/// How often, in thousandths, `cheap` would have written what `model` wrote.
fn agreement_permille(model: &dyn LanguageModel, cheap: &dyn LanguageModel, prompts: &[Vec<TokenId>]) -> u64 {
    let (mut same, mut all) = (0, 0);
    for prompt in prompts {
        for seed in 0..10 {
            let (output, _) = generate(model, prompt, 60, seed, WARM);
            let first = length(prompt);
            let positions: Vec<u32> = (first..).take(output.len()).collect();
            let task = predict_task(cheap, prompt, &output, &positions, seed, WARM);
            for (prediction, token) in predictions(run_task(cheap, &task)).iter().zip(&output) {
                same += u64::from(prediction.token == *token);
                all += 1;
            }
        }
    }
    same * 1000 / all
}

#[test]
fn lower_orders_agree_part_of_the_time() {
    let (_, prompts) = models().swap_remove(0);
    let cheap = |order| NgramModel::train(order, NgramModel::TEXT);
    let bigram = agreement_permille(&trigram(), &cheap(2), &prompts);
    let unigram = agreement_permille(&trigram(), &cheap(1), &prompts);
    assert!((200..950).contains(&bigram), "bigram: {bigram}");
    assert!((0..bigram).contains(&unigram), "unigram: {unigram}");
}

#[test]
fn an_imitation_agrees_where_it_is_easy() {
    let (_, prompts) = models().swap_remove(1);
    let share = |hard_permille| {
        let model = HashModel::new(HashModelConfig {
            hard_permille,
            ..HashModelConfig::default()
        });
        agreement_permille(&model, &model.imitation(1), &prompts)
    };
    assert_eq!(share(0), 1000);
    let (some, all) = (share(250), share(1000));
    assert!((700..900).contains(&some), "a quarter hard: {some}");
    assert!((50..500).contains(&all), "all hard: {all}");
}

#[test]
fn a_quantized_model_agrees_nearly_always() {
    let (_, prompts) = models().swap_remove(1);
    let model = hash_model();
    let share = |step_milli| agreement_permille(&model, &model.quantized(step_milli), &prompts);
    assert_eq!(share(1), 1000);
    let (fine, coarse) = (share(100), share(500));
    assert!(coarse < fine && fine < 1000, "{coarse} {fine}");
    assert!((900..990).contains(&coarse), "{coarse}");
    assert_ne!(model.quantized(500).manifest().id(), model.manifest().id());
}

#[test]
fn machines_of_one_model_keep_to_its_tolerance() {
    let (_, prompts) = models().swap_remove(1);
    let jitter_milli = 50;
    let model = HashModel::new(HashModelConfig {
        jitter_milli,
        ..HashModelConfig::default()
    });
    let (worker, client) = (model.on_machine(1), model.on_machine(2));
    assert_eq!(worker.manifest(), client.manifest());
    let mut gaps = BTreeSet::new();
    for (seed, prompt) in (0..).zip(&prompts) {
        let (output, _) = generate(&worker, prompt, 200, seed, WARM);
        let positions: Vec<u32> = (length(prompt)..).take(output.len()).collect();
        let task = predict_task(&client, prompt, &output, &positions, seed, WARM);
        gaps.extend(
            predictions(run_task(&client, &task))
                .iter()
                .map(|at| at.gap_milli),
        );
    }
    assert!(gaps.len() > 1, "the machines differ somewhere");
    assert!(
        gaps.iter().all(|gap| *gap <= 4 * u32::from(jitter_milli)),
        "{gaps:?}"
    );
}

// ---- Refusals ----

#[test]
fn bad_tasks_fail_with_a_reason() {
    let model = hash_model();
    let context = model.manifest().context;
    assert_eq!(context, 8192, "the cases below need prompt + limit = context + 1");
    let failed = |task: &InferenceTask| match run_task(&model, task) {
        InferenceResult::Failed { reason } => !reason.as_str().is_empty(),
        _ => false,
    };
    let hot = Sampling {
        temperature_milli: 10_001,
        ..WARM
    };
    assert!(!failed(&generate_task(&model, &[255], 4, 1, WARM)));
    assert!(failed(&generate_task(&model, &[256], 4, 1, WARM)));
    assert!(failed(&generate_task(&model, &[1], 0, 1, WARM)));
    assert!(failed(&generate_task(&model, &[1], 4097, 1, WARM)));
    assert!(failed(&generate_task(&model, &[1], u32::MAX, 1, WARM)));
    assert!(failed(&generate_task(&model, &[1], 4, 1, hot)));
    assert!(!failed(&predict_task(&model, &[1], &[255], &[2], 1, WARM)));
    assert!(failed(&predict_task(&model, &[1], &[256], &[1], 1, WARM)));
    assert!(failed(&predict_task(&model, &[1], &[2], &[3], 1, WARM)));
    assert!(failed(&predict_task(&model, &[1], &[2], &[1], 1, hot)));

    let mut other = generate_task(&model, &[1], 4, 1, WARM);
    if let InferenceTask::Generate { model, .. } = &mut other {
        *model = ModelId([1; 32]);
    }
    assert!(failed(&other));
}

/// A model with room for four tokens.
struct Small(camelid_core::model::Manifest);

impl LanguageModel for Small {
    fn manifest(&self) -> &camelid_core::model::Manifest {
        &self.0
    }
    fn predict(&self, _: &Draw, prefix: &[TokenId], _: Option<TokenId>) -> Prediction {
        assert!(prefix.len() <= 4, "asked beyond the context");
        Prediction {
            token: 1,
            ..Prediction::default()
        }
    }
}

#[test]
fn the_context_is_kept() {
    let mut manifest = hash_model().manifest().clone();
    manifest.context = 4;
    manifest.profile = NumericsProfile::exact("small");
    let model = Small(manifest);
    let failed = |task| matches!(run_task(&model, &task), InferenceResult::Failed { .. });
    assert!(!failed(generate_task(&model, &[1, 1], 2, 1, WARM)));
    assert!(failed(generate_task(&model, &[1, 1], 3, 1, WARM)));
    assert!(!failed(predict_task(&model, &[1, 1], &[1, 1], &[4], 1, WARM)));
    assert!(failed(predict_task(&model, &[1, 1], &[1, 1, 1], &[2], 1, WARM)));
}

// ---- Text ----

#[test]
fn text_survives_its_tokens() {
    let model = trigram();
    let verse = "And God said, Let there be light: and there was light.";
    assert_eq!(model.words().decode(&model.words().encode(verse)), verse);
    assert_eq!(
        model.words().decode(&model.words().encode("light blockchain")),
        "light <unknown>"
    );
}
