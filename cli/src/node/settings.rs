//! The settings of a node: defaults, then the file, then `CAMELID_…`, then flags.

use super::misconfigured;
use crate::exit::Failure;
use crate::live::Role;
use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Env, Serialized};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// What the names of environment variables begin with. `CAMELID_MODELS` is none of them: it says where
/// the store of models is.
const PREFIX: &str = "CAMELID_";

/// Whose chain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The one of a genesis file.
    Devnet,
    /// The main network.
    Mainnet,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important lines that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What keeps the node from working.
    Error,
    /// What should not happen.
    Warn,
    /// What happens to blocks and jobs.
    Info,
    /// What peers do wrong.
    Debug,
}

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whose chain it is.
    pub network: Network,
    /// What it does.
    pub roles: Vec<Role>,
    /// Its UDP socket.
    pub listen: SocketAddr,
    /// Where others reach it, if that is not `listen`.
    pub public_address: Option<SocketAddr>,
    /// Whom it asks for peers at first.
    pub seed_nodes: Vec<SocketAddr>,
    /// The TCP socket of its JSON-RPC server, on loopback.
    pub rpc_listen: SocketAddr,
    /// Peers that it chooses.
    pub outbound: usize,
    /// Peers that may choose it.
    pub max_inbound: usize,
    /// Models, for the roles that run them.
    pub models: Vec<String>,
    /// Bonds of a verifier.
    pub tickets: usize,
    /// Jobs that a worker has in hand at a time.
    pub parallel_jobs: usize,
    /// A miner's limit; 0 for none.
    pub hashes_per_second: u32,
    /// Mebibytes of blocks and changes of the ledger in memory before they are flushed.
    pub cache_mib: u32,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which there are.
    pub log_level: LogLevel,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            network: Network::Devnet,
            roles: vec![Role::Full],
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_address: None,
            seed_nodes: Vec::new(),
            rpc_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            outbound: 8,
            max_inbound: 64,
            models: vec![crate::model::EMBEDDED_NAME.into()],
            tickets: 1,
            parallel_jobs: 1,
            hashes_per_second: 256,
            cache_mib: 64,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
        }
    }
}

/// Flags that go before all else.
#[derive(Clone, Debug, Default, Args, Serialize)]
pub struct Overrides {
    /// Whose chain it is.
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What the node does besides keeping the chain; several with commas.
    #[arg(long = "role", value_enum, value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// The UDP socket; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Whom to ask for peers at first; may be given several times.
    #[arg(long = "seed-node", value_name = "ADDR")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seed_nodes: Vec<SocketAddr>,
    /// embedded, a GGUF file, or the root of a model in the store; may be given several times.
    #[arg(long = "model", value_name = "MODEL")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Bonds that a verifier keeps.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tickets: Option<usize>,
    /// Most hashes of a miner in a second; 0 for no limit.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hashes_per_second: Option<u32>,
    /// Mebibytes of blocks and changes of the ledger that wait in memory to be flushed to the disk.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mib: Option<u32>,
    /// How log lines look.
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
    /// Which log lines there are.
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<LogLevel>,
}

const KEYS: [&str; 15] = [
    "network",
    "roles",
    "listen",
    "public_address",
    "seed_nodes",
    "rpc_listen",
    "outbound",
    "max_inbound",
    "models",
    "tickets",
    "parallel_jobs",
    "hashes_per_second",
    "cache_mib",
    "log_format",
    "log_level",
];

