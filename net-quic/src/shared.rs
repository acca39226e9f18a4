//! What the parts of a transport share.

use crate::bans::Bans;
use crate::config::QuicConfig;
use crate::hello::Claims;
use crate::outbox::{Outbox, Outgoing};
use crate::refusal::Refusal;
use crate::slots::{IpGroup, IpSlots};
use crate::table::{Entry, Kind, Table};
use camelid_core::keys::{NodeId, SecretKey};
use camelid_core::wire::{MAX_PACKET_BYTES, NetAddress};
use camelid_io::Received;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;

/// Something for the node, and its share of the bytes that may wait.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) received: Received,
    pub(crate) _bytes: Option<OwnedSemaphorePermit>,
}

/// One transport.
pub(crate) struct Shared {
    pub(crate) config: QuicConfig,
    pub(crate) key: SecretKey,
    pub(crate) claims: Claims,
    pub(crate) endpoint: quinn::Endpoint,
    /// Handshakes that others began.
    pub(crate) handshakes: Arc<Semaphore>,
    pub(crate) inbound: Arc<Semaphore>,
    pub(crate) outbound: Arc<Semaphore>,
    pub(crate) ip_slots: IpSlots,
    /// Bytes that may wait for the node.
    pub(crate) inbound_bytes: Arc<Semaphore>,
    /// To the node; gone when the transport closes.
    events: Mutex<Option<mpsc::Sender<Incoming>>>,
    pub(crate) state: Mutex<State>,
}

/// What changes together.
pub(crate) struct State {
    pub(crate) table: Table,
    pub(crate) banned_nodes: Bans<NodeId>,
    pub(crate) banned_ips: Bans<IpGroup>,
    pub(crate) totals: Totals,
}

/// Of connections that are gone, and what belongs to none.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) dropped: u64,
    pub(crate) turned_away: u64,
    pub(crate) retried: u64,
    pub(crate) refused: BTreeMap<Refusal, u64>,
    pub(crate) refused_by_peers: BTreeMap<Refusal, u64>,
}

/// Locks what is never left half-changed, so that another holder's panic spoils nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

impl Shared {
    /// A transport without connections, and where its events come out.
    pub(crate) fn new(
        config: QuicConfig,
        key: SecretKey,
        claims: Claims,
        endpoint: quinn::Endpoint,
    ) -> (Arc<Self>, mpsc::Receiver<Incoming>) {
        let (sender, events) = mpsc::channel(config.inbound_queue_packets.max(1));
        let shared = Self {
            key,
            claims,
            endpoint,
            handshakes: semaphore(config.max_handshakes),
            inbound: semaphore(config.max_inbound),
            outbound: semaphore(config.max_outbound),
            ip_slots: IpSlots::new(config.max_inbound_per_ip),
            inbound_bytes: semaphore(config.inbound_queue_bytes.max(MAX_PACKET_BYTES)),
            events: Mutex::new(Some(sender)),
            state: Mutex::new(State {
                table: Table::default(),
                banned_nodes: Bans::new(config.max_bans),
                banned_ips: Bans::new(config.max_bans),
                totals: Totals::default(),
            }),
            config,
        };
        (Arc::new(shared), events)
    }

    /// The way to the node, or `None` when the transport closes.
    pub(crate) fn events(&self) -> Option<mpsc::Sender<Incoming>> {
        lock(&self.events).clone()
    }

    pub(crate) fn own(&self) -> NodeId {
        self.claims.public_key.key_hash()
    }

    pub(crate) fn is_ip_banned(&self, ip: IpAddr) -> bool {
        let state = lock(&self.state);
        state.banned_ips.contains(&IpGroup::of(ip), Instant::now())
    }

    pub(crate) fn count_turned_away(&self) {
        lock(&self.state).totals.turned_away += 1;
    }

    pub(crate) fn count_retried(&self) {
        lock(&self.state).totals.retried += 1;
    }

    pub(crate) fn count_dropped(&self) {
        lock(&self.state).totals.dropped += 1;
    }

    /// Gives a peer that has proved who it is the place of its id; a connection that was there before
    /// is told to end.
    pub(crate) fn admit(
        self: &Arc<Self>,
        connection: &quinn::Connection,
        address: NetAddress,
        (peer, claims): (NodeId, &Claims),
        kind: Kind,
    ) -> Result<(Seat, Outgoing), Refusal> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        if state.banned_nodes.contains(&peer, now) {
            return Err(Refusal::Banned);
        }
        if !state.table.has_place(self.own(), peer, kind) {
            return Err(Refusal::Duplicate);
        }
        let (outbox, outgoing) = Outbox::new(&self.config);
        let (telling, told) = watch::channel(());
        let number = state.table.next_number();
        let entry = Entry {
            number,
            kind,
            connection: connection.clone(),
            address,
            services: claims.services,
            listen_port: claims.listen_port,
            since: now,
            outbox,
            told,
        };
        let counts = entry.outbox.counts().clone();
        let before = state.table.peers.insert(peer, entry);
        drop(state);
        if let Some(before) = &before {
            self.refuse(&before.connection, Refusal::Duplicate);
        }
        let seat = Seat {
            shared: self.clone(),
            connection: connection.clone(),
            peer,
            number,
            counts,
            before: before.map(|entry| entry.told),
            _telling: telling,
        };
        Ok((seat, outgoing))
    }

    /// Ends a connection, unless the peer was first, and counts who ended it and why.
    pub(crate) fn refuse(&self, connection: &quinn::Connection, refusal: Refusal) {
        let ended = connection.close_reason();
        refusal.close(connection);
        let totals = &mut lock(&self.state).totals;
        let count = match &ended {
            None => totals.refused.entry(refusal),
            Some(error) => match Refusal::of(error) {
                Some(theirs) => totals.refused_by_peers.entry(theirs),
                None => return, // lost, or ended by us before
            },
        };
        *count.or_default() += 1;
    }

    /// Runs `act` on a connected peer.
    pub(crate) fn with_peer<T>(&self, peer: NodeId, act: impl FnOnce(&Entry) -> T) -> Option<T> {
        lock(&self.state).table.peers.get(&peer).map(act)
    }

    /// Ends everything: nothing comes in or goes out any more.
    pub(crate) fn close(&self) {
        lock(&self.events).take();
        let refusal = Refusal::Stopping;
        self.endpoint
            .close(refusal.code().into(), refusal.to_string().as_bytes());
    }
}

/// A connection's place among the peers; left when this is dropped.
pub(crate) struct Seat {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: quinn::Connection,
    pub(crate) peer: NodeId,
    pub(crate) counts: Arc<crate::outbox::Counts>,
    number: u64,
    before: Option<watch::Receiver<()>>,
    _telling: watch::Sender<()>,
}

impl Seat {
    /// Waits until the last event of the connection that had the place before has been told.
    pub(crate) async fn wait_for_predecessor(&mut self) {
        if let Some(mut told) = self.before.take() {
            // Nothing is ever sent: this ends when the sender goes.
            while told.changed().await.is_ok() {}
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let traffic = self.connection.stats();
        let mut state = lock(&self.shared.state);
        state.totals.bytes_in += traffic.udp_rx.bytes;
        state.totals.bytes_out += traffic.udp_tx.bytes;
        state.totals.dropped += self.counts.dropped.load(Ordering::Relaxed);
        let entry = state.table.peers.get(&self.peer);
        if entry.is_some_and(|entry| entry.number == self.number) {
            state.table.peers.remove(&self.peer);
        }
    }
}
