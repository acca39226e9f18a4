//! From roles to what a node is told at construction.

use camelid_core::keys::SecretKey;
use camelid_core::model::Manifest;
use camelid_core::node::{ClientConfig, NodeConfig, VerifierConfig, WorkerConfig};
use camelid_core::params::Params;
use camelid_io::CachedVerifier;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Valid signature checks that a live node remembers, 32 bytes each: some blocks full of them.
const REMEMBERED_CHECKS: usize = 100_000;

/// What a node does besides keeping and passing on the chain, which every node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing else.
    Full,
    /// Pays for jobs.
    Client,
    /// Works on jobs.
    Worker,
    /// Sits on committees.
    Verifier,
    /// Makes blocks.
    Miner,
}

impl Role {
    /// True when the role runs models.
    pub fn needs_model(self) -> bool {
        matches!(self, Self::Client | Self::Worker | Self::Verifier)
    }
}

/// Who a node is and what it does.
pub struct Character {
    /// Its network.
    pub params: Arc<Params>,
    /// Its key.
    pub key: SecretKey,
    /// Seed of its random streams, which no secret depends on.
    pub seed: u64,
    /// What it does.
    pub roles: Vec<Role>,
    /// Models that it knows.
    pub models: Vec<Manifest>,
    /// Bonds that it keeps as a verifier.
    pub tickets: usize,
    /// Jobs that it works on at a time as a worker.
    pub parallel_jobs: usize,
}

impl Character {
    /// What the node is told.
    pub fn config(self) -> NodeConfig {
        let has = |role| self.roles.contains(&role);
        let (client, worker) = (has(Role::Client), has(Role::Worker));
        let (verifier, miner) = (has(Role::Verifier), has(Role::Miner));
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let signatures = Arc::new(CachedVerifier::new(REMEMBERED_CHECKS, threads));
        NodeConfig {
            seed: self.seed,
            models: self.models,
            client: client.then(ClientConfig::default),
            worker: worker.then_some(WorkerConfig {
                parallel_jobs: self.parallel_jobs,
            }),
            committee: verifier.then_some(VerifierConfig {
                tickets: self.tickets,
            }),
            miner,
            ..NodeConfig::new(self.params, self.key, signatures)
        }
    }
}
