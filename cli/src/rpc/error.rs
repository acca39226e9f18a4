//! Why a request is not answered with a result.

use camelid_io::DriverStopped;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// The `error` of an answer. Codes from -32768 to -32000 are JSON-RPC's, the others Bitcoin Core's
/// (`src/rpc/protocol.h`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct RpcError {
    /// What kind of error.
    pub code: i32,
    /// What is wrong, in words.
    pub message: String,
}

impl RpcError {
    /// The body is no JSON.
    pub const PARSE: i32 = -32_700;
    /// The body is no request.
    pub const REQUEST: i32 = -32_600;
    /// There is no such method.
    pub const METHOD: i32 = -32_601;
    /// A parameter is missing, unknown, or of another type.
    pub const PARAMETERS: i32 = -32_602;
    /// The node is at fault.
    pub const INTERNAL: i32 = -32_603;
    /// `RPC_MISC_ERROR`: the node has no such role, or the like.
    pub const MISC: i32 = -1;
    /// `RPC_INVALID_ADDRESS_OR_KEY`: there is no such block, transaction or job.
    pub const NOT_FOUND: i32 = -5;
    /// `RPC_WALLET_ERROR`: the node's own coins do not do.
    pub const WALLET: i32 = -4;
    /// `RPC_INVALID_PARAMETER`: of the right type, and out of range.
    pub const RANGE: i32 = -8;
    /// `RPC_DESERIALIZATION_ERROR`: bytes that are no transaction.
    pub const ENCODING: i32 = -22;
    /// `RPC_VERIFY_REJECTED`: the rules do not allow it.
    pub const REJECTED: i32 = -26;
    /// `RPC_IN_WARMUP`, here also on the way down.
    pub const STOPPING: i32 = -28;

    /// An error of kind `code`.
    pub fn new(code: i32, message: impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    /// Whether it says that there is no such thing.
    #[cfg(feature = "ggml")]
    pub fn is_not_found(&self) -> bool {
        self.code == Self::NOT_FOUND
    }

    /// There is no such thing.
    pub fn not_found(message: impl Display) -> Self {
        Self::new(Self::NOT_FOUND, message)
    }
}

impl From<DriverStopped> for RpcError {
    fn from(_: DriverStopped) -> Self {
        Self::new(Self::STOPPING, "the node is stopping")
    }
}
