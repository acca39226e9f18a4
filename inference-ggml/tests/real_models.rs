//! The exact profile on real models: `CAMELID_TEST_MODELS` names a folder of GGUF files. Minutes for
//! each; part of `make nightly`.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a test may fail

mod support;

use camelid_inference_ggml::{Engine, Model, Numerics, Shape, compare};
use std::path::PathBuf;
use std::sync::Arc;
use support::{draw, tokens};

const PROSE: &str = "Write a short story about a llama that guards a flock of sheep in the mountains.";

/// The files to test; none when nobody has named a folder.
fn models() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("CAMELID_TEST_MODELS") else {
        eprintln!("CAMELID_TEST_MODELS names no folder: nothing is tested");
        return Vec::new();
    };
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "gguf"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "CAMELID_TEST_MODELS has no GGUF files");
    files
}

const fn shape(threads: u32, rows: u32) -> Shape {
    Shape { threads, rows }
}

/// Of 2,000 honest positions of each model not one differs: two threads against one, other batches,
/// temperatures 0 and 1, text and noise, contexts past 1,024.
#[test]
#[ignore = "minutes"]
fn two_thousand_positions_are_exact() {
    for path in models() {
        let model = Arc::new(Model::load(&path, Numerics::Exact).unwrap());
        let prose = model.tokenize(PROSE, false).unwrap();
        let long = tokens(1, 1_100.min(model.context() as usize - 210), model.vocabulary());
        let (mut positions, mut seed) = (0, 0);
        for (prompt, count) in [(&prose, 400), (&prose, 400), (&long, 200)] {
            for (temperature_milli, generator, verifier) in [
                (0, shape(1, 512), shape(2, 512)),
                (1000, shape(1, 7), shape(2, 96)),
            ] {
                seed += 1;
                let draw = draw(seed, temperature_milli);
                let count = count.min(model.context() as usize - prompt.len());
                let comparison = compare(&model, &draw, prompt, count, generator, verifier).unwrap();
                eprintln!(
                    "{}: {} positions, {} differ, generate {:?}, verify {:?}",
                    path.display(),
                    comparison.positions,
                    comparison.differing,
                    comparison.generating,
                    comparison.verifying
                );
                assert_eq!(
                    (comparison.differing, comparison.redrawn),
                    (0, 0),
                    "{}",
                    path.display()
                );
                positions += comparison.positions;
            }
        }
        // Single tokens on two threads, which is slow where cores are scarce.
        let draw = draw(0, 1000);
        let comparison = compare(&model, &draw, &long, 40, shape(2, 512), shape(1, 512)).unwrap();
        assert_eq!(comparison.differing, 0, "{}", path.display());
        assert!(positions >= 2_000 || model.context() < 2_000);
    }
}

/// What the exact profile is for.
#[test]
#[ignore = "minutes"]
fn the_library_left_alone_differs_on_real_models() {
    for path in models() {
        let model = Arc::new(Model::load(&path, Numerics::Library).unwrap());
        let prose = model.tokenize(PROSE, false).unwrap();
        let shape = |threads, rows| Shape { threads, rows };
        let comparison = compare(&model, &draw(1, 1000), &prose, 300, shape(2, 512), shape(1, 512)).unwrap();
        eprintln!(
            "{}: {} of {} positions differ, {} draw another token, by up to {} milli-logits",
            path.display(),
            comparison.differing,
            comparison.positions,
            comparison.redrawn,
            comparison.largest_milli
        );
        assert!(comparison.differing > 0);
    }
}

#[test]
#[ignore = "minutes"]
fn quantized_copies_of_real_models_are_exact() {
    for path in models() {
        for kind in ["q2_K", "q4_0", "q8_0"] {
            let copy = support::folder().join("copy.gguf");
            camelid_inference_ggml::quantize(&path, &copy, kind, 2).unwrap();
            Engine::open(&copy, Shape::default()).unwrap();
        }
    }
}
