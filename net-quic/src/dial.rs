//! How connections begin: calling, and being called.

use crate::connection::run;
use crate::handshake::greet;
use crate::shared::{Incoming, Shared};
use crate::slots::IpSlot;
use crate::tls;
use camelid_core::process::{ConnectionEvent, Direction};
use camelid_core::wire::NetAddress;
use camelid_io::Received;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// Calls `address`, and tells the node what came of it: one event, that a connection is open or that
/// there is none.
pub(crate) async fn call(shared: Arc<Shared>, address: NetAddress, slot: OwnedSemaphorePermit) {
    let Some(events) = shared.events() else {
        return;
    };
    let deadline = Instant::now() + shared.config.handshake_timeout;
    let connecting = shared.endpoint.connect(address.socket(), tls::SERVER_NAME);
    let connection = match connecting {
        Ok(connecting) => timeout_at(deadline, connecting).await.ok().and_then(Result::ok),
        Err(error) => {
            tracing::debug!(%address, %error, "cannot be called");
            None
        }
    };
    let link = match &connection {
        Some(connection) => greet(&shared, connection, address, Direction::Outbound, deadline).await,
        None => None,
    };
    match link {
        Some(link) => run(link.holding(slot), events, None).await,
        None => {
            let received = Received::Connection(ConnectionEvent::Failed { address });
            // The node is gone if nobody listens.
            let _ = events
                .send(Incoming {
                    received,
                    _bytes: None,
                })
                .await;
        }
    }
}

/// Takes calls until the endpoint closes.
pub(crate) async fn take_calls(shared: Arc<Shared>) {
    while let Some(incoming) = shared.endpoint.accept().await {
        take_call(&shared, incoming);
    }
}

/// Decides by what a datagram costs us: nothing is computed for the banned and for those who are too
/// many, and a client may have to show that it gets what is sent to its address.
fn take_call(shared: &Arc<Shared>, incoming: quinn::Incoming) {
    let ip = incoming.remote_address().ip().to_canonical();
    let validated = incoming.remote_address_validated();
    let slot = shared.handshakes.clone().try_acquire_owned();
    let (Ok(slot), false) = (slot, shared.is_ip_banned(ip)) else {
        shared.count_turned_away();
        return incoming.refuse();
    };
    let under_way = shared.config.max_handshakes - shared.handshakes.available_permits();
    if !validated && under_way > shared.config.retry_above_handshakes {
        shared.count_retried();
        // Fails only for those who have been through it.
        let _ = incoming.retry();
        return;
    }
    // An address that anyone may have written on the datagram uses up nobody's places yet.
    let ip_slot = match validated.then(|| shared.ip_slots.try_take(ip)) {
        Some(None) => {
            shared.count_turned_away();
            return incoming.refuse();
        }
        Some(slot) => slot,
        None => None,
    };
    tokio::spawn(answer(shared.clone(), incoming, slot, ip_slot));
}

async fn answer(
    shared: Arc<Shared>,
    incoming: quinn::Incoming,
    slot: OwnedSemaphorePermit,
    ip_slot: Option<IpSlot>,
) {
    let deadline = Instant::now() + shared.config.handshake_timeout;
    let remote = incoming.remote_address();
    let address = NetAddress::from(SocketAddr::new(remote.ip().to_canonical(), remote.port()));
    let Ok(connecting) = incoming.accept() else {
        return;
    };
    // One that is given up here is closed when it is dropped.
    let Ok(Ok(connection)) = timeout_at(deadline, connecting).await else {
        return;
    };
    let Some(ip_slot) = ip_slot.or_else(|| shared.ip_slots.try_take(remote.ip())) else {
        return shared.refuse(&connection, crate::Refusal::TooManyConnections);
    };
    let link = greet(&shared, &connection, address, Direction::Inbound, deadline).await;
    if let (Some(link), Some(events)) = (link, shared.events()) {
        run(link, events, Some(slot)).await;
    }
    drop(ip_slot);
}
