//! Who gets in, and what the others are told.

mod support;

use camelid_core::primitives::BlockHash;
use camelid_core::process::{ConnectionEvent, Direction};
use camelid_io::{Received, Transport as _};
use camelid_net_quic::frame::write_frame;
use camelid_net_quic::hello::{Claims, Hello, MAX_HELLO_BYTES, Role, Session};
use camelid_net_quic::{Identity, QuicConfig, Refusal};
use quinn::ConnectionError;
use std::time::Duration;
use support::{Node, Raw, claims, config, connected, hello, identity, key, refusal, soon, until};

/// What `node` answers to these bytes on the first stream.
async fn answer_to(node: &Node, bytes: &[u8]) -> Refusal {
    let raw = Raw::new();
    let connection = raw.connect(node.socket()).await.expect("TLS");
    let (mut sending, _receiving) = soon(connection.open_bi()).await.expect("a stream");
    sending.write_all(bytes).await.expect("sent");
    let _ = sending.finish();
    refusal(&connection).await
}

/// What `node` answers to a hello with these claims, properly signed.
async fn answer_to_claims(node: &Node, number: u8, claims: Claims) -> Refusal {
    let raw = Raw::new();
    let connection = raw.connect(node.socket()).await.expect("TLS");
    let (mut sending, _receiving) = soon(connection.open_bi()).await.expect("a stream");
    let hello = Hello::sign(
        &key(number),
        &Session::of(&connection),
        Role::Client,
        claims,
        None,
    );
    write_frame(&mut sending, &hello.to_bytes()).await.expect("sent");
    refusal(&connection).await
}

#[tokio::test]
async fn another_network_is_refused() {
    let mut a = Node::with(
        config(),
        Identity {
            genesis: BlockHash([8; 32]),
            ..identity(1)
        },
    );
    let b = Node::new(2);
    a.transport.connect(b.address).await;
    assert_eq!(a.event().await, ConnectionEvent::Failed { address: b.address });
    assert_eq!(a.refused_by_peers(Refusal::WrongNetwork), 1);
    assert_eq!(b.refused(Refusal::WrongNetwork), 1);
}

#[tokio::test]
async fn another_version_is_refused() {
    let node = Node::new(2);
    let later = Claims {
        version: 2,
        ..claims(1)
    };
    assert_eq!(answer_to_claims(&node, 1, later).await, Refusal::WrongVersion);
    // Whatever follows the number in it.
    assert_eq!(
        answer_to(&node, &[3, 0, 0, 0, 9, 9, 1]).await,
        Refusal::WrongVersion
    );
}

#[tokio::test]
async fn a_node_that_calls_itself_finds_out() {
    let mut node = Node::new(1);
    node.transport.connect(node.address).await;
    let failed = ConnectionEvent::Failed {
        address: node.address,
    };
    assert_eq!(node.event().await, failed);
    assert_eq!(node.refused(Refusal::SelfConnection), 1);
    assert_eq!(node.drain().await, []);
}

#[tokio::test]
async fn a_claim_of_another_key_is_refused() {
    let node = Node::new(2);
    assert_eq!(answer_to_claims(&node, 1, claims(3)).await, Refusal::BadProof);
    // As is one that the key made for the other role.
    let raw = Raw::new();
    let connection = raw.connect(node.socket()).await.expect("TLS");
    let (mut sending, _receiving) = soon(connection.open_bi()).await.expect("a stream");
    let hello = Hello::sign(&key(1), &Session::of(&connection), Role::Server, claims(1), None);
    write_frame(&mut sending, &hello.to_bytes()).await.expect("sent");
    assert_eq!(refusal(&connection).await, Refusal::BadProof);
}

