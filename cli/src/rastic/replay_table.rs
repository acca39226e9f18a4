//! The tables of `camelid rastic replay`, for people.

use super::replay::JudgedClaim;
use super::replay_record::reason;
use super::stake::in_coins;
use super::verdicts::{Judged, Total, Totals, Variant, name};
use crate::sim::new_table;
use camelid_core::primitives::Amount;
use camelid_core::rastic::Verdict;
use camelid_sim::trace::{Source, TracedClaim, TracedClaims};
use comfy_table::{Cell, CellAlignment, Color};

/// Claims, what comes of each, and the sums.
pub fn render(traced: &TracedClaims, judged: &[JudgedClaim<'_>], totals: &Totals, color: bool) -> String {
    let mut text = claims(traced, color);
    if !judged.is_empty() {
        text += "\n";
        text += &judgements(judged, color);
        text += "\n";
        text += &sums(totals, color);
    }
    text + &format!("{} jobs, {} claims\n", traced.jobs, traced.claims.len())
}

fn claims(traced: &TracedClaims, color: bool) -> String {
    let headings = [
        "claim",
        "job",
        "node",
        "strategy",
        "prompt",
        "output",
        "reward",
        "stake",
        "in the run",
    ];
    let mut table = new_table(&headings, color);
    for (number, claim) in traced.claims.iter().enumerate() {
        let node = traced.node_of(claim);
        table.add_row(vec![
            right(number.to_string()),
            Cell::new(claim.job.to_string().get(..8).unwrap_or_default()),
            Cell::new(node.map_or("?", |node| &node.name)),
            Cell::new(node.and_then(|node| node.strategy.as_deref()).unwrap_or("honest")),
            right(claim.prompt.len().to_string()),
            right(claim.output.len().to_string()),
            right(short(claim.terms.reward)),
            right(short(claim.terms.stake)),
            Cell::new(in_the_run(claim)),
        ]);
    }
    format!("{table}\n")
}

fn in_the_run(claim: &TracedClaim) -> String {
    let verdict = claim.verdict.as_ref().map_or("not judged", name);
    let outcome = claim
        .outcome
        .map_or("not closed".into(), |outcome| outcome.to_string());
    format!("{} {verdict}, {outcome}", claim.terms.spec)
}

fn judgements(judged: &[JudgedClaim<'_>], color: bool) -> String {
    let headings = [
        "claim", "spec", "samples", "bad", "detected", "one draw", "paid", "slashed", "evidence",
    ];
    let mut table = new_table(&headings, color);
    for (number, (_, judged)) in judged.iter().enumerate() {
        for one in judged {
            table.add_row(judgement(number, one));
        }
    }
    format!("{table}\n")
}

fn judgement(number: usize, judged: &Judged) -> Vec<Cell> {
    let Judged {
        variant,
        judgement,
        detection,
        paid,
        slashed,
        ..
    } = judged;
    let odds = &judgement.odds;
    vec![
        right(number.to_string()),
        Cell::new(variant.spec),
        right(samples(variant)),
        right(format!("{} of {}", odds.faults, odds.positions)),
        right(percent(detection.to_f64())),
        verdict(&judgement.verdict),
        right(short(*paid)),
        right(short(*slashed)),
        Cell::new(match judgement.source {
            Source::Recorded => "recorded",
            Source::Model => "model",
        }),
    ]
}

fn verdict(verdict: &Verdict) -> Cell {
    let color = match verdict {
        Verdict::Valid => Color::Green,
        Verdict::Invalid { .. } => Color::Red,
        Verdict::Inconclusive { .. } => Color::Yellow,
    };
    let position = match verdict {
        Verdict::Invalid { position, .. } => format!(" at {position}"),
        _ => String::new(),
    };
    let reason = reason(verdict).map_or(String::new(), |reason| format!(": {reason}"));
    Cell::new(format!("{}{position}{reason}", name(verdict))).fg(color)
}

fn sums(totals: &Totals, color: bool) -> String {
    let headings = [
        "total",
        "samples",
        "valid",
        "invalid",
        "inconclusive",
        "expected invalid",
        "paid",
        "slashed",
        "expected slashed",
    ];
    let mut table = new_table(&headings, color);
    for (variant, total) in &totals.0 {
        table.add_row(sum(variant, total));
    }
    format!("{table}\n")
}

fn sum(variant: &Variant, total: &Total) -> Vec<Cell> {
    let coins = |units: u64| right(trimmed(&in_coins(&units.into())).into());
    vec![
        Cell::new(variant.spec),
        right(samples(variant)),
        right(total.valid.to_string()),
        right(total.invalid.to_string()),
        right(total.inconclusive.to_string()),
        right(format!("{:.4}", total.expected_invalid)),
        coins(total.paid),
        coins(total.slashed),
        coins(total.expected_slashed),
    ]
}

fn samples(variant: &Variant) -> String {
    variant
        .samples
        .map_or("all".into(), |samples| samples.to_string())
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn percent(chance: f64) -> String {
    format!("{:.4} %", chance * 100.0)
}

fn short(amount: Amount) -> String {
    trimmed(&amount.to_string()).into()
}

/// Without the zeros at its end.
fn trimmed(coins: &str) -> &str {
    coins.trim_end_matches('0').trim_end_matches('.')
}
