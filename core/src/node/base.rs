//! What every node does, whatever its roles.

use super::announcements::Announcements;
use super::config::NodeConfig;
use super::downloads::Downloads;
use super::header_sync::HeaderSync;
use super::network::OpenNetwork;
use super::purse::Purse;
use super::record::Record;
use super::relay::{Relay, route};
use crate::chain::{Chain, Connected, SharedStore, TipChange};
use crate::escrow::{JobRecord, JobState, Standing};
use crate::job::{JobPool, Offer};
use crate::keys::NodeId;
use crate::mempool::{Mempool, MempoolError};
use crate::model::Manifest;
use crate::peers::{Offence, Refusal};
use crate::primitives::{Height, JobId, ModelId, Stream, Time, Timestamp};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::tx::{Action, ActionKind, OutPoint, Transaction};
use crate::wire::{Envelope, Message, Packet};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Largest payload that is passed on: an Engage, an offer or a delivery of the largest size fits.
const MAX_FORWARDED_BYTES: usize = 100_000;
/// Offers a node remembers.
const JOB_POOL_CAPACITY: usize = 1_024;

/// Who a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Us,
    Everybody,
}

/// Chain, mempool, job pool, coins and peers.
pub(super) struct Base {
    /// The key's node id, which takes two hashes to compute.
    id: NodeId,
    pub(super) config: NodeConfig,
    pub(super) chain: Chain,
    pub(super) mempool: Mempool,
    pub(super) jobs: JobPool,
    pub(super) purse: Purse,
    pub(super) relay: Relay,
    pub(super) peers: Vec<NodeId>,
    pub(super) announcements: Announcements,
    pub(super) header_sync: HeaderSync,
    pub(super) downloads: Downloads,
    /// How peers are found and chosen; `None` where they are fixed.
    pub(super) network: Option<Box<OpenNetwork>>,
    /// Seats whose question for evidence was answered, and when.
    pub(super) answered_at: BTreeMap<(JobId, OutPoint), Time>,
    pub(super) stream: Stream,
    /// The roles have not seen the new tip yet.
    pub(super) tip_moved: bool,
    /// What a restart had to check again, and is not recorded.
    rechecked: Vec<Connected>,
    next_request: u64,
}

impl Base {
    pub(super) fn new(config: NodeConfig) -> Self {
        let map_seed = Stream::new(config.seed, "hash maps").next_u64();
        let chain = Chain::new(config.params.clone(), config.verifier.clone(), map_seed);
        let id = config.key.node_id();
        let mut base = Self {
            id,
            mempool: Mempool::default(),
            jobs: JobPool::new(JOB_POOL_CAPACITY),
            purse: Purse::new(&config.key),
            relay: Relay::new(config.params.magic, id),
            peers: match &config.network {
                Some(_) => Vec::new(),
                None => config.peers.iter().copied().filter(|peer| *peer != id).collect(),
            },
            announcements: Announcements::default(),
            header_sync: HeaderSync::new(config.minimum_chain_work),
            downloads: Downloads::default(),
            network: config
                .network
                .clone()
                .map(|network| Box::new(OpenNetwork::new(network, &config))),
            answered_at: BTreeMap::new(),
            stream: Stream::new(config.seed, "node"),
            tip_moved: false,
            rechecked: Vec::new(),
            next_request: 0,
            chain,
            config,
        };
        base.count_genesis_coins();
        base
    }

    fn count_genesis_coins(&mut self) {
        let genesis = self.chain.headers().genesis();
        let block = self.chain.block(&genesis);
        let coinbase = block.as_ref().and_then(|block| block.transactions.first());
        let Some((coinbase, count)) = coinbase.map(|coinbase| (coinbase.txid(), coinbase.outputs.len()))
        else {
            return;
        };
        let outpoints: Vec<_> = (0..)
            .take(count)
            .map(|index| OutPoint {
                txid: coinbase,
                index,
            })
            .collect();
        self.purse.refresh(&outpoints, self.chain.ledger());
    }

    pub(super) fn id(&self) -> NodeId {
        self.id
    }

