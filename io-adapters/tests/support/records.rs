//! Records of all kinds about few things, so that they replace each other.
#![allow(dead_code)] // each of the tests uses a part

use camelid_core::block::{Block, BlockHeader, CompactTarget};
use camelid_core::chain::{Base, Coin, Connected, Created, Delta, Flush, OwnCoin, Store, Totals};
use camelid_core::committee::{Ballot, Finding};
use camelid_core::escrow::{JobRecord, JobState, Outcome, Since};
use camelid_core::job::{Offer, Opening, Terms};
use camelid_core::keys::{KeyHash, NodeId, SecretKey};
use camelid_core::model::{Finish, PromptTokens, Sampling, Tokens};
use camelid_core::node::{
    CastVote, CheckAccount, CheckDebt, ClientJob, Matter, MemoryStore, Record, WorkerJob,
};
use camelid_core::peers::SavedPeers;
use camelid_core::primitives::{
    Amount, BlockHash, BoundedVec, Hash256, Height, JobId, ModelId, SetDigest, Timestamp, Txid, encode,
};
use camelid_core::rastic::Spec;
use camelid_core::script::key_hash_script;
use camelid_core::tx::{OutPoint, Transaction, TxOut};
use camelid_core::wire::NetAddress;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub fn any_record() -> impl Strategy<Value = Record> {
    (0..12u8, 0..THINGS, any::<u8>()).prop_map(|(kind, thing, version)| record(kind, thing, version))
}

/// Nodes that flush.
const OWNERS: [NodeId; 2] = [KeyHash([1; 20]), KeyHash([2; 20])];

/// Things that records are about, one of each kind.
const THINGS: u8 = 3;

/// A record of one of twelve kinds; the version is what may differ between records about a thing.
pub fn record(kind: u8, thing: u8, version: u8) -> Record {
    let amount = Amount::from_coins(u64::from(version)).unwrap();
    match kind {
        0 => Record::Block(Arc::new(block(thing, version))),
        1 => Record::ClientJob(Box::new(client_job(thing, version))),
        2 => Record::WorkerJob(Box::new(worker_job(thing, version))),
        3 => Record::Vote(Box::new(CastVote {
            round: Hash256([thing % 2; 32]),
            ticket: ticket(thing / 2),
            ballot: Ballot {
                finding: Finding::NoEvidence,
                score_root: Hash256([0; 32]),
            },
            salt: [version; 32],
        })),
        4 => Record::CheckAccount(Box::new(CheckAccount {
            client: KeyHash([thing; 20]),
            charged: amount,
            answers: BoundedVec::new(),
        })),
        5 => Record::CheckDebt(Box::new(CheckDebt {
            checker: KeyHash([thing; 20]),
            owed: amount,
            counted: BoundedVec::new(),
        })),
        6 => Record::Unbonding,
        7 => Record::Peers(Box::new(peers(version))),
        8 => Record::Connected(Box::new(Connected {
            block: BlockHash([thing; 32]),
            delta: Arc::new(delta(amount)),
            undo: Arc::new(delta(amount)),
        })),
        9 => Record::Flush(Box::new(flush(thing, version))),
        10 => Record::Objection(JobId([thing; 32])),
        _ => Record::Forget(match version % 3 {
            0 => Matter::ClientJob(JobId([thing; 32])),
            1 => Matter::WorkerJob(JobId([thing; 32])),
            _ => Matter::Vote(Hash256([thing % 2; 32]), ticket(thing / 2)),
        }),
    }
}

/// All that a storage holds.
#[derive(Debug, PartialEq)]
pub struct Contents {
    log: Vec<Record>,
    headers: Vec<BlockHeader>,
    blocks: Vec<Option<Arc<Block>>>,
    deltas: Vec<Option<Arc<Delta>>>,
    undo: Vec<Option<Arc<Delta>>>,
    base: Option<Base>,
    coins: BTreeMap<OutPoint, Coin>,
    jobs: Vec<JobRecord>,
    own_coins: Vec<(NodeId, Vec<(OutPoint, OwnCoin)>)>,
}

