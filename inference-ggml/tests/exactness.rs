//! The central finding: in the exact profile the scores of a position depend on nothing but the
//! tokens before it.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a test may fail

mod support;

use camelid_inference_ggml::{Comparison, Model, Numerics, Shape, compare};
use std::path::Path;
use std::sync::Arc;
use support::{draw, tiny, tiny_quantized, tokens};

/// One thread that takes a few tokens at a time, and two that take many.
const ALONE: Shape = Shape { threads: 1, rows: 64 };
const TOGETHER: Shape = Shape {
    threads: 2,
    rows: 512,
};

/// Generates `count` tokens after a prompt of `prompt` in the one shape, checks in the other.
fn compared(
    (path, numerics): (&Path, Numerics),
    (prompt, count): (usize, usize),
    temperature_milli: u32,
    generator: Shape,
    verifier: Shape,
) -> Comparison {
    let model = Arc::new(Model::load(path, numerics).unwrap());
    let prompt = tokens(prompt as u64, prompt, model.vocabulary());
    let draw = draw(11, temperature_milli);
    compare(&model, &draw, &prompt, count, generator, verifier).unwrap()
}

#[test]
fn quantizations_are_exact_across_threads_and_batches() {
    for kind in ["q4_0", "q4_1", "q4_K_M", "q6_K", "q8_0", "f16"] {
        for temperature_milli in [0, 1000] {
            let path = tiny_quantized(kind);
            let comparison = compared(
                (&path, Numerics::Exact),
                (40, 60),
                temperature_milli,
                ALONE,
                TOGETHER,
            );
            assert_eq!(
                (comparison.differing, comparison.redrawn),
                (0, 0),
                "{kind}: {comparison:?}"
            );
        }
    }
}

#[test]
fn contexts_past_a_thousand_tokens_are_exact() {
    let path = tiny_quantized("q4_1");
    let exact = (path.as_path(), Numerics::Exact);
    let comparison = compared(exact, (1_000, 200), 1000, ALONE, TOGETHER);
    assert_eq!(comparison.differing, 0, "{comparison:?}");
    // Single tokens on two threads.
    let comparison = compared(exact, (1_000, 20), 1000, TOGETHER, ALONE);
    assert_eq!(comparison.differing, 0, "{comparison:?}");
}

/// Without it the tests above would show nothing about the profile.
#[test]
fn the_library_left_alone_is_not_exact() {
    let comparison = compared((tiny(), Numerics::Library), (300, 60), 1000, ALONE, TOGETHER);
    assert!(comparison.differing > 30, "{comparison:?}");
    assert!(comparison.largest_milli > 0);
}
