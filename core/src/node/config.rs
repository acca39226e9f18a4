//! What a node is told at construction.

use crate::block::Work;
use crate::chain::SharedStore;
use crate::keys::{NodeId, SecretKey, SharedVerifier};
use crate::model::Manifest;
use crate::params::Params;
use crate::peers::Reach;
use crate::primitives::Amount;
use crate::wire::{NetAddress, Services};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Identity, network, peers and roles of a node.
#[derive(Clone)]
pub struct NodeConfig {
    /// The network.
    pub params: Arc<Params>,
    /// The node's key: its identity, its wallet and the source of its secrets.
    pub key: SecretKey,
    /// Who it talks to, where that is fixed. Of no account in an open network.
    pub peers: Vec<NodeId>,
    /// Seed of its random streams and hash maps; no secret depends on it.
    pub seed: u64,
    /// Work that the chain to follow is known to have: headers and blocks of less are not kept. Nothing
    /// for a new network; later what the software's authors saw when they published it.
    pub minimum_chain_work: Work,
    /// Who verifies signatures.
    pub verifier: SharedVerifier,
    /// Where it finds what it does not hold in memory; `None` holds everything.
    pub storage: Option<StorageConfig>,
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
    /// Checks outputs for neighbours.
    pub checker: Option<CheckerConfig>,
    /// How it finds and chooses its peers in an open network; `None` where its peers are fixed.
    pub network: Option<NetworkConfig>,
}

/// What a node need not hold in memory.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Shows the node's own records of its chain.
    pub store: SharedStore,
    /// Bytes of memory, about, that blocks and changes of the ledger may take before they are flushed.
    pub cache_bytes: usize,
}

/// How a node finds and chooses its peers (`docs/src/peers.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Asked first, as long as nobody else is known.
    pub seeds: Vec<NetAddress>,
    /// Where others reach this node; `None` if they cannot.
    pub listen: Option<NetAddress>,
    /// Connections it opens and keeps.
    pub outbound: usize,
    /// Connections that others may open.
    pub max_inbound: usize,
    /// Connections it opens to one group of addresses. Each local address is a group of its own.
    pub max_outbound_per_group: usize,
    /// Takes local addresses from peers, as a network on one machine or site has to.
    pub allow_private: bool,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            listen: None,
            outbound: 8,
            max_inbound: 64,
            max_outbound_per_group: 1,
            allow_private: false,
        }
    }
}

impl NetworkConfig {
    /// Whether an address that a peer tells of may be kept at all.
    pub(super) fn takes(&self, address: &NetAddress) -> bool {
        match Reach::of(address) {
            Reach::Public => true,
            Reach::Local => self.allow_private,
            Reach::Nowhere => false,
        }
    }
}

impl NodeConfig {
    /// A node without roles and peers, that holds everything in memory.
    pub fn new(params: Arc<Params>, key: SecretKey, verifier: SharedVerifier) -> Self {
        Self {
            params,
            key,
            peers: Vec::new(),
            seed: 0,
            minimum_chain_work: Work::default(),
            verifier,
            storage: None,
            models: Vec::new(),
            client: None,
            worker: None,
            committee: None,
            miner: false,
            checker: None,
            network: None,
        }
    }

    /// What this node does for others.
    pub fn services(&self) -> Services {
        let roles = [
            (self.worker.is_some(), Services::WORKER),
            (self.committee.is_some(), Services::VERIFIER),
            (self.miner, Services::MINER),
            (self.checker.is_some(), Services::CHECKER),
        ];
        let roles = roles.into_iter().filter(|(has, _)| *has);
        roles.fold(Services::CHAIN, |all, (_, role)| all.with(role))
    }
}

/// The client role.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientConfig {
    /// How it checks what it gets.
    pub verify: Verify,
}

/// How a client checks an output (paper, 2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Not at all.
    No,
    /// With its own model.
    #[default]
    Own,
    /// By asking neighbours.
    Outsourced(Outsourcing),
}

/// How a client has outputs checked by neighbours (`docs/src/protocol.md`, "Outsourced checks").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outsourcing {
    /// Neighbours asked about an output at first, at least one; more than half of them must agree.
    pub helpers: u32,
    /// Share of the requests, in thousandths, with a planted error: 0 is the paper's own procedure.
    pub canary_permille: u32,
    /// Fee for each token of prompt and output, for each neighbour.
    pub fee_per_token: Amount,
}

/// The checker role: answers clients that cannot run the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckerConfig {
    /// Least fee for each token of prompt and output.
    pub fee_per_token: Amount,
    /// Most that one client may owe.
    pub credit: Amount,
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