    /// The manifest of a model, if this node knows it.
    pub(super) fn manifest(&self, model: &ModelId) -> Option<&Manifest> {
        self.config.models.iter().find(|manifest| manifest.id() == *model)
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    /// Height of the next block.
    pub(super) fn next_height(&self) -> Height {
        self.chain.height().plus(1)
    }

    /// Header time of a block that is made now.
    pub(super) fn block_time(&self, now: Time) -> Timestamp {
        let after_median = self.chain.ledger().median_time_past().0.saturating_add(1);
        now.timestamp().max(Timestamp(after_median))
    }

    /// Where a job stands in the next block.
    pub(super) fn standing(&self, now: Time, record: &JobRecord) -> Standing {
        let ledger = self.chain.ledger();
        record.at(&ledger.clock(ledger.next_moment(self.block_time(now))))
    }

    // --- Messages ---

    /// Opens a packet, passes it on where it must go, and returns what is for this node, and whether it is
    /// for no other.
    pub(super) fn receive(
        &mut self,
        now: Time,
        from: NodeId,
        packet: &Packet,
        out: &mut Outputs,
    ) -> Option<(Message, Audience)> {
        if !self.admits_from(&from) {
            return None;
        }
        let mut envelope = match Envelope::from_packet(packet, self.config.params.magic) {
            Ok(envelope) => envelope,
            Err(error) => {
                self.refuse(now, from, error.into(), out);
                return None;
            }
        };
        if !self.within_budget(now, from, envelope.kind, out) {
            return None;
        }
        // A message of an unknown type is from the future: ignored, and not passed on.
        let message = match envelope.message() {
            Ok(message) => message?,
            Err(error) => {
                let refusal = Refusal::new(Offence::Malformed, error.to_string());
                self.refuse(now, from, refusal, out);
                return None;
            }
        };
        if message.travels() && envelope.payload.len() <= MAX_FORWARDED_BYTES {
            if !self.relay.is_new(&envelope) {
                return None;
            }
            if let Some((targets, packet)) = self.relay.forward(&mut envelope, from, &self.peers) {
                out.extend(targets.into_iter().map(|to| Output::Send {
                    to,
                    packet: packet.clone(),
                }));
            }
        } else if envelope.sender != from {
            let reason = format!("a {} that was passed on", message.name());
            self.refuse(now, from, Refusal::new(Offence::PassedOn, reason), out);
            return None;
        }
        match envelope.recipient {
            None => Some((message, Audience::Everybody)),
            Some(recipient) => (recipient == self.id()).then_some((message, Audience::Us)),
        }
    }

    /// Sends to one peer; returns the packet's bytes.
    pub(super) fn send(&mut self, to: NodeId, message: &Message, out: &mut Outputs) -> usize {
        let Some(packet) = self.relay.wrap_for_peers(Some(to), message) else {
            return 0;
        };
        let bytes = packet.len();
        out.push(Output::Send { to, packet });
        bytes
    }

    /// Sends the same packet to each of `peers`.
    pub(super) fn send_to_each(&mut self, peers: &[NodeId], message: &Message, out: &mut Outputs) {
        if peers.is_empty() {
            return;
        }
        let Some(packet) = self.relay.wrap_for_peers(None, message) else {
            return;
        };
        for &to in peers {
            let packet = packet.clone();
            out.push(Output::Send { to, packet });
        }
    }

    /// Sends through the network, to `recipient` or to everybody.
    pub(super) fn send_through(&mut self, recipient: Option<NodeId>, message: &Message, out: &mut Outputs) {
        let Some(packet) = self.relay.wrap_for_network(recipient, message) else {
            return;
        };
        for to in route(recipient, &self.peers) {
            out.push(Output::Send {
                to,
                packet: packet.clone(),
            });
        }
    }

    pub(super) fn reject(&self, from: NodeId, reason: String, out: &mut Outputs) {
        out.event(Event::Rejected { from, reason });
    }

    /// Keeps an offer; false if it is known or of no use.
    pub(super) fn handle_offer(&mut self, offer: Offer) -> bool {
        let record = self.chain.ledger().job(&offer.job);
        let record = record.as_deref();
        // Nobody needs the offer of a job that is engaged or over.
        if record.is_some_and(|record| record.state != JobState::Open) {
            return false;
        }
        let confirmed = record.is_some_and(|record| record.terms == offer.terms);
        self.jobs.insert(offer, confirmed)
    }

    // --- Transactions ---

    /// Puts an own transaction into the mempool and tells the peers.
    pub(super) fn submit(
        &mut self,
        now: Time,
        transaction: Transaction,
        out: &mut Outputs,
    ) -> Result<(), MempoolError> {
        self.accept_transaction(now, Arc::new(transaction), None, out)
    }

    /// [`submit`](Self::submit), with `record` durable before anybody hears of the transaction. A
    /// transaction that is refused leaves no record.
    pub(super) fn submit_durably(
        &mut self,
        now: Time,
        transaction: Transaction,
        record: Record,
        out: &mut Outputs,
    ) -> Result<(), MempoolError> {
        let mut announcements = Outputs::new();
        self.submit(now, transaction, &mut announcements)?;
        out.push(Output::Persist(Box::new(record)));
        out.append(announcements);
        Ok(())
    }

    /// Submits a step that needs no money, unless one like it waits already; failures are logged.
    pub(super) fn submit_bare(
        &mut self,
        now: Time,
        job: Option<JobId>,
        seq: u32,
        kind: ActionKind,
        out: &mut Outputs,
    ) -> bool {
        let action = Action { seq, kind };
        if action.key(job).is_some_and(|key| self.mempool.consumes(&key)) {
            return false;
        }
        let name = action.kind.name();
        let Some(transaction) = super::purse::unsigned(&[], Vec::new(), job, Some(action)) else {
            return false;
        };
        match self.submit(now, transaction, out) {
            Ok(()) => true,
            Err(error) => {
                self.reject(self.id(), format!("own {name}: {error}"), out);
                false
            }
        }
    }

    /// Submits a bare step of a job.
    pub(super) fn submit_action(
        &mut self,
        now: Time,
        job: JobId,
        seq: u32,
        kind: ActionKind,
        out: &mut Outputs,
    ) {
        self.submit_bare(now, Some(job), seq, kind, out);
    }

    pub(super) fn accept_transaction(
        &mut self,
        now: Time,
        transaction: Arc<Transaction>,
        from: Option<NodeId>,
        out: &mut Outputs,
    ) -> Result<(), MempoolError> {
        let wtxid = transaction.wtxid();
        let (ledger, time) = (self.chain.ledger(), self.block_time(now));
        self.mempool
            .accept(transaction, ledger, time, self.chain.verifier())?;
        if let Some(connection) = self.connection(from) {
            connection.last_transaction = now;
        }
        self.announce(wtxid, from, out);
        Ok(())
    }

    // --- Jobs ---

    pub(super) fn report_jobs(&mut self, change: &TipChange, out: &mut Outputs) {
        for job in &change.jobs {
            let record = self.chain.ledger().job(job);
            let record = record.as_deref();
            let state = record.map(|record| record.state.name()).unwrap_or_default();
            let outcome = record.and_then(|record| record.state.outcome());
            if record.is_some_and(|record| record.state.engagement().is_some()) {
                self.jobs.complete(job);
            }
            if outcome.is_some() {
                self.jobs.remove(job);
            }
            out.event(Event::JobChanged {
                job: *job,
                state: state.into(),
                outcome,
            });
        }
    }

    /// True once after the tip has moved: the roles have not seen it yet.
    pub(super) fn take_tip_moved(&mut self) -> bool {
        core::mem::take(&mut self.tip_moved)
    }

    // --- Recovery ---

    /// Goes on from what `store` has.
    pub(super) fn restore(&mut self, store: SharedStore) {
        match store.own_coins(&self.id) {
            Some(coins) => self.purse.restore(coins),
            // Nothing was flushed, or with another key.
            None => store.each_coin(&mut |at, coin| self.purse.find(at, coin)),
        }
        self.chain.restore(store);
        while !self.flush_is_due()
            && let Some(change) = self.chain.restore_next()
        {
            self.purse.follow(&change, self.chain.ledger());
            self.rechecked.extend(change.checked);
        }
        self.purse.recount(self.chain.ledger());
    }

    /// Records what a restart had to check again.
    pub(super) fn record_rechecked(&mut self, out: &mut Outputs) {
        let rechecked = core::mem::take(&mut self.rechecked);
        self.record_checked(&rechecked, out);
        self.flush_if_due(out);
    }

    /// A flush is durable. If a restart could not take in all blocks before it, it goes on.
    pub(super) fn handle_flushed(&mut self, now: Time, out: &mut Outputs) {
        self.chain.finish_flush();
        out.event(Event::LedgerFlushed);
        while !self.flush_is_due()
            && let Some(change) = self.chain.restore_next()
        {
            self.move_tip(now, &change, None, out);
        }
        self.flush_if_due(out);
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let headers = self.chain.headers().best();
        (
            self.chain.ledger().digest(),
            headers,
            self.mempool.digest(),
            self.next_request,
        )
    }
}
