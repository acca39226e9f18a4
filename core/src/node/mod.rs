//! A participant: a full node with up to four roles.
//!
//! `Base` is what every node does: it keeps chain, mempool and job pool, and talks to
//! peers. The roles (client, worker, verifier, miner, checker) are state machines beside it. Each role looks
//! at the ledger and at its own records and does what is due; it does so again whenever the tip
//! moves and at every maintenance, so that a lost message or a crash costs time and nothing else.

mod announcements;
mod base;
mod blocks;
mod checker;
mod claim;
mod client;
mod command;
mod compact;
mod config;
mod dispute;
mod downloads;
mod gossip;
mod header_sync;
mod memory_store;
mod miner;
mod network;
mod payments;
mod purse;
mod record;
mod relay;
#[cfg(feature = "std")]
mod shared_store;
mod verifier;
mod worker;

pub use config::{
    CheckerConfig, ClientConfig, NetworkConfig, NodeConfig, Outsourcing, StorageConfig, VerifierConfig,
    Verify, WorkerConfig,
};
pub use memory_store::MemoryStore;
pub use network::PeerInfo;
pub use purse::Balance;
pub use record::{
    COUNTED_ANSWERS, CastVote, CheckAccount, CheckDebt, ClientJob, KEPT_ANSWERS, Matter, Received, Record,
    WorkerJob,
};
#[cfg(feature = "std")]
pub use shared_store::SharedMemoryStore;

use crate::chain::{Chain, SharedStore};
use crate::escrow::Standing;
use crate::job::JobPool;
use crate::keys::NodeId;
use crate::mempool::Mempool;
use crate::peers::AddressBook;
use crate::primitives::{Amount, Digest, Height, JobId, Time, tagged_hash};
use crate::process::{Input, Output, Outputs, Process, Timer};
use crate::script::Script;
use crate::tx::OutPoint;
use crate::wire::{CheckRefusal, Message};
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::Base;
use checker::Checker;
use client::Client;
use miner::Miner;
use verifier::Verifier;
use worker::Worker;

/// Milliseconds between maintenances: the roles are also driven whenever the tip moves.
const MAINTENANCE_MS: u64 = 60_000;

/// Blocks that a closed job is remembered, in case a reorganisation opens it again.
const REMEMBERED_BLOCKS: u32 = 100;

/// A node: the production state machine, live and in the simulator.
pub struct Node {
    base: Base,
    client: Option<Client>,
    worker: Option<Worker>,
    verifier: Option<Verifier>,
    miner: Option<Miner>,
    checker: Option<Checker>,
}

impl Node {
    /// A node that starts from its genesis block, whatever is in its store.
    pub fn new(config: NodeConfig) -> Self {
        let base = Base::new(config);
        let config = &base.config;
        Self {
            client: config.client.map(|client| Client::new(client, &base)),
            worker: config.worker.clone().map(Worker::new),
            verifier: config.committee.clone().map(Verifier::new),
            miner: config.miner.then(Miner::new),
            checker: config.checker.map(|checker| Checker::new(checker, &base)),
            base,
        }
    }

    /// A node that goes on from what it persisted: from the records of its chain in its
    /// [store](StorageConfig::store), if it has one, and from `records`, which are all others, in the order in which it
    /// persisted them. Without a store they are all. Records are its own, but damaged ones are only skipped.
    pub fn recover(config: NodeConfig, records: impl IntoIterator<Item = Record>) -> Self {
        let mut node = Self::new(config);
        let mut log = MemoryStore::default();
        let others: Vec<Record> = records
            .into_iter()
            .filter_map(|record| log.take(record))
            .collect();
        let store = node.base.config.storage.as_ref();
        let store = store.map_or_else(|| Arc::new(log) as SharedStore, |storage| storage.store.clone());
        node.base.restore(store);
        for record in others {
            node.restore(record);
        }
        node
    }

    fn restore(&mut self, record: Record) {
        match record {
            Record::ClientJob(job) => {
                if let Some(client) = &mut self.client {
                    client.restore(&mut self.base, *job);
                }
            }
            Record::WorkerJob(job) => {
                if let Some(worker) = &mut self.worker {
                    worker.restore(&mut self.base, *job);
                }
            }
            Record::Vote(vote) => {
                if let Some(verifier) = &mut self.verifier {
                    verifier.restore(*vote);
                }
            }
            Record::Unbonding => {
                if let Some(verifier) = &mut self.verifier {
                    verifier.restore_unbonding();
                }
            }
            Record::CheckAccount(account) => {
                if let Some(checker) = &mut self.checker {
                    checker.restore(*account);
                }
            }
            Record::CheckDebt(debt) => {
                if let Some(client) = &mut self.client {
                    client.restore_debt(*debt);
                }
            }
            Record::Peers(peers) => self.base.restore_peers(*peers),
            Record::Objection(job) => {
                if let Some(client) = &mut self.client {
                    client.restore_objection(job);
                }
            }
            Record::Forget(matter) => self.forget(matter),
            // In the store.
            Record::Block(_) | Record::Connected(_) | Record::Flush(_) => {}
        }
    }

