//! The other end: how commands talk to a running node.

use super::arguments::clean;
use super::door::Key;
use super::error::RpcError;
use super::guard::authorization;
use crate::exit::Failure;
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// A node that has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(90);

/// Which node.
#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
    /// The node's directory, as `camelid node init` made it.
    #[arg(long, value_name = "DIR", env = "CAMELID_DIR")]
    pub dir: PathBuf,
}

/// Talks to the node of a directory, which may be restarted meanwhile.
pub struct Client {
    directory: PathBuf,
    runtime: Runtime,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(String),
    /// The node answers, but does not let this program in.
    #[error("{0}")]
    Refused(String),
    /// The node says no.
    #[error("{}", .0.message)]
    Node(RpcError),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<RpcError>,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Unreachable(_) => Self::Network(message),
            CallError::Refused(_) => Self::Wallet(message.into()),
            CallError::Node(error) => match error.code {
                RpcError::METHOD | RpcError::PARAMETERS | RpcError::RANGE | RpcError::ENCODING => {
                    Self::Usage(message)
                }
                RpcError::WALLET => Self::Wallet(message.into()),
                RpcError::STOPPING => Self::Network(message),
                _ => Self::System(message),
            },
        }
    }
}

impl Client {
    /// For the node in the directory that `args` name.
    ///
    /// # Errors
    /// [`Failure::System`] when the system gives no runtime.
    pub fn new(args: &NodeArgs) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            directory: args.dir.clone(),
            runtime: runtime.map_err(|error| Failure::System(error.to_string()))?,
        })
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, CallError> {
        self.runtime.block_on(async {
            let called = tokio::time::timeout(PATIENCE, self.exchange(method, params));
            called
                .await
                .unwrap_or_else(|_| Err(self.unreachable("it does not answer")))
        })
    }

    async fn exchange(&self, method: &str, params: &Value) -> Result<Value, CallError> {
        let key = Key::read(&self.directory).map_err(|error| self.unreachable(error))?;
        let stream = TcpStream::connect(key.address).await;
        let stream = stream.map_err(|error| self.unreachable(error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(error))?;
        let talking = tokio::spawn(connection);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = Request::post("/")
            .header(HOST, key.address.to_string())
            .header(AUTHORIZATION, authorization(&key.credentials))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::<Bytes>::from(body.to_string()))
            .map_err(|error| self.unreachable(error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        let body = body.map_err(|error| self.unreachable(error))?.to_bytes();
        talking.abort();
        self.read(status, &body)
    }

    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        if status != StatusCode::OK {
            let message = clean(&String::from_utf8_lossy(body));
            return Err(match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CallError::Refused(message),
                _ => self.unreachable(message),
            });
        }
        let answer: Answer = serde_json::from_slice(body).map_err(|error| self.unreachable(error))?;
        match answer.error {
            Some(error) => Err(CallError::Node(error)),
            None => Ok(answer.result),
        }
    }

    fn unreachable(&self, error: impl std::fmt::Display) -> CallError {
        CallError::Unreachable(format!(
            "no node answers for {}: {error}; is it running?",
            self.directory.display()
        ))
    }
}
