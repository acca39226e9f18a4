//! Starting the library, once per process.

use crate::{EngineError, cpu};
use llama_cpp_sys_2 as sys;
use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

/// Environment variables with which ggml and llama.cpp choose other arithmetic, and the value of
/// each that the process gets before the library reads it; `None` removes it.
const SWITCHES: &[(&str, Option<&str>)] = &[
    // A product of quantized matrices that depends on the number of rows.
    ("GGML_CPU_TILED_MM", Some("0")),
    ("GGML_CPU_TILED_MM_FORCE", None),
    ("GGML_CPU_DISABLE_FUSION", None),
    // Rotates what goes into a quantized cache.
    ("LLAMA_ATTN_ROT_DISABLE", None),
    ("LLAMA_GRAPH_REUSE_DISABLE", None),
    // Names a library to load code from.
    ("GGML_BACKEND_PATH", None),
];

/// Most bytes kept of what the library logs in one call.
const MAX_LOG_BYTES: usize = 1 << 20;

/// What the running library says about itself.
#[derive(Debug)]
pub struct Backend {
    /// Its version and the instructions that it was compiled for and found.
    pub report: String,
}

/// The environment variables with which the library chooses other arithmetic, as they are.
pub fn switches() -> String {
    let value = |name| std::env::var(name).unwrap_or_default();
    let switches = SWITCHES.iter().map(|(name, _)| format!("{name}={}", value(name)));
    switches.collect::<Vec<_>>().join(" ")
}

/// The running library.
///
/// # Errors
/// [`EngineError::Cpu`] when the processor lacks the declared instructions: nothing has run then.
pub fn backend() -> Result<&'static Backend, EngineError> {
    static BACKEND: OnceLock<Backend> = OnceLock::new();
    let missing = cpu::missing();
    if !missing.is_empty() {
        return Err(EngineError::Cpu {
            missing: missing.join(", "),
        });
    }
    Ok(BACKEND.get_or_init(start))
}

fn start() -> Backend {
    for (name, value) in SWITCHES {
        // SAFETY: Changing the environment is unsound while another thread reads it behind the back
        // of `std`. Rust code reads it through `std`, which takes a lock; ggml is the only C code in
        // the process that reads it at all, and it has not been started yet.
        unsafe {
            match value {
                Some(value) => std::env::set_var(name, value),
                None => std::env::remove_var(name),
            }
        }
    }
    // SAFETY: `log` has the signature that the library wants, takes any text and does not unwind.
    // Neither call has other conditions; `get_or_init` sees to it that they are made once.
    unsafe {
        sys::llama_log_set(Some(log), std::ptr::null_mut());
        sys::llama_backend_init();
    }
    // SAFETY: The library's names of itself are static strings. The last is rebuilt at each call; this
    // is the only one, and `text` copies it.
    let [llama, ggml, commit, features] = unsafe {
        [
            text(sys::llama_version()),
            text(sys::ggml_version()),
            text(sys::ggml_commit()),
            text(sys::llama_print_system_info()),
        ]
    };
    Backend {
        report: format!("llama.cpp {llama}, ggml {ggml} ({commit}), {features}"),
    }
}

/// A copy of a string of the library's; empty for a null pointer.
///
/// # Safety
/// `pointer` is null or points to a string that ends with NUL and is not changed meanwhile.
pub unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: The caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_string_lossy().into_owned()
}

thread_local! {
    /// What the library has logged on this thread since [`logged`] began.
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The result of `call`, and what the library logged during it on this thread.
pub fn logged<T>(call: impl FnOnce() -> T) -> (T, String) {
    LOG.with_borrow_mut(String::clear);
    let result = call();
    (result, LOG.with_borrow_mut(std::mem::take))
}

/// The complaints in a log, for an error message.
pub fn complaint(log: &str) -> String {
    let is_complaint = |line: &&str| {
        [
            "error",
            "fail",
            "invalid",
            "unknown",
            "missing",
            "wrong",
            "unsupported",
            "corrupt",
        ]
        .iter()
        .any(|word| line.contains(word))
    };
    let lines: Vec<&str> = log.lines().filter(is_complaint).take(3).collect();
    match lines.is_empty() {
        true => "the library does not say why".into(),
        false => lines.join("; "),
    }
}

/// The library's log callback.
extern "C" fn log(_level: sys::ggml_log_level, message: *const c_char, _: *mut c_void) {
    // SAFETY: The library passes a string that lives during the call.
    let message = unsafe { text(message) };
    // A thread that is ending has no log any more.
    let _ = LOG.try_with(|log| {
        if let Ok(mut log) = log.try_borrow_mut()
            && log.len() + message.len() <= MAX_LOG_BYTES
        {
            log.push_str(&message);
        }
    });
}
