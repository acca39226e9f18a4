//! Every limit, in one place.

use crate::budget::Rate;
use crate::group::Group;
use quinn::{IdleTimeout, TransportConfig, VarInt};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Packets up to this size travel on the control stream, in order; larger ones on streams of their
/// own. Part of the protocol: the receiver refuses longer frames on the control stream.
pub const BULK_THRESHOLD_BYTES: usize = 16 * 1024;
/// Streams for large packets that a peer may have open at a time.
pub const BULK_STREAMS: u32 = 2;

/// Where to listen, and what peers may make us hold and do (`docs/src/transport.md`, "Limits").
#[derive(Clone, Copy, Debug)]
pub struct QuicConfig {
    /// The UDP socket for connections in both directions; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Connections that others opened.
    pub max_inbound: usize,
    /// Connections that this node opened, with those it is about to.
    pub max_outbound: usize,
    /// Connections from one IPv4 address or one /64 of IPv6 that others opened.
    pub max_inbound_per_ip: usize,
    /// Handshakes that others began and that are not done.
    pub max_handshakes: usize,
    /// With so many of them, clients first have to show that they get what is sent to their address
    /// (QUIC's Retry), before any cryptography.
    pub retry_above_handshakes: usize,
    /// From the first packet to the last hello.
    pub handshake_timeout: Duration,
    /// A peer that is silent for so long is gone.
    pub idle_timeout: Duration,
    /// A packet goes out after so much silence; less than half of `idle_timeout`.
    pub keep_alive: Duration,
    /// How long [`close`](crate::QuicHandle::close) waits for peers to take note.
    pub close_timeout: Duration,
    /// Bytes of one stream that may arrive unread. Large packets cannot use up what the control stream
    /// needs: a connection has this much for each stream.
    pub stream_window_bytes: u32,
    /// Small packets that wait to be sent to a peer.
    pub control_queue_packets: usize,
    /// Their bytes.
    pub control_queue_bytes: usize,
    /// Large packets that wait to be sent to a peer.
    pub bulk_queue_packets: usize,
    /// Their bytes.
    pub bulk_queue_bytes: usize,
    /// Packets of all peers that wait for the node to take them. When it is full, nothing is read.
    pub inbound_queue_packets: usize,
    /// Their bytes, at least the largest packet's.
    pub inbound_queue_bytes: usize,
    /// Bytes that a peer may send in small packets.
    pub control_bytes: Rate,
    /// Bytes that a peer may send in large packets.
    pub bulk_bytes: Rate,
    /// Packets that a peer may send.
    pub messages: GroupRates,
    /// Bans of nodes, and as many of addresses, that are remembered; the next replaces the one that
    /// ends first.
    pub max_bans: usize,
}

/// A [`Rate`] for each [`Group`].
#[derive(Clone, Copy, Debug)]
pub struct GroupRates {
    /// Of [`Group::Chain`].
    pub chain: Rate,
    /// Of [`Group::Transactions`].
    pub transactions: Rate,
    /// Of [`Group::Jobs`].
    pub jobs: Rate,
    /// Of [`Group::Checks`].
    pub checks: Rate,
    /// Of [`Group::Addresses`].
    pub addresses: Rate,
    /// Of [`Group::Other`].
    pub other: Rate,
}

impl GroupRates {
    /// The rate of a group.
    pub fn of(&self, group: Group) -> Rate {
        match group {
            Group::Chain => self.chain,
            Group::Transactions => self.transactions,
            Group::Jobs => self.jobs,
            Group::Checks => self.checks,
            Group::Addresses => self.addresses,
            Group::Other => self.other,
        }
    }
}

/// Per second, and at once.
const fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

impl Default for QuicConfig {
    /// A node on the open internet: all IPv4 addresses (`[::]` has both families where there are both),
    /// a free port.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            max_inbound: 128,
            max_outbound: 16,
            max_inbound_per_ip: 16,
            max_handshakes: 64,
            retry_above_handshakes: 16,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
            stream_window_bytes: 256 * 1024,
            control_queue_packets: 1024,
            control_queue_bytes: 2 << 20,
            bulk_queue_packets: 32,
            bulk_queue_bytes: 8 << 20,
            inbound_queue_packets: 1024,
            inbound_queue_bytes: 32 << 20,
            control_bytes: rate(1 << 20, 4 << 20),
            bulk_bytes: rate(8 << 20, 16 << 20),
            messages: GroupRates {
                chain: rate(2_000, 4_000),
                transactions: rate(200, 2000),
                jobs: rate(50, 500),
                checks: rate(20, 100),
                addresses: rate(5, 50),
                other: rate(20, 100),
            },
            max_bans: 4096,
        }
    }
}

impl QuicConfig {
    /// QUIC's part of the limits, for connections on which the peer may open `bidirectional` streams.
    pub(crate) fn transport(&self, bidirectional: u32) -> Arc<TransportConfig> {
        let connection_window = u64::from(self.stream_window_bytes) * u64::from(BULK_STREAMS + 1);
        let mut transport = TransportConfig::default();
        transport
            .max_concurrent_bidi_streams(bidirectional.into())
            .max_concurrent_uni_streams(BULK_STREAMS.into())
            .stream_receive_window(self.stream_window_bytes.into())
            .receive_window(VarInt::from_u64(connection_window).unwrap_or(VarInt::MAX))
            // More than an honest peer lets us send unread: a full bulk lane leaves room for control.
            .send_window(connection_window * 2)
            .max_idle_timeout(IdleTimeout::try_from(self.idle_timeout).ok())
            .keep_alive_interval(Some(self.keep_alive))
            .datagram_receive_buffer_size(None);
        Arc::new(transport)
    }
}
