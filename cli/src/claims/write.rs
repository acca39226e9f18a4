//! Writing claims to a file, all or nothing.

use super::claim::Claim;
use super::record::ClaimRecord;
use crate::exit::Failure;
use crate::model::write_whole;
use camelid_inference_ggml::Engine;
use std::io::{Write, stdout};
use std::path::Path;

/// Writes `claims`, one a line, to `path`, or to standard output when there is none.
///
/// # Errors
/// [`Failure::Write`] or [`Failure::Output`].
pub fn write_claims(path: Option<&Path>, claims: &[Claim], model: &Engine) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for claim in claims {
        serde_json::to_writer(&mut lines, &ClaimRecord::new(claim, model)).map_err(std::io::Error::from)?;
        lines.push(b'\n');
    }
    match path {
        Some(path) if path != Path::new("-") => write_whole(path, &lines),
        _ => Ok(stdout().lock().write_all(&lines)?),
    }
}
