//! A claim on a terminal.

use super::{Explained, Mark, Token};
use crate::sim::new_table;
use comfy_table::{Cell, CellAlignment};
use std::fmt::Write as _;

/// Faults that are listed.
const MAX_LISTED: usize = 20;
/// ANSI: back to normal.
const PLAIN: &str = "\x1b[0m";

/// Prompt, output with its tokens marked, verdict and faults.
pub fn render(explained: &Explained<'_>, color: bool) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "claim    {}", explained.claim.id);
    let _ = writeln!(text, "prompt   {}", one_line(&explained.prompt));
    let _ = writeln!(
        text,
        "checked  {} by {}: {} of {} positions of the output",
        explained.checked.rule.name(),
        explained.spec,
        explained.tokens.len()
            - explained.count(Mark::Unchecked)
            - explained.count(Mark::Missed)
            - explained.count(Mark::Unknown),
        explained.tokens.len(),
    );
    let _ = writeln!(text, "verdict  {}\n", explained.verdict());
    for token in &explained.tokens {
        text += &marked(token, color);
    }
    text += "\n\n";
    for (mark, name, meaning) in Mark::ALL {
        let count = explained.count(mark);
        if count > 0 {
            let sample = frame(mark, name, Some("instead"), color);
            let _ = writeln!(text, "{count:>6}  {sample}: {meaning}");
        }
    }
    text += &faults(explained, color);
    text
}

fn marked(token: &Token, color: bool) -> String {
    // A token that is nothing but a control token or a blank would not be seen otherwise.
    let shown = if token.mark == Mark::Matched || token.mark == Mark::Unchecked {
        token.text.clone()
    } else {
        one_line(&token.text)
    };
    let expected = token.expected.as_deref().map(one_line);
    frame(token.mark, &shown, expected.as_deref(), color)
}

/// Coloured, or in brackets.
fn frame(mark: Mark, text: &str, expected: Option<&str>, color: bool) -> String {
    let expected = expected.unwrap_or("the same");
    match (mark, color) {
        (Mark::Matched, true) => format!("\x1b[32m{text}{PLAIN}"),
        (Mark::Failed, true) => format!("\x1b[1;31;9m{text}{PLAIN}\x1b[1;36m{expected}{PLAIN}"),
        (Mark::Open, true) => format!("\x1b[1;33m{text}{PLAIN}"),
        (Mark::Unchecked, true) => format!("\x1b[2m{text}{PLAIN}"),
        (Mark::Missed, true) => format!("\x1b[2;31;9m{text}{PLAIN}\x1b[2;36m{expected}{PLAIN}"),
        (Mark::Failed, false) => format!("[-{text}-]{{+{expected}+}}"),
        (Mark::Open, false) => format!("[?{text}?]"),
        (Mark::Missed, false) => format!("(-{text}-){{+{expected}+}}"),
        (Mark::Matched | Mark::Unchecked | Mark::Unknown, _) => text.into(),
    }
}

fn faults(explained: &Explained<'_>, color: bool) -> String {
    let mut table = new_table(&["position", "", "claimed", "expected", "gap"], color);
    for token in explained.faults().take(MAX_LISTED) {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row(vec![
            right(token.position.to_string()),
            Cell::new(token.mark.name()),
            Cell::new(one_line(&token.text)),
            Cell::new(token.expected.as_deref().map_or(String::new(), one_line)),
            right(token.gap_milli.map_or("excluded".into(), |gap| gap.to_string())),
        ]);
    }
    let all = explained.faults().count();
    match all {
        0 => String::new(),
        _ if all > MAX_LISTED => format!("\n{table}\nand {} more\n", all - MAX_LISTED),
        _ => format!("\n{table}\n"),
    }
}

/// With line breaks and other control characters written out.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