    /// It was over before the restart.
    fn forget(&mut self, matter: Matter) {
        match (matter, &mut self.client, &mut self.worker, &mut self.verifier) {
            (Matter::ClientJob(job), Some(client), _, _) => client.forget(&mut self.base, &job),
            (Matter::WorkerJob(job), _, Some(worker), _) => worker.forget(&mut self.base, &job),
            (Matter::Vote(round, ticket), _, _, Some(verifier)) => verifier.forget(&(round, ticket)),
            _ => {}
        }
    }

    /// The node's name.
    pub fn id(&self) -> NodeId {
        self.base.id()
    }

    /// Its view of the chain.
    pub fn chain(&self) -> &Chain {
        &self.base.chain
    }

    /// Who it talks to.
    pub fn peers(&self) -> &[NodeId] {
        &self.base.peers
    }

    /// Its connections in an open network, in the order of the peers' ids.
    pub fn connections(&self) -> Vec<PeerInfo> {
        let network = self.base.network.as_ref();
        network
            .map(|network| network.infos().collect())
            .unwrap_or_default()
    }

    /// The addresses it knows, in an open network.
    pub fn address_book(&self) -> Option<&AddressBook> {
        self.base.network.as_ref().map(|network| network.book())
    }

    /// Its mempool.
    pub fn mempool(&self) -> &Mempool {
        &self.base.mempool
    }

    /// What it was told at construction.
    pub fn config(&self) -> &NodeConfig {
        &self.base.config
    }

    /// Offers of jobs that it has heard of.
    pub fn offers(&self) -> &JobPool {
        &self.base.jobs
    }

    /// Its jobs as a client, by id, up to 100 blocks after their end.
    pub fn client_jobs(&self) -> impl Iterator<Item = &ClientJob> {
        self.client.iter().flat_map(Client::jobs)
    }

    /// One of them.
    pub fn client_job(&self, job: &JobId) -> Option<&ClientJob> {
        self.client.as_ref()?.job(job)
    }

    /// Where a job of the ledger stands in the next block, if that is made at `now`.
    pub fn standing(&self, now: Time, job: &JobId) -> Option<Standing> {
        let record = self.base.chain.ledger().job(job)?;
        Some(self.base.standing(now, &record))
    }

    /// What it owns.
    pub fn balance(&self) -> Balance {
        self.base
            .purse
            .balance(self.base.next_height(), &self.base.mempool)
    }

    /// What pays to it.
    pub fn script(&self) -> &Script {
        self.base.purse.script()
    }

    /// What a coin is or was worth, if it is or was the node's own.
    pub fn own_coin(&self, outpoint: &OutPoint) -> Option<Amount> {
        self.base.purse.worth(outpoint)
    }

    /// Heights of all blocks of the best chain that made or spent a coin of the node's own, and perhaps of others.
    pub fn own_heights(&self) -> BTreeSet<Height> {
        self.base.purse.heights()
    }

    fn start(&mut self, now: Time, out: &mut Outputs) {
        self.base.record_rechecked(out);
        self.base.start_network(now, out);
        self.base.sync(out);
        self.drive_roles(now, out);
        out.push(Output::SetTimer {
            timer: Timer::Maintenance,
            at: now.after_ms(MAINTENANCE_MS),
        });
    }

    fn maintain(&mut self, now: Time, out: &mut Outputs) {
        self.base.sync(out);
        self.base.announce_mempool(out);
        self.drive_roles(now, out);
        out.push(Output::SetTimer {
            timer: Timer::Maintenance,
            at: now.after_ms(MAINTENANCE_MS),
        });
    }

