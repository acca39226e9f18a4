//! Getting messages to their recipients (paper, 2.1.2; hole H17).

use crate::keys::NodeId;
use crate::primitives::{Hash256, tagged_hash};
use crate::wire::{Envelope, MAX_HOPS, Message, Packet};
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

/// Messages that travel and are remembered so as not to be handled or passed on twice.
const SEEN_CAPACITY: usize = 8_192;

/// Hash of all of an envelope that does not change on the way. Senders are not authenticated: if only
/// sender and number counted, anybody could use a node's next numbers up and silence it.
type SeenKey = Hash256;

/// Numbers own messages and remembers those of others.
pub(super) struct Relay {
    magic: [u8; 4],
    own: NodeId,
    next_id: u64,
    seen: BTreeSet<SeenKey>,
    seen_order: VecDeque<SeenKey>,
}

impl Relay {
    pub(super) fn new(magic: [u8; 4], own: NodeId) -> Self {
        Self {
            magic,
            own,
            next_id: 0,
            seen: BTreeSet::new(),
            seen_order: VecDeque::new(),
        }
    }

    /// Message ids go up with time, so that a restarted node's messages are not taken for old ones.
    pub(super) fn advance(&mut self, now_ms: u64) {
        self.next_id = self.next_id.max(now_ms << 16);
    }

    /// A packet that goes no further: for one peer, or the same for each.
    pub(super) fn wrap_for_peers(&mut self, peer: Option<NodeId>, message: &Message) -> Option<Packet> {
        Some(self.envelope(peer, 0, message)?.to_packet())
    }

    /// A packet for everybody, or for one recipient, that peers pass on.
    pub(super) fn wrap_for_network(
        &mut self,
        recipient: Option<NodeId>,
        message: &Message,
    ) -> Option<Packet> {
        let envelope = self.envelope(recipient, MAX_HOPS, message)?;
        self.is_new(&envelope);
        Some(envelope.to_packet())
    }

    fn envelope(&mut self, recipient: Option<NodeId>, hops_left: u8, message: &Message) -> Option<Envelope> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        Envelope::new(self.magic, self.own, recipient, id, hops_left, message)
    }

    /// True when this message has not been seen before; it has been from now on. For messages that are
    /// passed on: those between neighbours may come twice, and a peer that wants to repeat one can.
    pub(super) fn is_new(&mut self, envelope: &Envelope) -> bool {
        let Envelope {
            sender,
            recipient,
            message_id,
            kind,
            checksum,
            payload,
            ..
        } = envelope;
        self.note(tagged_hash(
            "camelid/seen",
            &(sender, recipient, message_id, kind, checksum, payload),
        ))
    }

    fn note(&mut self, key: SeenKey) -> bool {
        if !self.seen.insert(key) {
            return false;
        }
        self.seen_order.push_back(key);
        if self.seen_order.len() > SEEN_CAPACITY
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    /// Takes a hop from `envelope`, which came from `from`: the peers that it is passed on to, and the packet
    /// for them; `None` when it goes no further.
    pub(super) fn forward(
        &self,
        envelope: &mut Envelope,
        from: NodeId,
        peers: &[NodeId],
    ) -> Option<(Vec<NodeId>, Packet)> {
        envelope.hops_left = envelope.hops_left.checked_sub(1)?;
        if envelope.recipient == Some(self.own) {
            return None;
        }
        let mut targets = route(envelope.recipient, peers);
        targets.retain(|peer| *peer != from && *peer != envelope.sender);
        (!targets.is_empty()).then(|| (targets, envelope.to_packet()))
    }
}

/// The recipient itself if it is a peer, else all peers.
pub(super) fn route(recipient: Option<NodeId>, peers: &[NodeId]) -> Vec<NodeId> {
    match recipient {
        Some(recipient) if peers.contains(&recipient) => Vec::from([recipient]),
        _ => peers.to_vec(),
    }
}
