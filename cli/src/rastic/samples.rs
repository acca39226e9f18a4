//! `--samples`.

use std::ops::Range;
use std::str::FromStr;

/// Consecutive numbers of samples, at least one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples(pub Range<u32>);

impl Samples {
    /// The most positions that are worth drawing: an output has no more.
    pub const MOST: u32 = 4_096;
}

impl FromStr for Samples {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let number = text.parse::<u32>();
            number.map_err(|_| format!("{text:?} is no number of samples: write 5, or 1..33 for 1 to 32"))
        };
        let range = match text.split_once("..") {
            Some((first, end)) => number(first)?..number(end)?,
            None => number(text)?..number(text)?.saturating_add(1),
        };
        if range.is_empty() {
            return Err(format!("{text} is empty: the end is left out"));
        }
        if range.end > Self::MOST + 1 {
            return Err(format!("more than {} samples", Self::MOST));
        }
        Ok(Self(range))
    }
}
