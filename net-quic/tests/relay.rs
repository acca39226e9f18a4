//! Somebody in between, who ends TLS on both sides and passes on what is said.

mod support;

use camelid_core::process::ConnectionEvent;
use camelid_io::Transport as _;
use camelid_net_quic::Refusal;
use camelid_net_quic::frame::write_frame;
use camelid_net_quic::hello::{Hello, Role, Session};
use support::{Node, Raw, hello, key, read_frame, refusal, soon};

/// The client's genuine hello, on to the server it might have meant.
#[tokio::test]
async fn a_relayed_client_is_refused() {
    let (mut a, mut b, relay) = (Node::new(1), Node::new(2), Raw::new());
    a.transport.connect(relay.address()).await;
    let from_a = relay.accept().await;
    let (_answering, mut hearing) = soon(from_a.accept_bi()).await.expect("a stream");
    let said = read_frame(&mut hearing).await;
    assert_eq!(
        Hello::from_bytes(&said).expect("a hello").claims.public_key,
        key(1).public_key()
    );

    let to_b = relay.connect(b.socket()).await.expect("TLS");
    let (mut saying, _receiving) = soon(to_b.open_bi()).await.expect("a stream");
    write_frame(&mut saying, &said).await.expect("sent");
    assert_eq!(refusal(&to_b).await, Refusal::BadProof);
    assert_eq!(b.refused(Refusal::BadProof), 1);
    assert_eq!(b.drain().await, [], "nobody was let in");
}

/// The server's genuine hello, back to a client that called somebody else.
#[tokio::test]
async fn a_relayed_server_is_refused() {
    let (mut a, b, relay) = (Node::new(1), Node::new(2), Raw::new());
    a.transport.connect(relay.address()).await;
    let from_a = relay.accept().await;
    let (mut answering, mut hearing) = soon(from_a.accept_bi()).await.expect("a stream");
    read_frame(&mut hearing).await;

    // The relay is somebody, too, and gets an answer.
    let to_b = relay.connect(b.socket()).await.expect("TLS");
    let (mut saying, mut receiving) = soon(to_b.open_bi()).await.expect("a stream");
    write_frame(&mut saying, &hello(3, &to_b).to_bytes())
        .await
        .expect("sent");
    let said = read_frame(&mut receiving).await;
    assert_eq!(
        Hello::from_bytes(&said).expect("a hello").claims.public_key,
        key(2).public_key()
    );

    write_frame(&mut answering, &said).await.expect("sent");
    assert_eq!(refusal(&from_a).await, Refusal::BadProof);
    let failed = ConnectionEvent::Failed {
        address: relay.address(),
    };
    assert_eq!(a.event().await, failed);
}

/// The same relay with a key of its own instead of another's hello is let in: it is the hello that was
/// refused.
#[tokio::test]
async fn a_relay_that_speaks_for_itself_is_let_in() {
    let (mut a, relay) = (Node::new(1), Raw::new());
    a.transport.connect(relay.address()).await;
    let from_a = relay.accept().await;
    let (mut answering, mut hearing) = soon(from_a.accept_bi()).await.expect("a stream");
    read_frame(&mut hearing).await;
    let session = Session::of(&from_a);
    let to = Some(key(1).node_id());
    let own = Hello::sign(&key(3), &session, Role::Server, support::claims(3), to);
    write_frame(&mut answering, &own.to_bytes()).await.expect("sent");
    assert_eq!(a.opened().await.0, key(3).node_id());
}

/// A server that sends the client's own hello back proves nothing.
#[tokio::test]
async fn a_reflected_hello_is_refused() {
    let (mut a, mirror) = (Node::new(1), Raw::new());
    a.transport.connect(mirror.address()).await;
    let from_a = mirror.accept().await;
    let (mut answering, mut hearing) = soon(from_a.accept_bi()).await.expect("a stream");
    let said = read_frame(&mut hearing).await;
    write_frame(&mut answering, &said).await.expect("sent");
    assert_eq!(refusal(&from_a).await, Refusal::SelfConnection);
    let failed = ConnectionEvent::Failed {
        address: mirror.address(),
    };
    assert_eq!(a.event().await, failed);
}
