//! What the sampling code finds agrees with what `camelid rastic power` says it finds.

use crate::support::Place;
use camelid_core::model::{InferenceResult, InferenceTask, Prediction, Sampling, TokenId};
use camelid_core::primitives::{BoundedVec, JobId, Stream};
use camelid_core::rastic::{Claim, Spec, Verdict, judge, plan};
use camelid_sim::model::{HashModel, HashModelConfig, LanguageModel, run_task};
use serde_json::Value;
use std::ops::Range;

/// Challenges drawn for each claim.
const STREAMS: u64 = 10_000;
/// Standard deviations that a rate may be off: one comparison in 15,000 would be further off by chance.
/// The seeds are fixed, so a comparison that holds today holds for ever.
const SIGMAS: f64 = 4.0;
const PROMPT: u32 = 12;
const LIMIT: u32 = 400;
const JOB: JobId = JobId([3; 32]);

/// A prompt, and an output with tokens swapped in it, generated honestly after each swap.
struct Cheat {
    model: HashModel,
    prompt: Vec<TokenId>,
    output: Vec<TokenId>,
    /// What the model writes at each position, from the empty prefix to the whole text.
    predictions: Vec<Prediction>,
}

impl Cheat {
    /// Seams are swapped tokens; outputs too short for them are passed over.
    fn with_seams(seams: u32) -> Self {
        let cheats = (0..).filter_map(|language| Self::in_language(language, seams));
        let mut suitable = cheats.filter(|cheat| (40..120).contains(&cheat.output.len()));
        suitable
            .next()
            .expect("a language in which outputs have some length")
    }

    fn in_language(language: u64, seams: u32) -> Option<Self> {
        let model = HashModel::new(HashModelConfig {
            language,
            end_permille: 20,
            ..HashModelConfig::default()
        });
        let mut stream = Stream::new(language, "prompt");
        let token = |_| u32::try_from(stream.range(1, 255)).expect("a byte");
        let prompt: Vec<TokenId> = (0..PROMPT).map(token).collect();
        let mut output = generate(&model, &prompt, &[]);
        for seam in 0..seams as usize {
            let at = 2 + 3 * seam;
            if at + 1 >= output.len() {
                return None;
            }
            let swapped = 1 + output[at] % 255;
            output = generate(&model, &prompt, &[&output[..at], &[swapped]].concat());
        }
        let predictions = predict(&model, &prompt, &output);
        Some(Self {
            model,
            prompt,
            output,
            predictions,
        })
    }

    fn claim(&self) -> Claim<'_> {
        Claim {
            prompt: &self.prompt,
            output: &self.output,
            max_tokens: LIMIT,
            end_tokens: &self.model.manifest().end_tokens,
            vocabulary: self.model.manifest().vocabulary,
        }
    }

    fn prediction(&self, position: u32) -> Prediction {
        self.predictions[position as usize]
    }

    /// Positions in `range` at which the model writes something else.
    fn bad_in(&self, range: Range<u32>) -> u32 {
        let claim = self.claim();
        let differs = |position: &u32| claim.token(*position) != Some(self.prediction(*position).token);
        u32::try_from(range.filter(differs).count()).expect("few")
    }

    /// In how many of [`STREAMS`] challenges the claim is found invalid.
    fn times_found(&self, spec: Spec, samples: u32) -> u32 {
        let claim = self.claim();
        let found = |seed: &u64| {
            let plan = plan(spec, &claim, samples, &mut Stream::new(*seed, "detection"));
            let positions = plan.positions.iter();
            let predictions: Vec<Prediction> = positions.map(|position| self.prediction(*position)).collect();
            let verdict = judge(&plan, &claim, &self.model.manifest().profile, &predictions);
            matches!(verdict, Verdict::Invalid { .. })
        };
        u32::try_from((0..STREAMS).filter(found).count()).expect("few")
    }
}

fn generate(model: &HashModel, prompt: &[TokenId], prefix: &[TokenId]) -> Vec<TokenId> {
    let task = InferenceTask::Generate {
        model: model.manifest().id(),
        job: JOB,
        prompt: bounded(prompt),
        prefix: bounded(prefix),
        max_tokens: LIMIT,
        seed: 0,
        sampling: Sampling::GREEDY,
    };
    match run_task(model, &task) {
        InferenceResult::Generated { output, .. } => output.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn predict(model: &HashModel, prompt: &[TokenId], output: &[TokenId]) -> Vec<Prediction> {
    let length = u32::try_from(prompt.len() + output.len()).expect("few");
    let task = InferenceTask::Predict {
        model: model.manifest().id(),
        job: JOB,
        prompt: bounded(prompt),
        output: bounded(output),
        positions: bounded(&(0..=length).collect::<Vec<u32>>()),
        seed: 0,
        sampling: Sampling::GREEDY,
    };
    match run_task(model, &task) {
        InferenceResult::Predicted { predictions } => predictions.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn bounded<T: Clone, const MAX: usize>(list: &[T]) -> BoundedVec<T, MAX> {
    BoundedVec::from_vec(list.to_vec()).expect("a short list")
}

fn exact(n: u32, k: u32, m: u32) -> f64 {
    let ran = Place::new().camelid(&format!("rastic power --n {n} --k {k} --m {m} --json"));
    let record: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
    record["detection"].as_f64().expect("a number")
}

/// The rate found lies within [`SIGMAS`] of the binomial distribution around the exact chance.
fn assert_near(found: u32, chance: f64, what: &str) {
    let draws = STREAMS as f64;
    let (expected, deviation) = (draws * chance, (draws * chance * (1.0 - chance)).sqrt());
    let off = (f64::from(found) - expected).abs();
    assert!(
        off <= SIGMAS * deviation,
        "{what}: found {found}, expected {expected:.1} ± {deviation:.1}"
    );
}

#[test]
fn samples_of_the_repaired_check_find_the_hypergeometric_share() {
    for seams in 0..=6 {
        let cheat = Cheat::with_seams(seams);
        let claim = cheat.claim();
        let (first, last) = (claim.prompt_len(), claim.len() - 1);
        let (n, k) = (last - first - 1, cheat.bad_in(first + 1..last));
        assert_eq!(k, seams, "each seam is one inconsistency");
        assert_eq!(
            cheat.bad_in(first..first + 1) + cheat.bad_in(last..last + 1),
            0,
            "the ends are honest"
        );
        for m in [1, 2, 5, 16, n] {
            let what = format!("{k} of {n}, {m} samples");
            assert_near(cheat.times_found(Spec::V1Repaired, m), exact(n, k, m), &what);
        }
    }
}

/// The paper's one draw falls on the user's own tokens as well (hole H1), so honest claims fail too.
#[test]
fn the_draw_of_the_paper_finds_its_share_of_prompt_and_output() {
    for seams in [0, 1, 6] {
        let cheat = Cheat::with_seams(seams);
        let claim = cheat.claim();
        let drawn = 2..claim.len() - 1;
        let (n, k) = (claim.len() - 3, cheat.bad_in(drawn));
        assert!(k > seams, "prompts are not what the model writes");
        assert_near(
            cheat.times_found(Spec::V1AsWritten, 1),
            exact(n, k, 1),
            &format!("{k} of {n}"),
        );
    }
}

#[test]
fn a_check_of_all_positions_finds_everything_and_nothing_else() {
    for seams in 0..=6 {
        let found = Cheat::with_seams(seams).times_found(Spec::V2, 1);
        assert_eq!(
            u64::from(found),
            if seams == 0 { 0 } else { STREAMS },
            "{seams} seams"
        );
    }
}
