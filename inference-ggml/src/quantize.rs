//! Making a coarser copy of a model.

use crate::EngineError;
use crate::backend::{backend, complaint, logged};
use crate::gguf::Header;
use llama_cpp_sys_2 as sys;
use std::ffi::CString;
use std::path::Path;

/// The quantizations that can be asked for, by ggml's names, coarse ones first.
const KINDS: &[(&str, sys::llama_ftype)] = &[
    ("q2_K", sys::LLAMA_FTYPE_MOSTLY_Q2_K),
    ("q3_K_S", sys::LLAMA_FTYPE_MOSTLY_Q3_K_S),
    ("q3_K_M", sys::LLAMA_FTYPE_MOSTLY_Q3_K_M),
    ("q3_K_L", sys::LLAMA_FTYPE_MOSTLY_Q3_K_L),
    ("q4_0", sys::LLAMA_FTYPE_MOSTLY_Q4_0),
    ("q4_1", sys::LLAMA_FTYPE_MOSTLY_Q4_1),
    ("q4_K_S", sys::LLAMA_FTYPE_MOSTLY_Q4_K_S),
    ("q4_K_M", sys::LLAMA_FTYPE_MOSTLY_Q4_K_M),
    ("q5_0", sys::LLAMA_FTYPE_MOSTLY_Q5_0),
    ("q5_1", sys::LLAMA_FTYPE_MOSTLY_Q5_1),
    ("q5_K_S", sys::LLAMA_FTYPE_MOSTLY_Q5_K_S),
    ("q5_K_M", sys::LLAMA_FTYPE_MOSTLY_Q5_K_M),
    ("q6_K", sys::LLAMA_FTYPE_MOSTLY_Q6_K),
    ("q8_0", sys::LLAMA_FTYPE_MOSTLY_Q8_0),
    ("f16", sys::LLAMA_FTYPE_MOSTLY_F16),
];

/// The names of the quantizations that [`quantize`] knows.
pub fn quantizations() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// Writes the model at `from` to `to`, quantized as `kind`. The same input gives the same bytes,
/// whatever the number of threads. As with [`Model::load`](crate::Model::load), a file of unknown
/// origin goes through [`trial`](crate::trial) first.
///
/// # Errors
/// [`EngineError`] when the kind is not known, the input's header is refused or the library fails.
pub fn quantize(from: &Path, to: &Path, kind: &str, threads: u32) -> Result<(), EngineError> {
    backend()?;
    let refuse = EngineError::Quantize;
    let (_, ftype) = KINDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(kind))
        .ok_or_else(|| {
            let known: Vec<_> = quantizations().collect();
            refuse(format!("{kind:?} is none of {}", known.join(", ")))
        })?;
    Header::read(from).map_err(|error| EngineError::Header {
        path: from.to_owned(),
        error,
    })?;
    let name = |path: &Path| {
        let name = path.to_str().and_then(|path| CString::new(path).ok());
        name.ok_or_else(|| refuse("the path is not UTF-8".into()))
    };
    let (from, to) = (name(from)?, name(to)?);
    // SAFETY: No conditions.
    let mut params = unsafe { sys::llama_model_quantize_default_params() };
    params.nthread = threads.max(1).cast_signed();
    params.ftype = *ftype;
    params.allow_requantize = true;
    // SAFETY: Two paths that end with NUL, and parameters without pointers of ours.
    let (code, log) =
        logged(|| unsafe { sys::llama_model_quantize(from.as_ptr(), to.as_ptr(), &raw const params) });
    match code {
        0 => Ok(()),
        _ => Err(refuse(complaint(&log))),
    }
}
