//! JSON-RPC 2.0 for a running node, and its client (`docs/src/rpc.md`).
//!
//! The methods are tables, one file for each group; [`dispatch`] finds them, and what a table says of the
//! parameters is checked before a method is called. [`server`] is the way in over HTTP.
#![cfg_attr(not(feature = "ggml"), allow(dead_code))] // a program without models runs no node to serve

mod arguments;
mod block;
mod chain;
mod client;
mod command;
mod control;
mod dispatch;
mod door;
mod error;
mod guard;
mod job;
mod jobs;
mod mempool;
mod method;
mod network;
mod reason;
mod server;
mod service;
mod transaction;
mod wallet;

#[cfg(test)]
mod tests;

#[cfg(any(feature = "ggml", test))]
pub use client::CallError;
pub use client::{Client, NodeArgs};
pub use command::{RpcArgs, rpc};
#[cfg(feature = "ggml")]
pub use job::PHASES;
#[cfg(feature = "ggml")]
pub use server::RpcServer;
#[cfg(feature = "ggml")]
pub use service::Service;
