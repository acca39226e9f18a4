//! A connection with a peer, from its first event to its last.

use crate::budget::{Budget, Lane, Throttle};
use crate::config::BULK_THRESHOLD_BYTES;
use crate::frame::{FrameDecoder, FrameError, ReadFrameError, read_frame, write_frame};
use crate::outbox::{Outgoing, Waiting};
use crate::refusal::Refusal;
use crate::shared::{Incoming, Seat};
use camelid_core::process::{ConnectionEvent, Direction};
use camelid_core::wire::{MAX_PACKET_BYTES, NetAddress, Packet};
use camelid_io::Received;
use quinn::{RecvStream, SendStream};
use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// The priority of streams for large packets is 0: what waits on the control stream goes first.
const CONTROL_PRIORITY: i32 = 1;

/// A connection with a known peer that nobody has heard of yet.
pub(crate) struct Link {
    seat: Seat,
    sending: SendStream,
    receiving: RecvStream,
    outgoing: Outgoing,
    address: NetAddress,
    direction: Direction,
    /// Its place among the connections of its direction.
    slot: Option<OwnedSemaphorePermit>,
}

impl Link {
    pub(crate) fn new(
        seat: Seat,
        (sending, receiving): (SendStream, RecvStream),
        outgoing: Outgoing,
        address: NetAddress,
        direction: Direction,
    ) -> Self {
        Self {
            seat,
            sending,
            receiving,
            outgoing,
            address,
            direction,
            slot: None,
        }
    }

    /// Keeps `slot` as long as the connection lasts.
    pub(crate) fn holding(mut self, slot: OwnedSemaphorePermit) -> Self {
        self.slot = Some(slot);
        self
    }
}

/// Tells the node that the peer is there, then what it says, and last that it is gone. `handshake` is
/// given back after the first event, so that connections whose events pile up have a bound.
pub(crate) async fn run(link: Link, events: mpsc::Sender<Incoming>, handshake: Option<OwnedSemaphorePermit>) {
    let Link {
        mut seat,
        sending,
        receiving,
        outgoing,
        address,
        direction,
        slot,
    } = link;
    let peer = seat.peer;
    let tell = async |event| {
        let received = Received::Connection(event);
        // The node is gone if nobody listens.
        let _ = events
            .send(Incoming {
                received,
                _bytes: None,
            })
            .await;
    };
    seat.wait_for_predecessor().await;
    tell(ConnectionEvent::Opened {
        peer,
        address,
        direction,
    })
    .await;
    tracing::info!(%peer, %address, ?direction, "connected");
    drop(handshake);

    let refusal = pump(&seat, (sending, receiving), outgoing, &events).await;
    seat.shared.refuse(&seat.connection, refusal);
    tracing::info!(%peer, %address, reason = ?seat.connection.close_reason(), "disconnected");
    tell(ConnectionEvent::Closed { peer }).await;
    drop((seat, slot));
}

/// Moves packets both ways until the connection ends; all within one task, so that no packet comes
/// after the end. Returns what to tell the peer if it is still there.
async fn pump(
    seat: &Seat,
    (sending, receiving): (SendStream, RecvStream),
    outgoing: Outgoing,
    events: &mpsc::Sender<Incoming>,
) -> Refusal {
    let budget = Budget::new(&seat.shared.config);
    let reader = Reader {
        seat,
        budget: &budget,
        events,
    };
    // As many as the peer may have streams open (`BULK_STREAMS`).
    let bulk = async { tokio::try_join!(reader.read_bulk(), reader.read_bulk()) };
    // All of this is large, and there is one of it for each peer: it lives on the heap with the task.
    let ended = tokio::select! {
        _ = seat.connection.closed() => Ok(()),
        read = reader.read_control(receiving) => read,
        read = bulk => read.map(|_| ()),
        () = write_control(seat, sending, outgoing.control) => Ok(()),
        () = write_bulk(seat, outgoing.bulk) => Ok(()),
    };
    match ended {
        Err(ReadFrameError::Frame(error)) => {
            tracing::debug!(peer = %seat.peer, %error, "malformed");
            Refusal::BadFrame
        }
        Ok(()) | Err(ReadFrameError::Stream(_)) => Refusal::Disconnected,
    }
}

