//! What checking costs beside generating, and what our loop costs beside the library's, as ratios
//! within one run: `make inference`, or with a model of your own
//! `MODEL=/path/to/model.gguf cargo bench -p camelid-inference-ggml`.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::print_stdout)] // a benchmark prints

#[path = "../tests/support/mod.rs"]
mod support;

use camelid_core::model::LanguageModel;
use camelid_inference_ggml::{Engine, Model, Numerics, Shape, compare};
use llama_cpp_sys_2 as sys;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{draw, tiny_quantized, tokens};

/// Tokens of every prompt.
const PROMPT: usize = 32;
/// Tokens generated in a row before the other loop takes its turn.
const TURN: usize = 32;
/// Turns of each loop.
const TURNS: usize = 12;

fn main() {
    let path = std::env::var_os("MODEL").map_or_else(|| tiny_quantized("q4_1"), PathBuf::from);
    println!("model {}", path.display());
    loops(&path);
    checks(&path);
}

/// Our loop and the bare one take turns, so that other work on the machine hits both.
fn loops(path: &Path) {
    println!("\ntemperature   ours tokens/s   bare tokens/s   ratio");
    let model = Arc::new(Model::load(path, Numerics::Exact).expect("a model"));
    let prompt = tokens(1, PROMPT, model.vocabulary());
    let engine = Engine::new(Arc::clone(&model), Shape::default()).expect("an engine");
    for temperature_milli in [0, 1000] {
        let draw = draw(1, temperature_milli);
        let mut bare = Bare::new(path, model.context(), temperature_milli);
        let mut written = prompt.clone();
        engine.predict(&draw, &written, None);
        bare.decode(&prompt);
        let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
        for turn in 0..TURNS {
            let mut our_turn = || {
                for _ in 0..TURN {
                    let next = engine.predict(&draw, &written, None).token;
                    written.push(next);
                }
            };
            let mut their_turn = || {
                for _ in 0..TURN {
                    let next = bare.sample();
                    bare.decode(&[next]);
                }
            };
            // Whoever is first finds the caches as the other has left them.
            if turn % 2 == 0 {
                ours += timed(&mut our_turn);
                theirs += timed(&mut their_turn);
            } else {
                theirs += timed(&mut their_turn);
                ours += timed(&mut our_turn);
            }
        }
        println!(
            "{:>11.1} {:>15.1} {:>15.1} {:>7.3}",
            f64::from(temperature_milli) / 1000.0,
            rate(TURN * TURNS, ours),
            rate(TURN * TURNS, theirs),
            theirs.as_secs_f64() / ours.as_secs_f64(),
        );
    }
}

/// Generating token by token, and checking every position in one pass, prompt included in both.
fn checks(path: &Path) {
    println!("\nthreads   tokens   generate tokens/s   verify tokens/s   verify / generate");
    let model = Arc::new(Model::load(path, Numerics::Exact).expect("a model"));
    for threads in [1, 2] {
        for count in [16, 64, 256, 1024] {
            if PROMPT + count > model.context() as usize {
                continue;
            }
            let prompt = tokens(2, PROMPT, model.vocabulary());
            let shape = Shape { threads, rows: 0 };
            let comparison =
                compare(&model, &draw(2, 1000), &prompt, count, shape, shape).expect("a comparison");
            assert_eq!(comparison.differing, 0, "the exact profile is exact");
            println!(
                "{threads:>7} {count:>8} {:>19.1} {:>17.1} {:>19.3}",
                rate(count, comparison.generating),
                rate(count, comparison.verifying),
                comparison.verifying.as_secs_f64() / comparison.generating.as_secs_f64(),
            );
        }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn rate(tokens: usize, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64()
}

/// The library's own loop: decode, sample with its sampler, decode. Same settings as ours; never
/// freed, as the program ends soon.
struct Bare {
    context: *mut sys::llama_context,
    sampler: *mut sys::llama_sampler,
}

impl Bare {
    fn new(path: &Path, tokens: u32, temperature_milli: u32) -> Self {
        let path = CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
        // SAFETY: The library was started by loading our model. The path ends with NUL, and the
        // model is never freed.
        unsafe {
            let mut params = sys::llama_model_default_params();
            params.use_extra_bufts = false;
            params.load_mode = sys::LLAMA_LOAD_MODE_NONE;
            let model = sys::llama_model_load_from_file(path.as_ptr(), params);
            assert!(!model.is_null(), "a model");
            let mut params = sys::llama_context_default_params();
            params.n_ctx = tokens;
            params.n_threads = 1;
            params.n_threads_batch = 1;
            params.type_k = sys::GGML_TYPE_Q8_0;
            params.type_v = sys::GGML_TYPE_Q8_0;
            params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_ENABLED;
            params.no_perf = true;
            let sampler = match temperature_milli {
                0 => sys::llama_sampler_init_greedy(),
                _ => sys::llama_sampler_init_dist(1),
            };
            Self {
                context: sys::llama_init_from_model(model, params),
                sampler,
            }
        }
    }

    fn decode(&mut self, tokens: &[u32]) {
        let mut tokens: Vec<i32> = tokens.iter().map(|token| token.cast_signed()).collect();
        let count = i32::try_from(tokens.len()).expect("few tokens");
        // SAFETY: A context, and a batch over tokens that outlive the call.
        let code =
            unsafe { sys::llama_decode(self.context, sys::llama_batch_get_one(tokens.as_mut_ptr(), count)) };
        assert_eq!(code, 0);
    }

    fn sample(&mut self) -> u32 {
        // SAFETY: A sampler, and a context that has decoded something.
        unsafe { sys::llama_sampler_sample(self.sampler, self.context, -1) }.cast_unsigned()
    }
}
