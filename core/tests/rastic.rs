//! What a claim is, where it is checked and how it is judged, on a toy model that costs nothing.

use camelid_core::model::{InferenceResult, NumericsProfile, Prediction, Text, TokenId};
use camelid_core::primitives::{BoundedVec, Stream};
use camelid_core::rastic::{
    Claim, InconclusiveReason, InvalidReason, Plan, Role, Spec, Verdict, judge, judge_matches, judge_result,
    matches, plan,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const END: TokenId = 999;

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("tests are short")
}

/// The toy model: a token that depends on the last three and on the length, never the one before
/// it, and the end token once `ends_at` tokens stand there.
#[derive(Clone, Copy)]
struct Toy {
    ends_at: usize,
}

impl Toy {
    fn predict(self, prefix: &[TokenId]) -> TokenId {
        if prefix.len() == self.ends_at {
            return END;
        }
        let mix = prefix
            .iter()
            .rev()
            .take(3)
            .fold(prefix.len() as u64, |mix, &token| {
                (mix ^ u64::from(token))
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(29)
            });
        let token = u32::try_from(mix % 997).expect("below 997");
        if prefix.last() == Some(&token) { 997 } else { token }
    }

    /// `prompt` and what the model writes after it.
    fn complete(self, prompt: &[TokenId], length: usize) -> Vec<TokenId> {
        let mut all = prompt.to_vec();
        for _ in 0..length {
            all.push(self.predict(&all));
        }
        all
    }

    /// Predictions for `plan`; a token that is not the model's lies `gap_milli` under the best.
    fn answer(self, plan: &Plan, claim: &Claim<'_>, gap_milli: u32) -> Vec<Prediction> {
        let all = [claim.prompt, claim.output].concat();
        plan.positions
            .iter()
            .map(|&position| {
                let token = self.predict(&all[..position as usize]);
                let claimed = all.get(position as usize).is_none_or(|&claimed| claimed == token);
                let gap_milli = if claimed { 0 } else { gap_milli };
                Prediction {
                    token,
                    gap_milli,
                    ..Prediction::default()
                }
            })
            .collect()
    }

    fn check(self, spec: Spec, claim: &Claim<'_>, samples: u32, seed: u64) -> Verdict {
        let plan = plan(spec, claim, samples, &mut Stream::new(seed, "rastic"));
        let answer = self.answer(&plan, claim, 1_000_000);
        judge(&plan, claim, &NumericsProfile::exact("toy"), &answer)
    }
}

/// A model that never stops by itself.
const ENDLESS: Toy = Toy { ends_at: usize::MAX };

/// `length` tokens none of which the model would have written.
fn foreign_prompt(length: usize) -> Vec<TokenId> {
    let mut prompt = Vec::new();
    for _ in 0..length {
        prompt.push((ENDLESS.predict(&prompt) + 1) % 997);
    }
    prompt
}

fn claim<'a>(prompt: &'a [TokenId], output: &'a [TokenId], max_tokens: u32) -> Claim<'a> {
    Claim {
        prompt,
        output,
        max_tokens,
        end_tokens: &[END],
        vocabulary: u32::MAX,
    }
}

fn roles(plan: &Plan) -> Vec<(u32, Role)> {
    plan.checks()
        .iter()
        .map(|check| (check.position, check.role))
        .collect()
}

/// How many of `seeds` seeds give an invalid verdict.
fn invalid_count(seeds: u64, check: impl Fn(u64) -> Verdict) -> u64 {
    (0..seeds)
        .filter(|&seed| matches!(check(seed), Verdict::Invalid { .. }))
        .count() as u64
}

/// Is `hits` of `trials` within five standard deviations of the probability `part / whole`?
fn assert_frequency(hits: u64, trials: u64, part: u64, whole: u64) {
    // |hits - trials p| <= 5 sqrt(trials p (1 - p)), times `whole`, squared.
    let difference = (hits * whole).abs_diff(trials * part);
    assert!(
        difference * difference <= 25 * trials * part * (whole - part),
        "{hits} of {trials} is not {part}/{whole}"
    );
}

// ---- Positions ----

