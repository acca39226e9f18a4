//! The handle on a transport that a driver owns.

use crate::refusal::Refusal;
use crate::shared::{Shared, lock};
use crate::slots::IpGroup;
use crate::stats::{PeerStats, Stats};
use crate::table::Entry;
use camelid_core::keys::NodeId;
use camelid_core::peers::Reach;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Looks at a transport and steers it while a driver owns it. Clones are of the same transport.
#[derive(Clone)]
pub struct QuicHandle(pub(crate) Arc<Shared>);

impl QuicHandle {
    /// The socket's address.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.endpoint.local_addr()
    }

    /// Who is connected and what has happened so far.
    pub fn stats(&self) -> Stats {
        let state = lock(&self.0.state);
        let now = Instant::now();
        let peers = state.table.peers.iter();
        let peers: Vec<PeerStats> = peers.map(|(id, entry)| peer_stats(*id, entry, now)).collect();
        let taken = |slots: &Semaphore, max: usize| max.saturating_sub(slots.available_permits());
        let totals = &state.totals;
        Stats {
            inbound: taken(&self.0.inbound, self.0.config.max_inbound),
            outbound: taken(&self.0.outbound, self.0.config.max_outbound),
            handshakes: taken(&self.0.handshakes, self.0.config.max_handshakes),
            bytes_in: totals.bytes_in + peers.iter().map(|peer| peer.bytes_in).sum::<u64>(),
            bytes_out: totals.bytes_out + peers.iter().map(|peer| peer.bytes_out).sum::<u64>(),
            dropped: totals.dropped + peers.iter().map(|peer| peer.dropped).sum::<u64>(),
            refused: totals.refused.clone(),
            refused_by_peers: totals.refused_by_peers.clone(),
            turned_away: totals.turned_away,
            retried: totals.retried,
            peers,
        }
    }

    /// Refuses `peer` for `duration`, and all that comes from the address it is connected from, and
    /// ends its connection. Local addresses are not banned along with one of their nodes.
    pub fn ban(&self, peer: NodeId, duration: Duration) {
        let now = Instant::now();
        let mut state = lock(&self.0.state);
        state.banned_nodes.ban(peer, duration, now);
        let entry = state.table.peers.get(&peer);
        let Some((connection, address)) = entry.map(|entry| (entry.connection.clone(), entry.address)) else {
            return;
        };
        if Reach::of(&address) == Reach::Public {
            let group = IpGroup::of(address.socket().ip());
            state.banned_ips.ban(group, duration, now);
        }
        drop(state);
        self.0.refuse(&connection, Refusal::Banned);
    }

    /// Refuses what comes from `ip` (its /64, if it is of IPv6) for `duration`, before any
    /// cryptography, and ends its connections.
    pub fn ban_ip(&self, ip: IpAddr, duration: Duration) {
        let group = IpGroup::of(ip);
        let mut state = lock(&self.0.state);
        state.banned_ips.ban(group, duration, Instant::now());
        let peers = state.table.peers.values();
        let connections: Vec<_> = peers
            .filter(|entry| IpGroup::of(entry.address.socket().ip()) == group)
            .map(|entry| entry.connection.clone())
            .collect();
        drop(state);
        for connection in connections {
            self.0.refuse(&connection, Refusal::Banned);
        }
    }

    /// Ends all connections with a reason, and waits a while for the peers to take note. The
    /// transport's [`recv`](camelid_io::Transport::recv) returns `None` after the last event.
    pub async fn close(&self) {
        self.0.close();
        // What has not been acknowledged by then is left to the peers' idle timeouts.
        let _ = timeout(self.0.config.close_timeout, self.0.endpoint.wait_idle()).await;
    }
}

impl fmt::Debug for QuicHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuicHandle(of {})", self.0.own())
    }
}

fn peer_stats(id: NodeId, entry: &Entry, now: Instant) -> PeerStats {
    let traffic = entry.connection.stats();
    let counts = entry.outbox.counts();
    PeerStats {
        id,
        address: entry.address,
        direction: entry.kind.direction,
        services: entry.services,
        listen_port: entry.listen_port,
        connected: now.saturating_duration_since(entry.since),
        rtt: entry.connection.rtt(),
        bytes_in: traffic.udp_rx.bytes,
        bytes_out: traffic.udp_tx.bytes,
        packets_in: counts.received.load(Ordering::Relaxed),
        packets_out: counts.sent.load(Ordering::Relaxed),
        dropped: counts.dropped.load(Ordering::Relaxed),
    }
}
