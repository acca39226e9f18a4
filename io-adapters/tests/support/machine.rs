//! A machine with a real node on it, for both runtimes.
#![allow(dead_code)] // each of the tests uses a part

use camelid_core::block::{BlockHeader, genesis_block};
use camelid_core::chain::Chain;
use camelid_core::keys::{EcdsaVerifier, NodeId, SecretKey};
use camelid_core::node::{Node, NodeConfig};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Height, Time};
use camelid_core::process::Event;
use camelid_core::script::key_hash_script;
use camelid_io::{
    Adapters, Driver, DriverConfig, DriverError, DriverHandle, MemoryNetwork, MemoryStorage, MiningConfig,
    NoInference, RuntimeClock, Storage, recover,
};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Blocks are flushed by threes and fours.
const CACHE_BYTES: usize = 4_000;

/// What stays when a machine is switched off.
#[derive(Clone)]
pub struct Machine {
    config: NodeConfig,
    network: MemoryNetwork,
    clock: RuntimeClock,
    height: Arc<watch::Sender<u32>>,
    pub storage: MemoryStorage,
}

/// Two machines that know each other; the first one mines, a block in about two seconds.
pub fn two_machines() -> (Machine, Machine) {
    let keys = [1, 2].map(|byte| SecretKey::from_bytes([byte; 32]).unwrap());
    let peers = keys.each_ref().map(SecretKey::node_id);
    let params = Arc::new(params(&keys));
    let network = MemoryNetwork::new(NonZeroUsize::new(256).unwrap());
    let clock = RuntimeClock::starting_at(Time(u64::from(params.genesis_time.0) * 1000));
    let [miner, follower] = keys.map(|key| Machine {
        config: NodeConfig {
            miner: key.node_id() == peers[0],
            peers: peers.to_vec(),
            ..NodeConfig::new(params.clone(), key, Arc::new(EcdsaVerifier))
        },
        network: network.clone(),
        clock,
        height: Arc::new(watch::Sender::new(0)),
        storage: MemoryStorage::new(),
    });
    (miner, follower)
}

fn params(keys: &[SecretKey]) -> Params {
    let allocations = keys.iter().map(|key| Allocation {
        script: key_hash_script(&key.node_id().0),
        amount: Amount::from_coins(10).unwrap(),
    });
    Params {
        allocations: BoundedVec::from_vec(allocations.collect()).unwrap(),
        ..Params::simnet()
    }
}

impl Machine {
    /// Switches the machine on: its node goes on from what is stored.
    pub async fn boot(&self) -> (Driver<Node>, DriverHandle) {
        self.boot_on(Box::new(self.storage.clone())).await
    }

    /// Switches it on with another disk.
    pub async fn boot_on(&self, mut storage: Box<dyn Storage>) -> (Driver<Node>, DriverHandle) {
        let node = recover(self.config.clone(), &mut *storage, CACHE_BYTES)
            .await
            .unwrap();
        self.height.send_replace(node.chain().height().0);
        let adapters = Adapters {
            transport: Box::new(self.network.join(self.id())),
            clock: Arc::new(self.clock),
            storage,
            inference: Arc::new(NoInference),
        };
        let config = DriverConfig {
            mining: Some(MiningConfig {
                lanes: NonZeroU32::MIN,
                hashes_per_slice: 1,
                pause_ms: 1_000,
            }),
            ..DriverConfig::default()
        };
        let (driver, handle) = Driver::new(node, adapters, config);
        let height = self.height.clone();
        let driver = driver.with_observer(move |_, event| {
            if let Event::TipChanged {
                height: Height(tip), ..
            } = event
            {
                height.send_replace(tip);
            }
        });
        (driver, handle)
    }

    /// Boots and runs until the end, which is an error or the death of the machine.
    pub async fn run(self) -> Result<Node, DriverError> {
        let (driver, _handle) = self.boot().await;
        driver.run().await
    }

    /// The network's genesis block.
    pub fn network(&self) -> BlockHash {
        genesis_block(&self.config.params).header.hash()
    }

    /// The height that its node was last seen at.
    pub fn height_now(&self) -> u32 {
        *self.height.borrow()
    }

    pub fn id(&self) -> NodeId {
        self.config.key.node_id()
    }

    /// Returns when the best chain has at least this height; an hour of virtual time must do.
    pub async fn reached(&self, height: u32) {
        let mut heights = self.height.subscribe();
        let reached = heights.wait_for(|seen| *seen >= height);
        let in_time = tokio::time::timeout(Duration::from_secs(3_600), reached).await;
        in_time.expect("height was not reached in time").unwrap();
    }

    /// The node that a restart would begin with.
    pub async fn stored_node(&self) -> Node {
        let mut storage = self.storage.clone();
        recover(self.config.clone(), &mut storage, CACHE_BYTES)
            .await
            .unwrap()
    }

    /// The height of its best chain.
    pub async fn height_stored(&self) -> u32 {
        self.stored_node().await.chain().height().0
    }
}

/// True when one of the two chains begins with the other, and the work is real.
pub fn agree(a: &Chain, b: &Chain) -> bool {
    let common = a.active().len().min(b.active().len());
    let headers = a.active()[1..].iter().filter_map(|hash| a.headers().header(hash));
    a.active()[..common] == b.active()[..common]
        && headers.map(BlockHeader::check_work).all(|work| work.is_ok())
}
