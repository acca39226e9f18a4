//! What a peer cannot do to us.

mod support;

use camelid_core::process::ConnectionEvent;
use camelid_core::wire::MAX_PACKET_BYTES;
use camelid_net_quic::frame::write_frame;
use camelid_net_quic::{BULK_STREAMS, BULK_THRESHOLD_BYTES, QuicConfig, Rate, Refusal};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use support::{Node, Raw, config, connected, identity, key, refusal, soon};
use tokio::time::{Instant, timeout};

/// What a node does about these bytes on the control stream, after the hellos.
async fn answer_on_control(bytes: &[u8]) -> Refusal {
    let (mut node, raw) = (Node::new(2), Raw::new());
    let (connection, mut sending, _receiving) = raw.greeted(1, &node).await;
    sending.write_all(bytes).await.expect("sent");
    let _ = sending.finish();
    let answer = refusal(&connection).await;
    assert_eq!(node.opened().await.0, key(1).node_id());
    let closed = ConnectionEvent::Closed {
        peer: key(1).node_id(),
    };
    assert_eq!(node.event().await, closed);
    answer
}

/// What it does about these on a stream of their own.
async fn answer_on_bulk(bytes: &[u8]) -> Refusal {
    let (node, raw) = (Node::new(2), Raw::new());
    let (connection, _sending, _receiving) = raw.greeted(1, &node).await;
    let mut stream = soon(connection.open_uni()).await.expect("a stream");
    stream.write_all(bytes).await.expect("sent");
    let _ = stream.finish();
    refusal(&connection).await
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("small").to_le_bytes()
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection() {
    let too_long = length(BULK_THRESHOLD_BYTES + 1);
    assert_eq!(answer_on_control(&too_long).await, Refusal::BadFrame);
    assert_eq!(answer_on_control(&length(0)).await, Refusal::BadFrame);
    assert_eq!(
        answer_on_control(&[5, 0, 0, 0, 1]).await,
        Refusal::BadFrame,
        "breaks off"
    );
    assert_eq!(
        answer_on_bulk(&length(MAX_PACKET_BYTES + 1)).await,
        Refusal::BadFrame
    );
    assert_eq!(
        answer_on_bulk(&[5, 0, 0, 0, 1]).await,
        Refusal::BadFrame,
        "breaks off"
    );
    assert_eq!(
        answer_on_bulk(&[1, 0, 0, 0, 1, 2]).await,
        Refusal::BadFrame,
        "goes on"
    );
    assert_eq!(answer_on_bulk(&[]).await, Refusal::BadFrame, "empty");
}

#[tokio::test]
async fn a_thousand_tiny_streams_are_two_at_a_time() {
    let (mut node, raw) = (Node::new(2), Raw::new());
    let (connection, _sending, _receiving) = raw.greeted(1, &node).await;
    node.opened().await;
    let mut open = Vec::new();
    for _ in 0..BULK_STREAMS {
        open.push(soon(connection.open_uni()).await.expect("a stream"));
    }
    let mut more = pin!(connection.open_uni());
    let poll = more.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending(), "a third stream");
    let mut first = open.remove(0);
    write_frame(&mut first, &[0]).await.expect("sent");
    first.finish().expect("open");
    open.push(soon(more).await.expect("a stream"));
    let sender = async {
        for stream in &mut open {
            write_frame(stream, &[0]).await.expect("sent");
            stream.finish().expect("open");
        }
        for _ in 3..1000 {
            let mut stream = soon(connection.open_uni()).await.expect("a stream");
            write_frame(&mut stream, &[0]).await.expect("sent");
            stream.finish().expect("open");
        }
    };
    let receiver = async {
        for _ in 0..1000 {
            assert_eq!(*node.packet().await, [0]);
        }
    };
    tokio::join!(sender, receiver);
    // And no others.
    let mut stream = pin!(connection.open_bi());
    let poll = stream.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending(), "a second control stream");
}

#[tokio::test]
async fn bulk_does_not_delay_control() {
    let bulk_bytes = Rate {
        per_second: 1_000_000,
        burst: 100_000,
    };
    let (mut a, mut b) = connected(
        config(),
        QuicConfig {
            bulk_bytes,
            ..config()
        },
    )
    .await;
    for _ in 0..3 {
        a.send(b.id, vec![0; MAX_PACKET_BYTES]).await;
    }
    a.send(b.id, vec![1]).await;
    assert_eq!(*b.packet().await, [1]);
    for _ in 0..3 {
        assert_eq!(b.packet().await.len(), MAX_PACKET_BYTES);
    }
}

