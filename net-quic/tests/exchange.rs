//! What a node sees of its peers.

mod support;

use camelid_core::process::{ConnectionEvent, Direction};
use camelid_core::wire::MAX_PACKET_BYTES;
use camelid_io::{Received, Transport as _};
use camelid_net_quic::{BULK_THRESHOLD_BYTES, QuicConfig, Refusal};
use std::net::UdpSocket;
use std::time::Duration;
use support::{Node, config, connected, identity, loopback, soon, until};

#[tokio::test]
async fn packets_of_all_sizes_arrive_both_ways() {
    let (mut a, mut b) = connected(config(), config()).await;
    let threshold = BULK_THRESHOLD_BYTES;
    let sizes = [1, 100, threshold, threshold + 1, 300_000, MAX_PACKET_BYTES];
    let packets = sizes.map(|size| (0..=255).cycle().take(size).collect::<Vec<u8>>());
    for packet in &packets {
        a.send(b.id, packet.clone()).await;
        b.send(a.id, packet.clone()).await;
    }
    let ids = [b.id, a.id];
    for (node, peer) in [&mut a, &mut b].into_iter().zip(ids) {
        let mut arrived = Vec::new();
        while arrived.len() < packets.len() {
            match node.next().await {
                Some(Received::Packet(from, packet)) if from == peer => arrived.push(packet.to_vec()),
                other => panic!("{other:?} is no packet of the peer"),
            }
        }
        arrived.sort_by_key(Vec::len);
        assert!(arrived == packets, "damaged");
    }
}

#[tokio::test]
async fn small_packets_arrive_in_order() {
    let (mut a, mut b) = connected(config(), config()).await;
    for number in 0..500u32 {
        a.send(b.id, number.to_le_bytes().to_vec()).await;
    }
    for number in 0..500u32 {
        assert_eq!(*b.packet().await, number.to_le_bytes());
    }
}

#[tokio::test]
async fn a_connection_closes_once_and_can_be_opened_again() {
    let (mut a, mut b) = connected(config(), config()).await;
    for _ in 0..3 {
        a.transport.disconnect(b.id).await;
        assert_eq!(a.event().await, ConnectionEvent::Closed { peer: b.id });
        assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
        b.transport.connect(a.address).await;
        assert_eq!(b.opened().await, (a.id, Direction::Outbound));
        assert_eq!(a.opened().await, (b.id, Direction::Inbound));
        a.transport.disconnect(b.id).await;
        a.transport.disconnect(b.id).await;
        assert_eq!(a.event().await, ConnectionEvent::Closed { peer: b.id });
        assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
        a.transport.connect(b.address).await;
        assert_eq!(a.opened().await, (b.id, Direction::Outbound));
        assert_eq!(b.opened().await, (a.id, Direction::Inbound));
    }
    assert_eq!(b.refused_by_peers(Refusal::Disconnected), 6);
    let closed = |peer| vec![Received::Connection(ConnectionEvent::Closed { peer })];
    assert_eq!(a.drain().await, closed(b.id));
    assert_eq!(b.drain().await, closed(a.id));
}

#[tokio::test]
async fn who_stops_says_so() {
    let (mut a, mut b) = connected(config(), config()).await;
    let closed = Received::Connection(ConnectionEvent::Closed { peer: b.id });
    assert_eq!(a.drain().await, [closed]);
    assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
    assert_eq!(b.refused_by_peers(Refusal::Stopping), 1);
}

#[tokio::test]
async fn who_is_dropped_says_so() {
    let (a, mut b) = connected(config(), config()).await;
    let id = a.id;
    drop(a);
    assert_eq!(b.event().await, ConnectionEvent::Closed { peer: id });
    assert_eq!(b.refused_by_peers(Refusal::Stopping), 1);
}

#[tokio::test]
async fn a_call_that_nobody_takes_fails() {
    let silent = UdpSocket::bind(loopback()).expect("a free port");
    let address = silent.local_addr().expect("bound").into();
    let handshake_timeout = Duration::from_millis(200);
    let mut a = Node::with(
        QuicConfig {
            handshake_timeout,
            ..config()
        },
        identity(1),
    );
    a.transport.connect(address).await;
    assert_eq!(a.event().await, ConnectionEvent::Failed { address });
}

#[tokio::test]
async fn calls_beyond_the_limit_fail_at_once() {
    let silent = UdpSocket::bind(loopback()).expect("a free port");
    let address = silent.local_addr().expect("bound").into();
    let mut a = Node::with(
        QuicConfig {
            max_outbound: 1,
            ..config()
        },
        identity(1),
    );
    a.transport.connect(address).await;
    a.transport.connect(address).await;
    assert_eq!(a.event().await, ConnectionEvent::Failed { address });
    assert_eq!(a.handle.stats().outbound, 1, "the first call goes on");
}

#[tokio::test]
async fn what_cannot_be_sent_is_counted() {
    let (mut a, mut b) = connected(config(), config()).await;
    let stranger = support::key(9).node_id();
    a.send(stranger, vec![1]).await;
    a.send(b.id, vec![]).await;
    a.send(b.id, vec![0; MAX_PACKET_BYTES + 1]).await;
    assert_eq!(a.handle.stats().dropped, 3);
    a.send(b.id, vec![1]).await;
    assert_eq!(*b.packet().await, [1]);
}

#[tokio::test]
async fn stats_tell_who_is_connected() {
    let (mut a, mut b) = connected(config(), config()).await;
    a.send(b.id, vec![0; 5000]).await;
    b.packet().await;
    until(|| a.handle.stats().peers[0].packets_out == 1).await;
    let (of_a, of_b) = (a.handle.stats(), b.handle.stats());
    let (at_a, at_b) = (of_a.peers[0], of_b.peers[0]);
    assert_eq!((at_a.id, at_a.address, at_a.services), (b.id, b.address, 2));
    assert_eq!((at_b.id, at_b.address, at_b.services), (a.id, a.address, 1));
    assert_eq!((of_a.outbound, of_a.inbound), (1, 0));
    assert_eq!((of_b.outbound, of_b.inbound), (0, 1));
    assert_eq!(at_b.packets_in, 1);
    assert!(at_a.bytes_out > 5000 && at_b.bytes_in > 5000);
    soon(a.handle.close()).await;
    assert_eq!(b.event().await, ConnectionEvent::Closed { peer: a.id });
    until(|| b.handle.stats().peers.is_empty()).await;
    assert!(b.handle.stats().bytes_in >= at_b.bytes_in, "totals outlive peers");
    assert_eq!(b.handle.stats().inbound, 0);
}

/// A peer whose process is killed says nothing.
#[test]
fn a_peer_that_vanishes_is_gone_after_the_idle_timeout() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    };
    let (of_a, of_b) = (runtime(), runtime());
    let patient = QuicConfig {
        idle_timeout: Duration::from_millis(500),
        keep_alive: Duration::from_millis(100),
        ..config()
    };
    let mut b = of_b.block_on(async { Node::with(patient, identity(2)) });
    let mut a = of_a.block_on(async { Node::with(config(), identity(1)) });
    of_a.block_on(a.transport.connect(b.address));
    assert_eq!(of_a.block_on(a.opened()), (b.id, Direction::Outbound));
    assert_eq!(of_b.block_on(b.opened()), (a.id, Direction::Inbound));
    of_a.shutdown_background();
    assert_eq!(of_b.block_on(b.event()), ConnectionEvent::Closed { peer: a.id });
    assert!(b.handle.stats().refused_by_peers.is_empty());
}
