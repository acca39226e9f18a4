//! A model in memory: weights and vocabulary.

use crate::backend::{backend, complaint, logged, text};
use crate::gguf::Header;
use crate::{EngineError, Numerics};
use camelid_core::model::{MAX_PROMPT_TOKENS, MAX_TOKENS, TokenId};
use llama_cpp_sys_2 as sys;
use std::ffi::{CString, c_char};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

/// The longest context used: no job has more tokens.
#[allow(clippy::cast_possible_truncation)] // 8,192
const MAX_CONTEXT: u32 = (MAX_PROMPT_TOKENS + MAX_TOKENS) as u32;

/// Weights and vocabulary of a GGUF file. It does not change once it is loaded, and any number of
/// [`Sequence`](crate::Sequence)s on any threads can use it.
#[derive(Debug)]
pub struct Model {
    /// From `llama_model_load_from_file`, freed when this is dropped.
    model: NonNull<sys::llama_model>,
    /// Part of `model`.
    vocab: NonNull<sys::llama_vocab>,
    path: PathBuf,
    header: Header,
    numerics: Numerics,
    /// What the library reported while loading.
    log: String,
}

// SAFETY: Nothing in a loaded model is tied to the thread that loaded it.
unsafe impl Send for Model {}
// SAFETY: After loading, the library only reads a model: contexts of several threads share one, and
// it documents tokenizing and detokenizing as safe to call from several threads.
unsafe impl Sync for Model {}

impl Model {
    /// Loads the file at `path`, whose header is checked first.
    ///
    /// The library ends the process on some broken files that have a good header. Send files of
    /// unknown origin through [`trial`](crate::trial) first.
    ///
    /// # Errors
    /// [`EngineError`] when the processor, the header, the library or the kind of model is not fit.
    pub fn load(path: &Path, numerics: Numerics) -> Result<Self, EngineError> {
        backend()?;
        let header = Header::read(path).map_err(|error| EngineError::Header {
            path: path.to_owned(),
            error,
        })?;
        let (model, log) = load(path, numerics)?;
        // SAFETY: `model` is a loaded model; its vocabulary lives as long.
        let vocab = unsafe { sys::llama_model_get_vocab(model.as_ptr()) };
        let Some(vocab) = NonNull::new(vocab.cast_mut()) else {
            // SAFETY: Nobody else has the model.
            unsafe { sys::llama_model_free(model.as_ptr()) };
            return Err(unsupported(path, "it has no vocabulary"));
        };
        let model = Self {
            model,
            vocab,
            path: path.to_owned(),
            header,
            numerics,
            log,
        };
        model.check()?;
        Ok(model)
    }

    /// Can its tokens be predicted one after the other, from any prefix?
    fn check(&self) -> Result<(), EngineError> {
        let model = self.model.as_ptr();
        // SAFETY: `model` is a loaded model, and these only read it.
        let (decodes, encodes, recurrent, diffuses) = unsafe {
            (
                sys::llama_model_has_decoder(model),
                sys::llama_model_has_encoder(model),
                sys::llama_model_is_recurrent(model) || sys::llama_model_is_hybrid(model),
                sys::llama_model_is_diffusion(model),
            )
        };
        if !decodes || encodes || diffuses {
            return Err(unsupported(
                &self.path,
                "it does not predict one token after the other",
            ));
        }
        if recurrent {
            return Err(unsupported(
                &self.path,
                "it is recurrent, and cannot be taken back to an earlier position",
            ));
        }
        if self.vocabulary() == 0 {
            return Err(unsupported(&self.path, "its vocabulary is empty"));
        }
        Ok(())
    }

    /// The file it comes from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How its arithmetic is done.
    pub fn numerics(&self) -> Numerics {
        self.numerics
    }

