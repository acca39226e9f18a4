//! Text as a list of words.

use camelid_core::model::TokenId;
use camelid_core::primitives::{Hash256, tagged_hash};
use std::collections::BTreeMap;

/// The words and punctuation marks of a text, numbered in alphabetical order after the two that
/// stand for no word.
#[derive(Clone, Debug)]
pub struct Words {
    words: Vec<String>,
    ids: BTreeMap<String, TokenId>,
}

impl Words {
    /// Ends a line.
    pub const END: TokenId = 0;
    /// A word that the text does not have.
    pub const UNKNOWN: TokenId = 1;

    /// The words of `text`.
    pub fn of(text: &str) -> Self {
        let mut ids: BTreeMap<String, TokenId> = pieces(text).map(|piece| (piece.into(), 0)).collect();
        let mut words = vec![String::new(), "<unknown>".into()];
        for (id, (word, slot)) in (2..).zip(&mut ids) {
            *slot = id;
            words.push(word.clone());
        }
        Self { words, ids }
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Never true: two tokens stand for no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The tokens of `text`, without an end.
    pub fn encode(&self, text: &str) -> Vec<TokenId> {
        pieces(text)
            .map(|piece| self.ids.get(piece).copied().unwrap_or(Self::UNKNOWN))
            .collect()
    }

    /// `tokens` as text: words apart, punctuation close. What is no token is unknown.
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let mut text = String::new();
        for &token in tokens {
            let unknown = &self.words[Self::UNKNOWN as usize];
            let word = self.words.get(token as usize).unwrap_or(unknown);
            let close = word.chars().all(is_mark);
            if !text.is_empty() && !close {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    /// A hash of all words in order.
    pub fn hash(&self) -> Hash256 {
        tagged_hash("camelid/words", &self.words)
    }
}

fn is_mark(character: char) -> bool {
    matches!(character, '.' | ',' | ';' | ':' | '?' | '!' | ')')
}

/// Words and marks in order: a mark is a piece by itself.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .flat_map(|word| word.split_inclusive(is_mark))
        .flat_map(|part| match part.strip_suffix(is_mark) {
            Some(word) => [word, &part[word.len()..]],
            None => [part, ""],
        })
        .filter(|piece| !piece.is_empty())
}
