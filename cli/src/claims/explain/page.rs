//! A claim as one HTML page that needs nothing else.

use super::{Explained, Mark, Token};
use std::fmt::Write as _;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--quiet:#6b7280;--line:#d6dae0;--good:#12733f;--bad:#b3261e;\
--bad-back:#fde8e6;--open-back:#fff3cd}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#15181c;--quiet:#9aa3ad;--line:#343a42;--good:#6fd19b;\
--bad:#ff8a80;--bad-back:#4a1f1c;--open-back:#4a3f1a}}\
body{margin:2rem auto;max-width:52rem;padding:0 1rem;font:16px/1.6 system-ui,sans-serif;color:var(--ink);\
background:var(--paper)}h1{font-size:1.3rem}h2{font-size:1rem;margin-top:2rem}\
dl{display:grid;grid-template-columns:8rem 1fr;gap:.2rem 1rem}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}\
.text{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);border-radius:.4rem;padding:1rem}\
.matched{color:var(--good)}.failed{color:var(--bad);background:var(--bad-back);font-weight:600;\
text-decoration:line-through}.open{background:var(--open-back)}.unchecked,.unknown{color:var(--quiet)}\
.missed{color:var(--quiet);text-decoration:wavy underline var(--bad)}\
ins{color:var(--good);text-decoration:none;border-bottom:2px solid}\
table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1.2rem .2rem 0;border-bottom:1px solid var(--line)}\
td.number{text-align:right;font-variant-numeric:tabular-nums}";

/// The page.
pub fn render(explained: &Explained<'_>) -> String {
    let title = format!("Claim {}: {}", explained.claim.id, explained.verdict());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
        title = escaped(&title),
    );
    page += &facts(explained);
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<h2>Prompt</h2>\n<div class=\"text\">{}</div>\n",
        escaped(&explained.prompt)
    );
    page += "<h2>Output</h2>\n<div class=\"text\">";
    for token in &explained.tokens {
        page += &span(token);
    }
    page += "</div>\n<h2>Legend</h2>\n<table>\n";
    for (mark, name, meaning) in Mark::ALL {
        let count = explained.count(mark);
        if count > 0 {
            let _ = writeln!(
                page,
                "<tr><td><span class=\"{name}\">{name}</span></td><td class=\"number\">{count}</td><td>{meaning}</td></tr>"
            );
        }
    }
    page += "</table>\n";
    page += &faults(explained);
    page + "</body>\n</html>\n"
}

fn facts(explained: &Explained<'_>) -> String {
    let claim = explained.claim;
    let sampling = &claim.sampling;
    let facts = [
        ("model", claim.model.to_string()),
        (
            "profile",
            claim.profile.clone().unwrap_or_else(|| "unknown".into()),
        ),
        ("job", claim.job.to_string()),
        (
            "sampling",
            format!(
                "temperature {}/1000, top_k {}, top_p {}/1000, seed {}",
                sampling.temperature_milli, sampling.top_k, sampling.top_p_milli, claim.seed
            ),
        ),
        (
            "limit",
            format!("{} of {} tokens", claim.output.len(), claim.max_tokens),
        ),
        (
            "checked by",
            format!("{}, {} rule", explained.spec, explained.checked.rule.name()),
        ),
    ];
    let rows = facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value)));
    format!("<dl>\n{}</dl>\n", rows.collect::<String>())
}

fn span(token: &Token) -> String {
    let gap = token
        .gap_milli
        .map_or("excluded by the sampling rule".into(), |gap| {
            format!("{gap} milli-logits")
        });
    let title = match (&token.expected, token.mark) {
        (_, Mark::Unknown) => format!("position {}: not asked", token.position),
        (Some(expected), _) => format!("position {}: expected {expected:?}, gap {gap}", token.position),
        (None, _) => format!("position {}: {}", token.position, token.mark.name()),
    };
    let expected = match (&token.expected, token.mark) {
        (Some(expected), Mark::Failed) => format!("<ins>{}</ins>", escaped(expected)),
        _ => String::new(),
    };
    format!(
        "<span class=\"{}\" title=\"{}\">{}</span>{expected}",
        token.mark.name(),
        escaped(&title),
        escaped(&token.text),
    )
}

fn faults(explained: &Explained<'_>) -> String {
    let rows: String = explained
        .faults()
        .map(|token| {
            format!(
                "<tr><td class=\"number\">{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td></tr>\n",
                token.position,
                token.mark.name(),
                escaped(&format!("{:?}", token.text)),
                escaped(&token.expected.as_ref().map_or(String::new(), |text| format!("{text:?}"))),
                token.gap_milli.map_or("excluded".into(), |gap| gap.to_string()),
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Where the model writes something else</h2>\n<table>\n<tr><th>position</th><th></th><th>claimed</th>\
         <th>expected</th><th>gap, milli-logits</th></tr>\n{rows}</table>\n"
    )
}

/// Text as HTML shows it, in elements and in attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            '\n' | '\t' => safe.push(character),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}
