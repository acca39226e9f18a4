//! What a check finds.

use borsh::{BorshDeserialize, BorshSerialize};

/// The outcome of a check. One that could not be carried out is neither valid nor invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Verdict {
    /// Nothing is wrong at the positions that were checked.
    Valid,
    /// The output is not the model's.
    Invalid {
        /// Where: an index into `R = prompt ++ output` under every specification, the lowest at
        /// which something is wrong. (Under `V1AsWritten` it can lie in the prompt.)
        position: u32,
        /// What is wrong there.
        reason: InvalidReason,
    },
    /// Nobody can tell.
    Inconclusive {
        /// Why not.
        reason: InconclusiveReason,
    },
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum InvalidReason {
    /// There is no output (position: where it should begin).
    #[error("the output is empty")]
    EmptyOutput,
    /// An id that is not in the model's vocabulary.
    #[error("a token is not in the vocabulary")]
    NoToken,
    /// More tokens than were asked for (position: the first too many).
    #[error("the output is longer than the limit")]
    OverLimit,
    /// The output goes on after an end token (position: that token).
    #[error("an end token stands before the end")]
    EarlyEnd,
    /// The output stops without an end token and under the limit (position: its last token).
    #[error("the output stops for no reason")]
    Unfinished,
    /// The model writes another token here.
    #[error("the model writes another token")]
    Mismatch,
    /// `V1AsWritten` only: the predictions before and after the last token differ.
    #[error("the predictions before and after the last token differ")]
    LimitRule,
}

/// Why a check says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum InconclusiveReason {
    /// The model could not be run.
    #[error("the model could not be run")]
    NotRun,
    /// Not one prediction for each position.
    #[error("the number of predictions is not that of the positions")]
    PredictionCount,
    /// The plan was made for a claim of another shape.
    #[error("the plan is for another claim")]
    PlanMismatch,
    /// The model's numerics profile contradicts itself.
    #[error("the numerics profile contradicts itself")]
    Profile,
    /// A token is further off than honest machines should differ, but not so far that it must be
    /// fraud.
    #[error("a token lies between tolerance and slash tolerance")]
    BetweenTolerances,
    /// A score was infinite or not a number.
    #[error("a score is not finite")]
    NotFinite,
    /// Those who were asked do not agree, or are too few.
    #[error("no majority of those who were asked")]
    NoMajority,
}
