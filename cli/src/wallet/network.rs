//! `--network`: what signatures are bound to.

use camelid_core::block::genesis_block;
use camelid_core::params::Params;
use camelid_core::primitives::BlockHash;
use std::str::FromStr;

/// A network, by its genesis block.
#[derive(Clone, Copy, Debug)]
pub struct Network(pub BlockHash);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let params = match text {
            "mainnet" => Params::mainnet(),
            "simnet" => Params::simnet(),
            _ => {
                return super::coins::hash_from_hex(text)
                    // Block hashes are displayed as Bitcoin does: last byte first.
                    .map(|mut bytes| {
                        bytes.reverse();
                        Self(BlockHash(bytes))
                    })
                    .ok_or_else(|| format!("{text:?} is neither mainnet, simnet, nor a genesis hash"));
            }
        };
        Ok(Self(genesis_block(&params).header.hash()))
    }
}
