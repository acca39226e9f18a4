//! What a node says the model wrote.

use crate::model::TokenId;

/// The claim that `output` is the model's continuation of `prompt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The prompt as the model saw it.
    pub prompt: &'a [TokenId],
    /// The output.
    pub output: &'a [TokenId],
    /// Most tokens the output may have (`T`).
    pub max_tokens: u32,
    /// The tokens after which the model stops.
    pub end_tokens: &'a [TokenId],
    /// Number of the model's tokens: ids are below it.
    pub vocabulary: u32,
}

impl Claim<'_> {
    /// `A`: length of the prompt, and the position of the output's first token.
    pub fn prompt_len(&self) -> u32 {
        length(self.prompt.len())
    }

    /// `B`: length of the output.
    pub fn output_len(&self) -> u32 {
        length(self.output.len())
    }

    /// `A + B`: length of `R = prompt ++ output`.
    pub fn len(&self) -> u32 {
        self.prompt_len().saturating_add(self.output_len())
    }

    /// True when there is neither prompt nor output.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `R[position]`, or `None` behind the last token.
    pub fn token(&self, position: u32) -> Option<TokenId> {
        let position = usize::try_from(position).ok()?;
        match position.checked_sub(self.prompt.len()) {
            None => self.prompt.get(position),
            Some(index) => self.output.get(index),
        }
        .copied()
    }

    /// True when `token` ends an output.
    pub fn is_end(&self, token: TokenId) -> bool {
        self.end_tokens.contains(&token)
    }

    /// True when the output's last token ends it.
    pub fn ends_with_end_token(&self) -> bool {
        self.output.last().is_some_and(|&last| self.is_end(last))
    }
}

/// Claims are far shorter than this saturates at: lists of tokens are bounded where they come in.
fn length(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