impl Contents {
    /// Everything that is in a log and a store, which is asked for what is there and for what is not.
    pub fn new(log: Vec<Record>, store: &dyn Store) -> Self {
        let headers = store.headers();
        let hashes = headers
            .iter()
            .map(BlockHeader::hash)
            .chain([BlockHash([0xff; 32])]);
        let named = || (0..THINGS).map(|thing| BlockHash([thing; 32]));
        let mut coins = BTreeMap::new();
        store.each_coin(&mut |at, coin| assert!(coins.insert(*at, coin.clone()).is_none()));
        let mut jobs = Vec::new();
        store.each_job(&mut |record| jobs.push(record.clone()));
        // What is looked up is what is there.
        for thing in 0..THINGS {
            assert_eq!(store.coin(&ticket(thing)), coins.get(&ticket(thing)).cloned());
            let job = JobId([thing; 32]);
            assert_eq!(
                store.job(&job),
                jobs.iter().find(|record| record.id == job).cloned()
            );
        }
        Self {
            log,
            blocks: hashes.map(|hash| store.block(&hash)).collect(),
            deltas: named().map(|hash| store.delta(&hash)).collect(),
            undo: named().map(|hash| store.undo(&hash)).collect(),
            base: store.base(),
            own_coins: OWNERS
                .iter()
                .filter_map(|owner| Some((*owner, store.own_coins(owner)?)))
                .collect(),
            headers,
            coins,
            jobs,
        }
    }

    /// What a storage is to hold after these appends.
    pub fn after(appended: &[Record]) -> Self {
        let mut store = MemoryStore::default();
        let others = appended.iter().filter_map(|record| store.take(record.clone()));
        let others: Vec<Record> = others.collect();
        Self::new(kept(&others), &store)
    }
}

/// The last record about each thing that was not forgotten.
fn kept(appended: &[Record]) -> Vec<Record> {
    let mut kept: Vec<Record> = Vec::new();
    for record in appended {
        if let Record::Forget(matter) = record {
            kept.retain(|record| matter_of(record) != Some(*matter));
        } else {
            kept.retain(|earlier| about(earlier) != about(record));
            kept.push(record.clone());
        }
    }
    kept
}

fn matter_of(record: &Record) -> Option<Matter> {
    match record {
        Record::ClientJob(job) => Some(Matter::ClientJob(job.offer.job)),
        Record::Objection(job) => Some(Matter::ClientJob(*job)),
        Record::WorkerJob(job) => Some(Matter::WorkerJob(job.job)),
        Record::Vote(vote) => Some(Matter::Vote(vote.round, vote.ticket)),
        _ => None,
    }
}

fn about(record: &Record) -> (u8, Vec<u8>) {
    match record {
        Record::ClientJob(job) => (1, encode(&job.offer.job)),
        Record::WorkerJob(job) => (2, encode(&job.job)),
        Record::Vote(vote) => (3, encode(&(vote.round, vote.ticket))),
        Record::CheckAccount(account) => (4, encode(&account.client)),
        Record::CheckDebt(debt) => (5, encode(&debt.checker)),
        Record::Unbonding => (6, Vec::new()),
        Record::Peers(_) => (7, Vec::new()),
        Record::Objection(job) => (10, encode(job)),
        Record::Block(_) | Record::Connected(_) | Record::Flush(_) => unreachable!("they are in the store"),
        Record::Forget(_) => unreachable!("it is about other records"),
    }
}

fn delta(issued: Amount) -> Delta {
    Delta {
        totals: Totals {
            issued,
            ..Totals::default()
        },
        ..Delta::default()
    }
}

