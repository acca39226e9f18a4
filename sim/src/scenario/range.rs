//! A number, or a range that the seed draws one from.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// `7`, or `[3, 9]` for a number from 3 to 9 inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Least value.
    pub low: u64,
    /// Greatest value.
    pub high: u64,
}

impl Range {
    /// Always `value`.
    pub const fn fixed(value: u64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor)
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.low == self.high {
            serializer.serialize_u64(self.low)
        } else {
            [self.low, self.high].serialize(serializer)
        }
    }
}

struct RangeVisitor;

impl<'de> Visitor<'de> for RangeVisitor {
    type Value = Range;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of at least 0, or a range [low, high]")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Range, E> {
        let value = u64::try_from(value).map_err(|_| E::custom("the number must not be negative"))?;
        Ok(Range::fixed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Range, E> {
        Ok(Range::fixed(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Range, A::Error> {
        let missing = || A::Error::custom("a range needs two numbers: [low, high]");
        let low = sequence.next_element::<u64>()?.ok_or_else(missing)?;
        let high = sequence.next_element::<u64>()?.ok_or_else(missing)?;
        if sequence.next_element::<u64>()?.is_some() {
            return Err(missing());
        }
        if low > high {
            return Err(A::Error::custom(
                "the range is empty: its low end is above its high end",
            ));
        }
        Ok(Range { low, high })
    }
}
