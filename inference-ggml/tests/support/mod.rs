//! A small model of the llama architecture with random weights, written as a GGUF file.
#![allow(dead_code)] // not every test uses everything

use camelid_core::model::{Draw, Sampling};
use camelid_core::primitives::{JobId, Stream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Tokens in the vocabulary: three control tokens, 256 bytes, and some pieces.
pub const VOCABULARY: u32 = 320;
/// Its context.
pub const CONTEXT: u32 = 2048;
/// Its end token.
pub const END: u32 = 2;

const WIDTH: u64 = 256;
const HEADS: u32 = 4;
const KEY_VALUE_HEADS: u32 = 2;
const HIDDEN: u64 = 512;
const LAYERS: u32 = 2;

/// The model in 32-bit floats, written once per process.
pub fn tiny() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| write("tiny-f32.gguf", &tiny_bytes()))
}

/// The same model, quantized.
pub fn tiny_quantized(kind: &str) -> PathBuf {
    let path = folder().join(format!("tiny-{kind}.gguf"));
    camelid_inference_ggml::quantize(tiny(), &path, kind, 1).unwrap();
    path
}

/// A folder of this process's own.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

/// A file in [`folder`].
pub fn write(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub fn draw(seed: u64, temperature_milli: u32) -> Draw {
    Draw {
        seed,
        job: JobId([7; 32]),
        sampling: Sampling {
            temperature_milli,
            ..Sampling::GREEDY
        },
    }
}

/// `count` tokens that need not make sense.
pub fn tokens(seed: u64, count: usize, vocabulary: u32) -> Vec<u32> {
    let mut stream = Stream::new(seed, "tokens");
    (0..count)
        .map(|_| u32::try_from(stream.below(vocabulary.into())).unwrap())
        .collect()
}

/// The file's bytes.
pub fn tiny_bytes() -> Vec<u8> {
    let mut file = Gguf::default();
    file.string("general.architecture", "llama");
    file.string("general.name", "tiny");
    file.u32("llama.context_length", CONTEXT);
    file.u32("llama.embedding_length", u32::try_from(WIDTH).unwrap());
    file.u32("llama.block_count", LAYERS);
    file.u32("llama.feed_forward_length", u32::try_from(HIDDEN).unwrap());
    file.u32("llama.attention.head_count", HEADS);
    file.u32("llama.attention.head_count_kv", KEY_VALUE_HEADS);
    file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5);
    file.u32("llama.vocab_size", VOCABULARY);
    file.string("tokenizer.ggml.model", "llama");
    file.u32("tokenizer.ggml.bos_token_id", 1);
    file.u32("tokenizer.ggml.eos_token_id", END);
    file.string(
        "tokenizer.chat_template",
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + \
         '<|im_end|>' + '\n'}}{% endfor %}",
    );
    let pieces = (0..VOCABULARY).map(piece);
    file.strings("tokenizer.ggml.tokens", &pieces.collect::<Vec<_>>());
    // Longer pieces first.
    file.array("tokenizer.ggml.scores", 6, VOCABULARY, |token| {
        (-(f64::from(token) as f32)).to_le_bytes().to_vec()
    });
    file.array("tokenizer.ggml.token_type", 5, VOCABULARY, |token| {
        let kind: i32 = match token {
            0 => 2,
            1 | 2 => 3,
            3..259 => 6,
            _ => 1,
        };
        kind.to_le_bytes().to_vec()
    });
    let key_value = WIDTH / u64::from(HEADS) * u64::from(KEY_VALUE_HEADS);
    let vocabulary = u64::from(VOCABULARY);
    file.tensor("token_embd.weight", &[WIDTH, vocabulary], 1.0);
    for layer in 0..LAYERS {
        let mut tensor = |name: &str, dimensions: &[u64], gain| {
            file.tensor(&format!("blk.{layer}.{name}.weight"), dimensions, gain);
        };
        tensor("attn_norm", &[WIDTH], 0.0);
        tensor("attn_q", &[WIDTH, WIDTH], 3.0);
        tensor("attn_k", &[WIDTH, key_value], 3.0);
        tensor("attn_v", &[WIDTH, key_value], 2.0);
        tensor("attn_output", &[WIDTH, WIDTH], 2.0);
        tensor("ffn_norm", &[WIDTH], 0.0);
        tensor("ffn_gate", &[WIDTH, HIDDEN], 2.0);
        tensor("ffn_up", &[WIDTH, HIDDEN], 2.0);
        tensor("ffn_down", &[HIDDEN, WIDTH], 2.0);
    }
    file.tensor("output_norm.weight", &[WIDTH], 0.0);
    file.tensor("output.weight", &[WIDTH, vocabulary], 3.0);
    file.finish()
}

