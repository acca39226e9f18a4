//! `camelid node run`.

use super::args::RunArgs;
use super::directory::Directory;
use super::genesis::Genesis;
use super::settings::{Network, Settings};
use super::{key, logs, misconfigured};
use crate::exit::{Exit, Failure};
use crate::live::{Character, Outfit, Role, Supervisor, bind, drive, driver, hash_rate, stop_on_signals};
use crate::model;
use crate::rpc::{RpcServer, Service};
use camelid_core::block::genesis_block;
use camelid_core::node::NetworkConfig;
use camelid_core::params::Params;
use camelid_core::process::Event;
use camelid_inference_ggml::{Engine, GgmlInference};
use camelid_io::{RedbStorage, recover};
use std::io::{Write as _, stdout};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// Runs the node in a directory until it is told to stop.
///
/// # Errors
/// [`Failure`] when it cannot begin, or has to halt.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let directory = Directory::at(&args.dir);
    let settings = Settings::read(&directory.settings(), &args.overrides)?;
    let _lock = directory.lock()?;
    logs::begin(settings.log_format, settings.log_level);
    let character = Character {
        params: Arc::new(params(&settings, &directory)?),
        key: key::read(&directory, args.password_file.as_deref())?,
        seed: getrandom::u64().map_err(system)?,
        roles: settings.roles.clone(),
        models: Vec::new(),
        tickets: settings.tickets,
        parallel_jobs: settings.parallel_jobs,
    };
    let engines = engines(&settings)?;
    let runtime = tokio::runtime::Runtime::new().map_err(system)?;
    runtime.block_on(live(&settings, &directory, character, engines))?;
    Ok(Exit::Success)
}

async fn live(
    settings: &Settings,
    directory: &Directory,
    mut character: Character,
    engines: Vec<Arc<Engine>>,
) -> Result<(), Failure> {
    character.models = engines.iter().map(|engine| manifest(engine)).collect();
    let mut supervisor = Supervisor::default();
    stop_on_signals(supervisor.stop(), "stopping").map_err(system)?;
    let mut config = character.config();
    let genesis = genesis_block(&config.params).header.hash();
    let path = directory.records();
    let mut storage = RedbStorage::open(&path, &genesis).map_err(|error| misconfigured(&path, error))?;
    let (transport, quic, address) = bind(&config, settings.listen, settings.max_inbound)
        .map_err(|error| Failure::Network(format!("{}: {error}", settings.listen)))?;
    config.network = Some(network(settings, address));
    let (id, mines) = (config.key.node_id(), config.miner);
    let cache_bytes = (settings.cache_mib as usize) << 20;
    let node = recover(config, &mut storage, cache_bytes)
        .await
        .map_err(|error| misconfigured(&path, error))?;
    info!(%genesis, height = node.chain().height().0, "recovered");
    let (driver, handle) = driver(
        node,
        Outfit {
            transport: Box::new(transport),
            storage: Box::new(storage),
            inference: Arc::new(GgmlInference::new(engines)),
            mining: mines.then(|| hash_rate(settings.hashes_per_second)),
        },
    );
    let server = RpcServer::bind(directory.path(), settings.rpc_listen).await;
    let server = server.map_err(|error| Failure::Configuration(format!("rpc_listen: {error}")))?;
    let service = Service::new(handle.clone(), {
        let stop = supervisor.stop();
        move || stop.request()
    });
    info!(address = %server.address(), "serves JSON-RPC");
    let door = quic.clone();
    let driver = driver.with_observer(move |now, event| {
        if let Event::Banned { peer, until } = event {
            let seconds = until.0.saturating_sub(now.timestamp().0);
            door.ban(peer, Duration::from_secs(seconds.into()));
        }
        logs::note(&event);
    });
    let stop = supervisor.stop();
    supervisor.spawn("node", async move {
        let node = drive(driver, handle, stop).await?;
        quic.close().await;
        info!(height = node.chain().height().0, "stopped");
        Ok(())
    });
    let stop = supervisor.stop();
    supervisor.spawn("rpc", async move {
        server.serve(service, stop.requested()).await;
        Ok(())
    });
    writeln!(stdout().lock(), "node {id} listens on {address}")?;
    supervisor.run().await.map_err(system)
}

fn params(settings: &Settings, directory: &Directory) -> Result<Params, Failure> {
    match settings.network {
        Network::Mainnet => Ok(Params::mainnet()),
        Network::Devnet => {
            let path = directory.genesis();
            let genesis = Genesis::read(&path)?;
            genesis.params().map_err(|reason| misconfigured(&path, reason))
        }
    }
}

/// The models of roles that run them.
fn engines(settings: &Settings) -> Result<Vec<Arc<Engine>>, Failure> {
    if !settings.roles.iter().copied().any(Role::needs_model) {
        return Ok(Vec::new());
    }
    let open = |name: &String| model::open(name).map(Arc::new);
    settings.models.iter().map(open).collect()
}

fn manifest(engine: &Engine) -> camelid_core::model::Manifest {
    use camelid_core::model::LanguageModel as _;
    engine.manifest().clone()
}

/// Others are told of an address that they can use, if there is one.
fn network(settings: &Settings, bound: SocketAddr) -> NetworkConfig {
    let own = settings.public_address.unwrap_or(bound);
    NetworkConfig {
        seeds: settings.seed_nodes.iter().map(|seed| (*seed).into()).collect(),
        listen: (!own.ip().is_unspecified()).then(|| own.into()),
        outbound: settings.outbound,
        max_inbound: settings.max_inbound,
        allow_private: settings.network == Network::Devnet,
        ..NetworkConfig::default()
    }
}

fn system(error: impl std::fmt::Display) -> Failure {
    Failure::System(error.to_string())
}
