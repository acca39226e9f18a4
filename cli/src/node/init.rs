//! `camelid node init` and `camelid node genesis`.

use super::args::{GenesisArgs, InitArgs};
use super::directory::Directory;
use super::genesis::Genesis;
use super::settings::{Network, Settings};
use super::{key, misconfigured};
use crate::exit::{Exit, Failure};
use camelid_core::keys::KeyHash;
use camelid_core::primitives::Timestamp;
use camelid_io::{Clock as _, TokioClock};
use std::fs::{self, File};
use std::io::{Write as _, stdout};
use std::path::Path;

/// Coins of whoever founds a devnet alone.
const FOUNDERS_COINS: u32 = 2_000;

/// Makes a directory for a node.
///
/// # Errors
/// [`Failure`], before anything is written if something is there already.
pub fn init(args: &InitArgs) -> Result<Exit, Failure> {
    let directory = Directory::at(&args.dir);
    let settings = Settings::new(&args.overrides)?;
    if settings.network == Network::Mainnet && args.genesis.is_some() {
        return Err(Failure::Usage("the main network has a genesis of its own".into()));
    }
    let genesis = args.genesis.as_deref().map(Genesis::read).transpose()?;
    if let (Some(genesis), Some(path)) = (&genesis, &args.genesis) {
        genesis.params().map_err(|reason| misconfigured(path, reason))?;
    }
    directory.create()?;
    let _lock = directory.lock()?;
    for path in [
        directory.settings(),
        directory.genesis(),
        directory.key(),
        directory.wallet(),
    ] {
        if path.exists() {
            return Err(misconfigured(&path, "is there already, and stays as it is"));
        }
    }
    let (key, is_encrypted) = key::create(&directory, args.password_file.as_deref())?;
    let id = key.node_id();
    if settings.network == Network::Devnet {
        let genesis = genesis.unwrap_or_else(|| Genesis::new(now(), &[id], FOUNDERS_COINS));
        write_new(&directory.genesis(), &genesis.to_file()?)?;
    }
    write_new(&directory.settings(), &settings.to_file())?;
    match is_encrypted {
        true => eprintln!("The key is in {}, encrypted.", directory.wallet().display()),
        false => eprintln!(
            "The key is in {}, not encrypted: whoever can read the file has the node's coins.",
            directory.key().display()
        ),
    }
    writeln!(stdout().lock(), "{id}")?;
    Ok(Exit::Success)
}

/// Gives several nodes a devnet in which each has coins.
///
/// # Errors
/// [`Failure`], before anything is written if one of them has run.
pub fn found(args: &GenesisArgs) -> Result<Exit, Failure> {
    let directories: Vec<Directory> = args.dirs.iter().map(|dir| Directory::at(dir)).collect();
    let mut owners: Vec<KeyHash> = Vec::new();
    let mut locks: Vec<File> = Vec::new();
    for directory in &directories {
        locks.push(directory.lock()?);
        let records = directory.records();
        if records.exists() {
            return Err(misconfigured(
                &records,
                "the node has run on another network; make a new directory",
            ));
        }
        owners.push(key::read(directory, args.password_file.as_deref())?.node_id());
    }
    let genesis = Genesis::new(now(), &owners, args.coins);
    genesis.params().map_err(Failure::Configuration)?;
    let text = genesis.to_file()?;
    for directory in &directories {
        let path = directory.genesis();
        fs::write(&path, &text).map_err(|error| Failure::Write { path, error })?;
    }
    Ok(Exit::Success)
}

fn now() -> Timestamp {
    TokioClock.now().timestamp()
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || File::create_new(path)?.write_all(text.as_bytes());
    write().map_err(|error| Failure::Write {
        path: path.to_owned(),
        error,
    })
}
