//! Peers that a test plays itself, over real QUIC, on the devnet of a node's directory.

use super::support::Place;
use camelid_core::block::genesis_block;
use camelid_core::keys::{EcdsaVerifier, KeyHash, SecretKey};
use camelid_core::node::{NetworkConfig, NodeConfig};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, Timestamp};
use camelid_core::script::key_hash_script;
use camelid_net_quic::{Identity, QuicConfig, QuicTransport};
use serde::Deserialize;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

#[derive(Deserialize)]
struct Genesis {
    begins: u32,
    #[serde(default)]
    allocations: Vec<Coins>,
}

#[derive(Deserialize)]
struct Coins {
    address: String,
    coins: u64,
    parts: usize,
}

/// The devnet of the node in `dir`, read as a second implementation would.
pub fn params(place: &Place, dir: &str) -> Arc<Params> {
    let text = fs::read_to_string(place.path(&format!("{dir}/genesis.toml"))).expect("a genesis");
    let genesis: Genesis = toml::from_str(&text).expect("TOML");
    let allocations = genesis.allocations.iter().flat_map(|coins| {
        let owner = KeyHash::parse_address(&coins.address).expect("an address");
        let part = Allocation {
            script: key_hash_script(&owner.0),
            amount: Amount::from_coins(coins.coins).expect("there are so many"),
        };
        std::iter::repeat_n(part, coins.parts)
    });
    Arc::new(Params {
        genesis_time: Timestamp(genesis.begins),
        allocations: BoundedVec::from_vec(allocations.collect()).expect("not too many"),
        ..Params::devnet()
    })
}

/// A node that does nothing for others but keep the chain.
pub fn config(params: Arc<Params>, key: SecretKey) -> NodeConfig {
    NodeConfig::new(params, key, Arc::new(EcdsaVerifier))
}

/// Opens a socket on loopback for the guest that `config` describes. Call it inside a runtime.
pub fn bind(config: &NodeConfig) -> (QuicTransport, SocketAddr) {
    let identity = Identity {
        key: config.key.clone(),
        genesis: genesis_block(&config.params).header.hash(),
        services: u8::try_from(config.services().0).expect("few services"),
        listen_port: None,
    };
    let limits = QuicConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        ..QuicConfig::default()
    };
    let (transport, handle) = QuicTransport::bind(limits, identity).expect("loopback has free ports");
    let address = handle.local_addr().expect("the socket is bound");
    (transport, address)
}

/// The network of a guest at `own` that calls `seed`.
pub fn network(own: SocketAddr, seed: SocketAddr) -> NetworkConfig {
    NetworkConfig {
        seeds: vec![seed.into()],
        listen: Some(own.into()),
        allow_private: true,
        ..NetworkConfig::default()
    }
}
