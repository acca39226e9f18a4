//! Broken files are errors, never crashes.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a test may fail

mod support;

use camelid_core::primitives::Stream;
use camelid_inference_ggml::trial::{TrialError, trial};
use camelid_inference_ggml::{EngineError, Model, Numerics};
use std::path::Path;
use std::process::Command;
use support::{Gguf, tiny, tiny_bytes, write};

fn tried(path: &Path) -> Result<(), TrialError> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ggml-trial"));
    trial(path, child.arg(path))
}

#[test]
fn a_good_file_passes() {
    tried(tiny()).unwrap();
}

#[test]
fn missing_and_foreign_files_are_refused_by_name() {
    let missing = tried(Path::new("/nowhere/model.gguf")).unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/model.gguf: "), "{missing}");
    let folder = tried(Path::new("/")).unwrap_err().to_string();
    assert!(folder.contains("not a regular file"), "{folder}");
    let text = tried(&write("text", b"not a model")).unwrap_err().to_string();
    assert!(text.contains("GGUF"), "{text}");
    let cut = tiny_bytes();
    let cut = tried(&write("cut", &cut[..cut.len() - 100]))
        .unwrap_err()
        .to_string();
    assert!(cut.contains("cut off"), "{cut}");
}

/// A good header around something that is no model.
#[test]
fn headers_that_only_the_library_can_judge_are_refused() {
    let mut file = Gguf::default();
    file.string("general.architecture", "no such thing");
    file.tensor("a", &[32], 1.0);
    let refused = tried(&write("unknown", &file.finish())).unwrap_err();
    assert!(
        matches!(&refused, TrialError::Refused(reason) if reason.contains("no such thing")),
        "{refused}"
    );
    let mut file = Gguf::default();
    file.string("general.architecture", "llama");
    assert!(matches!(
        tried(&write("hollow", &file.finish())),
        Err(TrialError::Refused(_))
    ));
}

/// Whatever the child makes of them, the parent lives, and what it accepts can be loaded here.
#[test]
fn flipped_bits_crash_a_child_at_most() {
    let good = tiny_bytes();
    let header = usize::try_from(
        camelid_inference_ggml::gguf::Header::read(tiny())
            .unwrap()
            .data_offset,
    )
    .unwrap();
    let mut stream = Stream::new(1, "flips");
    let mut outcomes = [0; 3];
    for index in 0..24 {
        let mut file = good.clone();
        // Most in the header, some in the weights.
        let bound = if index % 4 == 0 { file.len() } else { header };
        let bit = usize::try_from(stream.below(8 * bound as u64)).unwrap();
        file[bit / 8] ^= 1 << (bit % 8);
        let path = write("flipped", &file);
        match tried(&path) {
            Ok(()) => {
                outcomes[0] += 1;
                Model::load(&path, Numerics::Exact).unwrap();
            }
            Err(TrialError::Crashed { .. }) => outcomes[1] += 1,
            Err(_) => outcomes[2] += 1,
        }
    }
    assert!(
        outcomes[0] > 0 && outcomes[2] > 0,
        "accepted, crashed, refused: {outcomes:?}"
    );
}

/// The library asserts that no two tokens have the same text.
#[test]
fn a_file_on_which_the_library_crashes_is_refused() {
    let mut file = tiny_bytes();
    let at = file.windows(6).position(|bytes| bytes == b"<0x41>").unwrap();
    file[at..at + 6].copy_from_slice(b"<0x42>");
    let path = write("twice", &file);
    let result = tried(&path);
    assert!(
        matches!(&result, Err(TrialError::Crashed { message, .. }) if message.contains("ASSERT")),
        "{result:?}"
    );
}

#[test]
fn quantizing_refuses_what_it_does_not_know() {
    let quantize = |from: &Path, kind| {
        let to = support::folder().join("refused.gguf");
        camelid_inference_ggml::quantize(from, &to, kind, 1)
    };
    assert!(matches!(quantize(tiny(), "q9"), Err(EngineError::Quantize(reason)) if reason.contains("q4_0")));
    assert!(matches!(
        quantize(&write("text", b"text"), "q4_0"),
        Err(EngineError::Header { .. })
    ));
    let once = support::tiny_quantized("q4_0");
    let bytes = std::fs::read(&once).unwrap();
    assert_eq!(bytes, std::fs::read(support::tiny_quantized("q4_0")).unwrap());
    assert!(bytes.len() < tiny_bytes().len() / 4);
}