#[test]
fn the_papers_formulas_are_read_from_zero() {
    // A = 3, B = 5. R[0..3] is the prompt, R[3..8] the output.
    let prompt = [10, 11, 12];
    let ended = [13, 14, 15, 16, END];
    let unended = [13, 14, 15, 16, 17];

    // F(R[0:A]) = R[A+1] counts from one: predict R[3] from R[..3]. X is in 2..=6. The last token
    // is the end token: predict R[7] from R[..7].
    let mut interior = BTreeSet::new();
    for seed in 0..100 {
        let plan = plan(
            Spec::V1AsWritten,
            &claim(&prompt, &ended, 9),
            3,
            &mut Stream::new(seed, "rastic"),
        );
        let drawn: Vec<u32> = roles(&plan)
            .into_iter()
            .filter(|(_, role)| *role == Role::Interior)
            .map(|(position, _)| position)
            .collect();
        assert_eq!(drawn.len(), 1, "the paper draws one X");
        assert!(roles(&plan).contains(&(3, Role::Boundary)));
        assert!(roles(&plan).contains(&(7, Role::End)));
        interior.extend(drawn);
    }
    assert_eq!(interior, (2..=6).collect());

    // At the limit: the predictions from R[..7] and from R[..8] are compared with one another.
    let mut stream = Stream::new(1, "rastic");
    let at_limit = plan(Spec::V1AsWritten, &claim(&prompt, &unended, 5), 3, &mut stream);
    assert!(roles(&at_limit).contains(&(7, Role::LastPredictionRepeats)));
    assert!(at_limit.positions.contains(&7) && at_limit.positions.contains(&8));

    // Neither: the paper has no third case.
    let truncated = plan(Spec::V1AsWritten, &claim(&prompt, &unended, 6), 3, &mut stream);
    assert!(
        roles(&truncated)
            .iter()
            .all(|(_, role)| matches!(role, Role::Boundary | Role::Interior))
    );
}

#[test]
fn draws_do_not_change() {
    let prompt = [0; 100];
    let mut output = vec![1; 50];
    output.push(END);
    let claim = claim(&prompt, &output, 100);
    let positions = |spec| plan(spec, &claim, 4, &mut Stream::new(7, "rastic")).positions;
    assert_eq!(positions(Spec::V1AsWritten), [100, 125, 150]);
    assert_eq!(positions(Spec::V1Repaired), [100, 102, 113, 139, 149, 150]);
    assert_eq!(positions(Spec::V2), (100..151).collect::<Vec<u32>>());
}

#[test]
fn short_claims_have_no_interior() {
    let mut stream = Stream::new(1, "rastic");
    // A + B = 3: 2..=1 is empty.
    let written = plan(Spec::V1AsWritten, &claim(&[1, 2], &[END], 4), 3, &mut stream);
    assert_eq!(roles(&written), [(2, Role::Boundary), (2, Role::End)]);
    let repaired = plan(Spec::V1Repaired, &claim(&[1, 2], &[3, END], 4), 3, &mut stream);
    assert_eq!(roles(&repaired), [(2, Role::Boundary), (3, Role::End)]);
    let nothing = plan(Spec::V2, &claim(&[], &[END], 4), 3, &mut stream);
    assert_eq!(nothing.positions, [0]);
}

proptest! {
    #[test]
    fn repaired_positions_are_distinct_and_in_the_output(
        prompt in 0_usize..40, output in 1_usize..40, samples in 0_u32..60, seed: u64,
    ) {
        let (prompt, output) = (vec![1; prompt], vec![2; output]);
        let claim = claim(&prompt, &output, number(output.len()));
        let plan = plan(Spec::V1Repaired, &claim, samples, &mut Stream::new(seed, "rastic"));
        prop_assert!(plan.positions.is_sorted_by(|a, b| a < b));
        prop_assert!(plan.positions.iter().all(|p| (claim.prompt_len()..claim.len()).contains(p)));
        let interior: BTreeSet<u32> = plan.checks().iter()
            .filter(|check| check.role == Role::Interior).map(|check| check.position).collect();
        let between = claim.output_len().saturating_sub(2);
        prop_assert_eq!(number(interior.len()), samples.min(between));
        prop_assert!(interior.iter().all(|p| (claim.prompt_len() + 1..claim.len() - 1).contains(p)));
    }

    #[test]
    fn v2_asks_everywhere_in_the_output(prompt in 0_usize..40, output in 1_usize..40, seed: u64) {
        let (prompt, output) = (vec![1; prompt], vec![2; output]);
        let claim = claim(&prompt, &output, number(output.len()));
        let plan = plan(Spec::V2, &claim, 0, &mut Stream::new(seed, "rastic"));
        prop_assert_eq!(plan.positions, (claim.prompt_len()..claim.len()).collect::<Vec<_>>());
    }
}

