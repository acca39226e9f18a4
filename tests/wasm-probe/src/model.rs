//! `camelid_core::model`.

use camelid_core::model::{
    Draw, Finish, InferenceResult, InferenceTask, LanguageModel, Logit, Manifest, NumericsProfile,
    Prediction, PromptTokens, Sampling, Score, TokenId, Tokens, run_task,
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

/// After each token it would write the next number, up to the end token.
struct Counting(Manifest);

impl LanguageModel for Counting {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn predict(&self, draw: &Draw, prefix: &[TokenId], claimed: Option<TokenId>) -> Prediction {
        let next = prefix.last().map_or(END, |last| (last + 1) % 8);
        let scores = [next, next + 1].map(|token| Score {
            token,
            logit: Logit::from_milli(-i32::try_from(token).unwrap_or(0)),
        });
        draw.predict(prefix.len(), &scores, claimed)
    }
}

/// Manifests, profiles, sampling, finishes, running a task and what crosses the inference boundary.
pub fn probe() {
    let manifest = manifest();
    assert_eq!(manifest.check(), Ok(()));
    assert!(NumericsProfile::tolerant("probe", black_box(10), black_box(19)).is_err());
    assert_eq!(black_box(Sampling::GREEDY).check(), Ok(()));
    assert_eq!(
        Finish::derive(black_box(&[5, END]), &manifest.end_tokens, 8),
        Some(Finish::EndToken)
    );

    let sampling = Sampling {
        temperature_milli: 500,
        top_k: 2,
        top_p_milli: 900,
    };
    let generate = |sampling| InferenceTask::Generate {
        model: manifest.id(),
        job: JobId([1; 32]),
        prompt: PromptTokens::from_vec(vec![5, 6]).expect("two tokens fit"),
        prefix: Tokens::new(),
        max_tokens: 8,
        seed: 1,
        sampling,
    };
    let model = Counting(manifest.clone());
    let InferenceResult::Generated { output, finish } =
        run_task(&model, black_box(&generate(Sampling::GREEDY)))
    else {
        panic!("the task can be run")
    };
    assert_eq!((&output[..], finish), (&[7, END][..], Finish::EndToken));
    let task = generate(sampling);
    assert!(matches!(
        run_task(&model, black_box(&task)),
        InferenceResult::Generated { .. }
    ));
    assert_eq!(decode(black_box(&encode(&task)), 1 << 16), Ok(task));
    let failed = InferenceResult::failed(black_box("the model is not here"));
    assert_eq!(decode(black_box(&encode(&failed)), 1 << 16), Ok(failed));
}
