//! From a TLS session to a peer: both ends exchange hellos on the first stream.

use crate::connection::Link;
use crate::frame::{FrameDecoder, read_frame, write_frame};
use crate::hello::{Claims, Hello, MAX_HELLO_BYTES, Role, Session};
use crate::refusal::Refusal;
use crate::shared::Shared;
use crate::table::Kind;
use camelid_core::keys::NodeId;
use camelid_core::process::Direction;
use camelid_core::wire::NetAddress;
use quinn::{RecvStream, SendStream};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// Greets whoever is at the other end of `connection` and gives it a place, or ends the connection
/// with a reason. `None` then.
pub(crate) async fn greet(
    shared: &Arc<Shared>,
    connection: &quinn::Connection,
    address: NetAddress,
    direction: Direction,
    deadline: Instant,
) -> Option<Link> {
    let greeting = async {
        match direction {
            Direction::Outbound => greet_server(shared, connection, address).await,
            Direction::Inbound => greet_client(shared, connection, address).await,
        }
    };
    let greeted = timeout_at(deadline, greeting).await;
    match greeted.unwrap_or(Err(Refusal::HandshakeTimeout)) {
        Ok(link) => Some(link),
        Err(refusal) => {
            shared.refuse(connection, refusal);
            tracing::debug!(%address, ?direction, reason = ?connection.close_reason(), "no handshake");
            None
        }
    }
}

/// The client speaks first; the server then knows to whom it proves itself.
async fn greet_server(
    shared: &Arc<Shared>,
    connection: &quinn::Connection,
    address: NetAddress,
) -> Result<Link, Refusal> {
    let session = Session::of(connection);
    // A stream that breaks is a connection that is lost: the reason given is then not sent.
    let (mut sending, mut receiving) = connection.open_bi().await.map_err(|_| Refusal::BadHello)?;
    say(shared, &mut sending, &session, Role::Client, None).await?;
    let (peer, claims) = hear(shared, &mut receiving, &session, Role::Server).await?;
    let kind = kind(Direction::Outbound, &claims);
    // The server has decided already when it answers; this end comes to the same decision.
    let (seat, outgoing) = shared.admit(connection, address, (peer, &claims), kind)?;
    Ok(Link::new(
        seat,
        (sending, receiving),
        outgoing,
        address,
        kind.direction,
    ))
}

async fn greet_client(
    shared: &Arc<Shared>,
    connection: &quinn::Connection,
    address: NetAddress,
) -> Result<Link, Refusal> {
    let session = Session::of(connection);
    let (mut sending, mut receiving) = connection.accept_bi().await.map_err(|_| Refusal::BadHello)?;
    let (peer, claims) = hear(shared, &mut receiving, &session, Role::Client).await?;
    let slot = shared.inbound.clone().try_acquire_owned();
    let slot = slot.map_err(|_| Refusal::TooManyConnections)?;
    let kind = kind(Direction::Inbound, &claims);
    let (seat, outgoing) = shared.admit(connection, address, (peer, &claims), kind)?;
    say(shared, &mut sending, &session, Role::Server, Some(peer)).await?;
    let link = Link::new(seat, (sending, receiving), outgoing, address, kind.direction);
    Ok(link.holding(slot))
}

fn kind(direction: Direction, claims: &Claims) -> Kind {
    Kind {
        direction,
        instance: claims.instance,
    }
}

async fn say(
    shared: &Shared,
    stream: &mut SendStream,
    session: &Session,
    role: Role,
    to: Option<NodeId>,
) -> Result<(), Refusal> {
    let hello = Hello::sign(&shared.key, session, role, shared.claims, to);
    let written = write_frame(stream, &hello.to_bytes()).await;
    written.map_err(|_| Refusal::BadHello)
}

async fn hear(
    shared: &Shared,
    stream: &mut RecvStream,
    session: &Session,
    role: Role,
) -> Result<(NodeId, Claims), Refusal> {
    let mut decoder = FrameDecoder::new(MAX_HELLO_BYTES);
    // Short, once, and within the time for the handshake: no budget is needed.
    let frame = read_frame(stream, &mut decoder, None).await;
    let frame = frame.ok().flatten().ok_or(Refusal::BadHello)?;
    let hello = Hello::from_bytes(&frame)?;
    let peer = hello.check(session, role, &shared.claims)?;
    Ok((peer, hello.claims))
}
