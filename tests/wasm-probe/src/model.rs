//! `camelid_core::model`.

use camelid_core::model::{
    Finish, InferenceResult, InferenceTask, Manifest, NumericsProfile, PromptTokens, Sampling, TokenId,
    Tokens,
};
use camelid_core::primitives::{BoundedVec, Hash256, JobId, decode, encode};
use core::hint::black_box;

/// The token that ends an output of [`manifest`]'s model.
pub const END: TokenId = 0;

/// A model of 64 tokens.
pub fn manifest() -> Manifest {
    Manifest {
        chunk_root: Hash256(black_box([7; 32])),
        chunks: 1,
        bytes: 1,
        tokenizer: Hash256([8; 32]),
        vocabulary: 64,
        end_tokens: BoundedVec::from_vec(vec![END]).expect("one end token fits"),
        context: 4096,
        profile: NumericsProfile::exact(black_box("probe")),
        golden: Hash256([4; 32]),
    }
}

/// Manifests, profiles, sampling rules, finishes and what crosses the inference boundary.
pub fn probe() {
    let manifest = manifest();
    assert_eq!(manifest.check(), Ok(()));
    assert!(NumericsProfile::tolerant("probe", black_box(10), black_box(19)).is_err());
    assert_eq!(black_box(Sampling::GREEDY).check(), Ok(()));
    assert_eq!(
        Finish::derive(black_box(&[5, END]), &manifest.end_tokens, 8),
        Some(Finish::EndToken)
    );

    let task = InferenceTask::Generate {
        model: manifest.id(),
        job: JobId([1; 32]),
        prompt: PromptTokens::from_vec(vec![5, 6]).expect("two tokens fit"),
        prefix: Tokens::new(),
        max_tokens: 8,
        seed: 1,
        sampling: Sampling::GREEDY,
    };
    assert_eq!(decode(black_box(&encode(&task)), 1 << 16), Ok(task));
    let failed = InferenceResult::failed(black_box("the model is not here"));
    assert_eq!(decode(black_box(&encode(&failed)), 1 << 16), Ok(failed));
}
