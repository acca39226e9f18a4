//! The list of coins that `camelid wallet send` reads.

use crate::decimal::coins as parse_coins;
use crate::exit::Failure;
use camelid_core::keys::KeyHash;
use camelid_core::primitives::Txid;
use camelid_core::script::key_hash_script;
use camelid_core::tx::OutPoint;
use camelid_wallet::coin::Coin;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest list, in bytes: some 100,000 coins.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A coin as it is listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    txid: String,
    index: u32,
    amount: String,
    address: String,
}

/// Reads a list of coins, and the key hash of each.
///
/// # Errors
/// [`Failure::Load`] names the entry that is wrong.
pub fn read_coins(path: &Path) -> Result<Vec<(Coin, KeyHash)>, Failure> {
    let hint = "see `camelid wallet send --help` for the form of the list";
    let wrong = |message: String| Failure::load(path, message, hint);
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| Failure::load(path, format!("cannot be read: {error}"), "is the path right?"))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(wrong(format!("more than {MAX_BYTES} bytes")));
    }
    let listed: Vec<Listed> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let mut seen = BTreeSet::new();
    let mut coins = Vec::with_capacity(listed.len());
    for (number, entry) in (1..).zip(&listed) {
        let coin = parse(entry).map_err(|error| wrong(format!("coin {number}: {error}")))?;
        if !seen.insert(coin.0.outpoint) {
            return Err(wrong(format!(
                "coin {number}: {} is listed twice",
                coin.0.outpoint
            )));
        }
        coins.push(coin);
    }
    Ok(coins)
}

fn parse(listed: &Listed) -> Result<(Coin, KeyHash), String> {
    let txid = hash_from_hex(&listed.txid)
        .ok_or_else(|| format!("txid {:?} is not 64 hexadecimal digits", listed.txid))?;
    let owner = KeyHash::parse_address(&listed.address)
        .map_err(|error| format!("address {:?}: {error}", listed.address))?;
    let coin = Coin {
        outpoint: OutPoint {
            txid: Txid(txid),
            index: listed.index,
        },
        value: parse_coins(&listed.amount)?,
        script: key_hash_script(&owner.0),
    };
    Ok((coin, owner))
}

/// 32 bytes from 64 hexadecimal digits.
pub fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let is_hex = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_hex) {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    is_hex.then_some(bytes)
}
