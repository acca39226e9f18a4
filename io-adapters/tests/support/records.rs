//! Records of all kinds about few things, so that they replace each other.

use camelid_core::block::{Block, BlockHeader, CompactTarget};
use camelid_core::chain::{Delta, Totals};
use camelid_core::committee::{Ballot, Finding};
use camelid_core::job::{Offer, Opening, Terms};
use camelid_core::keys::{KeyHash, SecretKey};
use camelid_core::model::{Finish, PromptTokens, Sampling, Tokens};
use camelid_core::node::{CastVote, CheckAccount, CheckDebt, ClientJob, Record, WorkerJob};
use camelid_core::peers::SavedPeers;
use camelid_core::primitives::{
    Amount, BlockHash, BoundedVec, Hash256, Height, JobId, ModelId, Timestamp, Txid, encode,
};
use camelid_core::rastic::Spec;
use camelid_core::script::key_hash_script;
use camelid_core::tx::{OutPoint, Transaction, TxOut};
use camelid_core::wire::NetAddress;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::sync::Arc;

pub fn any_record() -> impl Strategy<Value = Record> {
    (0..9u8, 0..3u8, any::<u8>()).prop_map(|(kind, thing, version)| record(kind, thing, version))
}

/// A record of one of nine kinds; the version is what may differ between records about a thing.
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
        _ => Record::Delta(BlockHash([thing; 32]), Box::new(delta(amount))),
    }
}

/// What the storage is to hold after these appends: the first of equal blocks, and the last record
/// about everything else.
pub fn kept(appended: &[Record]) -> Vec<Record> {
    let kept = appended
        .iter()
        .enumerate()
        .filter(|(place, record)| match record {
            Record::Block(_) => !appended[..*place].contains(record),
            other => !appended[place + 1..]
                .iter()
                .any(|later| about(later) == about(other)),
        });
    kept.map(|(_, record)| record.clone()).collect()
}

fn about(record: &Record) -> (u8, Vec<u8>) {
    match record {
        Record::Block(block) => (0, encode(&**block)),
        Record::ClientJob(job) => (1, encode(&job.offer.job)),
        Record::WorkerJob(job) => (2, encode(&job.job)),
        Record::Vote(vote) => (3, encode(&(vote.round, vote.ticket))),
        Record::CheckAccount(account) => (4, encode(&account.client)),
        Record::CheckDebt(debt) => (5, encode(&debt.checker)),
        Record::Unbonding => (6, Vec::new()),
        Record::Peers(_) => (7, Vec::new()),
        Record::Delta(block, _) => (8, encode(block)),
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
