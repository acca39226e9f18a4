//! Claims out of traces, judged again: nothing is lost, and what is said about all draws is what
//! drawing gives.

mod support;

use camelid_core::keys::SharedVerifier;
use camelid_core::model::{
    InferenceResult, InferenceTask, Manifest, NumericsProfile, Prediction, Sampling, TokenId,
};
use camelid_core::primitives::{BoundedVec, JobId, Stream};
use camelid_core::rastic::{Claim, Spec, Verdict, judge, plan};
use camelid_sim::model::{Draw, HashModel, HashModelConfig, LanguageModel, Logit, Score, run_task};
use camelid_sim::scenario::{Scenario, Setup};
use camelid_sim::trace::{Odds, Rejudge, Source, Trace, TracedClaim, TracedClaims, claims};
use camelid_sim::{MemoVerifier, run};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Two nodes and three jobs; the worker swaps a token in each output. Outputs end by themselves.
fn cheated(spec: &str) -> Scenario {
    support::parse(&format!(
        r#"
name = "cheated"
about = "One token of each output is swapped."

[run]
until_ms = 260_000
heal_at_ms = 0

[network]
peers = 1
latency_ms = 5

[chain]
spacing_s = 12
challenge = 9

[model]
end_permille = 30
token_ms = 1

[[nodes]]
name = "cheat"
roles = ["worker", "miner"]
strategy = "substitution"
coins = 3

[[nodes]]
name = "client"
roles = ["client"]
coins = 7

[[jobs]]
client = "client"
count = 3
start_ms = 100
every_ms = 10
prompt_tokens = 4
max_tokens = 300
spec = "{spec}"
samples = 6

[expect]
sometimes = [{{ event = "attack:substitution" }}]
"#
    ))
}

fn claims_of(scenario: &Scenario, seed: u64) -> TracedClaims {
    let trace = Trace::read(&run(scenario, seed).trace).expect("a whole trace");
    claims(&trace).expect("a trace of this program")
}

/// A run whose clients checked every position.
fn checked() -> &'static (Scenario, Vec<u8>) {
    static CHECKED: OnceLock<(Scenario, Vec<u8>)> = OnceLock::new();
    CHECKED.get_or_init(|| {
        let scenario = cheated("v2");
        let trace = run(&scenario, 0).trace;
        (scenario, trace)
    })
}

fn checked_claims() -> TracedClaims {
    claims(&Trace::read(&checked().1).expect("a whole trace")).expect("a trace of this program")
}

#[test]
fn every_opened_output_is_a_claim() {
    let (scenario, _) = checked();
    let report = run(scenario, 0).report;
    let traced = checked_claims();
    assert!(traced.claims.len() >= 2, "the run shows something");
    assert_eq!(traced.claims.len() as u64, report.counts["delivery-opened"]);
    assert_eq!(traced.jobs as u64, report.counts["job-offered"]);
    let settled = traced
        .claims
        .iter()
        .filter(|claim| claim.outcome.is_some())
        .count();
    assert_eq!(settled as u64, report.jobs.settled);
    for claim in &traced.claims {
        let node = traced.node_of(claim).expect("the node that engaged");
        assert_eq!(
            (&*node.name, node.strategy.as_deref()),
            ("cheat-0", Some("substitution"))
        );
        assert!(
            matches!(claim.verdict, Some(Verdict::Invalid { .. })),
            "{:?}",
            claim.verdict
        );
    }
}

#[test]
fn clients_that_do_not_check_leave_claims_too() {
    let text = cheated("v2")
        .text
        .replace("roles = [\"client\"]", "roles = [\"client\"]\nverify = \"no\"");
    let traced = claims_of(&support::parse(&text), 0);
    assert!(!traced.claims.is_empty());
    for claim in &traced.claims {
        assert_eq!((claim.verdict, claim.predictions.len()), (None, 0));
        let judgement = Rejudge::new(&traced, claim).judge(Spec::V2, 0);
        assert_eq!(judgement.source, Source::Model);
        assert!(matches!(judgement.verdict, Verdict::Invalid { .. }));
    }
}

#[test]
fn recorded_predictions_and_the_model_say_the_same() {
    let traced = checked_claims();
    for claim in &traced.claims {
        let unrecorded = TracedClaim {
            predictions: BTreeMap::new(),
            ..claim.clone()
        };
        let (recorded, asked) = (Rejudge::new(&traced, claim), Rejudge::new(&traced, &unrecorded));
        for (spec, samples, source) in [
            (Spec::V2, 0, Source::Recorded),
            (Spec::V1Repaired, 3, Source::Recorded),
            (Spec::V1AsWritten, 1, Source::Model),
        ] {
            let (from_trace, from_model) = (recorded.judge(spec, samples), asked.judge(spec, samples));
            assert_eq!(
                (from_trace.source, from_model.source),
                (source, Source::Model),
                "{spec}"
            );
            assert_eq!(
                (from_trace.verdict, from_trace.odds),
                (from_model.verdict, from_model.odds),
                "{spec}"
            );
        }
        assert_eq!(
            Some(recorded.judge(Spec::V2, 0).verdict),
            claim.verdict,
            "nothing is drawn under v2"
        );
    }
}

