//! `camelid rastic selftest`.

use super::args::SelftestArgs;
use crate::exit::{Exit, Failure};
use crate::ggml::engine_failure;
use crate::model::find_model;
use crate::sim::print_json;
use camelid_core::model::NumericsProfile;
use camelid_inference_ggml::{Comparison, Model, Numerics, read_chunks, self_test};
use serde::Serialize;
use std::io::{Write as _, stdout};
use std::sync::Arc;

/// What the self-test found.
#[derive(Serialize)]
struct SelftestRecord {
    schema: &'static str,
    model: String,
    description: String,
    profile: String,
    exact: bool,
    positions: usize,
    differing: usize,
    largest_difference_milli: u32,
    generate_tokens_per_second: f64,
    verify_tokens_per_second: f64,
}

/// Generates 64 tokens, computes them again in another way, and compares bit for bit.
///
/// # Errors
/// [`Failure`] when the model cannot be loaded or run.
pub fn selftest(args: &SelftestArgs) -> Result<Exit, Failure> {
    let source = find_model(&args.model)?;
    let failure = |error| engine_failure(&source.path, error);
    let model = Arc::new(Model::load(&source.path, Numerics::Exact).map_err(failure)?);
    let comparison = self_test(&model).map_err(failure)?;
    let profile = model.numerics().profile().map_err(failure)?;
    let record = record(&model, &profile, &comparison)?;
    if args.json {
        print_json(&record)?;
    } else {
        stdout().lock().write_all(in_words(&record).as_bytes())?;
    }
    Ok(if record.exact {
        Exit::Success
    } else {
        Exit::Negative
    })
}

fn record(
    model: &Model,
    profile: &NumericsProfile,
    comparison: &Comparison,
) -> Result<SelftestRecord, Failure> {
    let chunks =
        read_chunks(model.path()).map_err(|error| Failure::load(model.path(), error.to_string(), ""))?;
    let positions = comparison.positions;
    let rate = |time: std::time::Duration| positions as f64 / time.as_secs_f64().max(1e-9);
    Ok(SelftestRecord {
        schema: "camelid.rastic.selftest.v1",
        model: chunks.root.to_string(),
        description: model.description(),
        profile: profile.name.as_str().to_owned(),
        exact: comparison.differing == 0,
        positions,
        differing: comparison.differing,
        largest_difference_milli: comparison.largest_milli,
        generate_tokens_per_second: rate(comparison.generating),
        verify_tokens_per_second: rate(comparison.verifying),
    })
}

fn in_words(record: &SelftestRecord) -> String {
    format!(
        "model         {} ({})\n\
         profile       {}\n\
         positions     {} compared, {} of them differ\n\
         difference    {} milli-logits at most\n\
         generating    {:.1} tokens/s, token by token on one thread\n\
         verifying     {:.1} tokens/s, in one pass on two threads\n\
         {}\n",
        record.model,
        record.description,
        record.profile,
        record.positions,
        record.differing,
        record.largest_difference_milli,
        record.generate_tokens_per_second,
        record.verify_tokens_per_second,
        match record.exact {
            true => "exact: scores depend on nothing but the tokens before them",
            false => "not exact: this machine cannot judge this model by equality",
        },
    )
}
