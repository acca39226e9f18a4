//! What the forgeries leave behind, held against the model itself.

use super::*;
use crate::model::{Draw, HashModel, HashModelConfig, NgramModel};
use camelid_core::rastic::{Claim, Spec, Verdict, judge_result, plan};
use std::sync::Arc;

const JOBS: u64 = 16;

/// Forgeries that a node can commit to, each with a name for messages.
const WHOLE: &[(&str, Forge)] = &[
    ("garbage", edit::garbage),
    ("one token", edit::one_token),
    ("early end", edit::early_end),
    ("padding", edit::padding),
    ("substitution", rerun::substitution),
    ("splice", rerun::splice),
    ("draft between honest ends", rerun::draft_between_honest_ends),
    ("smaller model", rerun::smaller_model),
    ("quantized model", rerun::quantized_model),
    ("late draft", rerun::late_draft),
    ("prompt cut", rerun::prompt_cut),
    ("wrong seed", rerun::wrong_seed),
    ("wrong temperature", rerun::wrong_temperature),
];

/// Forgeries that no opening can have a right finish for.
const BROKEN: &[(&str, Forge)] = &[
    ("truncation", edit::truncation),
    ("over limit", edit::over_limit),
    ("empty", edit::empty),
];

fn models(end_permille: u16) -> Models {
    let model = HashModel::new(HashModelConfig {
        end_permille,
        ..HashModelConfig::default()
    });
    Models {
        draft: Arc::new(model.imitation(1)),
        coarse: Arc::new(model.quantized(500)),
        full: Arc::new(model),
    }
}

fn job(number: u64) -> Job {
    let mut stream = Stream::new(number, "job");
    Job {
        id: JobId(stream.bytes32()),
        prompt: (0..8).map(|_| 1 + u32::from(stream.bytes32()[0]) % 255).collect(),
        max_tokens: 60,
        seed: stream.next_u64(),
        sampling: Sampling {
            temperature_milli: 1000,
            ..Sampling::GREEDY
        },
    }
}

/// A job, its honest output, and what a forgery made of it.
struct Case {
    job: Job,
    honest: Vec<TokenId>,
    output: Vec<TokenId>,
}

/// What `forge` makes of each job; those that it leaves alone are missing.
fn cases(models: &Models, forge: Forge) -> Vec<Case> {
    (0..JOBS)
        .filter_map(|number| case(models, job(number), &[], forge))
        .collect()
}

fn case(models: &Models, job: Job, earlier: &[(Job, Vec<TokenId>)], forge: Forge) -> Option<Case> {
    let honest = job.write(&*models.full, &[]).expect("an output");
    let mut forger = Forger {
        job: &job,
        honest: &honest,
        earlier,
        models,
        stream: &mut Stream::new(job.seed, "forger"),
    };
    let output = forge(&mut forger)?;
    Some(Case { job, honest, output })
}

/// Positions of the output at which the model writes another token.
fn inconsistencies(models: &Models, case: &Case) -> Vec<usize> {
    let draw = Draw {
        seed: case.job.seed,
        job: case.job.id,
        sampling: case.job.sampling,
    };
    let follows = |position: &usize| {
        let prefix = [&case.job.prompt[..], &case.output[..*position]].concat();
        models.full.predict(&draw, &prefix, None).token == case.output[*position]
    };
    (0..case.output.len())
        .filter(|position| !follows(position))
        .collect()
}

fn finish(models: &Models, case: &Case) -> Option<Finish> {
    let end_tokens = &models.full.manifest().end_tokens;
    Finish::derive(&case.output, end_tokens, case.job.max_tokens)
}

/// The verdict of a check whose positions are drawn from `stream`.
fn verdict(models: &Models, case: &Case, spec: Spec, samples: u32, stream: &mut Stream) -> Verdict {
    let manifest = models.full.manifest();
    let claim = Claim {
        prompt: &case.job.prompt,
        output: &case.output,
        max_tokens: case.job.max_tokens,
        end_tokens: &manifest.end_tokens,
        vocabulary: manifest.vocabulary,
    };
    let plan = plan(spec, &claim, samples, stream);
    let task = InferenceTask::Predict {
        model: manifest.id(),
        job: case.job.id,
        prompt: BoundedVec::from_vec(case.job.prompt.clone()).expect("a short prompt"),
        output: BoundedVec::from_vec(case.output.clone()).expect("a short output"),
        positions: BoundedVec::from_vec(plan.positions.clone()).expect("few positions"),
        seed: case.job.seed,
        sampling: case.job.sampling,
    };
    judge_result(&plan, &claim, &manifest.profile, &run_task(&*models.full, &task))
}

#[test]
fn what_is_forged_differs_and_never_passes() {
    for end_permille in [0, 40] {
        let models = models(end_permille);
        for (name, forge) in WHOLE {
            let cases = cases(&models, *forge);
            assert!(cases.len() > 2, "{name} attacks {}", cases.len());
            for case in cases {
                assert_ne!(case.output, case.honest, "{name}");
                assert!(finish(&models, &case).is_some(), "{name} has an end");
                assert_ne!(inconsistencies(&models, &case), [], "{name}");
                let verdict = verdict(&models, &case, Spec::V2, 0, &mut Stream::new(0, "unused"));
                assert!(matches!(verdict, Verdict::Invalid { .. }), "{name}: {verdict:?}");
            }
        }
    }
}

