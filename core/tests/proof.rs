//! What a client is shown that has headers only.
#![allow(clippy::unwrap_used)]

mod support;

use borsh::BorshDeserialize;
use camelid_core::block::{Block, coinbase, records_root_of};
use camelid_core::chain::{Chain, HeaderTree};
use camelid_core::escrow::Outcome;
use camelid_core::primitives::{Hash256, Height, JobId, MerkleTree, decode, encode};
use camelid_core::proof::{Included, JobProof, MAX_PROOF_BYTES, ProofError, TransactionProof};
use camelid_core::tx::{ActionKind, Transaction};
use proptest::prelude::*;
use std::sync::Arc;
use support::*;

/// A client that has the headers of `blocks` and no block.
fn light_client(blocks: &[Arc<Block>]) -> Chain {
    let mut client = new_chain(&network(), 5);
    for block in blocks {
        client.submit_header(&block.header, LATE).unwrap();
    }
    assert_eq!(client.height(), Height(0));
    client
}

fn blocks_of(chain: &Chain) -> Vec<Arc<Block>> {
    let hashes = chain.active().iter().skip(1);
    hashes.map(|hash| chain.block(hash).unwrap().clone()).collect()
}

/// An OpenJob from one of the client's coins.
fn open(workshop: &Workshop, fund: u32) -> Transaction {
    let height = workshop.chain.height().plus(1);
    let terms = terms(&workshop.params, height);
    open_job(&workshop.genesis(), &workshop.fund(CLIENT, fund), &terms)
}

fn settle(job: JobId) -> Transaction {
    bare(job, 1, ActionKind::Settle)
}

/// Three jobs, two of them opened in one block, and two refunded in one block with a payment; then
/// three more blocks, in which the third is refunded.
fn history() -> (Workshop, Vec<JobId>) {
    let mut workshop = Workshop::new(1);
    let first = [open(&workshop, 0), open(&workshop, 1)];
    workshop.extend(&first);
    let third = open(&workshop, 2);
    workshop.extend(std::slice::from_ref(&third));
    let jobs: Vec<JobId> = first
        .iter()
        .chain([&third])
        .map(|tx| tx.job_id.unwrap())
        .collect();
    workshop.extend_until_settleable(&jobs[1]);
    let genesis = workshop.genesis();
    let payment = payment(&genesis, &[workshop.fund(NODE, 0)], vec![pay_to(NODE, coins(99))]);
    workshop.extend(&[settle(jobs[0]), payment, settle(jobs[1])]);
    workshop.extend_until_settleable(&jobs[2]);
    workshop.extend(&[settle(jobs[2])]);
    workshop.extend_by(2);
    (workshop, jobs)
}

#[test]
fn every_transaction_of_every_block_can_be_shown() {
    let (workshop, _) = history();
    let blocks = blocks_of(&workshop.chain);
    let client = light_client(&blocks);
    for (height, block) in (1..).zip(&blocks) {
        for (index, transaction) in block.transactions.iter().enumerate() {
            let proof = TransactionProof::create(block, index).unwrap();
            assert_eq!(proof.transaction, *transaction);
            let included = Included {
                height: Height(height),
                confirmations: workshop.chain.height().0 - height + 1,
            };
            assert_eq!(proof.verify(client.headers()), Ok(included));
            assert_eq!(proof.check(&block.header), Ok(()));
        }
        assert_eq!(TransactionProof::create(block, block.transactions.len()), None);
    }
}

#[test]
fn how_a_job_ended_can_be_shown() {
    let (workshop, jobs) = history();
    let client = light_client(&blocks_of(&workshop.chain));
    let tip = workshop.chain.height().0;
    for job in &jobs {
        let proof = JobProof::create(&workshop.chain, job).unwrap();
        assert_eq!(proof.status, workshop.ledger().job(job).unwrap().status());
        assert_eq!(proof.outcome(), Some(Outcome::Refunded));
        let included = proof.verify(client.headers()).unwrap();
        assert_eq!(included.height.0 + included.confirmations, tip + 1);
    }
    assert_eq!(JobProof::create(&workshop.chain, &JobId([7; 32])), None);
}

