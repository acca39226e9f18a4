//! Why an output ends where it ends.

use super::TokenId;
use borsh::{BorshDeserialize, BorshSerialize};

/// Why a node stopped generating. It is derived from the output, never believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Finish {
    /// The last token is an end token.
    EndToken,
    /// The output has as many tokens as were asked for.
    Limit,
}

impl Finish {
    /// The finish of `output` under the limit of `max_tokens`: an end token iff the last token is
    /// one, else the limit iff it is reached. `None` when the output is empty, too long, or stops
    /// for no reason.
    pub fn derive(output: &[TokenId], end_tokens: &[TokenId], max_tokens: u32) -> Option<Self> {
        let last = output.last()?;
        let length = u32::try_from(output.len()).ok()?;
        if length > max_tokens {
            None
        } else if end_tokens.contains(last) {
            Some(Self::EndToken)
        } else if length == max_tokens {
            Some(Self::Limit)
        } else {
            None
        }
    }
}
