//! Nodes on loopback, and a peer that says on the wire whatever a test wants.

#![allow(dead_code, reason = "each test binary uses its part")]

use camelid_core::keys::{NodeId, SecretKey};
use camelid_core::primitives::BlockHash;
use camelid_core::process::{ConnectionEvent, Direction};
use camelid_core::wire::{NetAddress, Packet};
use camelid_io::{Received, Transport as _};
use camelid_net_quic::frame::write_frame;
use camelid_net_quic::hello::{Claims, Hello, Role, Session, VERSION};
use camelid_net_quic::{Identity, QuicConfig, QuicHandle, QuicTransport, Rate, Refusal, tls};
use quinn::{Connection, ConnectionError, RecvStream, SendStream};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Nothing takes so long; a test that hangs fails.
const GUARD: Duration = Duration::from_secs(60);

pub const GENESIS: BlockHash = BlockHash([7; 32]);

/// Waits for what must happen.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(GUARD, future).await.expect("it never happened")
}

/// Lets other tasks run until `condition` holds.
pub async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

pub fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// Budgets that no test reaches by accident.
pub fn config() -> QuicConfig {
    let plenty = Rate {
        per_second: 1 << 30,
        burst: 1 << 30,
    };
    let mut config = QuicConfig {
        listen: loopback(),
        control_bytes: plenty,
        bulk_bytes: plenty,
        ..QuicConfig::default()
    };
    config.messages.other = plenty;
    config
}

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_bytes([number; 32]).expect("a number below the order")
}

pub fn identity(number: u8) -> Identity {
    Identity {
        key: key(number),
        genesis: GENESIS,
        services: number,
        listen_port: None,
    }
}

/// A transport and what a test has to know of it.
pub struct Node {
    pub transport: QuicTransport,
    pub handle: QuicHandle,
    pub id: NodeId,
    pub address: NetAddress,
}

impl Node {
    pub fn new(number: u8) -> Self {
        Self::with(config(), identity(number))
    }

    pub fn with(config: QuicConfig, identity: Identity) -> Self {
        let id = identity.key.node_id();
        let (transport, handle) = QuicTransport::bind(config, identity).expect("loopback has free ports");
        let address = handle.local_addr().expect("the socket is bound").into();
        Self {
            transport,
            handle,
            id,
            address,
        }
    }

    pub fn socket(&self) -> SocketAddr {
        self.address.socket()
    }

    /// The next thing that the transport brings.
    pub async fn next(&mut self) -> Option<Received> {
        soon(self.transport.recv()).await
    }

    pub async fn event(&mut self) -> ConnectionEvent {
        match self.next().await {
            Some(Received::Connection(event)) => event,
            other => panic!("{other:?} is no event"),
        }
    }

    pub async fn opened(&mut self) -> (NodeId, Direction) {
        match self.event().await {
            ConnectionEvent::Opened { peer, direction, .. } => (peer, direction),
            other => panic!("{other:?} instead of an open connection"),
        }
    }

    pub async fn packet(&mut self) -> Packet {
        match self.next().await {
            Some(Received::Packet(_, packet)) => packet,
            other => panic!("{other:?} is no packet"),
        }
    }

    pub async fn send(&mut self, to: NodeId, bytes: Vec<u8>) {
        self.transport.send(to, Packet::from(bytes)).await;
    }

    /// All that is still to come after the transport has been closed.
    pub async fn drain(&mut self) -> Vec<Received> {
        self.handle.close().await;
        let mut rest = Vec::new();
        while let Some(received) = self.next().await {
            rest.push(received);
        }
        rest
    }

    pub fn refused(&self, refusal: Refusal) -> u64 {
        self.handle.stats().refused.get(&refusal).copied().unwrap_or(0)
    }

    pub fn refused_by_peers(&self, refusal: Refusal) -> u64 {
        let stats = self.handle.stats();
        stats.refused_by_peers.get(&refusal).copied().unwrap_or(0)
    }
}

/// Two nodes, the first of which has called the second.
pub async fn connected(first: QuicConfig, second: QuicConfig) -> (Node, Node) {
    let mut a = Node::with(first, identity(1));
    let mut b = Node::with(second, identity(2));
    a.transport.connect(b.address).await;
    assert_eq!(a.opened().await, (b.id, Direction::Outbound));
    assert_eq!(b.opened().await, (a.id, Direction::Inbound));
    (a, b)
}

/// An endpoint with our TLS and no manners.
pub struct Raw {
    pub endpoint: quinn::Endpoint,
}

impl Raw {
    pub fn new() -> Self {
        let (client, server) = tls::fresh().expect("ring works");
        let server = quinn::ServerConfig::with_crypto(Arc::new(server));
        let mut endpoint = quinn::Endpoint::server(server, loopback()).expect("loopback has free ports");
        endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(client)));
        Self { endpoint }
    }

    pub fn address(&self) -> NetAddress {
        self.endpoint.local_addr().expect("the socket is bound").into()
    }

    pub async fn connect(&self, to: SocketAddr) -> Result<Connection, ConnectionError> {
        let connecting = self.endpoint.connect(to, tls::SERVER_NAME).expect("a valid call");
        soon(connecting).await
    }

    pub async fn accept(&self) -> Connection {
        let incoming = soon(self.endpoint.accept()).await.expect("the endpoint is open");
        soon(incoming.accept().expect("a valid call")).await.expect("TLS")
    }

    /// A connection to `node` on which hellos have been exchanged by the key with `number`.
    pub async fn greeted(&self, number: u8, node: &Node) -> (Connection, SendStream, RecvStream) {
        let connection = self.connect(node.socket()).await.expect("TLS");
        let (mut sending, mut receiving) = soon(connection.open_bi()).await.expect("a stream");
        let hello = hello(number, &connection);
        write_frame(&mut sending, &hello.to_bytes()).await.expect("sent");
        read_frame(&mut receiving).await;
        (connection, sending, receiving)
    }
}

/// What an honest client says.
pub fn claims(number: u8) -> Claims {
    Claims {
        version: VERSION,
        genesis: GENESIS,
        services: 0,
        listen_port: None,
        public_key: key(number).public_key(),
        instance: 1,
    }
}

pub fn hello(number: u8, connection: &Connection) -> Hello {
    Hello::sign(
        &key(number),
        &Session::of(connection),
        Role::Client,
        claims(number),
        None,
    )
}

/// The next frame, byte for byte.
pub async fn read_frame(stream: &mut RecvStream) -> Vec<u8> {
    let mut length = [0; 4];
    soon(stream.read_exact(&mut length)).await.expect("a length");
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    soon(stream.read_exact(&mut bytes)).await.expect("a frame");
    bytes
}

/// Why the other end ended the connection.
pub async fn refusal(connection: &Connection) -> Refusal {
    let error = soon(connection.closed()).await;
    Refusal::of(&error).unwrap_or_else(|| panic!("{error} is no refusal"))
}