    /// What the library reported while loading it.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::llama_model {
        self.model.as_ptr()
    }

    /// A line about it, such as `llama 135M Q4_1`.
    pub fn description(&self) -> String {
        let mut buffer = [0; 128];
        // SAFETY: A loaded model, and a buffer with its length, which includes the NUL.
        unsafe {
            sys::llama_model_desc(self.model.as_ptr(), buffer.as_mut_ptr(), buffer.len());
            text(buffer.as_ptr())
        }
    }

    /// Number of tokens: ids are `0..vocabulary`.
    pub fn vocabulary(&self) -> u32 {
        // SAFETY: The vocabulary of a loaded model.
        let tokens = unsafe { sys::llama_vocab_n_tokens(self.vocab.as_ptr()) };
        u32::try_from(tokens).unwrap_or(0)
    }

    /// Most tokens, prompt and output together: what the model was trained for, and no more than a
    /// job can have.
    pub fn context(&self) -> u32 {
        // SAFETY: A loaded model.
        let trained = unsafe { sys::llama_model_n_ctx_train(self.model.as_ptr()) };
        u32::try_from(trained).unwrap_or(0).clamp(1, MAX_CONTEXT)
    }

    /// The tokens after which the model stops, at most 16.
    pub fn end_tokens(&self) -> Vec<TokenId> {
        (0..self.vocabulary())
            // SAFETY: The vocabulary of a loaded model, and a token in it.
            .filter(|&token| unsafe { sys::llama_vocab_is_eog(self.vocab.as_ptr(), signed(token)) })
            .take(16)
            .collect()
    }

    /// The tokens of `text`. `special` finds the model's control tokens written out in it, as in a
    /// rendered chat template; the tokens that every text begins or ends with are added otherwise.
    ///
    /// # Errors
    /// [`EngineError::Tokenize`] when there are more than the library can count.
    pub fn tokenize(&self, text: &str, special: bool) -> Result<Vec<TokenId>, EngineError> {
        let length = i32::try_from(text.len()).map_err(|_| EngineError::Tokenize)?;
        // No token is empty, and a few are added.
        let mut tokens = vec![0; text.len() + 8];
        loop {
            let capacity = i32::try_from(tokens.len()).map_err(|_| EngineError::Tokenize)?;
            // SAFETY: The vocabulary of a loaded model; text and buffer with their lengths.
            let count = unsafe {
                sys::llama_tokenize(
                    self.vocab.as_ptr(),
                    text.as_ptr().cast(),
                    length,
                    tokens.as_mut_ptr(),
                    capacity,
                    !special || !self.template_has_bos(),
                    special,
                )
            };
            match usize::try_from(count) {
                Ok(count) => {
                    tokens.truncate(count);
                    return Ok(tokens.into_iter().map(sys::llama_token::cast_unsigned).collect());
                }
                Err(_) if count == i32::MIN => return Err(EngineError::Tokenize),
                Err(_) => tokens.resize(count.unsigned_abs() as usize, 0),
            }
        }
    }

    /// Does the chat template write the token that every text begins with?
    fn template_has_bos(&self) -> bool {
        // SAFETY: The vocabulary of a loaded model.
        let bos = unsafe { sys::llama_vocab_bos(self.vocab.as_ptr()) };
        let Ok(bos) = u32::try_from(bos) else { return false };
        let bos = self.piece(bos, true);
        let Ok(bos) = std::str::from_utf8(&bos) else {
            return false;
        };
        let template = self.chat_template().unwrap_or_default();
        !bos.is_empty() && (template.contains(bos) || template.contains("bos_token"))
    }

    /// The text of `tokens`; `special` writes control tokens out. Bytes that are no UTF-8, as of a
    /// character cut in two, become replacement characters.
    pub fn detokenize(&self, tokens: &[TokenId], special: bool) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|token| self.piece(*token, special))
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes of one token; none for one outside the vocabulary.
    pub fn piece(&self, token: TokenId, special: bool) -> Vec<u8> {
        if token >= self.vocabulary() {
            return Vec::new();
        }
        let mut buffer = vec![0_u8; 64];
        loop {
            let capacity = i32::try_from(buffer.len()).unwrap_or(i32::MAX);
            // SAFETY: The vocabulary of a loaded model, a token in it, a buffer with its length.
            let length = unsafe {
                sys::llama_token_to_piece(
                    self.vocab.as_ptr(),
                    signed(token),
                    buffer.as_mut_ptr().cast::<c_char>(),
                    capacity,
                    0,
                    special,
                )
            };
            match usize::try_from(length) {
                Ok(length) => {
                    buffer.truncate(length);
                    return buffer;
                }
                Err(_) => buffer.resize(length.unsigned_abs() as usize, 0),
            }
        }
    }

    /// The model's own chat template, in Jinja.
    pub fn chat_template(&self) -> Option<String> {
        // SAFETY: A loaded model; a null name means the default template.
        let template = unsafe { text(sys::llama_model_chat_template(self.as_ptr(), std::ptr::null())) };
        (!template.is_empty()).then_some(template)
    }

    /// `prompt` as one message of a user's, rendered with the model's chat template, up to where the
    /// model is to answer. Tokenize it as `special`.
    ///
    /// # Errors
    /// [`EngineError::ChatTemplate`] when there is none or the library does not know it.
    pub fn render_chat(&self, prompt: &str) -> Result<String, EngineError> {
        let template = self
            .chat_template()
            .and_then(|template| CString::new(template).ok());
        let template = template.ok_or(EngineError::ChatTemplate)?;
        let content = CString::new(prompt).map_err(|_| EngineError::Tokenize)?;
        let message = sys::llama_chat_message {
            role: c"user".as_ptr(),
            content: content.as_ptr(),
        };
        let mut buffer = vec![0_u8; 2 * prompt.len() + 512];
        loop {
            let capacity = i32::try_from(buffer.len()).map_err(|_| EngineError::Tokenize)?;
            // SAFETY: Template, role and content end with NUL and live until the call is over; one
            // message; a buffer with its length.
            let length = unsafe {
                sys::llama_chat_apply_template(
                    template.as_ptr(),
                    &raw const message,
                    1,
                    true,
                    buffer.as_mut_ptr().cast(),
                    capacity,
                )
            };
            let length = usize::try_from(length).map_err(|_| EngineError::ChatTemplate)?;
            if length <= buffer.len() {
                buffer.truncate(length);
                return String::from_utf8(buffer).map_err(|_| EngineError::ChatTemplate);
            }
            buffer.resize(length, 0);
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: It was loaded once, is freed once, and every sequence keeps it alive.
        unsafe { sys::llama_model_free(self.model.as_ptr()) };
    }
}

