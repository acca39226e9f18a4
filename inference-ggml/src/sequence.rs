//! Tokens on their way through a model.

use crate::backend::{complaint, logged};
use crate::model::signed;
use crate::{EngineError, Model, Numerics};
use camelid_core::model::TokenId;
use llama_cpp_sys_2 as sys;
use std::ptr::NonNull;
use std::sync::Arc;

/// How a computation is spread; in the exact profile it does not change a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Threads of one product. On a loaded machine more threads wait for each other: take one for
    /// each sequence when cores are scarce.
    pub threads: u32,
    /// Tokens that go through the model together; 0 takes as many as is reasonable for the
    /// vocabulary.
    pub rows: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self { threads: 1, rows: 0 }
    }
}

/// Most rows together.
const MAX_ROWS: u32 = 512;
/// Fewest by default.
const MIN_ROWS: u32 = 32;
/// Scores of rows times vocabulary that are held at a time by default: 64 MiB of them.
const SCORES: u32 = 1 << 24;

/// One sequence of tokens and what the model remembers of it.
///
/// Asked for scores after a prefix, it goes on from where the prefix parts from what it remembers.
#[derive(Debug)]
pub struct Sequence {
    /// From `llama_init_from_model`, freed when this is dropped.
    context: NonNull<sys::llama_context>,
    /// Keeps alive what `context` uses.
    model: Arc<Model>,
    batch: Batch,
    /// The tokens in the context's memory, which are at the positions 0, 1, 2...
    remembered: Vec<TokenId>,
    rows: usize,
}

// SAFETY: A context is used by whoever has it, from any thread, by one at a time: every method that
// touches it takes `&mut self`.
unsafe impl Send for Sequence {}

impl Sequence {
    /// An empty sequence of up to [`Model::context`] tokens.
    ///
    /// # Errors
    /// [`EngineError::Context`] when there is not enough memory for it, [`EngineError::Numerics`]
    /// when the library reports another arithmetic than it was told.
    pub fn new(model: &Arc<Model>, shape: Shape) -> Result<Self, EngineError> {
        let tokens = model.context();
        let rows = match shape.rows {
            0 => (SCORES / model.vocabulary()).clamp(MIN_ROWS, MAX_ROWS),
            rows => rows.clamp(1, MAX_ROWS),
        };
        let params = params(model.numerics(), tokens, rows.min(tokens), shape.threads.max(1));
        // SAFETY: A loaded model that outlives the context, and parameters without pointers of ours.
        let (context, log) = logged(|| unsafe { sys::llama_init_from_model(model.as_ptr(), params) });
        let context = NonNull::new(context).ok_or_else(|| EngineError::Context {
            tokens,
            reason: complaint(&log),
        })?;
        let sequence = Self {
            context,
            model: Arc::clone(model),
            batch: Batch::new(rows),
            remembered: Vec::new(),
            rows: rows as usize,
        };
        model.numerics().check_report(model.log(), &log)?;
        Ok(sequence)
    }

    /// Calls `read` with the scores of all tokens after each of `prefixes`, lengths of beginnings of
    /// `tokens` in ascending order, each at least 1.
    ///
    /// # Errors
    /// [`EngineError`] when a prefix is empty or longer than `tokens`, when a token is not in the
    /// vocabulary, when there are more than the context holds, or when the library fails.
    pub fn scores(
        &mut self,
        tokens: &[TokenId],
        prefixes: &[usize],
        mut read: impl FnMut(usize, &[f32]),
    ) -> Result<(), EngineError> {
        let (Some(&first), Some(&last)) = (prefixes.first(), prefixes.last()) else {
            return Ok(());
        };
        let tokens = tokens.get(..last).ok_or(EngineError::NoPrefix)?;
        if first == 0 || !prefixes.is_sorted() {
            return Err(EngineError::NoPrefix);
        }
        self.check(tokens)?;
        // The row that gives the first scores must be computed, whatever is remembered behind it.
        let common = self
            .remembered
            .iter()
            .zip(tokens)
            .take_while(|(a, b)| a == b)
            .count();
        self.forget(common.min(first - 1));
        let mut wanted = prefixes.iter().copied().peekable();
        while self.remembered.len() < tokens.len() {
            let begin = self.remembered.len();
            let end = tokens.len().min(begin + self.rows);
            let mut here = Vec::new();
            while let Some(prefix) = wanted.next_if(|prefix| *prefix <= end) {
                here.push(prefix);
            }
            self.decode(&tokens[begin..end], begin, &here)?;
            for prefix in here {
                read(prefix, self.row(prefix - 1 - begin)?);
            }
        }
        Ok(())
    }

