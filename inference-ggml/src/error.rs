//! What can go wrong around a model.

use crate::Comparison;
use crate::gguf::GgufError;
use std::path::PathBuf;

/// Why a model cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The processor lacks what the kernels are compiled for.
    #[error(
        "this processor lacks {missing}; the model's arithmetic is declared for {}",
        crate::cpu::LEVEL
    )]
    Cpu {
        /// Names of the instructions.
        missing: String,
    },
    /// The file's header is refused.
    #[error("{}: {error}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: GgufError,
    },
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// ggml refuses the file.
    #[error("{}: the model cannot be loaded: {reason}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// ggml's words.
        reason: String,
    },
    /// A kind of model that this program cannot verify.
    #[error("{}: {what}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// A sequence cannot be set up, mostly for want of memory.
    #[error("no context of {tokens} tokens can be set up: {reason}")]
    Context {
        /// Asked for.
        tokens: u32,
        /// ggml's words.
        reason: String,
    },
    /// The library did something else than it was told, so that the profile does not hold.
    #[error("the library reports other numerics than asked for: {0}")]
    Numerics(String),
    /// Scores cannot be computed.
    #[error("ggml could not compute the scores (code {code})")]
    Decode {
        /// `llama_decode`'s answer.
        code: i32,
    },
    /// A token outside the vocabulary.
    #[error("token {token} is not in the vocabulary of {vocabulary}")]
    Token {
        /// The token.
        token: u32,
        /// Tokens in the vocabulary.
        vocabulary: u32,
    },
    /// More tokens than the model can look back on.
    #[error("{tokens} tokens are more than the context of {context}")]
    TooLong {
        /// Prompt and output together.
        tokens: usize,
        /// The model's context.
        context: u32,
    },
    /// There is no prefix to predict from.
    #[error("nothing can be predicted from no tokens")]
    NoPrefix,
    /// Text that cannot be made into tokens.
    #[error("the text cannot be made into tokens")]
    Tokenize,
    /// The model has no chat template, or one that is not known.
    #[error("the model has no chat template that this program knows; use the raw template")]
    ChatTemplate,
    /// Quantizing failed.
    #[error("quantizing failed: {0}")]
    Quantize(String),
    /// The self-test found scores that depend on how they are computed.
    #[error(
        "self-test: at {} of {} positions the scores depend on threads or batches, by up to {} \
         milli-logits: on this machine the exact profile does not hold for this model",
        .0.differing, .0.positions, .0.largest_milli
    )]
    SelfTest(Comparison),
}
