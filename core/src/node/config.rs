//! What a node is told at construction.

use crate::keys::{NodeId, SecretKey, Verifier};
use crate::model::Manifest;
use crate::params::Params;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Identity, network, peers and roles of a node.
#[derive(Clone)]
pub struct NodeConfig {
    /// The network.
    pub params: Arc<Params>,
    /// The node's key: its identity, its wallet and the source of its secrets.
    pub key: SecretKey,
    /// Who it talks to.
    pub peers: Vec<NodeId>,
    /// Seed of its random streams and hash maps; no secret depends on it.
    pub seed: u64,
    /// Who verifies signatures.
    pub verifier: Arc<dyn Verifier>,
    /// Models whose manifests it knows.
    pub models: Vec<Manifest>,
    /// Pays for jobs.
    pub client: Option<ClientConfig>,
    /// Works on jobs.
    pub worker: Option<WorkerConfig>,
    /// Sits on committees (verifier role).
    pub committee: Option<VerifierConfig>,
    /// Makes blocks.
    pub miner: bool,
}

/// The client role.
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// Check outputs with RASTiC before paying for silence.
    pub verify: bool,
}

/// The worker (compute node) role.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Jobs it works on at a time.
    pub parallel_jobs: usize,
}

/// The verifier role: a seat on committees, for a bond.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Bonds it keeps locked, each a ticket of its own in every draw.
    pub tickets: usize,
}