    fn check(&self, tokens: &[TokenId]) -> Result<(), EngineError> {
        let context = self.model.context();
        if tokens.len() > context as usize {
            return Err(EngineError::TooLong {
                tokens: tokens.len(),
                context,
            });
        }
        let vocabulary = self.model.vocabulary();
        match tokens.iter().find(|&&token| token >= vocabulary) {
            Some(&token) => Err(EngineError::Token { token, vocabulary }),
            None => Ok(()),
        }
    }

    /// Remembers no more than the first `length` tokens.
    fn forget(&mut self, length: usize) {
        if length >= self.remembered.len() {
            return;
        }
        let from = i32::try_from(length).unwrap_or(0);
        // SAFETY: A context's memory; −1 stands for the end of the sequence.
        let removed = unsafe {
            let memory = sys::llama_get_memory(self.context.as_ptr());
            sys::llama_memory_seq_rm(memory, SEQUENCE, from, -1)
        };
        if removed {
            self.remembered.truncate(length);
        } else {
            self.clear();
        }
    }

    fn clear(&mut self) {
        // SAFETY: A context's memory.
        unsafe { sys::llama_memory_clear(sys::llama_get_memory(self.context.as_ptr()), true) };
        self.remembered.clear();
    }

    /// Takes `tokens` in at the positions from `begin`, and computes the scores after `prefixes`.
    fn decode(&mut self, tokens: &[TokenId], begin: usize, prefixes: &[usize]) -> Result<(), EngineError> {
        self.batch.fill(tokens, begin, prefixes);
        // SAFETY: A context, and a batch whose arrays hold as many entries as it says; the tokens
        // are in the vocabulary and the positions within the context, as `scores` has checked.
        let code = unsafe { sys::llama_decode(self.context.as_ptr(), self.batch.batch) };
        if code != 0 {
            self.clear();
            return Err(EngineError::Decode { code });
        }
        self.remembered.extend_from_slice(tokens);
        Ok(())
    }

    /// The scores at row `index` of the last batch.
    fn row(&mut self, index: usize) -> Result<&[f32], EngineError> {
        let index = i32::try_from(index).unwrap_or(-1);
        // SAFETY: A context that has decoded a batch; the library answers null for a row without
        // scores.
        let scores = unsafe { sys::llama_get_logits_ith(self.context.as_ptr(), index) };
        if scores.is_null() {
            return Err(EngineError::Decode { code: index });
        }
        // SAFETY: The row has a score for each token and stays until the next batch, which takes
        // `&mut self`.
        Ok(unsafe { std::slice::from_raw_parts(scores, self.model.vocabulary() as usize) })
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        // SAFETY: It was set up once and is freed once, before the model.
        unsafe { sys::llama_free(self.context.as_ptr()) };
    }
}

/// The only sequence of a context.
const SEQUENCE: sys::llama_seq_id = 0;

/// The library's batch: arrays for a number of tokens.
#[derive(Debug)]
struct Batch {
    batch: sys::llama_batch,
    capacity: usize,
}

impl Batch {
    fn new(capacity: u32) -> Self {
        Self {
            // SAFETY: No conditions. Tokens, not embeddings; each in one sequence.
            batch: unsafe { sys::llama_batch_init(capacity.cast_signed(), 0, 1) },
            capacity: capacity as usize,
        }
    }

    /// Puts in `tokens` at the positions from `begin`, of which those right before the end of one of
    /// `prefixes` get scores.
    fn fill(&mut self, tokens: &[TokenId], begin: usize, prefixes: &[usize]) {
        assert!(
            tokens.len() <= self.capacity,
            "a batch is as long as its arrays at most"
        );
        for (row, &token) in tokens.iter().enumerate() {
            let position = begin + row;
            // SAFETY: `llama_batch_init` made each array `capacity` long, and `row` is below that;
            // `seq_id[row]` has room for one.
            unsafe {
                *self.batch.token.add(row) = signed(token);
                *self.batch.pos.add(row) = i32::try_from(position).unwrap_or(i32::MAX);
                *self.batch.n_seq_id.add(row) = 1;
                **self.batch.seq_id.add(row) = SEQUENCE;
                *self.batch.logits.add(row) = i8::from(prefixes.contains(&(position + 1)));
            }
        }
        self.batch.n_tokens = i32::try_from(tokens.len()).unwrap_or(0);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: It was made by `llama_batch_init` and is freed once.
        unsafe { sys::llama_batch_free(self.batch) };
    }
}

fn params(numerics: Numerics, tokens: u32, rows: u32, threads: u32) -> sys::llama_context_params {
    // SAFETY: No conditions.
    let mut params = unsafe { sys::llama_context_default_params() };
    params.n_ctx = tokens;
    params.n_batch = rows;
    params.n_ubatch = rows;
    params.n_seq_max = 1;
    params.n_threads = threads.cast_signed();
    params.n_threads_batch = threads.cast_signed();
    params.no_perf = true;
    // A sliding window that forgets would put tokens in another order into its cache.
    params.swa_full = true;
    numerics.apply(&mut params);
    params
}