#[test]
fn what_is_broken_has_no_finish() {
    let models = models(40);
    for (name, forge) in BROKEN {
        let cases = cases(&models, *forge);
        assert!(cases.len() > 2, "{name} attacks {}", cases.len());
        for case in cases {
            assert_eq!(finish(&models, &case), None, "{name}");
        }
    }
}

#[test]
fn a_substitution_has_one_inconsistency_inside() {
    let models = models(0);
    for case in cases(&models, rerun::substitution) {
        let wrong = inconsistencies(&models, &case);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!((1..case.output.len() - 1).contains(&wrong[0]), "{wrong:?}");
    }
}

/// `k` inconsistent positions among `n` escape `m` draws without repetition with probability
/// C(n - k, m) / C(n, m).
#[test]
fn samples_catch_as_often_as_they_should() {
    const DRAWS: u32 = 100;
    let models = models(0);
    let escape = |n: u32, k: u32, m: u32| -> f64 {
        (0..m)
            .map(|drawn| f64::from(n - k - drawn) / f64::from(n - drawn))
            .product()
    };
    let tried: [(Forge, u32); 3] = [
        (rerun::substitution, 1),
        (rerun::substitution, 8),
        (edit::one_token, 4),
    ];
    for (forge, samples) in tried {
        let (mut caught, mut expected, mut variance) = (0.0, 0.0, 0.0);
        for case in cases(&models, forge) {
            let wrong = inconsistencies(&models, &case);
            let interior = 1..case.output.len() - 1;
            // What shows at the last token is always found.
            if !wrong.iter().all(|position| interior.contains(position)) {
                continue;
            }
            let count = |length: usize| u32::try_from(length).expect("a short output");
            let chance = 1.0 - escape(count(interior.len()), count(wrong.len()), samples);
            expected += chance * f64::from(DRAWS);
            variance += chance * (1.0 - chance) * f64::from(DRAWS);
            let stream = &mut Stream::new(case.job.seed, "challenge");
            for _ in 0..DRAWS {
                let verdict = verdict(&models, &case, Spec::V1Repaired, samples, stream);
                caught += f64::from(u8::from(verdict != Verdict::Valid));
            }
        }
        let deviation: f64 = caught - expected;
        assert!(
            expected > 20.0 && deviation.abs() < 4.0 * variance.sqrt(),
            "{samples}: {caught} {expected}"
        );
    }
}

#[test]
fn an_edit_or_a_seam_shows_as_far_as_the_model_looks_back() {
    let models = models(0);
    let look_back = HashModelConfig::default().look_back;
    let forgeries: [(&str, Forge, usize); 2] = [
        ("edit", edit::one_token, look_back + 1),
        ("splice", rerun::splice, look_back),
    ];
    for (name, forge, most) in forgeries {
        for case in cases(&models, forge) {
            let wrong = inconsistencies(&models, &case);
            let (first, last) = (wrong[0], wrong[wrong.len() - 1]);
            assert!(first > 0 && last - first < most, "{name}: {wrong:?}");
        }
    }
}

#[test]
fn a_draft_can_have_honest_ends() {
    let models = models(10);
    for case in cases(&models, rerun::draft_between_honest_ends) {
        let wrong = inconsistencies(&models, &case);
        assert!(
            !wrong.contains(&0) && !wrong.contains(&(case.output.len() - 1)),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_late_draft_goes_wrong_late() {
    let models = models(0);
    for case in cases(&models, rerun::late_draft) {
        let wrong = inconsistencies(&models, &case);
        assert!(wrong[0] >= case.honest.len() / 2, "{wrong:?}");
    }
}

/// Pairs of words, without noise: the same word is always followed by the same one.
#[test]
fn what_repeats_itself_can_be_copied() {
    let model: Arc<dyn LanguageModel> = Arc::new(NgramModel::train(2, NgramModel::TEXT));
    let models = Models {
        draft: model.clone(),
        coarse: model.clone(),
        full: model,
    };
    let greedy = |number: u32| Job {
        prompt: vec![100 + number],
        sampling: Sampling::GREEDY,
        ..job(number.into())
    };
    let copied: Vec<Case> = (0..40)
        .filter_map(|number| case(&models, greedy(number), &[], edit::repetition))
        .collect();
    assert!(copied.len() > 10, "{} outputs repeat themselves", copied.len());
    for case in copied {
        assert_eq!(case.output, case.honest);
    }
}

#[test]
fn a_kept_answer_is_right_where_there_is_no_noise() {
    let models = models(0);
    for (sampling, right) in [(Sampling::GREEDY, true), (job(0).sampling, false)] {
        let first = Job { sampling, ..job(0) };
        let answer = first.write(&*models.full, &[]).expect("an output");
        let earlier = [(first.clone(), answer.clone())];
        let again = Job {
            id: JobId([9; 32]),
            ..first.clone()
        };
        let other_seed = Job {
            seed: 1,
            ..again.clone()
        };
        assert!(case(&models, first, &earlier, rerun::replay).is_none());
        assert!(case(&models, other_seed, &earlier, rerun::replay).is_none());
        let case = case(&models, again, &earlier, rerun::replay).expect("a replay");
        assert_eq!(case.output, answer);
        assert_eq!(case.output == case.honest, right);
    }
}