#[tokio::test]
async fn what_is_no_hello_is_refused() {
    let mut node = Node::new(2);
    let long = u32::try_from(MAX_HELLO_BYTES + 1).expect("small").to_le_bytes();
    let garbage = [&[40, 0, 0, 0, 1, 0][..], &[0xAB; 38]].concat();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &long,
        &u32::MAX.to_le_bytes(),
        &[0; 4],
        &[1, 0, 0, 0, 1],
        &[9, 0, 0, 0, 1, 0],
        &[],
        &garbage,
    ] {
        assert_eq!(answer_to(&node, bytes).await, Refusal::BadHello, "{bytes:?}");
    }
    assert_eq!(node.drain().await, [], "nobody was let in");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_given_up() {
    let handshake_timeout = Duration::from_millis(200);
    let node = Node::with(
        QuicConfig {
            handshake_timeout,
            ..config()
        },
        identity(2),
    );
    let raw = Raw::new();
    let connection = raw.connect(node.socket()).await.expect("TLS");
    let (mut sending, _receiving) = soon(connection.open_bi()).await.expect("a stream");
    sending.write_all(&[100, 0, 0, 0, 1]).await.expect("sent");
    assert_eq!(refusal(&connection).await, Refusal::HandshakeTimeout);
    until(|| node.handle.stats().handshakes == 0).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let handshake_timeout = Duration::from_millis(200);
    let mut node = Node::with(
        QuicConfig {
            handshake_timeout,
            ..config()
        },
        identity(2),
    );
    let raw = Raw::new();
    node.transport.connect(raw.address()).await;
    let connection = raw.accept().await;
    assert_eq!(refusal(&connection).await, Refusal::HandshakeTimeout);
    let failed = ConnectionEvent::Failed {
        address: raw.address(),
    };
    assert_eq!(node.event().await, failed);
}

#[tokio::test]
async fn a_second_connection_is_refused_and_the_first_goes_on() {
    let (mut a, mut b) = connected(config(), config()).await;
    a.transport.connect(b.address).await;
    assert_eq!(a.event().await, ConnectionEvent::Failed { address: b.address });
    assert_eq!(a.refused_by_peers(Refusal::Duplicate), 1);
    a.send(b.id, vec![1]).await;
    assert_eq!(*b.packet().await, [1]);
}

#[tokio::test]
async fn a_node_that_was_restarted_takes_its_own_place() {
    let (mut a, mut b) = connected(config(), config()).await;
    let mut again = Node::new(1);
    assert_eq!(again.id, a.id);
    again.transport.connect(b.address).await;
    assert_eq!(again.opened().await, (b.id, Direction::Outbound));
    assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
    assert_eq!(b.opened().await, (a.id, Direction::Inbound));
    assert_eq!(a.event().await, ConnectionEvent::Closed { peer: b.id });
    assert_eq!(a.refused_by_peers(Refusal::Duplicate), 1);
    b.send(again.id, vec![1]).await;
    assert_eq!(*again.packet().await, [1]);
}

/// Reads events until the connection with `direction` is open; earlier ones are appended to `log`.
async fn wait_for(node: &mut Node, direction: Direction, log: &mut Vec<Received>) {
    loop {
        let received = node.next().await.expect("the transport is open");
        let found = matches!(
            received,
            Received::Connection(ConnectionEvent::Opened { direction: found, .. }) if found == direction
        );
        log.push(received);
        if found {
            return;
        }
    }
}

/// Opened and closed in turns, and packets in between.
fn check_order(log: &[Received]) {
    let mut open = false;
    for received in log {
        match received {
            Received::Connection(ConnectionEvent::Opened { .. }) => {
                assert!(!open, "{log:?}");
                open = true;
            }
            Received::Connection(ConnectionEvent::Closed { .. }) => {
                assert!(open, "{log:?}");
                open = false;
            }
            Received::Connection(ConnectionEvent::Failed { .. }) => {}
            Received::Packet(..) => assert!(open, "{log:?}"),
        }
    }
    assert!(!open, "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_crossing_calls_both_ends_keep_that_of_the_smaller_id() {
    // Closing frames are sent at once; nobody has to wait for the answers.
    let quick = QuicConfig {
        close_timeout: Duration::from_millis(20),
        ..config()
    };
    for _ in 0..20 {
        let (mut small, mut large) = (Node::with(quick, identity(1)), Node::with(quick, identity(2)));
        if large.id < small.id {
            std::mem::swap(&mut small, &mut large);
        }
        small.transport.connect(large.address).await;
        large.transport.connect(small.address).await;
        let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
        wait_for(&mut small, Direction::Outbound, &mut of_small).await;
        wait_for(&mut large, Direction::Inbound, &mut of_large).await;
        small.send(large.id, vec![1]).await;
        large.send(small.id, vec![2]).await;
        // A call that failed is told as well, before or after.
        for (node, log) in [(&mut small, &mut of_small), (&mut large, &mut of_large)] {
            while !matches!(log.last(), Some(Received::Packet(..))) {
                log.push(node.next().await.expect("the transport is open"));
            }
        }
        let kept = |node: &Node| {
            node.handle
                .stats()
                .peers
                .iter()
                .map(|peer| peer.direction)
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&small), [Direction::Outbound]);
        assert_eq!(kept(&large), [Direction::Inbound]);
        of_small.append(&mut small.drain().await);
        of_large.append(&mut large.drain().await);
        check_order(&of_small);
        check_order(&of_large);
    }
}

