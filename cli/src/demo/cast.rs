//! Who takes part, what they own, and what the client wants.

use crate::live::Role;
use camelid_core::keys::SecretKey;
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, Timestamp, tagged_hash};
use camelid_core::script::{Script, key_hash_script};

/// Verifiers, each with one ticket: as many as the network asks for before it draws a committee.
const VERIFIERS: usize = 8;

/// Tokens of an output, at most.
pub const MAX_TOKENS: u32 = 40;

/// A node of the demo.
pub struct Party {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Its coins at the start, each so many whole ones.
    pub coins: &'static [u64],
    /// The simulator's strategy that it follows, if it does not follow the protocol.
    pub strategy: Option<&'static str>,
}

impl Party {
    fn new(name: impl Into<String>, role: Role, coins: &'static [u64]) -> Self {
        Self {
            name: name.into(),
            role,
            coins,
            strategy: None,
        }
    }

    /// Its key. Everybody can know it: the network lasts for a minute.
    pub fn key(&self) -> SecretKey {
        let hash = tagged_hash("camelid/demo-key", &self.name);
        SecretKey::from_bytes(hash.0).expect("of the few names above none hashes to an invalid key")
    }

    /// What pays to it.
    pub fn script(&self) -> Script {
        key_hash_script(&self.key().node_id().0)
    }

    /// All its coins at the start, in whole ones.
    pub fn wealth(&self) -> u64 {
        self.coins.iter().sum()
    }
}

/// The place of the client in the cast.
pub const CLIENT: usize = 0;
/// The place of the worker that cheats, and comes last.
pub const CHEAT: usize = VERIFIERS + 3;

/// All parties. The honest worker can pay the stake of the first job and not that of the second, and
/// the cheat comes when the first is taken: so each gets the job that is meant for it, by the rules
/// that hold for everybody.
pub fn cast() -> Vec<Party> {
    let verifiers = (1..=VERIFIERS).map(|number| {
        // The bond, and a coin for fees.
        Party::new(format!("verifier-{number}"), Role::Verifier, &[11])
    });
    let cheat = Party {
        strategy: Some("edit"),
        // The stake of the second job, and too little for an appeal, which would take half a minute more.
        ..Party::new("cheating-worker", Role::Worker, &[33])
    };
    [
        Party::new("client", Role::Client, &[10, 10, 10, 10]),
        Party::new("honest-worker", Role::Worker, &[20]),
        Party::new("miner", Role::Miner, &[]),
    ]
    .into_iter()
    .chain(verifiers)
    .chain([cheat])
    .collect()
}

/// The network's rules: those of a devnet that begins at `begin`, without audits, which would send one
/// honest job in 33 before a committee.
pub fn params(cast: &[Party], begin: Timestamp) -> Params {
    let allocations = cast.iter().flat_map(|party| {
        let script = party.script();
        party.coins.iter().map(move |coins| Allocation {
            script: script.clone(),
            amount: Amount::from_coins(*coins).unwrap_or(Amount::MAX),
        })
    });
    let mut params = Params::devnet();
    params.genesis_time = begin;
    params.committee.audit_permille = 0;
    params.allocations = BoundedVec::from_vec(allocations.collect()).unwrap_or_default();
    params
}

/// A job of the client's.
pub struct Order {
    /// What the model is to go on from.
    pub prompt: &'static str,
    /// Half coins paid for it.
    pub half_coins: u64,
}

/// The jobs, in order.
pub const ORDERS: [Order; 2] = [
    Order {
        prompt: "The captain looked at the sea and said",
        half_coins: 1,
    },
    Order {
        prompt: "It was a cold night, and the old house",
        half_coins: 2,
    },
];