/// Makes or removes a coin and a closed job.
fn flush(thing: u8, version: u8) -> Flush {
    let amount = Amount::from_coins(u64::from(version)).unwrap();
    let coin = Coin {
        output: TxOut::to_script(amount, key_hash_script(&[thing; 20])),
        created: Created {
            height: Height(u32::from(version)),
            mtp_before: Timestamp(0),
        },
        spendable_from: Height(0),
    };
    let job = JobId([thing; 32]);
    let record = JobRecord {
        id: job,
        terms: client_job(thing, version).offer.terms,
        escrow: ticket(thing),
        seq: u32::from(version),
        since: Since {
            height: Height(0),
            mtp: Timestamp(0),
        },
        state: JobState::Closed(Outcome::Settled),
    };
    let is_there = !version.is_multiple_of(4);
    Flush {
        anew: version.is_multiple_of(7),
        base: Base {
            tip: BlockHash([version; 32]),
            totals: delta(amount).totals,
            unclosed: BTreeMap::new(),
            tickets: BTreeMap::new(),
            coin_count: u64::from(version),
            closed_count: 1,
            coins_digest: SetDigest::default(),
            jobs_digest: SetDigest::default(),
            tickets_digest: SetDigest::default(),
        },
        coins: vec![(ticket(thing), is_there.then_some(coin))],
        jobs: vec![(job, is_there.then_some(record))],
        owner: OWNERS[usize::from(version.is_multiple_of(5))],
        own_coins: vec![(
            ticket(thing),
            OwnCoin {
                value: amount,
                created: Height(0),
                spent: is_there.then_some(Height(9)),
            },
        )],
    }
}

fn peers(version: u8) -> SavedPeers {
    let anchor = NetAddress::from(SocketAddr::from(([10, 0, 0, version], 1)));
    let mut peers = SavedPeers::default();
    peers.anchors = BoundedVec::from_vec(vec![anchor]).unwrap();
    peers
}

/// The same header may come with several bodies, of up to 20 kB.
fn block(thing: u8, version: u8) -> Block {
    let bodies = [0, 1, 20, 300];
    let payment = TxOut::to_script(Amount::ZERO, key_hash_script(&[version; 20]));
    let transaction = Transaction {
        outputs: BoundedVec::from_vec(vec![payment; bodies[usize::from(version % 4)]]).unwrap(),
        ..empty()
    };
    Block {
        header: BlockHeader {
            version: 1,
            previous: BlockHash([0; 32]),
            merkle_root: Hash256([thing; 32]),
            time: Timestamp(1_000),
            bits: CompactTarget(0x207f_ffff),
            nonce: 0,
        },
        transactions: BoundedVec::from_vec(vec![transaction; 2]).unwrap(),
    }
}

fn empty() -> Transaction {
    Transaction {
        version: 1,
        inputs: BoundedVec::new(),
        outputs: BoundedVec::new(),
        lock_time: 0,
        job_id: None,
        action: None,
    }
}

fn ticket(number: u8) -> OutPoint {
    OutPoint {
        txid: Txid([number; 32]),
        index: 0,
    }
}

fn client_job(thing: u8, version: u8) -> ClientJob {
    let key = SecretKey::from_bytes([1; 32]).unwrap().public_key();
    let terms = Terms {
        prompt_hash: Hash256([0; 32]),
        seed: 0,
        sampling: Sampling::GREEDY,
        max_tokens: 1,
        model: ModelId::default(),
        exact: true,
        spec: Spec::V2,
        samples: 0,
        deadline: Height(9),
        reward: Amount::ZERO,
        audit_fee: Amount::ZERO,
        engage_fee: Amount::ZERO,
        stake: Amount::ZERO,
        client_key: key,
        delivery_key: key,
        refund: key_hash_script(&[0; 20]),
        private: false,
        created: Timestamp(0),
        contact: KeyHash([0; 20]),
    };
    ClientJob {
        offer: Offer {
            job: JobId([thing; 32]),
            terms,
            prompt: PromptTokens::default(),
            prompt_salt: [version; 32],
        },
        open: empty(),
        engage: version.is_multiple_of(2).then(empty),
        received: None,
        checking: None,
    }
}

fn worker_job(thing: u8, version: u8) -> WorkerJob {
    WorkerJob {
        job: JobId([thing; 32]),
        prompt: PromptTokens::default(),
        prompt_salt: [version; 32],
        opening: Opening {
            finish: Finish::Limit,
            output: Tokens::default(),
            salt: [version; 32],
        },
        engage: empty(),
        delivery: None,
        received: version.is_multiple_of(2),
    }
}
