//! The parser of headers alone: ggml behind it is C++, and has a process of its own for strangers' files.
#![no_main]

#[allow(dead_code)]
#[path = "../../inference-ggml/src/gguf/mod.rs"]
mod gguf;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // How many bytes the file has behind the header, so that an input need not hold the tensors.
    let Some((behind, header)) = data.split_first_chunk() else {
        return;
    };
    let bytes = header.len() as u64 + u64::from(u32::from_le_bytes(*behind));
    let _ = gguf::Header::parse(header, bytes);
});