// ---- Honest claims ----

proptest! {
    #[test]
    fn honest_claims_are_valid(
        prompt in 0_usize..30, output in 1_usize..30, by_end: bool, samples in 0_u32..10, seed: u64,
    ) {
        let prompt = foreign_prompt(prompt);
        let toy = if by_end { Toy { ends_at: prompt.len() + output - 1 } } else { ENDLESS };
        let all = toy.complete(&prompt, output);
        let limit = number(output) + u32::from(by_end);
        let claim = claim(&prompt, &all[prompt.len()..], limit);
        prop_assert_eq!(toy.check(Spec::V2, &claim, samples, seed), Verdict::Valid);
        prop_assert_eq!(toy.check(Spec::V1Repaired, &claim, samples, seed), Verdict::Valid);
    }
}

#[test]
fn as_written_turns_honest_nodes_away_for_their_users_words() {
    // H1. A = 100, B = 20: X has 117 values, 98 of them in the prompt.
    let prompt = foreign_prompt(100);
    let toy = Toy { ends_at: 119 };
    let all = toy.complete(&prompt, 20);
    let claim = claim(&prompt, &all[100..], 30);
    let rejected = invalid_count(4000, |seed| toy.check(Spec::V1AsWritten, &claim, 1, seed));
    assert_frequency(rejected, 4000, 98, 117);
}

#[test]
fn as_written_turns_honest_nodes_away_at_the_limit() {
    // H3. The prompt is the model's own, so that nothing else can be wrong.
    let all = ENDLESS.complete(&[], 40);
    let (prompt, output) = all.split_at(20);
    let at_limit = claim(prompt, output, 20);
    for seed in 0..50 {
        let verdict = ENDLESS.check(Spec::V1AsWritten, &at_limit, 1, seed);
        let reason = InvalidReason::LimitRule;
        assert_eq!(verdict, Verdict::Invalid { position: 39, reason });
        assert_eq!(ENDLESS.check(Spec::V2, &at_limit, 1, seed), Verdict::Valid);
    }
}

// ---- Cheats ----

/// An honest run of `length` tokens after `prompt` but for the token at `wrong`, then continued
/// honestly (attack C01).
fn substituted(toy: Toy, prompt: &[TokenId], length: usize, wrong: usize) -> Vec<TokenId> {
    let mut all = toy.complete(prompt, wrong);
    all.push((toy.predict(&all) + 1) % 997);
    let rest = length - wrong - 1;
    toy.complete(&all, rest)
}

proptest! {
    #[test]
    fn v2_finds_every_substitution(
        prompt in 0_usize..30, output in 1_usize..40, wrong: prop::sample::Index, seed: u64,
    ) {
        let prompt = foreign_prompt(prompt);
        let wrong = wrong.index(output);
        let all = substituted(ENDLESS, &prompt, output, wrong);
        let claim = claim(&prompt, &all[prompt.len()..], number(output));
        let position = number(prompt.len() + wrong);
        let expected = Verdict::Invalid { position, reason: InvalidReason::Mismatch };
        prop_assert_eq!(ENDLESS.check(Spec::V2, &claim, 0, seed), expected);
    }
}

#[test]
fn sampling_misses_most_substitutions() {
    // H2. Own prompt of 20 tokens, 32 of output, one of the 30 between the ends is wrong.
    let toy = Toy { ends_at: 51 };
    let prompt = toy.complete(&[], 20);
    let all = substituted(toy, &prompt, 32, 12);
    let claim = claim(&prompt, &all[20..], 40);
    let caught = |spec, samples| invalid_count(4000, |seed| toy.check(spec, &claim, samples, seed));
    assert_frequency(caught(Spec::V1Repaired, 1), 4000, 1, 30);
    assert_frequency(caught(Spec::V1Repaired, 3), 4000, 3, 30);
    assert_frequency(caught(Spec::V1AsWritten, 3), 4000, 1, 49);
    assert_eq!(caught(Spec::V1Repaired, 30), 4000);
    assert_eq!(caught(Spec::V2, 0), 4000);
}

