//! The network: its genesis block, and a live node for each party.

use super::cast::{CHEAT, CLIENT, Party, cast, params};
use super::record::{NetworkRecord, NodeRecord};
use crate::exit::Failure;
use crate::live::{Character, Outfit, Role, Stop, Supervisor, bind, drive, driver};
use camelid_core::block::genesis_block;
use camelid_core::keys::NodeId;
use camelid_core::node::{NetworkConfig, Node, NodeConfig};
use camelid_core::params::Params;
use camelid_core::primitives::Amount;
use camelid_core::process::Event;
use camelid_core::wire::NetAddress;
use camelid_inference_ggml::{Engine, GgmlInference};
use camelid_io::{Clock as _, Driver, DriverHandle, Inference, MemoryStorage, MiningConfig, TokioClock};
use camelid_sim::model::{LanguageModel, Models};
use camelid_sim::scenario::{Clock, NodeSetup};
use camelid_sim::strategy::Actor;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc};

/// The miner rests for so long and then finds a block at once: blocks come at a beat. Some more of them
/// than one a second, so that it is the clock and not chance that closes windows.
const BEAT: MiningConfig = MiningConfig {
    lanes: NonZeroU32::MIN,
    hashes_per_slice: 8_192,
    pause_ms: 700,
};

/// Something that happened at a party.
pub type Told = (usize, Event);

/// Everything that nodes are made of.
pub struct Stage {
    /// The parties.
    pub cast: Vec<Party>,
    /// The model that all of them run.
    pub engine: Arc<Engine>,
    /// What each keeps.
    pub storages: Vec<MemoryStorage>,
    /// Lets the cheat begin.
    pub cue: Notify,
    params: Arc<Params>,
    inference: Arc<dyn Inference>,
    /// Where the nodes listen that have been started, by their place in the cast.
    addresses: Mutex<BTreeMap<usize, SocketAddr>>,
    events: mpsc::Sender<Told>,
}

impl Stage {
    /// A new network around `engine`, whose nodes tell `events`.
    pub fn new(engine: Arc<Engine>, events: mpsc::Sender<Told>) -> Self {
        let cast = cast();
        let params = Arc::new(params(&cast, TokioClock.now().timestamp()));
        Self {
            storages: cast.iter().map(|_| MemoryStorage::new()).collect(),
            inference: Arc::new(GgmlInference::new([engine.clone()])),
            addresses: Mutex::default(),
            cue: Notify::new(),
            cast,
            engine,
            params,
            events,
        }
    }

    /// Starts all nodes but the cheat, which waits for its cue. Returns the client's handle.
    ///
    /// # Errors
    /// [`Failure::System`] when the system has no sockets.
    pub fn raise(self: &Arc<Self>, supervisor: &mut Supervisor) -> Result<DriverHandle<Actor>, Failure> {
        let mut client = None;
        for index in 0..CHEAT {
            let (driver, handle) = self.assemble(index)?;
            if index == CLIENT {
                client = Some(handle.clone());
            }
            let stop = supervisor.stop();
            supervisor.spawn(&*self.cast[index].name, async move {
                drive(driver, handle, stop).await?;
                Ok(())
            });
        }
        let (stage, stop) = (self.clone(), supervisor.stop());
        supervisor.spawn(&*self.cast[CHEAT].name, async move {
            stage
                .wait_for_cue(stop)
                .await
                .map_err(|failure| failure.to_string())?;
            Ok(())
        });
        client.ok_or_else(|| Failure::System("the cast has no client".into()))
    }

    async fn wait_for_cue(&self, stop: Stop) -> Result<(), Failure> {
        tokio::select! {
            () = stop.requested() => return Ok(()),
            () = self.cue.notified() => {}
        }
        let (driver, handle) = self.assemble(CHEAT)?;
        let ended = drive(driver, handle, stop).await;
        ended.map_err(|error| Failure::System(error.to_string()))?;
        Ok(())
    }

    /// The production node, behind its strategy if it has one, with real adapters. It listens on a port
    /// that is free, and knows where those listen that came before.
    fn assemble(&self, index: usize) -> Result<(Driver<Actor>, DriverHandle<Actor>), Failure> {
        let party = &self.cast[index];
        let mut config = self.config(index);
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (transport, _, address) =
            bind(&config, free_port, self.cast.len()).map_err(|error| Failure::Network(error.to_string()))?;
        config.network = Some(self.neighbours(address));
        self.addresses().insert(index, address);
        let actor = Actor::new(Node::new(config.clone()), &self.setup(party, config));
        let outfit = Outfit {
            transport: Box::new(transport),
            storage: Box::new(self.storages[index].clone()),
            inference: self.inference.clone(),
            mining: (party.role == Role::Miner).then_some(BEAT),
        };
        let (driver, handle) = driver(actor, outfit);
        let events = self.events.clone();
        let driver = driver.with_observer(move |_, event| {
            // A story with a gap is better than a node that waits for its teller.
            let _ = events.try_send((index, event));
        });
        Ok((driver, handle))
    }

    /// The network of a node at `address`: it calls everybody that is there already.
    fn neighbours(&self, address: SocketAddr) -> NetworkConfig {
        let seeds: Vec<NetAddress> = self.addresses().values().map(|seed| (*seed).into()).collect();
        NetworkConfig {
            outbound: seeds.len(),
            seeds,
            listen: Some(address.into()),
            allow_private: true,
            ..NetworkConfig::default()
        }
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, SocketAddr>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self, index: usize) -> NodeConfig {
        let party = &self.cast[index];
        let character = Character {
            params: self.params.clone(),
            key: party.key(),
            // Other tokens are swapped in every run.
            seed: (u64::from(self.params.genesis_time.0) << 8) | index as u64,
            roles: vec![party.role],
            models: vec![self.engine.manifest().clone()],
            tickets: 1,
            parallel_jobs: 1,
        };
        character.config()
    }

    /// What the simulator's strategies are told; they know nothing but what is here.
    fn setup(&self, party: &Party, config: NodeConfig) -> NodeSetup {
        let model: Arc<dyn LanguageModel> = self.engine.clone();
        NodeSetup {
            name: party.name.clone(),
            group: party.name.clone(),
            config,
            models: Models {
                full: model.clone(),
                draft: model.clone(),
                coarse: model,
            },
            strategy: party.strategy.map(Into::into),
            level: 0,
            hash_power: 1,
            clock: Clock::default(),
        }
    }

    /// Whose id it is.
    pub fn name_of(&self, id: &NodeId) -> &str {
        let party = self.cast.iter().find(|party| party.key().node_id() == *id);
        party.map_or("somebody", |party| &party.name)
    }

    /// The network's rules.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The network, before anything has happened.
    pub fn describe(&self) -> NetworkRecord {
        let addresses = self.addresses();
        let nodes = self.cast.iter().enumerate().map(|(index, party)| NodeRecord {
            name: party.name.clone(),
            id: party.key().node_id().to_string(),
            listens: addresses.get(&index).map(SocketAddr::to_string),
            coins: Amount::from_coins(party.wealth())
                .unwrap_or(Amount::MAX)
                .to_string(),
        });
        NetworkRecord {
            schema: "camelid.demo.network.v1",
            genesis: genesis_block(&self.params).header.hash().to_string(),
            model: self.engine.manifest().id().to_string(),
            nodes: nodes.collect(),
        }
    }
}