/// Even streams that stand still, full to their windows, leave room.
#[tokio::test]
async fn unread_bulk_does_not_block_control() {
    let bulk_bytes = Rate {
        per_second: 1,
        burst: 1,
    };
    let (mut a, mut b) = connected(
        config(),
        QuicConfig {
            bulk_bytes,
            ..config()
        },
    )
    .await;
    for _ in 0..8 {
        a.send(b.id, vec![0; 500_000]).await;
    }
    for number in 0..200 {
        a.send(b.id, vec![number; 10_000]).await;
        assert_eq!(b.packet().await[0], number);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_listen_stops_nobody() {
    let (mut a, mut b) = connected(config(), config()).await;
    for number in 0..5000u32 {
        // Each is taken or dropped at once, whatever becomes of the others.
        let mut packet = vec![0; 10_000];
        packet[..4].copy_from_slice(&number.to_le_bytes());
        a.send(b.id, packet).await;
        a.send(b.id, vec![0; 100_000]).await;
    }
    let dropped = a.handle.stats().dropped;
    assert!(dropped > 1000, "550 MB do not fit: {dropped}");
    assert_eq!(a.handle.stats().peers[0].dropped, dropped);
    // What was taken arrives, in order, when the peer listens again.
    let (mut last, mut small) = (None, 0);
    for _ in 0..10_000 - dropped {
        let packet = b.packet().await;
        if packet.len() == 10_000 {
            let number = u32::from_le_bytes(*packet.first_chunk().expect("long enough"));
            assert!(last < Some(number));
            (last, small) = (Some(number), small + 1);
        }
    }
    assert!(small >= 100);
}

#[tokio::test]
async fn a_flood_of_messages_is_slowed() {
    let mut limited = config();
    limited.messages.other = Rate {
        per_second: 100,
        burst: 10,
    };
    let (mut node, raw) = (Node::with(limited, identity(2)), Raw::new());
    let (_connection, mut sending, _receiving) = raw.greeted(1, &node).await;
    node.opened().await;
    let start = Instant::now();
    for _ in 0..60 {
        write_frame(&mut sending, &[0]).await.expect("sent");
    }
    for _ in 0..60 {
        node.packet().await;
    }
    assert!(
        start.elapsed() >= Duration::from_millis(490),
        "{:?}",
        start.elapsed()
    );
}

/// A stream that is opened and taken back costs as much as a message.
#[tokio::test]
async fn a_flood_of_resets_is_slowed() {
    let mut limited = config();
    limited.messages.other = Rate {
        per_second: 100,
        burst: 10,
    };
    let (node, raw) = (Node::with(limited, identity(2)), Raw::new());
    let (connection, _sending, _receiving) = raw.greeted(1, &node).await;
    let start = Instant::now();
    for _ in 0..60 {
        let mut stream = soon(connection.open_uni()).await.expect("a stream");
        stream.write_all(&[1]).await.expect("sent");
        stream.reset(0u32.into()).expect("open");
    }
    // The last few are open and not yet paid for.
    assert!(
        start.elapsed() >= Duration::from_millis(400),
        "{:?}",
        start.elapsed()
    );
    assert!(connection.close_reason().is_none());
}

#[tokio::test]
async fn a_flood_of_bytes_stops_at_the_window() {
    let limited = QuicConfig {
        control_bytes: Rate {
            per_second: 1,
            burst: 1,
        },
        ..config()
    };
    let (node, raw) = (Node::with(limited, identity(2)), Raw::new());
    let (_connection, mut sending, _receiving) = raw.greeted(1, &node).await;
    let frame = vec![0; 10_000];
    let flood = async {
        for sent in 0.. {
            if timeout(Duration::from_millis(300), write_frame(&mut sending, &frame))
                .await
                .is_err()
            {
                return sent * frame.len();
            }
            assert!(sent * frame.len() < 10_000_000, "nobody stops the flood");
        }
        unreachable!("it stops or fails")
    };
    let taken = soon(flood).await;
    let window = limited.stream_window_bytes as usize;
    assert!(taken <= 2 * window, "{taken} of a window of {window}");
}