/// The records beside it in its block have moved on since.
#[test]
fn a_job_that_is_not_over_can_be_shown_as_it_stands() {
    let mut workshop = Workshop::new(1);
    let opened: Vec<Transaction> = (0..5).map(|fund| open(&workshop, fund)).collect();
    workshop.extend(&opened);
    let jobs: Vec<JobId> = opened.iter().map(|tx| tx.job_id.unwrap()).collect();
    workshop.extend_until_settleable(&jobs[0]);
    for job in [jobs[1], jobs[3]] {
        workshop.extend(&[settle(job)]);
    }
    let client = light_client(&blocks_of(&workshop.chain));
    for (job, closed) in jobs.iter().zip([false, true, false, true, false]) {
        let proof = JobProof::create(&workshop.chain, job).unwrap();
        assert_eq!(proof.outcome().is_some(), closed);
        let height = proof.verify(client.headers()).unwrap().height;
        assert_eq!(height == Height(1), !closed);
    }
}

/// The proofs of [`history`]'s busiest block, encoded, and the client's headers.
fn samples() -> (Chain, Vec<u8>, Vec<u8>) {
    let (workshop, jobs) = history();
    let blocks = blocks_of(&workshop.chain);
    let busiest = blocks
        .iter()
        .max_by_key(|block| block.transactions.len())
        .unwrap();
    let transaction = TransactionProof::create(busiest, 2).unwrap();
    let job = JobProof::create(&workshop.chain, &jobs[1]).unwrap();
    (light_client(&blocks), encode(&transaction), encode(&job))
}

fn verifies<P: BorshDeserialize>(bytes: &[u8], verify: impl Fn(P) -> bool) -> bool {
    decode::<P>(bytes, MAX_PROOF_BYTES).is_ok_and(verify)
}

fn shows_transaction(bytes: &[u8], headers: &HeaderTree) -> bool {
    verifies(bytes, |proof: TransactionProof| proof.verify(headers).is_ok())
}

fn shows_job(bytes: &[u8], headers: &HeaderTree) -> bool {
    verifies(bytes, |proof: JobProof| proof.verify(headers).is_ok())
}

#[test]
fn a_proof_with_any_byte_changed_shows_nothing() {
    let (client, transaction, job) = samples();
    let headers = client.headers();
    type Shows = fn(&[u8], &HeaderTree) -> bool;
    for (bytes, shows) in [(&transaction, shows_transaction as Shows), (&job, shows_job)] {
        assert!(shows(bytes, headers));
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(!shows(&changed, headers), "byte {at} of {}", bytes.len());
            }
        }
        for length in 0..bytes.len() {
            assert!(!shows(&bytes[..length], headers));
        }
        assert!(!shows(&[bytes.as_slice(), &[0]].concat(), headers));
    }
}

#[test]
fn only_the_coinbase_of_its_block_vouches_for_records() {
    let (workshop, jobs) = history();
    let blocks = blocks_of(&workshop.chain);
    let client = light_client(&blocks);
    let honest = JobProof::create(&workshop.chain, &jobs[0]).unwrap();
    let block = workshop.chain.block(&honest.coinbase.block).unwrap();
    let verdict = |coinbase| {
        let proof = JobProof {
            coinbase,
            ..honest.clone()
        };
        proof.verify(client.headers())
    };
    let other_transaction = TransactionProof::create(&block, 1).unwrap();
    assert_eq!(verdict(other_transaction), Err(ProofError::Coinbase));
    let other_block = TransactionProof::create(&blocks[0], 0).unwrap();
    assert_eq!(verdict(other_block), Err(ProofError::Status));
    let genesis = workshop.chain.block(&workshop.genesis()).unwrap();
    let genesis = TransactionProof::create(&genesis, 0).unwrap();
    assert_eq!(verdict(genesis), Err(ProofError::Coinbase));
}

#[test]
fn a_proof_from_a_branch_that_lost_shows_nothing() {
    let (winner, jobs) = history();
    let forked = winner.chain.height().0 as usize - 4;
    let mut loser = Workshop::new(2);
    for block in &blocks_of(&winner.chain)[..forked] {
        loser.submit(block).unwrap();
    }
    // On the branch that loses the third job is refunded as well, in another block.
    loser.extend(&[]);
    loser.extend_until_settleable(&jobs[2]);
    loser.extend(&[settle(jobs[2])]);
    let proof = JobProof::create(&loser.chain, &jobs[2]).unwrap();
    let payment = TransactionProof::create(&loser.chain.block(&proof.coinbase.block).unwrap(), 1).unwrap();

    let mut client = light_client(&blocks_of(&loser.chain));
    assert!(proof.verify(client.headers()).is_ok());
    assert!(payment.verify(client.headers()).is_ok());
    for block in &blocks_of(&winner.chain) {
        client.submit_header(&block.header, LATE).unwrap();
    }
    assert_eq!(client.headers().best(), winner.chain.tip());
    let lost = ProofError::NotOnBestChain(proof.coinbase.block);
    assert_eq!(proof.verify(client.headers()), Err(lost));
    assert_eq!(payment.verify(client.headers()), Err(lost));
    // The winner's full node tells of the same job with another block.
    let proof = JobProof::create(&winner.chain, &jobs[2]).unwrap();
    assert!(proof.verify(client.headers()).is_ok());
    // A client that never saw the block cannot tell.
    let ignorant = light_client(&[]);
    let unknown = ProofError::UnknownBlock(proof.coinbase.block);
    assert_eq!(proof.verify(ignorant.headers()), Err(unknown));
}