#[test]
fn the_swapped_token_is_the_one_fault() {
    let traced = checked_claims();
    for claim in &traced.claims {
        let bench = Rejudge::new(&traced, claim);
        let interior = u32::try_from(claim.output.len()).expect("few") - 2;
        for samples in [0, 1, 5, interior, 4_096] {
            let judgement = bench.judge(Spec::V1Repaired, samples);
            let expected = Odds {
                fixed: Verdict::Valid,
                positions: interior,
                faults: 1,
                doubts: 0,
                samples: samples.min(interior),
            };
            assert_eq!(judgement.odds, expected);
            let (paid, slashed) = judgement.paid_and_slashed(claim);
            let caught = matches!(judgement.verdict, Verdict::Invalid { .. });
            assert_eq!((paid.is_zero(), slashed.is_zero()), (caught, !caught));
            assert!(caught || samples < interior, "all positions were drawn");
        }
    }
}

/// The rate at which clients of whole simulations find the swapped token is the exact one: within
/// four standard deviations, that is with 99.99 % confidence, of the sum of the claims' chances.
#[test]
fn clients_find_as_often_as_the_formula_says() {
    const SEEDS: u64 = 20;
    let text = cheated("v1-repaired").text;
    let scenario = support::parse(
        &text
            .replace("count = 3", "count = 7")
            .replace("coins = 3", "coins = 7"),
    );
    let (mut found, mut judged, mut expected, mut variance) = (0_u32, 0_u32, 0.0, 0.0);
    for seed in 0..SEEDS {
        let traced = claims_of(&scenario, seed);
        for claim in &traced.claims {
            let Some(verdict) = claim.verdict else { continue };
            let odds = Rejudge::new(&traced, claim).judge(Spec::V1Repaired, 6).odds;
            let chance = invalid_share(&odds);
            judged += 1;
            found += u32::from(matches!(verdict, Verdict::Invalid { .. }));
            expected += chance;
            variance += chance * (1.0 - chance);
        }
    }
    assert!(judged > 100 && found > 0 && found < judged, "{found} of {judged}");
    let off = (f64::from(found) - expected).abs();
    assert!(
        off < 4.0 * variance.sqrt(),
        "found {found} of {judged}, expected {expected:.1} ± {:.1}",
        variance.sqrt()
    );
}

/// `C(n, m)`, for numbers small enough.
fn binomial(n: u32, m: u32) -> f64 {
    (0..m)
        .map(|i| f64::from(n.saturating_sub(i)) / f64::from(i + 1))
        .product()
}

/// The share of draws that hold none of `bad` positions.
fn avoiding(odds: &Odds, bad: u32) -> f64 {
    binomial(odds.positions - bad, odds.samples) / binomial(odds.positions, odds.samples)
}

fn invalid_share(odds: &Odds) -> f64 {
    match odds.fixed {
        Verdict::Invalid { .. } => 1.0,
        Verdict::Valid | Verdict::Inconclusive { .. } => 1.0 - avoiding(odds, odds.faults),
    }
}

fn valid_share(odds: &Odds) -> f64 {
    match odds.fixed {
        Verdict::Valid => avoiding(odds, odds.faults + odds.doubts),
        Verdict::Invalid { .. } | Verdict::Inconclusive { .. } => 0.0,
    }
}

/// A model that says of each position whether the claimed token is right.
struct Told {
    manifest: Manifest,
    /// How far the claimed token is off at each position: in its place the model writes [`OTHER`].
    gaps: Vec<u16>,
}

const OTHER: TokenId = 250;
const LAST: TokenId = 9;
const TOLERANCE: u32 = 100;

impl LanguageModel for Told {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        let gap = self.gaps.get(prefix.len()).copied().unwrap_or_default();
        let claimed = claimed.unwrap_or(LAST);
        let mut scores = vec![Score {
            token: claimed,
            logit: Logit::from_milli(0),
        }];
        if gap > 0 {
            scores.push(Score {
                token: OTHER,
                logit: Logit::from_milli(gap.into()),
            });
        }
        draw.predict(prefix.len(), &scores, Some(claimed))
    }
}

