//! The table of tensors.

use super::GgufError;
use super::reader::Reader;
use std::io::Read;

/// ggml's limit, with the NUL that it adds.
const MAX_NAME_BYTES: u64 = 63;
/// Most dimensions.
const MAX_DIMENSIONS: u32 = 4;

/// How numbers are stored: in blocks of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorType {
    /// ggml's number for it.
    pub number: u32,
    /// ggml's name for it.
    pub name: &'static str,
    /// Numbers in a block.
    pub block_elements: u64,
    /// Bytes of a block.
    pub block_bytes: u64,
}

const fn tensor_type(number: u32, name: &'static str, block_elements: u64, block_bytes: u64) -> TensorType {
    TensorType {
        number,
        name,
        block_elements,
        block_bytes,
    }
}

impl TensorType {
    /// The types that files may have.
    pub const ALL: &[Self] = &[
        tensor_type(0, "f32", 1, 4),
        tensor_type(1, "f16", 1, 2),
        tensor_type(2, "q4_0", 32, 18),
        tensor_type(3, "q4_1", 32, 20),
        tensor_type(6, "q5_0", 32, 22),
        tensor_type(7, "q5_1", 32, 24),
        tensor_type(8, "q8_0", 32, 34),
        tensor_type(10, "q2_K", 256, 84),
        tensor_type(11, "q3_K", 256, 110),
        tensor_type(12, "q4_K", 256, 144),
        tensor_type(13, "q5_K", 256, 176),
        tensor_type(14, "q6_K", 256, 210),
        tensor_type(16, "iq2_xxs", 256, 66),
        tensor_type(17, "iq2_xs", 256, 74),
        tensor_type(18, "iq3_xxs", 256, 98),
        tensor_type(19, "iq1_s", 256, 50),
        tensor_type(20, "iq4_nl", 32, 18),
        tensor_type(21, "iq3_s", 256, 110),
        tensor_type(22, "iq2_s", 256, 82),
        tensor_type(23, "iq4_xs", 256, 136),
        tensor_type(24, "i8", 1, 1),
        tensor_type(25, "i16", 1, 2),
        tensor_type(26, "i32", 1, 4),
        tensor_type(27, "i64", 1, 8),
        tensor_type(28, "f64", 1, 8),
        tensor_type(29, "iq1_m", 256, 56),
        tensor_type(30, "bf16", 1, 2),
        tensor_type(34, "tq1_0", 256, 54),
        tensor_type(35, "tq2_0", 256, 66),
        tensor_type(39, "mxfp4", 32, 17),
    ];

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.number == number)
    }
}

/// A tensor's entry in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Sizes, the fastest running first.
    pub dimensions: Vec<u64>,
    /// How its numbers are stored.
    pub kind: TensorType,
    /// How many numbers.
    pub elements: u64,
    /// Size of its data in bytes.
    pub bytes: u64,
    /// Where its data begins, in bytes behind the header's `data_offset`.
    pub offset: u64,
}

impl Tensor {
    pub(super) fn read<R: Read>(reader: &mut Reader<R>) -> Result<Self, GgufError> {
        let name = reader.name("the name of a tensor", MAX_NAME_BYTES)?;
        let refuse = |what| GgufError::Tensor {
            name: name.clone(),
            what,
        };
        let count = reader.u32("a tensor's dimensions")?;
        if !(1..=MAX_DIMENSIONS).contains(&count) {
            return Err(refuse("has not 1 to 4 dimensions"));
        }
        let dimensions = (0..count)
            .map(|_| reader.u64("a tensor's dimensions"))
            .collect::<Result<Vec<_>, _>>()?;
        let number = reader.u32("a tensor's type")?;
        let kind = TensorType::from_number(number).ok_or_else(|| refuse("has an unknown type"))?;
        let offset = reader.u64("a tensor's offset")?;
        if dimensions.contains(&0) {
            return Err(refuse("has an empty dimension"));
        }
        let elements = dimensions
            .iter()
            .try_fold(1_u64, |product, size| product.checked_mul(*size))
            // ggml counts in signed numbers.
            .filter(|elements| *elements <= i64::MAX as u64)
            .ok_or_else(|| refuse("has more numbers than can be counted"))?;
        if dimensions
            .first()
            .is_some_and(|row| row % kind.block_elements != 0)
        {
            return Err(refuse("has rows that are no whole number of blocks"));
        }
        let bytes = (elements / kind.block_elements)
            .checked_mul(kind.block_bytes)
            .ok_or_else(|| refuse("has more bytes than can be counted"))?;
        Ok(Self {
            name,
            dimensions,
            kind,
            elements,
            bytes,
            offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TensorType;
    use llama_cpp_sys_2 as sys;

    #[test]
    fn blocks_are_as_large_as_the_library_says() {
        for kind in TensorType::ALL {
            // SAFETY: Tables of the library, read at a number that it knows.
            let (elements, bytes) =
                unsafe { (sys::ggml_blck_size(kind.number), sys::ggml_type_size(kind.number)) };
            assert_eq!(
                (kind.block_elements, kind.block_bytes),
                (u64::try_from(elements).unwrap(), bytes as u64),
                "{}",
                kind.name
            );
        }
    }
}
