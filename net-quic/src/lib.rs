//! Live peers: [`Transport`](camelid_io::Transport) over QUIC (`docs/src/transport.md`).
//!
//! TLS 1.3 encrypts, and says nothing about who is at the other end: certificates are fresh at every
//! start. Who is there is proved above it, by a signature over bytes that only the two ends of one TLS
//! session know ([`hello`]), so that nobody in between can pass another's proof on.
//!
//! Everything that a peer can make us hold has a bound in [`QuicConfig`]. A peer that sends more than
//! its budget is read more slowly, which QUIC's flow control tells it; one that breaks the rules of the
//! wire loses its connection; what does not fit into a queue towards a slow peer is dropped and counted.

mod bans;
mod budget;
mod config;
mod connection;
mod dial;
pub mod frame;
mod group;
mod handle;
mod handshake;
pub mod hello;
mod outbox;
mod refusal;
mod shared;
mod slots;
mod stats;
mod table;
pub mod tls;
mod transport;

pub use budget::{Rate, TokenBucket};
pub use config::{BULK_STREAMS, BULK_THRESHOLD_BYTES, GroupRates, QuicConfig};
pub use group::Group;
pub use handle::QuicHandle;
pub use refusal::Refusal;
pub use stats::{PeerStats, Stats};
pub use transport::{BindError, Identity, QuicTransport};