#[test]
fn each_specification_sees_its_own_faults_of_shape() {
    use InvalidReason::{EarlyEnd, EmptyOutput, OverLimit, Unfinished};
    let fault = |position, reason| Some(Verdict::Invalid { position, reason });
    // No prediction is needed for these, and none is given.
    let found = |spec, output: &[TokenId], limit| {
        let claim = claim(&[1, 2], output, limit);
        let plan = plan(spec, &claim, 3, &mut Stream::new(1, "rastic"));
        match judge(&plan, &claim, &NumericsProfile::exact("toy"), &[]) {
            Verdict::Inconclusive { .. } => None,
            verdict => {
                assert!(plan.positions.is_empty(), "nothing to run");
                Some(verdict)
            }
        }
    };
    type Case<'a> = (&'a [TokenId], u32, [Option<Verdict>; 3]);
    let cases: [Case<'_>; 6] = [
        (&[], 4, [fault(2, EmptyOutput); 3]),
        (&[3, 4, 5], 2, [None, fault(4, Unfinished), fault(4, OverLimit)]),
        (&[3, 4, END], 2, [None, None, fault(4, OverLimit)]),
        (&[3, 4], 3, [None, fault(3, Unfinished), fault(3, Unfinished)]),
        (&[3, END, 4, END], 4, [None, None, fault(3, EarlyEnd)]),
        (&[3, END], 2, [None; 3]),
    ];
    for (output, limit, expected) in cases {
        for (spec, expected) in Spec::ALL.into_iter().zip(expected) {
            assert_eq!(
                found(spec, output, limit),
                expected,
                "{spec}: {output:?} under {limit}"
            );
        }
    }
}

/// The model cannot be asked about such an output, so a cheat would otherwise leave everybody in doubt.
#[test]
fn what_is_no_token_is_no_output() {
    let claim = Claim {
        vocabulary: 4,
        ..claim(&[1, 2], &[3, 4, END], 3)
    };
    let expected = Verdict::Invalid {
        position: 3,
        reason: InvalidReason::NoToken,
    };
    for spec in Spec::ALL {
        let plan = plan(spec, &claim, 3, &mut Stream::new(1, "rastic"));
        assert_eq!(plan.positions, []);
        let failed = InferenceResult::failed("a token is not in the vocabulary");
        let verdict = judge_result(&plan, &claim, &NumericsProfile::exact("toy"), &failed);
        assert_eq!(verdict, expected, "{spec}");
    }
}

// ---- Judging ----

#[test]
fn a_tolerant_profile_has_three_answers() {
    let all = substituted(ENDLESS, &[1, 2], 8, 3);
    let claim = claim(&[1, 2], &all[2..], 8);
    let plan = plan(Spec::V2, &claim, 0, &mut Stream::new(1, "rastic"));
    let profile = NumericsProfile::tolerant("toy", 10, 25).unwrap();
    let verdict = |gap| judge(&plan, &claim, &profile, &ENDLESS.answer(&plan, &claim, gap));
    let doubt = |reason| Verdict::Inconclusive { reason };
    let fraud = Verdict::Invalid {
        position: 5,
        reason: InvalidReason::Mismatch,
    };
    assert_eq!(verdict(10), Verdict::Valid);
    assert_eq!(verdict(11), doubt(InconclusiveReason::BetweenTolerances));
    assert_eq!(verdict(25), doubt(InconclusiveReason::BetweenTolerances));
    assert_eq!(verdict(26), fraud);
    assert_eq!(verdict(Prediction::EXCLUDED), fraud);
    assert_eq!(
        verdict(Prediction::NOT_FINITE),
        doubt(InconclusiveReason::NotFinite)
    );

    // A fault outweighs a doubt that stands before it.
    let mut predictions = ENDLESS.answer(&plan, &claim, 26);
    predictions[0].gap_milli = 11;
    assert_eq!(judge(&plan, &claim, &profile, &predictions), fraud);

    // The exact profile looks at tokens only.
    let exact = NumericsProfile::exact("toy");
    assert_eq!(
        judge(&plan, &claim, &exact, &ENDLESS.answer(&plan, &claim, 0)),
        fraud
    );
}

