//! The header parser against broken and hostile files.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a test may fail

mod support;

use camelid_inference_ggml::gguf::{GgufError, Header, MAX_HEADER_BYTES, Value};
use proptest::prelude::*;
use support::{CONTEXT, Gguf, VOCABULARY, tiny_bytes};

fn parse(bytes: &[u8]) -> Result<Header, GgufError> {
    Header::parse(bytes, bytes.len() as u64)
}

/// A file with one entry and two tensors.
fn small() -> Gguf {
    let mut file = Gguf::default();
    file.string("general.architecture", "llama");
    file.tensor("a", &[32, 2], 1.0);
    file.tensor("b", &[3], 1.0);
    file
}

#[test]
fn a_header_says_what_was_written() {
    let header = parse(&tiny_bytes()).unwrap();
    assert_eq!(header.architecture(), Some("llama"));
    let number = |key| header.of_architecture(key).and_then(Value::as_u64);
    assert_eq!(number("context_length"), Some(CONTEXT.into()));
    assert_eq!(
        header.get("tokenizer.ggml.tokens").unwrap().count(),
        VOCABULARY.into()
    );
    assert_eq!(header.tensors.len(), 3 + 2 * 9);
    assert_eq!(header.tensors[0].name, "token_embd.weight");
    assert_eq!(header.tensors[0].dimensions, [256, VOCABULARY.into()]);
    let end = header
        .tensors
        .last()
        .map(|tensor| tensor.offset + tensor.bytes)
        .unwrap();
    assert_eq!((header.data_offset + end).next_multiple_of(32), header.file_bytes);
    let bytes: u64 = header.tensors.iter().map(|tensor| tensor.bytes).sum();
    assert_eq!(bytes, 4 * header.parameters());
}

/// Whatever is cut off is missed.
/// The fuzz target `gguf`: four bytes say how much of the file lies behind the header.
#[test]
fn the_seed_of_the_fuzz_target_is_a_header() {
    let seed = include_bytes!("../../fuzz/seeds/gguf/00");
    let (behind, header) = seed.split_first_chunk().unwrap();
    let bytes = header.len() as u64 + u64::from(u32::from_le_bytes(*behind));
    let header = Header::parse(header, bytes).unwrap();
    assert_eq!((header.tensors.len(), header.architecture()), (2, Some("llama")));
}

#[test]
fn no_beginning_of_a_file_is_a_file() {
    let file = small().finish();
    // The last 20 bytes are padding behind tensor `b`.
    for length in 0..file.len() - 20 {
        assert!(
            parse(&file[..length]).is_err(),
            "{length} of {} bytes",
            file.len()
        );
    }
    assert!(parse(&file).is_ok());
}

#[test]
fn every_flipped_bit_is_refused_or_harmless() {
    let file = small().finish();
    for bit in 0..8 * file.len() {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        if let Ok(header) = parse(&file) {
            for tensor in &header.tensors {
                assert!(header.data_offset + tensor.offset + tensor.bytes <= file.len() as u64);
            }
        }
    }
}

/// Lengths that no file has are refused before there is memory for them.
#[test]
fn claimed_lengths_allocate_nothing() {
    let with = |at: usize, value: u64| {
        let mut file = small().finish();
        file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        parse(&file).unwrap_err().to_string()
    };
    for huge in [1 << 40, u64::MAX, i64::MAX as u64] {
        assert!(with(8, huge).starts_with("number of tensors is"));
        assert!(with(16, huge).starts_with("number of metadata entries is"));
        assert!(with(24, huge).starts_with("a key is"));
        // The value of the first entry, behind a key of 20 bytes and a type.
        assert!(with(24 + 8 + 20 + 4, huge).contains("ends at byte"));
    }
}

#[test]
fn a_header_ends_somewhere() {
    let mut file = b"GGUF".to_vec();
    file.extend(3_u32.to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend(b"k");
    file.extend(8_u32.to_le_bytes());
    file.extend((MAX_HEADER_BYTES + 1).to_le_bytes());
    let result = Header::parse(&file[..], 2 * MAX_HEADER_BYTES);
    assert!(matches!(result, Err(GgufError::HeaderTooLong)), "{result:?}");
}

#[test]
fn other_formats_and_versions_are_named() {
    assert!(matches!(parse(b""), Err(GgufError::NotGguf)));
    assert!(matches!(parse(b"PK\x03\x04 a zip file"), Err(GgufError::NotGguf)));
    for version in [0, 1, 4, 3 << 24] {
        let mut file = small().finish();
        file[4..8].copy_from_slice(&u32::to_le_bytes(version));
        assert!(matches!(parse(&file), Err(GgufError::Version(found)) if found == version));
    }
}

#[test]
fn duplicates_and_bad_alignments_are_refused() {
    let refused = |change: fn(&mut Gguf)| {
        let mut file = small();
        change(&mut file);
        parse(&file.finish()).unwrap_err().to_string()
    };
    let twice = refused(|file| file.string("general.architecture", "again"));
    assert!(twice.contains("appears twice"), "{twice}");
    let twice = refused(|file| file.tensor("a", &[1], 1.0));
    assert!(twice.contains("appears twice"), "{twice}");
    let alignment = refused(|file| file.u32("general.alignment", 24));
    assert!(alignment.contains("power of two"), "{alignment}");
    let empty = refused(|file| file.tensor("c", &[32, 0], 1.0));
    assert!(empty.contains("empty dimension"), "{empty}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..400), counts: (u8, u8)) {
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend(u64::from(counts.0).to_le_bytes());
        file.extend(u64::from(counts.1).to_le_bytes());
        file.extend(tail);
        let _ = parse(&file);
    }

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(
        changes in prop::collection::vec((0_usize..300, prop_oneof![Just(0), Just(255), any::<u8>()]), 1..8),
    ) {
        let mut file = small().finish();
        for (at, byte) in changes {
            if let Some(old) = file.get_mut(at) {
                *old = byte;
            }
        }
        if let Ok(header) = parse(&file) {
            for value in header.metadata.values() {
                let _ = (value.to_string(), value.as_u64(), value.as_str());
            }
        }
    }
}
