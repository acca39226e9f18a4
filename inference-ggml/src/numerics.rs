//! Which arithmetic: the settings that decide the bits, and their name.

use crate::backend::{backend, switches};
use crate::{EngineError, cpu};
use camelid_core::model::{NumericsProfile, Text};
use camelid_core::primitives::tagged_hash;
use llama_cpp_sys_2 as sys;

/// The settings that decide which bits come out of a computation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numerics {
    /// The scores of a position depend on the tokens before it and on nothing else: not on the
    /// number of threads, nor on which tokens go through the model together. For that, keys and
    /// values are cached as Q8_0, attention is the flash kind, weights stay as they are in the file
    /// and no product depends on its number of rows.
    #[default]
    Exact,
    /// What the library does when left alone. Scores depend on threads and batches.
    Library,
}

/// Version of the list of what is hashed into a profile's id.
const ID_VERSION: u32 = 1;

/// The tolerance declared beside the exact profile, for machines whose profile has another id; in
/// milli-logits. The largest difference seen between differently compiled libraries and batch
/// shapes is 641.
const TOLERANCE_MILLI: u32 = 700;

impl Numerics {
    /// May the library rearrange weights for faster products?
    pub(crate) fn extra_buffers(self) -> bool {
        self == Self::Library
    }

    pub(crate) fn apply(self, params: &mut sys::llama_context_params) {
        if self == Self::Exact {
            params.type_k = sys::GGML_TYPE_Q8_0;
            params.type_v = sys::GGML_TYPE_Q8_0;
            params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_ENABLED;
        }
    }

    /// Did the library do what it was told, by its own report of loading a model and setting up a
    /// context?
    pub(crate) fn check_report(self, load: &str, context: &str) -> Result<(), EngineError> {
        if self == Self::Library {
            return Ok(());
        }
        let refuse = |what: &str| Err(EngineError::Numerics(what.into()));
        let buffers = values(load, " model buffer size");
        if buffers.is_empty() || buffers.iter().any(|name| *name != "CPU") {
            return refuse(&format!("weights are in {buffers:?}, not only CPU"));
        }
        let caches: Vec<&str> = context.lines().filter(|line| line.contains("K (")).collect();
        if caches.is_empty()
            || !caches
                .iter()
                .all(|line| line.contains("K (q8_0)") && line.contains("V (q8_0)"))
        {
            return refuse(&format!("caches are {caches:?}, not K (q8_0) and V (q8_0)"));
        }
        let is_enabled = |line: &str| line.contains("flash_attn") && line.ends_with("= enabled");
        if !context.lines().any(is_enabled) {
            return refuse("flash attention is not enabled");
        }
        Ok(())
    }

    /// Everything that decides the bits, in lines of text, as the running library and the compiled
    /// program report it.
    ///
    /// # Errors
    /// [`EngineError::Cpu`].
    pub fn facts(self) -> Result<String, EngineError> {
        let settings = match self {
            Self::Exact => "exact: cache q8_0, flash attention, weights as in the file",
            Self::Library => "left to the library",
        };
        let lines = [
            format!("list {ID_VERSION}"),
            settings.into(),
            backend()?.report.clone(),
            switches(),
            cpu::LEVEL.into(),
            env!("GGML_COMPILER").into(),
            libc_version(),
        ];
        Ok(lines.join("\n"))
    }

    /// The profile to declare in a manifest. Two machines whose profiles have the same name compute
    /// the same bits.
    ///
    /// # Errors
    /// [`EngineError::Cpu`].
    pub fn profile(self) -> Result<NumericsProfile, EngineError> {
        let id = tagged_hash("camelid/ggml-numerics", self.facts()?.as_str());
        let kind = match self {
            Self::Exact => "exact",
            Self::Library => "library",
        };
        Ok(NumericsProfile {
            name: Text::truncated(&format!("ggml-{kind}-{id:.32}")),
            exact: self == Self::Exact,
            tolerance_milli: TOLERANCE_MILLI,
            slash_tolerance_milli: 2 * TOLERANCE_MILLI,
        })
    }
}

/// The words before `what` in each line of `log` that has it.
fn values<'a>(log: &'a str, what: &str) -> Vec<&'a str> {
    log.lines()
        .filter_map(|line| line.split_once(what)?.0.split_whitespace().last())
        .collect()
}

/// The C library, whose exponentials and cosines the kernels call.
fn libc_version() -> String {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            safe fn gnu_get_libc_version() -> *const std::ffi::c_char;
        }
        // SAFETY: A static string.
        format!("glibc {}", unsafe {
            crate::backend::text(gnu_get_libc_version())
        })
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
    }
}
