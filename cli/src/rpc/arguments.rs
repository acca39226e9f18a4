//! Parameters: what a method takes, and what it was given.

use super::error::RpcError;
use crate::decimal::coins;
use camelid_core::keys::KeyHash;
use camelid_core::primitives::{Amount, BlockHash};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most items of a list: more tokens than any prompt has.
const MAX_ITEMS: usize = 65_536;

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A string of 64 hexadecimal digits.
    Hash,
    /// Likewise, a block's: the digits stand in reverse order, as Bitcoin writes them.
    BlockHash,
    /// A string of hexadecimal digits, two a byte.
    Hex,
    /// The string form of a key hash.
    Address,
    /// A string with a decimal number of coins, at most eight digits behind the point.
    Amount,
    /// A whole number up to this one.
    Number(u64),
    /// true or false.
    Flag,
    /// A list of whole numbers below 2^32.
    Numbers,
}

/// What a method takes.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it can be left out.
    pub required: bool,
    /// What it is for.
    pub help: &'static str,
}

impl Parameter {
    /// One that must be given.
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            required: true,
            help,
        }
    }

    /// One that can be left out.
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            required: false,
            help,
        }
    }
}

impl Kind {
    /// What it is called in messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Hash | Self::BlockHash => "a string of 64 hexadecimal digits",
            Self::Hex => "a string of hexadecimal digits",
            Self::Address => "an address",
            Self::Amount => "a string with a number of coins, such as \"0.5\"",
            Self::Number(_) => "a whole number",
            Self::Flag => "true or false",
            Self::Numbers => "a list of whole numbers",
        }
    }

    /// A value from what was written on the command line, where everything is text.
    pub fn value(self, text: &str) -> Value {
        match self {
            Self::Number(_) | Self::Flag | Self::Numbers => {
                serde_json::from_str(text).unwrap_or_else(|_| text.into())
            }
            _ => text.into(),
        }
    }

    fn check(self, value: &Value) -> Result<Argument, String> {
        let wrong = || format!("{} is wanted, not {}", self.words(), short(value));
        let text = || value.as_str().ok_or_else(wrong);
        Ok(match self {
            Self::Text => Argument::Text(text()?.to_owned()),
            Self::Hash => Argument::Hash(hash(text()?).ok_or_else(wrong)?),
            Self::BlockHash => {
                let mut bytes = hash(text()?).ok_or_else(wrong)?;
                bytes.reverse();
                Argument::Hash(bytes)
            }
            Self::Hex => Argument::Bytes(bytes(text()?).ok_or_else(wrong)?),
            Self::Address => {
                let address = KeyHash::parse_address(text()?);
                Argument::Address(address.map_err(|error| format!("{error}: {}", short(value)))?)
            }
            Self::Amount => Argument::Amount(coins(text()?)?),
            Self::Number(most) => {
                let number = value.as_u64().ok_or_else(wrong)?;
                if number > most {
                    return Err(format!("{number} is above {most}"));
                }
                Argument::Number(number)
            }
            Self::Flag => Argument::Flag(value.as_bool().ok_or_else(wrong)?),
            Self::Numbers => {
                let items = value.as_array().ok_or_else(wrong)?;
                if items.len() > MAX_ITEMS {
                    return Err(format!("more than {MAX_ITEMS} items"));
                }
                let number = |item: &Value| item.as_u64().and_then(|number| u32::try_from(number).ok());
                let numbers: Option<Vec<u32>> = items.iter().map(number).collect();
                Argument::Numbers(numbers.ok_or_else(wrong)?)
            }
        })
    }
}

/// What a parameter was given.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    Text(String),
    Hash([u8; 32]),
    Bytes(Vec<u8>),
    Address(KeyHash),
    Amount(Amount),
    Number(u64),
    Flag(bool),
    Numbers(Vec<u32>),
}

/// What a method was given, by name: all that it requires, and nothing of another kind than it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments(BTreeMap<&'static str, Argument>);

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        pub fn $name(&self, name: &str) -> Option<$type> {
            match self.0.get(name) {
                Some(Argument::$variant(value)) => Some(value.clone()),
                _ => None,
            }
        }
    };
}

impl Arguments {
    /// Checks `params`, an object, a list in the order of `parameters`, or nothing.
    ///
    /// # Errors
    /// [`RpcError::PARAMETERS`] for the first parameter that is wrong.
    pub fn read(parameters: &'static [Parameter], params: Option<&Value>) -> Result<Self, RpcError> {
        let wrong = |message: String| RpcError::new(RpcError::PARAMETERS, message);
        let given = match params {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(given)) => given.clone(),
            Some(Value::Array(given)) => {
                if given.len() > parameters.len() {
                    return Err(wrong(format!(
                        "there are at most {} parameters",
                        parameters.len()
                    )));
                }
                let names = parameters.iter().map(|parameter| parameter.name.to_owned());
                names.zip(given.iter().cloned()).collect()
            }
            Some(_) => return Err(wrong("params is an object or a list".into())),
        };
        let is_known = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
        if let Some(unknown) = given.keys().find(|name| !is_known(name)) {
            return Err(wrong(format!("{}: there is no such parameter", clean(unknown))));
        }
        let mut arguments = BTreeMap::new();
        for Parameter {
            name, kind, required, ..
        } in parameters
        {
            match given.get(*name).filter(|value| !value.is_null()) {
                Some(value) => {
                    let argument = kind.check(value);
                    let argument = argument.map_err(|message| wrong(format!("{name}: {message}")))?;
                    arguments.insert(*name, argument);
                }
                None if *required => return Err(wrong(format!("{name}: {} is wanted", kind.words()))),
                None => {}
            }
        }
        Ok(Self(arguments))
    }

    getter!(
        /// [`Kind::Text`].
        text, Text, String
    );
    getter!(
        /// [`Kind::Hash`].
        hash, Hash, [u8; 32]
    );
    getter!(
        /// [`Kind::Hex`].
        bytes, Bytes, Vec<u8>
    );
    getter!(
        /// [`Kind::Address`].
        address, Address, KeyHash
    );
    getter!(
        /// [`Kind::Amount`].
        amount, Amount, Amount
    );
    getter!(
        /// [`Kind::Number`].
        number, Number, u64
    );
    getter!(
        /// [`Kind::Flag`].
        flag, Flag, bool
    );
    getter!(
        /// [`Kind::Numbers`].
        numbers, Numbers, Vec<u32>
    );

    /// [`Kind::BlockHash`].
    pub fn block_hash(&self, name: &str) -> Option<BlockHash> {
        self.hash(name).map(BlockHash)
    }

    /// A [`Kind::Number`] that was limited to 32 bits.
    pub fn small(&self, name: &str) -> Option<u32> {
        self.number(name).and_then(|number| u32::try_from(number).ok())
    }
}

/// The error for a parameter that the table lets be left out and the method needs after all.
pub fn missing(name: &str) -> RpcError {
    RpcError::new(RpcError::PARAMETERS, format!("{name} is missing"))
}

/// 32 bytes from 64 hexadecimal digits.
fn hash(text: &str) -> Option<[u8; 32]> {
    let bytes = (text.len() == 64).then(|| bytes(text))??;
    bytes.try_into().ok()
}

/// Bytes from two hexadecimal digits each.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    });
    bytes.collect()
}

/// Two hexadecimal digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value as it may stand in a message: not all of it, and nothing that a terminal would obey.
fn short(value: &Value) -> String {
    clean(&value.to_string())
}

/// The beginning of a text, without control characters.
pub fn clean(text: &str) -> String {
    const MOST: usize = 60;
    let mut short: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MOST)
        .collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}
