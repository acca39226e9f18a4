//! Numbers as the language writes them: little endian, the top bit of the last byte is the sign.

use super::ScriptError;
use alloc::vec::Vec;

/// Bytes of the longest number in general.
pub(super) const MAX_NUMBER_BYTES: usize = 4;
/// Bytes of the longest lock time: 32 bits without a sign do not fit in four (BIP 65).
pub(super) const MAX_LOCK_TIME_BYTES: usize = 5;

const SIGN: u8 = 0x80;

/// The shortest encoding of `number`.
pub(super) fn encode_number(number: i64) -> Vec<u8> {
    let magnitude = number.unsigned_abs().to_le_bytes();
    let used = magnitude
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let mut bytes = magnitude[..used].to_vec();
    if bytes.last().is_some_and(|last| last & SIGN != 0) {
        bytes.push(0);
    }
    if let Some(last) = bytes.last_mut().filter(|_| number < 0) {
        *last |= SIGN;
    }
    bytes
}

/// The number that at most `max_bytes` (at most 7) bytes encode.
pub(super) fn decode_number(bytes: &[u8], max_bytes: usize) -> Result<i64, ScriptError> {
    if bytes.len() > max_bytes {
        return Err(ScriptError::NumberTooLong);
    }
    let Some((last, lower)) = bytes.split_last() else {
        return Ok(0);
    };
    // A last byte without magnitude is only there to keep its neighbour's top bit from being a sign.
    if last & !SIGN == 0 && lower.last().is_none_or(|next| next & SIGN == 0) {
        return Err(ScriptError::NonMinimalNumber);
    }
    let magnitude = lower
        .iter()
        .rev()
        .fold(i64::from(last & !SIGN), |high, byte| high << 8 | i64::from(*byte));
    Ok(if last & SIGN == 0 { magnitude } else { -magnitude })
}

#[cfg(test)]
mod tests {
    use super::{decode_number, encode_number};
    use crate::script::ScriptError;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn encoding_and_decoding_are_inverse(number in -(1_i64 << 39) + 1..1 << 39) {
            prop_assert_eq!(decode_number(&encode_number(number), 5), Ok(number));
        }

        #[test]
        fn only_the_shortest_encoding_decodes(bytes in proptest::collection::vec(any::<u8>(), 0..=5)) {
            match decode_number(&bytes, 5) {
                Ok(number) => prop_assert_eq!(encode_number(number), bytes),
                Err(error) => {
                    prop_assert_eq!(error, ScriptError::NonMinimalNumber);
                    prop_assert!(matches!(bytes.last(), Some(0 | 0x80)));
                }
            }
        }
    }

    #[test]
    fn known_encodings() {
        let known: [(i64, &[u8]); 8] = [
            (0, &[]),
            (1, &[1]),
            (-1, &[0x81]),
            (127, &[0x7f]),
            (128, &[0x80, 0]),
            (-255, &[0xff, 0x80]),
            (500_000_000, &[0x00, 0x65, 0xcd, 0x1d]),
            (4_294_967_295, &[0xff, 0xff, 0xff, 0xff, 0]),
        ];
        for (number, bytes) in known {
            assert_eq!(encode_number(number), bytes);
            assert_eq!(decode_number(bytes, 5), Ok(number));
        }
    }
}
