//! A miner, a worker and a client in memory, with blocks as fast as the test can bear.

use crate::rpc::dispatch::answer;
use crate::rpc::service::Service;
use async_trait::async_trait;
use camelid_core::keys::{EcdsaVerifier, SecretKey};
use camelid_core::model::{InferenceResult, InferenceTask, LanguageModel as _};
use camelid_core::node::{ClientConfig, Node, NodeConfig, WorkerConfig};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BoundedVec, sha256};
use camelid_core::script::key_hash_script;
use camelid_io::{
    Adapters, Clock as _, Driver, DriverConfig, DriverHandle, Inference, MemoryNetwork, MemoryStorage,
    MiningConfig, TokioClock,
};
use camelid_sim::model::{HashModel, HashModelConfig, run_task};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NAMES: [&str; 3] = ["client", "worker", "miner"];

/// Milliseconds between blocks.
const BEAT_MS: u64 = 20;

pub struct Net {
    pub service: Arc<Service>,
    pub stopped: Arc<AtomicBool>,
    handles: Vec<DriverHandle<Node>>,
}

pub fn key(name: &str) -> SecretKey {
    SecretKey::from_bytes(sha256(name.as_bytes()).0).unwrap()
}

/// Rules under which a job is over in some seconds.
fn params() -> Params {
    let allocations = NAMES.iter().flat_map(|name| {
        let script = key_hash_script(&key(name).node_id().0);
        (0..3).map(move |_| Allocation {
            script: script.clone(),
            amount: Amount::from_coins(100).unwrap(),
        })
    });
    let mut params = Params::devnet();
    params.genesis_time = TokioClock.now().timestamp();
    params.jobs.challenge = 8;
    params.committee.audit_permille = 0;
    params.allocations = BoundedVec::from_vec(allocations.collect()).unwrap();
    params
}

struct Model(HashModel);

#[async_trait]
impl Inference for Model {
    async fn run(&self, task: InferenceTask) -> InferenceResult {
        run_task(&self.0, &task)
    }
}

impl Net {
    /// All nodes run; `mines` says whether there will be blocks.
    pub fn start(mines: bool) -> Self {
        let params = Arc::new(params());
        let model = Arc::new(Model(HashModel::new(HashModelConfig::default())));
        let network = MemoryNetwork::new(NonZeroUsize::new(1_024).unwrap());
        let peers: Vec<_> = NAMES.iter().map(|name| key(name).node_id()).collect();
        let mut handles = Vec::new();
        for (seed, name) in (0..).zip(NAMES) {
            let config = NodeConfig {
                peers: peers.clone(),
                seed,
                models: vec![model.0.manifest().clone()],
                client: (name == "client").then(ClientConfig::default),
                worker: (name == "worker").then_some(WorkerConfig { parallel_jobs: 1 }),
                miner: name == "miner",
                ..NodeConfig::new(params.clone(), key(name), Arc::new(EcdsaVerifier))
            };
            let adapters = Adapters {
                transport: Box::new(network.join(key(name).node_id())),
                clock: Arc::new(TokioClock),
                storage: Box::new(MemoryStorage::new()),
                inference: model.clone(),
            };
            let mining = MiningConfig {
                pause_ms: BEAT_MS,
                ..MiningConfig::default()
            };
            let driver_config = DriverConfig {
                mining: (mines && name == "miner").then_some(mining),
                ..DriverConfig::default()
            };
            let (driver, handle) = Driver::new(Node::new(config), adapters, driver_config);
            tokio::spawn(driver.run());
            handles.push(handle);
        }
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        let service = Service::new(handles[0].clone(), move || flag.store(true, Ordering::Relaxed));
        Self {
            service: Arc::new(service),
            stopped,
            handles,
        }
    }

    /// The whole answer to a request for `method`.
    pub async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        answer(&self.service, request.to_string().as_bytes()).await
    }

    /// The result of `method`.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params).await;
        assert_eq!(answer.get("error"), None, "{method}");
        answer["result"].clone()
    }

    /// The code and the message of what `method` says no with.
    pub async fn refusal(&self, method: &str, params: Value) -> (i64, String) {
        let answer = self.ask(method, params.clone()).await;
        let error = &answer["error"];
        let code = error["code"].as_i64();
        let code = code.unwrap_or_else(|| panic!("{method} {params} is answered: {answer}"));
        (code, error["message"].as_str().unwrap().to_owned())
    }

    /// The result of `method` once it is as wanted.
    pub async fn until(&self, method: &str, params: Value, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..3_000 {
            let result = self.call(method, params.clone()).await;
            if wanted(&result) {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{method} {params} does not become what is wanted: {}",
            self.call(method, params.clone()).await
        );
    }

    /// Stops the node that is served.
    pub fn stop_client(&self) {
        self.handles[0].stop();
    }
}