#[test]
fn as_written_knows_no_tolerance() {
    // The output's first token is wrong, so the boundary finds it whatever is drawn.
    let all = substituted(Toy { ends_at: 6 }, &[1, 2], 5, 0);
    let claim = claim(&[1, 2], &all[2..], 9);
    let plan = plan(Spec::V1AsWritten, &claim, 1, &mut Stream::new(1, "rastic"));
    let profile = NumericsProfile::tolerant("toy", 10, 25).unwrap();
    let answer = Toy { ends_at: 6 }.answer(&plan, &claim, 1);
    let verdict = judge(&plan, &claim, &profile, &answer);
    let reason = InvalidReason::Mismatch;
    assert_eq!(verdict, Verdict::Invalid { position: 2, reason });
}

#[test]
fn a_tolerance_cannot_slash_the_honest() {
    assert!(NumericsProfile::tolerant("toy", 10, 20).is_ok());
    assert!(NumericsProfile::tolerant("toy", 10, 19).is_err());
    assert!(NumericsProfile::tolerant("toy", u32::MAX, u32::MAX).is_err());
    let all = ENDLESS.complete(&[1], 4);
    let claim = claim(&[1], &all[1..], 4);
    let plan = plan(Spec::V2, &claim, 0, &mut Stream::new(1, "rastic"));
    let profile = NumericsProfile {
        slash_tolerance_milli: 5,
        tolerance_milli: 10,
        exact: false,
        name: Text::truncated("toy"),
    };
    let verdict = judge(&plan, &claim, &profile, &ENDLESS.answer(&plan, &claim, 0));
    let reason = InconclusiveReason::Profile;
    assert_eq!(verdict, Verdict::Inconclusive { reason });
}

#[test]
fn missing_evidence_is_inconclusive() {
    let all = ENDLESS.complete(&[1], 6);
    let claim_6 = claim(&[1], &all[1..], 6);
    let exact = NumericsProfile::exact("toy");
    for spec in [Spec::V1Repaired, Spec::V2] {
        let plan = plan(spec, &claim_6, 2, &mut Stream::new(1, "rastic"));
        let answer = ENDLESS.answer(&plan, &claim_6, 0);
        let reason = |verdict| match verdict {
            Verdict::Inconclusive { reason } => reason,
            other => panic!("{other:?}"),
        };
        let fewer = judge(&plan, &claim_6, &exact, &answer[1..]);
        assert_eq!(reason(fewer), InconclusiveReason::PredictionCount);
        let more = [&answer[..], &answer[..1]].concat();
        let more = judge(&plan, &claim_6, &exact, &more);
        assert_eq!(reason(more), InconclusiveReason::PredictionCount);
        let shorter = claim(&[1], &all[1..6], 5);
        let other = judge(&plan, &shorter, &exact, &answer);
        assert_eq!(reason(other), InconclusiveReason::PlanMismatch);

        let failed = judge_result(&plan, &claim_6, &exact, &InferenceResult::failed("out of memory"));
        assert_eq!(reason(failed), InconclusiveReason::NotRun);
        let predictions = BoundedVec::from_vec(answer).unwrap();
        let result = InferenceResult::Predicted { predictions };
        assert_eq!(judge_result(&plan, &claim_6, &exact, &result), Verdict::Valid);
    }
}

proptest! {
    #[test]
    fn nothing_panics(
        spec in prop::sample::select(&Spec::ALL[..]),
        lists in prop::array::uniform4(prop::collection::vec(0_u32..4, 0..9)),
        limits in prop::array::uniform2(prop_oneof![0_u32..9, Just(u32::MAX)]),
        samples in prop_oneof![0_u32..9, Just(u32::MAX)],
        predictions in prop::collection::vec((0_u32..4, prop_oneof![0_u32..9, Just(u32::MAX)]), 0..12),
        tolerances: (bool, u32, u32),
        seed: u64,
    ) {
        let planned = Claim {
            prompt: &lists[0], output: &lists[1], max_tokens: limits[0], end_tokens: &[3], vocabulary: 4,
        };
        let judged = Claim {
            prompt: &lists[2], output: &lists[3], max_tokens: limits[1], end_tokens: &[2, 3], vocabulary: 4,
        };
        let profile = NumericsProfile {
            name: Text::truncated(""),
            exact: tolerances.0,
            tolerance_milli: tolerances.1,
            slash_tolerance_milli: tolerances.2,
        };
        let predictions: Vec<Prediction> = predictions.into_iter()
            .map(|(token, gap_milli)| Prediction { token, gap_milli, ..Prediction::default() }).collect();
        let plan = plan(spec, &planned, samples, &mut Stream::new(seed, "rastic"));
        let verdict = judge(&plan, &planned, &profile, &predictions);
        if predictions.len() != plan.positions.len() {
            prop_assert_ne!(verdict, Verdict::Valid);
        }
        let other = judge(&plan, &judged, &profile, &predictions);
        if !plan.fits(&judged) {
            prop_assert_ne!(other, Verdict::Valid);
        }
    }
}