#[test]
fn a_coinbase_commits_to_what_its_block_does_to_jobs() {
    let mut workshop = Workshop::new(1);
    let open = open(&workshop, 0);
    let with = |workshop: &Workshop, root: &Hash256| {
        let reward = coinbase(Height(1), 0, root, vec![pay_to(MINER, coins(50))]).unwrap();
        let transactions = std::slice::from_ref(&open);
        let (tip, time) = (workshop.chain.tip(), workshop.next_time());
        mine_with(&workshop.params, tip, time, reward, transactions)
    };
    for root in [no_records(), Hash256([0; 32])] {
        let refusal = workshop.refusal_of(&with(&workshop, &root));
        assert!(
            refusal.contains("does not commit to what the block makes of jobs"),
            "{refusal}"
        );
    }
    // A root in a form of its own is no root.
    let honest = workshop.block(std::slice::from_ref(&open));
    let root = records_root_of(&honest.transactions[0]).unwrap();
    let mut odd = honest.transactions[0].clone();
    let script_sig = [&[4, 0, 0, 0, 0, 32][..], &root.0].concat();
    odd.inputs.as_mut_slice()[0].script_sig = camelid_core::script::Script::from_bytes(script_sig).unwrap();
    let (tip, time) = (workshop.chain.tip(), workshop.next_time());
    let odd = mine_with(&workshop.params, tip, time, odd, std::slice::from_ref(&open));
    let refusal = workshop.refusal_of(&odd);
    assert!(
        refusal.contains("does not commit to what the block makes of jobs"),
        "{refusal}"
    );
    // The root is over the one job as it is after the block.
    workshop.submit(&honest).unwrap();
    let record = workshop.ledger().job(&open.job_id.unwrap()).unwrap();
    assert_eq!(MerkleTree::new([encode(&record.status())]).root(), root);
    // A block that changes no job commits to the empty list.
    let idle = workshop.extend(&[]);
    assert_eq!(records_root_of(&idle.transactions[0]), Some(no_records()));
}

/// A miner may date its block anew while it searches, even so that the median time moves, which stands in
/// the records of jobs that the block changes: the coinbase commits to nothing that depends on it.
#[test]
fn a_block_may_be_dated_anew() {
    let mut workshop = Workshop::new(1);
    let open = open(&workshop, 0);
    let block = workshop.block(std::slice::from_ref(&open));
    let medians = [
        block.header.time.0 - 10,
        block.header.time.0,
        block.header.time.0 + 7_000,
    ]
    .map(|time| {
        let mut fresh = Workshop::new(1);
        let mut redated = (*block).clone();
        redated.header.time.0 = time;
        solve(&mut redated.header);
        fresh.submit(&Arc::new(redated.clone())).unwrap();
        assert_eq!(fresh.chain.tip(), redated.header.hash());
        fresh.ledger().job(&open.job_id.unwrap()).unwrap().since.mtp
    });
    assert!(medians[0] != medians[1] && medians[1] != medians[2]);
    workshop.submit(&block).unwrap();
}

proptest! {
    /// A branch leads from its own leaf to the root and from no other; it knows whether it is the first.
    #[test]
    fn branches_lead_to_the_root(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 1..70),
        which: prop::sample::Index,
        other in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let tree = MerkleTree::new(&leaves);
        let index = which.index(leaves.len());
        let branch = tree.branch(index).unwrap();
        prop_assert_eq!(branch.root_from(&leaves[index]), tree.root());
        prop_assert_eq!(branch.root_from(&other) == tree.root(), other == leaves[index]);
        prop_assert_eq!(branch.is_first(), index == 0);
        prop_assert_eq!(tree.branch(leaves.len()), None);
    }
}
