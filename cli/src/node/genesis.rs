//! `genesis.toml`: when a devnet begins, and who has coins.

use super::misconfigured;
use crate::exit::Failure;
use camelid_core::keys::KeyHash;
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, Timestamp};
use camelid_core::script::key_hash_script;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Coins come in so many parts, so that one payment does not lock them all.
pub const PARTS: u32 = 20;
/// Most parts of all owners together.
const MAX_PARTS: usize = 4_096;
/// Longest file that is read, in bytes: all allocations that there may be, one by one.
const MAX_BYTES: u64 = 1 << 20;

/// What distinguishes one devnet from another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Time of the genesis block, in seconds since 1970.
    begins: u32,
    /// Coins.
    #[serde(default)]
    allocations: Vec<Coins>,
}

/// Coins of one address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Coins {
    address: String,
    /// Whole coins in each part.
    coins: u32,
    /// How many parts.
    parts: u32,
}

impl Genesis {
    /// Of a devnet that begins at `begins`, where each of `owners` has `coins` coins.
    pub fn new(begins: Timestamp, owners: &[KeyHash], coins: u32) -> Self {
        let allocations = owners.iter().map(|owner| Coins {
            address: owner.to_string(),
            coins: coins / PARTS,
            parts: PARTS,
        });
        Self {
            begins: begins.0,
            allocations: allocations.collect(),
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Failure::Configuration`].
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let length = fs::metadata(path)
            .map_err(|error| misconfigured(path, error))?
            .len();
        if length > MAX_BYTES {
            return Err(misconfigured(path, format!("is longer than {MAX_BYTES} bytes")));
        }
        let text = fs::read_to_string(path).map_err(|error| misconfigured(path, error))?;
        toml::from_str(&text).map_err(|error| misconfigured(path, error))
    }

    /// As a file that explains itself.
    ///
    /// # Errors
    /// [`Failure::System`]; there is no such value.
    pub fn to_file(&self) -> Result<String, Failure> {
        let fields = toml::to_string(self).map_err(|error| Failure::System(error.to_string()))?;
        Ok(format!(
            "# A devnet's genesis. All its nodes need the same file: another time or another coin is another network.\n\n{fields}"
        ))
    }

    /// The network's parameters, if it can work.
    ///
    /// # Errors
    /// In words.
    pub fn params(&self) -> Result<Params, String> {
        let mut allocations = Vec::new();
        for Coins {
            address,
            coins,
            parts,
        } in &self.allocations
        {
            let owner = KeyHash::parse_address(address).map_err(|error| format!("{address}: {error}"))?;
            let amount = Amount::from_coins(u64::from(*coins)).ok_or("there are not so many coins")?;
            let script = key_hash_script(&owner.0);
            let parts = usize::try_from(*parts).unwrap_or(usize::MAX);
            if parts > MAX_PARTS - allocations.len() {
                return Err(format!("more than {MAX_PARTS} parts in all"));
            }
            allocations.extend((0..parts).map(|_| Allocation {
                script: script.clone(),
                amount,
            }));
        }
        let mut params = Params::devnet();
        params.genesis_time = Timestamp(self.begins);
        params.allocations = BoundedVec::from_vec(allocations).ok_or("too many parts")?;
        params.check().map_err(|error| error.to_string())?;
        Ok(params)
    }
}
