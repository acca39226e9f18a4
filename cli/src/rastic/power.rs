//! `camelid rastic power`.

use super::args::PowerArgs;
use super::chance::{Chance, detected, falsely_rejected, samples_needed};
use crate::exit::{Exit, Failure};
use crate::sim::print_json;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};

/// Characters of a full bar.
const BAR: u32 = 40;
/// The curve ends where it can no longer be told from 1.
const ALMOST_SURE: f64 = 0.999_999;

/// Schema, inputs and results; what cannot be computed from the inputs given is null.
#[derive(Serialize)]
struct PowerRecord {
    schema: &'static str,
    n: Option<u32>,
    k: Option<u32>,
    m: Option<u32>,
    detection: Option<f64>,
    false_rejection: Option<f64>,
    samples_needed: Option<u32>,
}

/// Says what a check by samples finds.
///
/// # Errors
/// [`Failure::Usage`] for more bad positions or samples than positions.
pub fn power(args: &PowerArgs) -> Result<Exit, Failure> {
    check(args)?;
    let record = PowerRecord::new(args);
    if args.json {
        print_json(&record)?;
    } else {
        stdout().lock().write_all(in_words(args, &record).as_bytes())?;
    }
    Ok(Exit::Success)
}

fn check(args: &PowerArgs) -> Result<(), Failure> {
    let Some(n) = args.n else {
        return Ok(());
    };
    for (option, what, value) in [("k", "bad positions", args.k), ("m", "samples", args.m)] {
        if let Some(value) = value.filter(|value| *value > n) {
            return Err(Failure::Usage(format!(
                "--{option} {value} is more than --n {n}: there cannot be more {what} than positions"
            )));
        }
    }
    Ok(())
}

impl PowerRecord {
    fn new(args: &PowerArgs) -> Self {
        let PowerArgs { n, k, m, .. } = *args;
        let detection = n.zip(k).zip(m).map(|((n, k), m)| detected(n, k, m));
        let rejection = args.mismatch_ppm.zip(m).map(|(ppm, m)| falsely_rejected(ppm, m));
        let wanted = n.zip(k).zip(args.want);
        Self {
            schema: "camelid.rastic.power.v1",
            n,
            k,
            m,
            detection: detection.as_ref().map(Chance::to_f64),
            false_rejection: rejection.as_ref().map(Chance::to_f64),
            samples_needed: wanted.and_then(|((n, k), want)| samples_needed(n, k, &want.fraction())),
        }
    }
}

fn in_words(args: &PowerArgs, record: &PowerRecord) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{label:<30}{value}");
        }
    };
    line("positions (n)", record.n.map(|n| n.to_string()));
    line("bad among them (k)", record.k.map(|k| k.to_string()));
    line("samples (m)", record.m.map(|m| m.to_string()));
    line(
        "honest mismatch per position",
        args.mismatch_ppm.map(|ppm| format!("{ppm} ppm")),
    );
    line("detected", record.detection.map(percent));
    line("honest output rejected", record.false_rejection.map(percent));
    if let (Some(want), Some(_), Some(_)) = (args.want, args.n, args.k) {
        let needed = record
            .samples_needed
            .map_or("no number of them".into(), |m| m.to_string());
        line(&format!("samples to detect {want}"), Some(needed));
    }
    if let (Some(n), Some(k)) = (args.n, args.k) {
        text.push('\n');
        curve(&mut text, n, k, args.m);
    }
    text
}

/// Detection by samples: powers of two up to where it is almost sure, and what was asked for.
fn curve(text: &mut String, n: u32, k: u32, asked: Option<u32>) {
    let powers = (0..).map_while(|exponent| 1_u32.checked_shl(exponent));
    let mut samples: Vec<u32> = powers.take_while(|m| *m < n).chain([n]).chain(asked).collect();
    samples.sort_unstable();
    samples.dedup();
    let _ = writeln!(text, "{:>9}  {:>14}", "samples", "detected");
    let mut almost_sure = false;
    for m in samples {
        let is_asked = Some(m) == asked;
        if almost_sure && !is_asked {
            continue;
        }
        let detection = detected(n, k, m).to_f64();
        almost_sure |= detection >= ALMOST_SURE;
        let mark = if is_asked { "*" } else { " " };
        let row = format!("{m:>9}{mark} {:>14}  {}", percent(detection), bar(detection));
        let _ = writeln!(text, "{}", row.trim_end());
    }
}

fn percent(chance: f64) -> String {
    format!("{:.6} %", chance * 100.0)
}

/// A bar in eighths of a character.
fn bar(chance: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighth = |eighths: u32| f64::from(eighths) <= chance * f64::from(BAR * 8);
    let eighths = (1..=BAR * 8).take_while(|eighths| eighth(*eighths)).count();
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}
