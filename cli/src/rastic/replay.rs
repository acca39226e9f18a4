//! `camelid rastic replay`.

use super::args::ReplayArgs;
use super::replay_record::{ClaimRecord, CsvRow, SummaryRecord};
use super::replay_table::render;
use super::verdicts::{Judged, Totals, Variant};
use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};
use crate::sim::{first_difference, guarded, print_json, read};
use camelid_sim::trace::{Rejudge, TracedClaim, TracedClaims};
use std::io::{Write, stdout};

/// A claim and what comes of it under each variant.
pub type JudgedClaim<'a> = (&'a TracedClaim, Vec<Judged>);

/// Judges the claims of a trace again.
///
/// # Errors
/// [`Failure`]: the trace cannot be loaded, or this program does not do what it records.
pub fn replay(args: &ReplayArgs, color: ColorWhen) -> Result<Exit, Failure> {
    let trace = read(&args.trace)?;
    let read = guarded(&args.trace, || camelid_sim::trace::claims(&trace))?;
    let traced = read.map_err(|divergence| Failure::Diverged {
        path: args.trace.clone(),
        difference: first_difference(&divergence),
    })?;
    let variants = Variant::all(&args.specs, &args.samples.0);
    let judged = judge_all(&traced, &variants);
    let totals = Totals::of(&variants, &judged);
    if args.json {
        for (number, claim) in judged.iter().enumerate() {
            print_json(&ClaimRecord::new(&args.trace, &traced, number, claim))?;
        }
        print_json(&SummaryRecord::new(&args.trace, &traced, &totals))?;
    } else if args.csv {
        print_csv(args, &traced, &judged)?;
    } else {
        let text = render(&traced, &judged, &totals, color.on_stdout());
        stdout().lock().write_all(text.as_bytes())?;
    }
    Ok(Exit::Success)
}

fn judge_all<'a>(traced: &'a TracedClaims, variants: &[Variant]) -> Vec<JudgedClaim<'a>> {
    let judge = |claim: &'a TracedClaim| {
        let bench = Rejudge::new(traced, claim);
        let judged = variants
            .iter()
            .map(|variant| Judged::new(claim, &bench, *variant));
        (claim, judged.collect())
    };
    traced.claims.iter().map(judge).collect()
}

fn print_csv(args: &ReplayArgs, traced: &TracedClaims, judged: &[JudgedClaim<'_>]) -> Result<(), Failure> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(stdout().lock());
    let unwritable = |error: csv::Error| Failure::Output(error.into());
    writer.write_record(CsvRow::HEADINGS).map_err(unwritable)?;
    for (number, (claim, judged)) in judged.iter().enumerate() {
        for one in judged {
            let row = CsvRow::new(&args.trace, traced, number, claim, one);
            writer.serialize(row).map_err(unwritable)?;
        }
    }
    Ok(writer.flush()?)
}
