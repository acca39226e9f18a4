//! `camelid_core::rastic`.

use crate::model::END;
use camelid_core::model::{InferenceResult, NumericsProfile, Prediction, Predictions};
use camelid_core::primitives::Stream;
use camelid_core::rastic::{Claim, Spec, Verdict, judge, judge_result, plan};
use core::hint::black_box;

/// An honest claim and one with a swapped token, planned and judged under all specifications.
pub fn probe() {
    let tolerant = NumericsProfile::tolerant("probe", 10, 20).expect("twice the tolerance");
    for spec in black_box(Spec::ALL) {
        assert_eq!(spec.name().parse(), Ok(spec));
        for profile in [NumericsProfile::exact("probe"), tolerant.clone()] {
            assert_eq!(verdict(spec, &profile, 0), Verdict::Valid);
        }
    }
    let exact = NumericsProfile::exact("probe");
    assert!(matches!(
        verdict(Spec::V2, &exact, 1),
        Verdict::Invalid { position: 4, .. }
    ));
    assert!(matches!(
        verdict(Spec::V2, &tolerant, 15),
        Verdict::Inconclusive { .. }
    ));
}

/// The verdict when the model finds the token at position 4 `gap_milli` worse than another.
fn verdict(spec: Spec, profile: &NumericsProfile, gap_milli: u32) -> Verdict {
    let claim = Claim {
        prompt: black_box(&[5, 6]),
        output: black_box(&[7, 8, 9, 10, END]),
        max_tokens: 8,
        end_tokens: &[END],
        vocabulary: 64,
    };
    let plan = plan(spec, &claim, 2, &mut Stream::new(black_box(3), "challenge"));
    let predictions: Vec<Prediction> = plan
        .positions
        .iter()
        .map(|position| {
            let gap_milli = if *position == 4 { gap_milli } else { 0 };
            let claimed = claim.token(*position).unwrap_or(END);
            Prediction {
                token: claimed + u32::from(gap_milli > 0),
                gap_milli,
                runner_up: claimed,
                margin_milli: gap_milli,
            }
        })
        .collect();
    let verdict = judge(&plan, &claim, profile, black_box(&predictions));
    let result = InferenceResult::Predicted {
        predictions: Predictions::from_vec(predictions).expect("fewer than positions"),
    };
    assert_eq!(judge_result(&plan, &claim, profile, &result), verdict);
    verdict
}
