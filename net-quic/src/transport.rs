//! The transport as a driver sees it.

use crate::config::QuicConfig;
use crate::dial::{call, take_calls};
use crate::handle::QuicHandle;
use crate::hello::{Claims, VERSION};
use crate::refusal::Refusal;
use crate::shared::{Incoming, Shared};
use crate::tls::{self, TlsError};
use async_trait::async_trait;
use camelid_core::keys::{NodeId, SecretKey};
use camelid_core::primitives::BlockHash;
use camelid_core::process::ConnectionEvent;
use camelid_core::wire::{NetAddress, Packet};
use camelid_io::{Received, Transport};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Who a node is and what it says about itself.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node's key, which names it.
    pub key: SecretKey,
    /// The genesis block of its network.
    pub genesis: BlockHash,
    /// What it does for others: bits whose meaning is the core's.
    pub services: u8,
    /// The UDP port at which it wants to be called: the socket's, or another one that is forwarded to
    /// it.
    pub listen_port: Option<u16>,
}

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The UDP socket cannot be had.
    #[error("the UDP socket cannot be opened")]
    Socket(#[source] io::Error),
    /// The operating system gives no random numbers.
    #[error("the operating system has no random numbers")]
    Random(#[from] getrandom::Error),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// [`Transport`] over QUIC; see the [crate]'s documentation.
///
/// - Of a connection, [`Opened`](ConnectionEvent::Opened) comes first, then its packets, then
///   [`Closed`](ConnectionEvent::Closed), once. A peer that calls again after a restart, or whose call
///   crosses ours, may bring both again.
/// - Each [`connect`](Transport::connect) brings one `Opened` or one
///   [`Failed`](ConnectionEvent::Failed) with its address, `Failed` also where the peer turns out to be
///   connected already.
/// - Small packets to a peer arrive in order, unless they are dropped; large ones overtake and are
///   overtaken.
/// - Dropping it ends all connections with a reason; [`QuicHandle::close`] also waits.
pub struct QuicTransport {
    shared: Arc<Shared>,
    events: mpsc::Receiver<Incoming>,
    /// Answers that need no network. The queue of events may be full, and only the caller empties it.
    failed: VecDeque<NetAddress>,
}

impl QuicTransport {
    /// Opens the socket and begins to take calls. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(config: QuicConfig, identity: Identity) -> Result<(Self, QuicHandle), BindError> {
        let claims = Claims {
            version: VERSION,
            genesis: identity.genesis,
            services: identity.services,
            listen_port: identity.listen_port,
            public_key: identity.key.public_key(),
            instance: getrandom::u64()?,
        };
        let endpoint = endpoint(&config)?;
        let (shared, events) = Shared::new(config, identity.key, claims, endpoint);
        tokio::spawn(take_calls(shared.clone()));
        let handle = QuicHandle(shared.clone());
        let transport = Self {
            shared,
            events,
            failed: VecDeque::new(),
        };
        Ok((transport, handle))
    }
}

fn endpoint(config: &QuicConfig) -> Result<quinn::Endpoint, BindError> {
    let (client, server) = tls::fresh()?;
    let mut server = quinn::ServerConfig::with_crypto(Arc::new(server));
    server
        // A client opens the control stream, and a server none.
        .transport_config(config.transport(1))
        // Limits and bans go by address.
        .migration(false)
        // Datagrams that wait for us to look at them.
        .max_incoming(config.max_handshakes);
    let mut client = quinn::ClientConfig::new(Arc::new(client));
    client.transport_config(config.transport(0));
    let mut endpoint = quinn::Endpoint::server(server, config.listen).map_err(BindError::Socket)?;
    endpoint.set_default_client_config(client);
    Ok(endpoint)
}

#[async_trait]
impl Transport for QuicTransport {
    async fn send(&mut self, to: NodeId, packet: Packet) {
        let known = self.shared.with_peer(to, |entry| entry.outbox.push(packet));
        if known.is_none() {
            self.shared.count_dropped();
        }
    }

    async fn connect(&mut self, address: NetAddress) {
        let banned = self.shared.is_ip_banned(address.socket().ip());
        match self.shared.outbound.clone().try_acquire_owned() {
            Ok(slot) if !banned => {
                tokio::spawn(call(self.shared.clone(), address, slot));
            }
            _ => self.failed.push_back(address),
        }
    }

    async fn disconnect(&mut self, peer: NodeId) {
        let connection = self.shared.with_peer(peer, |entry| entry.connection.clone());
        if let Some(connection) = connection {
            self.shared.refuse(&connection, Refusal::Disconnected);
        }
    }

    async fn recv(&mut self) -> Option<Received> {
        if let Some(address) = self.failed.pop_front() {
            return Some(Received::Connection(ConnectionEvent::Failed { address }));
        }
        let incoming = self.events.recv().await?;
        Some(incoming.received)
    }
}

impl Drop for QuicTransport {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl std::fmt::Debug for QuicTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QuicTransport(of {})", self.shared.own())
    }
}