#[tokio::test]
async fn a_later_call_of_the_smaller_id_replaces_and_one_of_the_larger_is_refused() {
    let (mut small, mut large) = (Node::new(1), Node::new(2));
    if large.id < small.id {
        std::mem::swap(&mut small, &mut large);
    }
    large.transport.connect(small.address).await;
    assert_eq!(small.opened().await.1, Direction::Inbound);
    assert_eq!(large.opened().await.1, Direction::Outbound);
    small.transport.connect(large.address).await;
    for (node, direction) in [
        (&mut small, Direction::Outbound),
        (&mut large, Direction::Inbound),
    ] {
        assert!(matches!(node.event().await, ConnectionEvent::Closed { .. }));
        assert_eq!(node.opened().await.1, direction);
    }
    large.transport.connect(small.address).await;
    let failed = ConnectionEvent::Failed {
        address: small.address,
    };
    assert_eq!(large.event().await, failed);
    assert_eq!(large.refused_by_peers(Refusal::Duplicate), 1);
    large.send(small.id, vec![1]).await;
    assert_eq!(*small.packet().await, [1]);
}

#[tokio::test]
async fn a_full_node_refuses() {
    let full = Node::with(
        QuicConfig {
            max_inbound: 1,
            ..config()
        },
        identity(2),
    );
    let (mut first, mut second) = (Node::new(1), Node::new(3));
    first.transport.connect(full.address).await;
    first.opened().await;
    second.transport.connect(full.address).await;
    assert_eq!(
        second.event().await,
        ConnectionEvent::Failed {
            address: full.address
        }
    );
    assert_eq!(second.refused_by_peers(Refusal::TooManyConnections), 1);
}

#[tokio::test]
async fn one_address_gets_its_share() {
    let max_inbound_per_ip = 1;
    let node = Node::with(
        QuicConfig {
            max_inbound_per_ip,
            ..config()
        },
        identity(2),
    );
    let raw = Raw::new();
    let _first = raw.greeted(1, &node).await;
    let second = raw.connect(node.socket()).await.expect("TLS");
    assert_eq!(refusal(&second).await, Refusal::TooManyConnections);
}

#[tokio::test]
async fn a_busy_node_asks_for_addresses_first() {
    let retry_above_handshakes = 0;
    let mut node = Node::with(
        QuicConfig {
            retry_above_handshakes,
            ..config()
        },
        identity(2),
    );
    let raw = Raw::new();
    let _greeted = raw.greeted(1, &node).await;
    assert_eq!(node.opened().await.0, key(1).node_id());
    assert_eq!(node.handle.stats().retried, 1);
}

#[tokio::test]
async fn a_banned_node_is_out_and_an_address_of_this_machine_is_not() {
    let (mut a, mut b) = connected(config(), config()).await;
    b.handle.ban(a.id, Duration::from_secs(3600));
    assert_eq!(a.event().await, ConnectionEvent::Closed { peer: b.id });
    assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
    a.transport.connect(b.address).await;
    assert_eq!(a.event().await, ConnectionEvent::Failed { address: b.address });
    assert_eq!(a.refused_by_peers(Refusal::Banned), 2);
    let mut other = Node::new(3);
    other.transport.connect(b.address).await;
    assert_eq!(other.opened().await.0, b.id);
}

#[tokio::test]
async fn a_banned_address_is_refused_before_tls() {
    let (mut a, mut b) = connected(config(), config()).await;
    b.handle.ban_ip(a.socket().ip(), Duration::from_secs(3600));
    assert_eq!(a.event().await, ConnectionEvent::Closed { peer: b.id });
    assert_eq!(a.refused_by_peers(Refusal::Banned), 1);
    let error = Raw::new().connect(b.socket()).await.expect_err("banned");
    assert!(matches!(error, ConnectionError::ConnectionClosed(_)), "{error}");
    assert_eq!(b.handle.stats().turned_away, 1);
    // Nor is it called.
    assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
    b.transport.connect(a.address).await;
    assert_eq!(b.event().await, ConnectionEvent::Failed { address: a.address });
}

#[tokio::test]
async fn a_ban_of_no_length_is_none() {
    let (a, b) = (Node::new(1), Node::new(2));
    b.handle.ban(a.id, Duration::ZERO);
    b.handle.ban_ip(a.socket().ip(), Duration::ZERO);
    let raw = Raw::new();
    let (connection, ..) = raw.greeted(1, &b).await;
    assert!(connection.close_reason().is_none());
    assert_eq!(hello(1, &connection).claims.version, 1);
}