/// A claim with the given gaps at its positions, before a model with or without a tolerance.
fn told(gaps: Vec<u16>, prompt: usize, exact: bool, ends: bool) -> TracedClaims {
    let (mut setup, mut claim) = template();
    let tokens = |range: std::ops::Range<usize>| range.map(|at| u32::try_from(at).expect("few") + 10);
    let length = gaps.len() - 1;
    let mut output: Vec<TokenId> = tokens(prompt..length).collect();
    if let Some(last) = output.last_mut() {
        *last = LAST;
    }
    let mut manifest = HashModel::new(HashModelConfig::default()).manifest().clone();
    manifest.end_tokens = BoundedVec::from_vec(if ends { vec![LAST] } else { vec![] }).expect("one");
    if !exact {
        manifest.profile = NumericsProfile::tolerant("told", TOLERANCE, 2 * TOLERANCE).expect("a profile");
    }
    claim.terms.model = manifest.id();
    claim.terms.sampling = Sampling::GREEDY;
    claim.terms.max_tokens = u32::try_from(output.len()).expect("few");
    claim.prompt = BoundedVec::from_vec(tokens(0..prompt).collect()).expect("few");
    claim.output = BoundedVec::from_vec(output).expect("few");
    claim.predictions.clear();
    claim.job = JobId([1; 32]);
    setup.nodes[0].models.full = Arc::new(Told { manifest, gaps });
    TracedClaims {
        setup,
        claims: vec![claim],
        jobs: 1,
    }
}

/// A setup, and a claim to change.
fn template() -> (Setup, TracedClaim) {
    static CLAIM: OnceLock<TracedClaim> = OnceLock::new();
    let verifier: SharedVerifier = Arc::new(MemoVerifier::new());
    let setup = Setup::draw(&checked().0, 0, &verifier);
    let claim = CLAIM.get_or_init(|| checked_claims().claims.remove(0));
    (setup, claim.clone())
}

/// The verdicts of all draws, each draw once, by drawing until no new one can be expected.
fn verdicts_of_all_draws(traced: &TracedClaims, spec: Spec, samples: u32) -> Vec<Verdict> {
    let (traced_claim, model) = (&traced.claims[0], traced.setup.model());
    let claim: Claim<'_> = traced_claim.claim(model.manifest());
    let mut draws = BTreeMap::new();
    for seed in 0..400 {
        let plan = plan(spec, &claim, samples, &mut Stream::new(seed, "all draws"));
        let task = InferenceTask::Predict {
            model: model.manifest().id(),
            job: traced_claim.job,
            prompt: traced_claim.prompt.clone(),
            output: traced_claim.output.clone(),
            positions: BoundedVec::from_vec(plan.positions.clone()).expect("few"),
            seed: 0,
            sampling: Sampling::GREEDY,
        };
        let InferenceResult::Predicted { predictions } = run_task(model, &task) else {
            panic!("the model runs");
        };
        // Drawing a position that is checked anyway is a draw of its own: roles tell them apart.
        let draw: Vec<_> = plan.checks().to_vec();
        draws.insert(
            draw,
            judge(&plan, &claim, &model.manifest().profile, &predictions),
        );
    }
    draws.into_values().collect()
}

/// Mostly right; else right for the tolerant only, doubtful, or wrong.
fn gap() -> impl Strategy<Value = u16> {
    prop_oneof![4 => Just(0_u16), 1 => Just(50), 1 => Just(150), 1 => Just(1_000)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn odds_are_the_shares_of_all_draws(
        gaps in prop::collection::vec(gap(), 6..11),
        prompt in 1..4_usize,
        exact in any::<bool>(),
        ends in any::<bool>(),
        samples in 0..4_u32,
    ) {
        let traced = told(gaps, prompt, exact, ends);
        let bench = Rejudge::new(&traced, &traced.claims[0]);
        for spec in Spec::ALL {
            let judgement = bench.judge(spec, samples);
            let odds = judgement.odds;
            let verdicts = verdicts_of_all_draws(&traced, spec, samples);
            let draws = binomial(odds.positions, odds.samples);
            prop_assert!((verdicts.len() as f64 - draws).abs() < 1e-6, "{} of {draws} draws", verdicts.len());
            let share = |test: fn(&Verdict) -> bool| {
                verdicts.iter().filter(|verdict| test(verdict)).count() as f64 / draws
            };
            let invalid = share(|verdict| matches!(verdict, Verdict::Invalid { .. }));
            let valid = share(|verdict| *verdict == Verdict::Valid);
            prop_assert!((invalid_share(&odds) - invalid).abs() < 1e-9, "{spec} {odds:?}: invalid {invalid}");
            prop_assert!((valid_share(&odds) - valid).abs() < 1e-9, "{spec} {odds:?}: valid {valid}");
            prop_assert!(verdicts.contains(&judgement.verdict), "the draw is one of them");
        }
    }
}

#[test]
fn a_model_that_cannot_run_leaves_only_the_shape() {
    let mut traced = checked_claims();
    let claim = &mut traced.claims[0];
    claim.predictions.clear();
    claim.terms.model.0[0] ^= 1;
    let judgement = Rejudge::new(&traced, &traced.claims[0]).judge(Spec::V2, 1);
    assert!(
        matches!(judgement.verdict, Verdict::Inconclusive { .. }),
        "{:?}",
        judgement.verdict
    );
    assert_eq!(judgement.odds.fixed, judgement.verdict);
    traced.claims[0].terms.max_tokens = 1;
    let judgement = Rejudge::new(&traced, &traced.claims[0]).judge(Spec::V2, 1);
    assert!(
        matches!(judgement.verdict, Verdict::Invalid { .. }),
        "{:?}",
        judgement.verdict
    );
}