/// Reads what a peer sends, within its budget and as fast as the node takes it.
struct Reader<'a> {
    seat: &'a Seat,
    budget: &'a Budget,
    events: &'a mpsc::Sender<Incoming>,
}

impl Reader<'_> {
    async fn read_control(&self, mut stream: RecvStream) -> Result<(), ReadFrameError> {
        let mut decoder = FrameDecoder::new(BULK_THRESHOLD_BYTES);
        let throttle = self.throttle(Lane::Control);
        while let Some(frame) = read_frame(&mut stream, &mut decoder, Some(&throttle)).await? {
            self.deliver(frame, &throttle).await;
        }
        Ok(())
    }

    /// One frame from each stream.
    async fn read_bulk(&self) -> Result<Infallible, ReadFrameError> {
        let throttle = self.throttle(Lane::Bulk);
        loop {
            let accepted = self.seat.connection.accept_uni().await;
            let mut stream = accepted.map_err(quinn::ReadError::ConnectionLost)?;
            let mut decoder = FrameDecoder::new(MAX_PACKET_BYTES);
            let frame = match read_frame(&mut stream, &mut decoder, Some(&throttle)).await {
                // The peer took the packet back. That is not free, or streams could be reset for ever.
                Err(ReadFrameError::Stream(quinn::ReadError::Reset(_))) => {
                    throttle.pay_message(&[]).await;
                    continue;
                }
                read => read?.ok_or(FrameError::Truncated)?,
            };
            if stream.read_chunk(1, true).await?.is_some() {
                return Err(FrameError::Trailing.into());
            }
            self.deliver(frame, &throttle).await;
        }
    }

    fn throttle(&self, lane: Lane) -> Throttle<'_> {
        Throttle {
            budget: self.budget,
            lane,
        }
    }

    async fn deliver(&self, frame: Vec<u8>, throttle: &Throttle<'_>) {
        throttle.pay_message(&frame).await;
        let length = u32::try_from(frame.len()).expect("frames have a bound far below 4 GiB");
        let bytes = self.seat.shared.inbound_bytes.clone();
        let bytes = bytes.acquire_many_owned(length).await;
        let received = Received::Packet(self.seat.peer, Packet::from(frame));
        self.seat.counts.received.fetch_add(1, Ordering::Relaxed);
        let incoming = Incoming {
            received,
            _bytes: bytes.ok(),
        };
        // The node is gone if nobody listens; the connection ends with its endpoint.
        let _ = self.events.send(incoming).await;
    }
}

/// Ends when the stream does.
async fn write_control(seat: &Seat, mut stream: SendStream, mut queue: mpsc::Receiver<Waiting>) {
    // Fails only on a stream that is gone, as the next write will say.
    let _ = stream.set_priority(CONTROL_PRIORITY);
    while let Some(waiting) = queue.recv().await {
        if write_frame(&mut stream, &waiting.packet).await.is_err() {
            return;
        }
        seat.counts.sent.fetch_add(1, Ordering::Relaxed);
    }
    // Another connection has taken this one's place; whoever gave it away ends this one.
    pending::<()>().await;
}

/// Ends when no stream can be opened.
async fn write_bulk(seat: &Seat, mut queue: mpsc::Receiver<Waiting>) {
    while let Some(waiting) = queue.recv().await {
        let Ok(mut stream) = seat.connection.open_uni().await else {
            return;
        };
        // A peer may refuse a packet by stopping its stream.
        if write_frame(&mut stream, &waiting.packet).await.is_ok() && stream.finish().is_ok() {
            seat.counts.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
    pending::<()>().await;
}
