//! Numbers as people write them, kept exactly.

use camelid_core::primitives::{Amount, COIN};
use num_bigint::BigInt;
use num_rational::BigRational;
use std::fmt;
use std::str::FromStr;

/// A decimal number that is not negative: `units / 10^places`, without zeros at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    units: u64,
    places: u32,
}

impl Decimal {
    /// Most digits behind the point.
    pub const MAX_PLACES: usize = 12;

    /// The number as a fraction.
    pub fn fraction(self) -> BigRational {
        BigRational::new(self.units.into(), BigInt::from(10).pow(self.places))
    }

    /// True when the number is above `whole`.
    pub fn is_above(self, whole: u64) -> bool {
        u128::from(self.units) > u128::from(whole) * 10_u128.pow(self.places)
    }

    /// The number as JSON writes it: whole numbers without a point, others as the nearest double.
    pub fn json(self) -> serde_json::Number {
        // What `Display` writes is a JSON number.
        serde_json::from_str(&self.to_string()).unwrap_or_else(|_| 0.into())
    }
}

impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no decimal number such as 12 or 0.75");
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !(digits(whole) && digits(part)) {
            return Err(wrong());
        }
        let part = part.trim_end_matches('0');
        if part.len() > Self::MAX_PLACES {
            return Err(format!(
                "{text:?} has more than {} digits behind the point",
                Self::MAX_PLACES
            ));
        }
        let units = format!("{whole}{part}").parse();
        Ok(Self {
            units: units.map_err(|_| format!("{text:?} has too many digits"))?,
            places: u32::try_from(part.len()).map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.pow(self.places);
        let (whole, part) = (self.units / scale, self.units % scale);
        if part == 0 {
            write!(f, "{whole}")
        } else {
            write!(f, "{whole}.{part:0width$}", width = self.places as usize)
        }
    }
}

/// A probability: a number up to 1.
pub fn probability(text: &str) -> Result<Decimal, String> {
    at_most(text, 1)
}

/// A share in thousandths: a number up to 1,000.
pub fn permille(text: &str) -> Result<Decimal, String> {
    at_most(text, 1_000)
}

fn at_most(text: &str, limit: u64) -> Result<Decimal, String> {
    let number: Decimal = text.parse()?;
    if number.is_above(limit) {
        return Err(format!("{text} is above {limit}"));
    }
    Ok(number)
}

/// A sum of money in coins, with up to eight digits behind the point.
pub fn coins(text: &str) -> Result<Amount, String> {
    let Decimal { units, places } = text.parse()?;
    let scale = 10_u64.pow(places);
    if !COIN.is_multiple_of(scale) {
        return Err(format!(
            "{text} coins: a unit is the eighth digit behind the point"
        ));
    }
    let units = units.checked_mul(COIN / scale);
    units
        .and_then(Amount::from_units)
        .ok_or_else(|| format!("{text} coins are more than {}", Amount::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Amount, Decimal, coins, permille, probability};

    #[test]
    fn decimals_are_read_and_written() {
        let written = |text: &str| text.parse::<Decimal>().map(|number| number.to_string());
        for (text, expected) in [
            ("0", "0"),
            ("007.50", "7.5"),
            ("0.000000000001", "0.000000000001"),
            ("3.0", "3"),
        ] {
            assert_eq!(written(text).as_deref(), Ok(expected));
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            " 1",
            "0.0000000000001",
            "99999999999999999999",
        ] {
            assert!(written(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn limits_hold_exactly() {
        assert!(probability("1.000").is_ok() && probability("1.000000000001").is_err());
        assert!(permille("1000").is_ok() && permille("1000.1").is_err());
    }

    #[test]
    fn coins_are_units_exactly() {
        let units = |text: &str| coins(text).map(Amount::units);
        assert_eq!(units("0.00000001"), Ok(1));
        assert_eq!(units("12.5"), Ok(1_250_000_000));
        assert_eq!(units("400000000"), Ok(40_000_000_000_000_000));
        for text in [
            "0.000000001",
            "400000000.00000001",
            "18446744073709551615",
            "1 coin",
        ] {
            assert!(units(text).is_err(), "{text}");
        }
    }
}