    fn handle_message(&mut self, now: Time, from: NodeId, packet: &crate::wire::Packet, out: &mut Outputs) {
        let Some((message, audience)) = self.base.receive(now, from, packet, out) else {
            return;
        };
        let outcome = match message {
            Message::JobOffer(offer) => {
                // Anybody may send one: it costs nothing but a look at whether there is work in it.
                if let (true, Some(worker)) = (self.base.handle_offer(*offer), &mut self.worker) {
                    worker.take_jobs(&mut self.base, out);
                }
                Ok(())
            }
            Message::JobAccepted { job, node_key } => {
                self.base.jobs.accept(&job, node_key.key_hash());
                Ok(())
            }
            Message::Engage(transaction) => match &mut self.client {
                Some(client) => client.handle_engage(&mut self.base, now, *transaction, out),
                None => Ok(()),
            },
            Message::Delivery { job, delivery } => match &mut self.client {
                Some(client) => client.handle_delivery(&mut self.base, now, &job, *delivery, out),
                None => Ok(()),
            },
            Message::DeliveryReceived { job, signature } => match &mut self.worker {
                Some(worker) => worker.handle_received(&self.base, &job, signature),
                None => Ok(()),
            },
            Message::GetEvidence { job, ticket } => {
                self.give_evidence(now, &job, &ticket, out);
                Ok(())
            }
            Message::Evidence(evidence) => {
                if let Some(verifier) = &mut self.verifier {
                    verifier.handle_evidence(&mut self.base, now, *evidence, audience, out);
                }
                Ok(())
            }
            Message::CheckRequest(request) => match &mut self.checker {
                Some(checker) => checker.handle_request(&mut self.base, from, *request, out),
                None => {
                    checker::refuse(&mut self.base, from, request.id(), CheckRefusal::NotServed, out);
                    Ok(())
                }
            },
            Message::CheckReply { request, matches } => match &mut self.client {
                Some(client) => client.handle_matches(&mut self.base, now, (from, request), matches, out),
                None => Ok(()),
            },
            Message::CheckRefused { request, reason } => {
                if let Some(client) = &mut self.client {
                    client.handle_refusal(&mut self.base, now, (from, request), reason, out);
                }
                Ok(())
            }
            gossip => {
                if let Err(refusal) = self.base.handle_gossip(now, from, gossip, out) {
                    self.base.refuse(now, from, refusal, out);
                }
                Ok(())
            }
        };
        // Others have passed these on, or they are about a job, for whose costs there are other rules.
        if let Err(reason) = outcome {
            self.base.reject(from, reason, out);
        }
    }

    /// Whichever role has the evidence answers.
    fn give_evidence(&mut self, now: Time, job: &JobId, ticket: &OutPoint, out: &mut Outputs) {
        if let Some(client) = &self.client {
            client.handle_get_evidence(&mut self.base, now, job, ticket, out);
        }
        if let Some(worker) = &self.worker {
            worker.handle_get_evidence(&mut self.base, now, job, ticket, out);
        }
        if let Some(verifier) = &self.verifier {
            verifier.handle_get_evidence(&mut self.base, now, job, ticket, out);
        }
    }

    /// Lets the roles do what is due.
    fn drive_roles(&mut self, now: Time, out: &mut Outputs) {
        if let Some(client) = &mut self.client {
            client.drive(&mut self.base, now, out);
        }
        if let Some(worker) = &mut self.worker {
            worker.drive(&mut self.base, now, out);
        }
        if let Some(verifier) = &mut self.verifier {
            verifier.drive(&mut self.base, now, out);
        }
        if let Some(checker) = &mut self.checker {
            checker.drive(&self.base);
        }
        if let Some(miner) = &mut self.miner {
            miner::settle_overdue(&mut self.base, now, out);
            miner.drive(&self.base, now, out);
        }
    }
}

impl Process for Node {
    fn handle(&mut self, now: Time, input: Input, out: &mut Outputs) {
        self.base.relay.advance(now.0);
        match input {
            Input::Start => self.start(now, out),
            Input::Message { from, packet } => self.handle_message(now, from, &packet, out),
            Input::TimerFired(Timer::Maintenance) => self.maintain(now, out),
            // What it is for is done below.
            Input::TimerFired(Timer::Template) => {}
            Input::TimerFired(Timer::Downloads) => self.base.tend_downloads(now, out),
            Input::TimerFired(Timer::Connections) => self.base.tend_connections(now, out),
            Input::Inferred { request, result } => {
                if let Some(client) = &mut self.client {
                    client.handle_inferred(&mut self.base, now, request, &result, out);
                }
                if let Some(worker) = &mut self.worker {
                    worker.handle_inferred(&mut self.base, now, request, &result, out);
                }
                if let Some(verifier) = &mut self.verifier {
                    verifier.handle_inferred(&mut self.base, now, request, &result, out);
                }
                if let Some(checker) = &mut self.checker {
                    checker.handle_inferred(&mut self.base, request, &result, out);
                }
            }
            Input::Mined { header } => {
                if let Some(miner) = &mut self.miner {
                    miner.handle_mined(&mut self.base, now, &header, out);
                }
            }
            Input::Command(command) => self.handle_command(now, command, out),
            Input::Connection(event) => self.base.handle_connection(now, event, out),
            Input::Flushed => self.base.handle_flushed(now, out),
        }
        if self.base.take_tip_moved() {
            self.drive_roles(now, out);
        }
        if let Some(miner) = &mut self.miner {
            miner.refresh(&self.base, now, out);
        }
    }

    fn digest(&self) -> Digest {
        let client = self.client.as_ref().map(Client::state);
        let worker = self.worker.as_ref().map(Worker::state);
        let verifier = self.verifier.as_ref().map(Verifier::state);
        let checker = self.checker.as_ref().map(Checker::state);
        let fields = (self.base.state(), client, worker, verifier, checker);
        Digest(tagged_hash("camelid/node", &fields).0)
    }
}