impl Settings {
    /// The settings that the file at `path`, the environment and `overrides` make together.
    ///
    /// # Errors
    /// [`Failure::Configuration`].
    pub fn read(path: &Path, overrides: &Overrides) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| misconfigured(path, format!("{error}; `camelid node init` makes one")))?;
        let file: toml::Table = toml::from_str(&text).map_err(|error| misconfigured(path, error))?;
        if let Some(key) = file.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(misconfigured(
                path,
                format!("{key:?} is no setting: there are {}", KEYS.join(", ")),
            ));
        }
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Serialized::defaults(file))
            .merge(Env::prefixed(PREFIX).only(&KEYS).ignore(&["models"]))
            .merge(Serialized::defaults(overrides))
            .extract()
            .map_err(|error| misconfigured(path, error))
    }

    /// The defaults and `overrides`.
    ///
    /// # Errors
    /// [`Failure::Configuration`].
    pub fn new(overrides: &Overrides) -> Result<Self, Failure> {
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Serialized::defaults(overrides))
            .extract()
            .map_err(|error| Failure::Configuration(error.to_string()))
    }

    /// As a file that explains itself.
    pub fn to_file(&self) -> String {
        let value = |value: &dyn erased::Show| value.show();
        let mut text = String::from(
            "# A CamelidCoin node. The variable CAMELID_LISTEN goes before `listen` in this file, and so on; flags \
             of\n# `camelid node run` go before both.\n",
        );
        let mut line = |comment: &str, key: &str, shown: String| {
            text += &format!("\n# {comment}\n{key} = {shown}\n");
        };
        line(
            "devnet, whose rules and coins are in genesis.toml, or mainnet.",
            "network",
            value(&self.network),
        );
        line(
            "What it does besides keeping the chain: full (nothing), client, worker, verifier, miner.",
            "roles",
            value(&self.roles),
        );
        line(
            "Its UDP socket. Port 0 takes a free one.",
            "listen",
            value(&self.listen),
        );
        line(
            "Whom it asks for peers as long as it knows nobody.",
            "seed_nodes",
            value(&self.seed_nodes),
        );
        line(
            "The TCP socket of its JSON-RPC server, on loopback only. Port 0 takes a free one.",
            "rpc_listen",
            value(&self.rpc_listen),
        );
        line("Peers that it chooses.", "outbound", value(&self.outbound));
        line(
            "Peers that may choose it.",
            "max_inbound",
            value(&self.max_inbound),
        );
        line(
            "Models of clients, workers and verifiers: embedded, GGUF files, roots of models in the store (which \
             CAMELID_MODELS names: no variable goes before this line).",
            "models",
            value(&self.models),
        );
        line("Bonds that a verifier keeps.", "tickets", value(&self.tickets));
        line(
            "Jobs that a worker has in hand at a time.",
            "parallel_jobs",
            value(&self.parallel_jobs),
        );
        line(
            "Most hashes of a miner in a second, 0 for no limit. On a devnet 256 make a block a second.",
            "hashes_per_second",
            value(&self.hashes_per_second),
        );
        line(
            "Mebibytes of blocks and changes of the ledger that wait in memory to be flushed to the disk. More make it \
             faster to catch up, and a start after a crash slower.",
            "cache_mib",
            value(&self.cache_mib),
        );
        line(
            "text or json, on standard error.",
            "log_format",
            value(&self.log_format),
        );
        line("error, warn, info or debug.", "log_level", value(&self.log_level));
        text += "\n# Where others reach it, if that is not `listen`, for example behind a router.\n";
        match &self.public_address {
            Some(address) => text += &format!("public_address = {}\n", value(address)),
            None => text += "# public_address = \"203.0.113.7:7433\"\n",
        }
        text
    }
}

/// TOML of single values.
mod erased {
    use serde::Serialize;

    pub trait Show {
        fn show(&self) -> String;
    }

    impl<T: Serialize> Show for T {
        fn show(&self) -> String {
            toml::Value::try_from(self).map_or_else(|_| "\"\"".into(), |value| value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides() -> Overrides {
        Overrides {
            roles: vec![Role::Miner, Role::Worker],
            listen: Some("127.0.0.1:7433".parse().expect("an address")),
            seed_nodes: vec!["127.0.0.1:7434".parse().expect("an address")],
            ..Overrides::default()
        }
    }

    #[test]
    fn the_file_says_what_the_settings_are() {
        let settings = Settings::new(&overrides()).expect("they make sense");
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("camelid.toml");
        std::fs::write(&path, settings.to_file()).expect("written");
        let read = Settings::read(&path, &Overrides::default()).expect("it can be read");
        assert_eq!(read, settings);
        assert_eq!(read.roles, [Role::Miner, Role::Worker]);
        // Flags go before the file.
        let flags = Overrides {
            roles: vec![Role::Client],
            ..Overrides::default()
        };
        let read = Settings::read(&path, &flags).expect("it can be read");
        assert_eq!(read.roles, [Role::Client]);
        assert_eq!(read.listen, settings.listen);
    }

    #[test]
    fn a_key_that_is_no_setting_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("camelid.toml");
        std::fs::write(&path, "rolls = []\n").expect("written");
        let failure = Settings::read(&path, &Overrides::default()).expect_err("there is no such setting");
        assert!(
            failure.to_string().contains("\"rolls\" is no setting"),
            "{failure}"
        );
    }
}