/// Loads weights; the library's report comes along.
fn load(path: &Path, numerics: Numerics) -> Result<(NonNull<sys::llama_model>, String), EngineError> {
    let refuse = |reason: String| EngineError::Load {
        path: path.to_owned(),
        reason,
    };
    let name = path.to_str().and_then(|path| CString::new(path).ok());
    let name = name.ok_or_else(|| refuse("its path is not UTF-8".into()))?;
    // SAFETY: No conditions.
    let mut params = unsafe { sys::llama_model_default_params() };
    params.n_gpu_layers = 0;
    // Read, not mapped: a file that changes while it is mapped would end the process.
    params.load_mode = sys::LLAMA_LOAD_MODE_NONE;
    params.check_tensors = true;
    params.use_extra_bufts = numerics.extra_buffers();
    // SAFETY: A path that ends with NUL, and parameters without pointers of ours.
    let (model, log) = logged(|| unsafe { sys::llama_model_load_from_file(name.as_ptr(), params) });
    match NonNull::new(model) {
        Some(model) => Ok((model, log)),
        None => Err(refuse(complaint(&log))),
    }
}

fn unsupported(path: &Path, what: &str) -> EngineError {
    EngineError::Unsupported {
        path: path.to_owned(),
        what: what.into(),
    }
}

/// A token as the library counts it. Vocabularies are counted by `i32`, so nothing is lost on a
/// token that was compared with one.
pub(crate) fn signed(token: TokenId) -> sys::llama_token {
    token.cast_signed()
}