fn piece(token: u32) -> String {
    match token {
        0 => "<unk>".into(),
        1 => "<s>".into(),
        2 => "</s>".into(),
        byte @ 3..259 => format!("<0x{:02X}>", byte - 3),
        letter @ 259..285 => char::from(b'a' + u8::try_from(letter - 259).unwrap()).into(),
        285 => "\u{2581}".into(),
        // Pairs of letters.
        pair => {
            let first = char::from(b'a' + u8::try_from((pair - 286) % 26).unwrap());
            format!("{first}{}", if pair < 312 { 'e' } else { 'o' })
        }
    }
}

/// A GGUF file in the making.
#[derive(Default)]
pub struct Gguf {
    entries: Vec<u8>,
    entry_count: u64,
    table: Vec<u8>,
    tensor_count: u64,
    data: Vec<u8>,
}

impl Gguf {
    pub fn string(&mut self, key: &str, value: &str) {
        self.entry(key, 8);
        put_string(&mut self.entries, value);
    }

    pub fn u32(&mut self, key: &str, value: u32) {
        self.entry(key, 4);
        self.entries.extend(value.to_le_bytes());
    }

    fn f32(&mut self, key: &str, value: f32) {
        self.entry(key, 6);
        self.entries.extend(value.to_le_bytes());
    }

    fn strings(&mut self, key: &str, values: &[String]) {
        self.entry(key, 9);
        self.entries.extend(8_u32.to_le_bytes());
        self.entries.extend((values.len() as u64).to_le_bytes());
        for value in values {
            put_string(&mut self.entries, value);
        }
    }

    fn array(&mut self, key: &str, kind: u32, count: u32, element: impl Fn(u32) -> Vec<u8>) {
        self.entry(key, 9);
        self.entries.extend(kind.to_le_bytes());
        self.entries.extend(u64::from(count).to_le_bytes());
        self.entries.extend((0..count).flat_map(element));
    }

    fn entry(&mut self, key: &str, kind: u32) {
        put_string(&mut self.entries, key);
        self.entries.extend(kind.to_le_bytes());
        self.entry_count += 1;
    }

    /// A tensor of random floats whose rows have about the length `gain`; ones for gain 0.
    pub fn tensor(&mut self, name: &str, dimensions: &[u64], gain: f32) {
        put_string(&mut self.table, name);
        self.table
            .extend(u32::try_from(dimensions.len()).unwrap().to_le_bytes());
        self.table
            .extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        self.table.extend(0_u32.to_le_bytes());
        self.table.extend((self.data.len() as u64).to_le_bytes());
        self.tensor_count += 1;
        let mut stream = Stream::new(1, name);
        let scale = gain / (dimensions[0] as f32).sqrt();
        for _ in 0..dimensions.iter().product() {
            let uniform = (stream.next_u64() >> 40) as f32 / (1 << 24) as f32;
            let value = if gain == 0.0 {
                1.0
            } else {
                (uniform - 0.5) * 3.46 * scale
            };
            self.data.extend(value.to_le_bytes());
        }
        self.data.resize(self.data.len().next_multiple_of(32), 0);
    }

    pub fn finish(self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend(self.tensor_count.to_le_bytes());
        file.extend(self.entry_count.to_le_bytes());
        file.extend(self.entries);
        file.extend(self.table);
        file.resize(file.len().next_multiple_of(32), 0);
        file.extend(self.data);
        file
    }
}

fn put_string(to: &mut Vec<u8>, value: &str) {
    to.extend((value.len() as u64).to_le_bytes());
    to.extend(value.as_bytes());
}
