//! Text and tokens.

use camelid_core::model::TokenId;
use camelid_inference_ggml::Engine;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How a prompt's text becomes tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// As it stands.
    #[default]
    Raw,
    /// As a user's turn in the model's own chat template.
    Chat,
}

/// The tokens of a prompt.
///
/// # Errors
/// In words: the model has no chat template, or the text cannot be made into tokens.
pub fn encode(engine: &Engine, text: &str, template: Template) -> Result<Vec<TokenId>, String> {
    let model = engine.model();
    let tokens = match template {
        Template::Raw => model.tokenize(text, false),
        Template::Chat => model
            .render_chat(text)
            .and_then(|text| model.tokenize(&text, true)),
    };
    tokens.map_err(|error| error.to_string())
}

/// The tokens of a text that goes on from another: without what every text begins with.
///
/// # Errors
/// In words, as for [`encode`].
pub fn encode_continuation(engine: &Engine, text: &str) -> Result<Vec<TokenId>, String> {
    let begin = encode(engine, "", Template::Raw)?.len();
    Ok(encode(engine, text, Template::Raw)?.split_off(begin))
}

/// The text of an output, without control tokens.
pub fn decode(engine: &Engine, tokens: &[TokenId]) -> String {
    engine.model().detokenize(tokens, false)
}

/// The text of each token, control tokens written out. A character that is spread over several tokens is with
/// the last of them; bytes that are no character are written as `\xNN`, a token outside the vocabulary as its number.
pub fn pieces(engine: &Engine, tokens: &[TokenId]) -> Vec<String> {
    let mut pending = Vec::new();
    let mut texts = Vec::with_capacity(tokens.len());
    for (index, &token) in tokens.iter().enumerate() {
        if token >= engine.model().vocabulary() {
            texts.push(format!("<{token}>"));
            continue;
        }
        pending.extend(engine.model().piece(token, true));
        let is_last = index + 1 == tokens.len();
        texts.push(take_text(&mut pending, is_last));
    }
    texts
}

/// Takes what is text from the start of `bytes`; an unfinished character stays, unless nothing follows.
fn take_text(bytes: &mut Vec<u8>, is_last: bool) -> String {
    let taken = std::mem::take(bytes);
    let mut chunks = taken.utf8_chunks().peekable();
    let mut text = String::new();
    while let Some(chunk) = chunks.next() {
        text += chunk.valid();
        let invalid = chunk.invalid();
        let begins = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if begins && chunks.peek().is_none() && !is_last {
            bytes.extend(invalid);
        } else {
            text.extend(invalid.iter().map(|byte| format!("\\x{byte:02x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::take_text;

    #[test]
    fn characters_in_pieces_come_together() {
        let mut pending = vec![b'a', 0xe2, 0x82];
        assert_eq!(take_text(&mut pending, false), "a");
        pending.extend([0xac, b'b']);
        assert_eq!(take_text(&mut pending, false), "€b");
        assert!(pending.is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out() {
        let mut pending = vec![0xff, b'a', 0xe2];
        assert_eq!(take_text(&mut pending, true), "\\xffa\\xe2");
        // Behind the start of a character there must be the rest of it.
        let mut pending = vec![0xe2, b'a'];
        assert_eq!(take_text(&mut pending, false), "\\xe2a");
    }
}