#[test]
fn names_of_specifications_parse_back() {
    for spec in Spec::ALL {
        assert_eq!(spec.to_string().parse(), Ok(spec));
    }
    assert_eq!(Spec::ALL.map(Spec::name), ["v1-as-written", "v1-repaired", "v2"]);
    assert!("v3".parse::<Spec>().is_err());
}

// ---- Judging by what others say of each position ----

fn any_claim() -> impl Strategy<Value = (Spec, Vec<TokenId>, Vec<TokenId>, u32, u64)> {
    let spec = prop::sample::select(vec![Spec::V1Repaired, Spec::V2]);
    let swaps = prop::collection::vec((0usize..12, 0u32..997), 0..3);
    (spec, 1usize..6, 0usize..12, swaps, 0u32..13, any::<u64>()).prop_map(
        |(spec, prompt, output, swaps, max_tokens, seed)| {
            let prompt = foreign_prompt(prompt);
            let mut output = ENDLESS.complete(&prompt, output)[prompt.len()..].to_vec();
            for (index, token) in swaps {
                if let Some(swapped) = output.get_mut(index) {
                    *swapped = token;
                }
            }
            (spec, prompt, output, max_tokens, seed)
        },
    )
}

proptest! {
    /// A bit for each position carries as much as the predictions themselves.
    #[test]
    fn matches_of_all_positions_give_the_same_verdict((spec, prompt, output, max_tokens, seed) in any_claim()) {
        let claim = claim(&prompt, &output, max_tokens);
        let plan = plan(spec, &claim, 2, &mut Stream::new(seed, "rastic"));
        let answer = ENDLESS.answer(&plan, &claim, 1_000_000);
        let profile = NumericsProfile::exact("toy");
        let decided = |position| {
            let index = plan.positions.binary_search(&position).ok()?;
            matches(&profile, claim.token(position)?, &answer[index])
        };
        let verdict = judge_matches(&plan, &claim, decided);
        prop_assert_eq!(verdict, judge(&plan, &claim, &profile, &answer));
        // Without one of the answers, what is said of the others stands, but nothing is valid.
        for missing in &plan.positions {
            let without = judge_matches(&plan, &claim, |position| {
                decided(position).filter(|_| position != *missing)
            });
            prop_assert_ne!(without, Verdict::Valid);
            if !matches!(verdict, Verdict::Invalid { .. }) {
                let reason = InconclusiveReason::NoMajority;
                prop_assert_eq!(without, Verdict::Inconclusive { reason });
            }
        }
    }
}

#[test]
fn a_tolerant_profile_leaves_some_matches_open() {
    let profile = NumericsProfile::tolerant("loose", 10, 30).unwrap();
    let prompt = foreign_prompt(3);
    let output = ENDLESS.complete(&prompt, 4)[3..].to_vec();
    let claim = claim(&prompt, &output, 4);
    let plan = plan(Spec::V2, &claim, 0, &mut Stream::new(1, "rastic"));
    let [first, ..] = ENDLESS.answer(&plan, &claim, 0)[..] else {
        panic!("there are predictions");
    };
    let with_gap = |gap_milli| matches(&profile, output[0], &Prediction { gap_milli, ..first });
    assert_eq!(with_gap(10), Some(true));
    assert_eq!(with_gap(11), None);
    assert_eq!(with_gap(30), None);
    assert_eq!(with_gap(31), Some(false));
    assert_eq!(with_gap(Prediction::NOT_FINITE), None);
}
