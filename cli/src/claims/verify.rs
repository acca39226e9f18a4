//! `camelid rastic verify`.

use super::args::{CheckArgs, VerifyArgs};
use super::bench::Bench;
use super::read::read_claims;
use super::verdict::{Kinds, SummaryRecord, Tally, VerdictRecord};
use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};
use crate::model;
use crate::sim::{new_table, print_json, progress_bar, stop_on_interrupt};
use camelid_core::primitives::Hash256;
use camelid_core::rastic::Spec;
use camelid_inference_ggml::Engine;
use comfy_table::{Cell, CellAlignment, Color};
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::sync::atomic::Ordering;

/// Checks claims.
///
/// # Errors
/// [`Failure`], before anything is checked if a claim cannot be read.
pub fn verify(args: &VerifyArgs, color: ColorWhen) -> Result<Exit, Failure> {
    let model = model::open(&args.model)?;
    let claims = read_claims(&args.claims, &model)?;
    let bench = args.check.bench(&model)?;
    let stop = stop_on_interrupt("stopping after this claim; once more to stop at once")?;
    let bar = progress_bar(claims.len() as u64, "claims");
    let (mut total, mut kinds, mut records) = (Tally::default(), Kinds::default(), Vec::new());
    for claim in &claims {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let checked = bench.check(claim);
        let record = VerdictRecord::new(claim, &checked);
        if args.json {
            bar.suspend(|| print_json(&record))?;
        } else {
            records.push(record);
        }
        total.add(&checked.verdict);
        kinds.add(claim.label.as_ref(), &checked.verdict);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if args.json {
        let beacon = args.check.draws().then(|| bench.beacon.to_string());
        print_json(&SummaryRecord::new(
            bench.spec,
            bench.samples,
            beacon,
            total,
            &kinds,
        ))?;
    } else {
        let text = render(&records, &total, &kinds, color.on_stdout());
        stdout().lock().write_all(text.as_bytes())?;
    }
    if total.claims < claims.len() as u64 {
        eprintln!(
            "camelid: interrupted after {} of {} claims",
            total.claims,
            claims.len()
        );
        return Ok(Exit::Interrupted);
    }
    let negative = total.invalid > 0 || (args.strict && total.inconclusive > 0);
    Ok(if negative { Exit::Negative } else { Exit::Success })
}

impl CheckArgs {
    /// What claims about `model` are checked on.
    ///
    /// # Errors
    /// [`Failure::System`] when there is no beacon to be had.
    pub fn bench<'a>(&self, model: &'a Engine) -> Result<Bench<'a>, Failure> {
        let beacon = match self.beacon {
            Some(beacon) => beacon,
            None => self.fresh_beacon()?,
        };
        Ok(Bench {
            model,
            spec: self.spec,
            samples: self.samples,
            beacon,
        })
    }

    /// True when positions are drawn at all.
    pub fn draws(&self) -> bool {
        self.spec != Spec::V2
    }

    /// Whoever made the claims cannot have known it.
    fn fresh_beacon(&self) -> Result<Hash256, Failure> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| Failure::System(format!("no beacon can be drawn: {error}; give --beacon")))?;
        let beacon = Hash256(bytes);
        if self.draws() {
            eprintln!(
                "camelid: positions are drawn from a fresh beacon; to check the same ones again: --beacon {beacon}"
            );
        }
        Ok(beacon)
    }
}

fn render(records: &[VerdictRecord], total: &Tally, kinds: &Kinds, color: bool) -> String {
    let mut table = new_table(
        &[
            "claim",
            "verdict",
            "position",
            "checked",
            "rule",
            "largest gap",
            "tokens/s",
        ],
        color,
    );
    for record in records {
        table.add_row(vec![
            Cell::new(&record.id),
            verdict(record),
            right(record.first_bad),
            right(Some(record.positions_checked)),
            Cell::new(record.rule),
            right(record.max_gap_milli),
            right(record.tokens_per_second),
        ]);
    }
    let mut text = format!("{table}\n");
    if kinds.0.len() > 1 {
        let _ = write!(text, "\n{}", by_kind(kinds, color));
    }
    let Tally {
        claims,
        valid,
        invalid,
        inconclusive,
    } = total;
    let _ = writeln!(
        text,
        "{claims} claims: {valid} valid, {invalid} invalid, {inconclusive} inconclusive"
    );
    text
}

fn verdict(record: &VerdictRecord) -> Cell {
    let color = match record.verdict {
        "valid" => Color::Green,
        "invalid" => Color::Red,
        _ => Color::Yellow,
    };
    let reason = record
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!(": {reason}"));
    Cell::new(format!("{}{reason}", record.verdict)).fg(color)
}

fn by_kind(kinds: &Kinds, color: bool) -> String {
    let mut table = new_table(&["labelled", "claims", "valid", "invalid", "inconclusive"], color);
    for (kind, tally) in &kinds.0 {
        table.add_row(vec![
            Cell::new(kind),
            right(Some(tally.claims)),
            right(Some(tally.valid)),
            right(Some(tally.invalid)),
            right(Some(tally.inconclusive)),
        ]);
    }
    format!("{table}\n\n")
}

fn right(number: Option<impl ToString>) -> Cell {
    let text = number.map_or(String::new(), |number| number.to_string());
    Cell::new(text).set_alignment(CellAlignment::Right)
}
