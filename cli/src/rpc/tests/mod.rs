//! The server and its methods, over nodes in memory.
#![allow(clippy::unwrap_used)]

mod answers;
mod http;
mod net;
mod requests;
