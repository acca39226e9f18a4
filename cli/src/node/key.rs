//! A node's key: plain, in a file that only its owner may read, or in an encrypted wallet.

use super::directory::Directory;
use super::misconfigured;
use crate::exit::Failure;
use crate::model::parse_hash;
use crate::wallet::{PASSWORD_VARIABLE, Purpose, password};
use camelid_core::keys::SecretKey;
use camelid_wallet::derivation::{Account, Branch, KeyPlace};
use camelid_wallet::keystore::{self, Cost, Secrets};
use camelid_wallet::mnemonic::Mnemonic;
use std::path::Path;
use zeroize::Zeroizing;

/// The wallet's first address is the node's.
const PLACE: KeyPlace = KeyPlace {
    branch: Branch::Receive,
    index: 0,
};
/// Words of a node's wallet.
const WORDS: usize = 24;

/// Makes a key and writes it: encrypted, if there is a password. Says which.
///
/// # Errors
/// [`Failure::Wallet`], also when there is a key already.
pub fn create(directory: &Directory, password_file: Option<&Path>) -> Result<(SecretKey, bool), Failure> {
    let is_encrypted = password_file.is_some() || std::env::var_os(PASSWORD_VARIABLE).is_some();
    if !is_encrypted {
        let key = random_key()?;
        let digits = Zeroizing::new(format!("{}\n", hex(&*key.1)));
        keystore::create(&directory.key(), digits.as_bytes()).map_err(refused)?;
        return Ok((key.0, false));
    }
    let password = password(password_file, Purpose::Protect)?;
    let secrets = Secrets {
        mnemonic: Mnemonic::generate(WORDS).map_err(refused)?,
        receive: 1,
        change: 0,
    };
    let sealed = keystore::seal(&secrets, password.as_bytes(), Cost::RECOMMENDED).map_err(refused)?;
    keystore::create(&directory.wallet(), &sealed).map_err(refused)?;
    Ok((key_of(&secrets)?, true))
}

/// Reads the key in `directory`.
///
/// # Errors
/// [`Failure::Wallet`].
pub fn read(directory: &Directory, password_file: Option<&Path>) -> Result<SecretKey, Failure> {
    let (plain, wallet) = (directory.key(), directory.wallet());
    if wallet.exists() {
        let bytes = keystore::read(&wallet).map_err(refused)?;
        let password = password(password_file, Purpose::Open)?;
        let secrets = keystore::open(&bytes, password.as_bytes())
            .map_err(|error| refused(format!("{}: {error}", wallet.display())))?;
        return key_of(&secrets);
    }
    let bytes = Zeroizing::new(keystore::read(&plain).map_err(refused)?);
    let digits = std::str::from_utf8(&bytes).ok().map(str::trim_end);
    digits
        .and_then(parse_hash)
        .and_then(|hash| SecretKey::from_bytes(hash.0))
        .ok_or_else(|| misconfigured(&plain, "is no key: 64 hexadecimal digits"))
}

fn key_of(secrets: &Secrets) -> Result<SecretKey, Failure> {
    let account = Account::new(&secrets.mnemonic.seed("")).map_err(refused)?;
    account.key(PLACE).map_err(refused)
}

fn random_key() -> Result<(SecretKey, Zeroizing<[u8; 32]>), Failure> {
    loop {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|error| Failure::System(error.to_string()))?;
        // All but about one in 2^128 are keys.
        if let Some(key) = SecretKey::from_bytes(*bytes) {
            return Ok((key, bytes));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::Wallet(error.into())
}
