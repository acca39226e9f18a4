//! A wallet file that has been opened.

use super::args::WalletFile;
use super::password::{Purpose, password};
use super::refused;
use crate::exit::Failure;
use camelid_core::keys::KeyHash;
use camelid_wallet::derivation::{Account, Branch, KeyPlace};
use camelid_wallet::keystore::{self, Cost, Secrets};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// An open wallet.
pub struct Store {
    path: PathBuf,
    password: Zeroizing<String>,
    /// What the file keeps.
    pub secrets: Secrets,
    /// The account that its keys are in.
    pub account: Account,
}

impl Store {
    /// Opens a wallet.
    ///
    /// # Errors
    /// [`Failure::Wallet`].
    pub fn open(file: &WalletFile) -> Result<Self, Failure> {
        let bytes = keystore::read(&file.wallet).map_err(refused)?;
        let password = password(file.password_file.as_deref(), Purpose::Open)?;
        let secrets = keystore::open(&bytes, password.as_bytes())
            .map_err(|error| refused(format!("{}: {error}", file.wallet.display())))?;
        Self::of(file, password, secrets)
    }

    /// Makes a new wallet file of `secrets`.
    ///
    /// # Errors
    /// [`Failure::Wallet`], also when there is a file already.
    pub fn create(file: &WalletFile, secrets: Secrets) -> Result<Self, Failure> {
        let password = password(file.password_file.as_deref(), Purpose::Protect)?;
        let store = Self::of(file, password, secrets)?;
        keystore::create(&store.path, &store.sealed()?).map_err(refused)?;
        Ok(store)
    }

    fn of(file: &WalletFile, password: Zeroizing<String>, secrets: Secrets) -> Result<Self, Failure> {
        Ok(Self {
            path: file.wallet.clone(),
            account: Account::new(&secrets.mnemonic.seed("")).map_err(refused)?,
            password,
            secrets,
        })
    }

    /// Writes the file anew.
    ///
    /// # Errors
    /// [`Failure::Wallet`]; the old file is still there.
    pub fn save(&self) -> Result<(), Failure> {
        keystore::replace(&self.path, &self.sealed()?).map_err(refused)
    }

    /// The address that was given out last.
    ///
    /// # Errors
    /// [`Failure::Wallet`].
    pub fn address(&self) -> Result<KeyHash, Failure> {
        let place = KeyPlace {
            branch: Branch::Receive,
            index: self.secrets.receive.saturating_sub(1),
        };
        self.account.key_hash(place).map_err(refused)
    }

    fn sealed(&self) -> Result<Vec<u8>, Failure> {
        keystore::seal(&self.secrets, self.password.as_bytes(), Cost::RECOMMENDED).map_err(refused)
    }
}
