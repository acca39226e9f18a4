//! Spending twice: within a transaction (CVE-2018-17144), across transactions, across blocks, and by
//! blocks that hold a transaction twice (CVE-2012-2459).

use crate::support::*;
use crate::ways::{Attack, CONFLICT, assert_says, must_pass, next_block, pool_refusal};
use camelid_core::block::Block;
use camelid_core::chain::Submission;
use camelid_core::primitives::{BoundedVec, MerkleTree, Wtxid};
use camelid_core::script::Script;
use camelid_core::tx::{OutPoint, Transaction, TxOut};
use std::sync::Arc;

fn pays(genesis: &camelid_core::primitives::BlockHash, funds: &[Fund], amount: u64) -> Transaction {
    payment(genesis, funds, vec![pay_to(NODE, coins(amount))])
}

#[test]
fn an_outpoint_of_an_earlier_block_twice_in_one_transaction() {
    let workshop = Workshop::new(1);
    let fund = workshop.fund(CLIENT, 0);
    let twice = pays(&workshop.genesis(), &[fund.clone(), fund], 150);
    Attack::by(&[], &[twice], "is spent twice").must_fail();
}

#[test]
fn an_outpoint_of_the_same_block_twice_in_one_transaction() {
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let parent = pays(&genesis, &[workshop.fund(CLIENT, 0)], 99);
    let fund = fund_of(&parent, 0, NODE);
    let twice = pays(&genesis, &[fund.clone(), fund], 150);
    Attack::by(&[], &[parent, twice], "is spent twice").must_fail();
}

#[test]
fn an_outpoint_twice_across_two_transactions() {
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let fund = [workshop.fund(CLIENT, 0)];
    let both = [pays(&genesis, &fund, 50), pays(&genesis, &fund, 60)];
    Attack::by_with_pool_reasons(&[], &both, "does not exist or is spent", CONFLICT).must_fail();
    // Of an output made in the same block.
    let parent = pays(&genesis, &fund, 99);
    let fund = [fund_of(&parent, 0, NODE)];
    let all = [parent, pays(&genesis, &fund, 50), pays(&genesis, &fund, 60)];
    Attack::by_with_pool_reasons(&[], &all, "does not exist or is spent", CONFLICT).must_fail();
    // And across two blocks.
    let fund = [workshop.fund(CLIENT, 1)];
    let (first, second) = (pays(&genesis, &fund, 50), pays(&genesis, &fund, 60));
    Attack::by(&[&[first]], &[second], "does not exist or is spent").must_fail();
}

#[test]
fn a_transaction_mined_twice() {
    let workshop = Workshop::new(1);
    let payment = pays(&workshop.genesis(), &[workshop.fund(CLIENT, 0)], 50);
    let both = [payment.clone(), payment.clone()];
    Attack::by_with_pool_reasons(&[], &both, "does not exist or is spent", &["already known"]).must_fail();
    let again = std::slice::from_ref(&payment);
    Attack::by(&[again], again, "does not exist or is spent").must_fail();
}

/// In Bitcoin's tree a list with its end repeated has the root of the list itself: whoever saw such a
/// body first took the honest block for invalid.
#[test]
fn a_body_with_repeated_transactions_and_the_honest_block_after_it() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let payments: Vec<_> = (0..2)
        .map(|index| pays(&genesis, &[workshop.fund(CLIENT, index)], 50))
        .collect();
    let honest = workshop.block(&payments);
    assert_eq!(honest.transactions.len(), 3);
    let repeated = |indices: &[usize]| {
        let transactions = indices.iter().map(|index| honest.transactions[*index].clone());
        Arc::new(Block {
            header: honest.header,
            transactions: BoundedVec::from_vec(transactions.collect()).unwrap(),
        })
    };
    for body in [
        &[0, 1, 2, 2][..],
        &[0, 1, 2, 0, 1, 2],
        &[0, 1, 1, 2],
        &[0, 1],
        &[],
    ] {
        let refusal = workshop.refusal_of(&repeated(body));
        assert_says(&refusal, "not those the header commits to");
    }
    let submitted = workshop.submit(&honest);
    assert!(matches!(submitted, Ok(Submission::Moved(change)) if change.connected.len() == 1));
    // A block that really commits to the repeated list is another one, and invalid for what it does.
    let twice = [payments[0].clone(), payments[0].clone()];
    Attack::by_block_of(&[], &twice, "does not exist or is spent").must_fail();
}

/// The two halves of an inner node are 64 bytes, and so is this transaction: in Bitcoin's tree one could
/// pass for the other.
#[test]
fn a_transaction_of_64_bytes_is_no_inner_node() {
    let mut workshop = Workshop::new(1);
    // Nothing so small is valid: it has room for no output, and a coinbase's commitment does not fit.
    let open = TxOut::to_script(coins(99), Script::empty());
    let opened = payment(&workshop.genesis(), &[workshop.fund(CLIENT, 0)], vec![open]);
    workshop.extend(std::slice::from_ref(&opened));
    let mut small = unsigned(&[fund_of(&opened, 0, CLIENT)], vec![], None);
    small.inputs.as_mut_slice()[0].script_sig = Script::from_bytes(vec![1, 17]).unwrap();
    assert_eq!(small.size(), 64);
    assert_says(&workshop.refusal(&[small]), "no outputs");
    let mut small = idle_coinbase(workshop.chain.height().plus(1), 0, vec![]);
    small.inputs.as_mut_slice()[0].script_sig = Script::from_bytes(vec![1, 17]).unwrap();
    assert_eq!(small.size(), 64);
    let (tip, time) = (workshop.chain.tip(), workshop.next_time());
    let block = mine_with(&workshop.params, tip, time, small, &[]);
    assert_says(&workshop.refusal_of(&block), "does not commit");

    let leaves = [Wtxid([1; 32]), Wtxid([2; 32])];
    let tree = MerkleTree::new(leaves);
    // The inner node, written as the leaf of a list of one, or as one of a longer list's.
    let inner = [leaves[0].0, leaves[1].0].concat();
    assert_ne!(MerkleTree::new([&inner]).root(), tree.root());
    for (index, leaf) in leaves.iter().enumerate() {
        let mut proof = tree.proof(index).unwrap();
        assert!(proof.verifies(leaf.as_ref(), &tree.root()));
        assert!(!proof.verifies(&inner, &tree.root()));
        (proof.index, proof.leaves, proof.path) = (0, 1, BoundedVec::new());
        assert!(!proof.verifies(&inner, &tree.root()));
    }
}

#[test]
fn a_child_before_its_parent() {
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let parent = pays(&genesis, &[workshop.fund(CLIENT, 0)], 99);
    let child = pays(&genesis, &[fund_of(&parent, 0, NODE)], 98);
    let reversed = [child.clone(), parent.clone()];
    Attack::by(&[], &reversed, "does not exist or is spent").must_fail();
    must_pass(&[], &[parent, child]);
}

/// An id covers the outpoints that are spent, so a transaction cannot name itself. It can name what it
/// would be without that input.
#[test]
fn a_transaction_that_spends_itself() {
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let honest = workshop.fund(CLIENT, 0);
    let mut funds = vec![honest.clone()];
    for _ in 0..3 {
        let itself = unsigned(&funds, vec![pay_to(CLIENT, coins(100)); 2], None);
        let output = fund_of(&itself, 0, CLIENT);
        funds = vec![honest.clone(), output];
        let again = unsigned(&funds, vec![pay_to(CLIENT, coins(100)); 2], None);
        assert_ne!(again.txid(), itself.txid());
        let again = sign(&genesis, again, &funds);
        Attack::by(&[], &[again], "does not exist or is spent").must_fail();
    }
}

/// The coin is spent on the best chain, and again, otherwise, on a branch that becomes longer.
#[test]
fn a_double_spend_inside_a_longer_fork() {
    let mut subject = Workshop::new(1);
    let genesis = subject.genesis();
    let fund = [subject.fund(CLIENT, 0)];
    let (first, second) = (pays(&genesis, &fund, 50), pays(&genesis, &fund, 60));
    let mut other = Workshop::new(2);
    subject.extend(std::slice::from_ref(&first));
    subject.extend(&[]);
    let fork = [
        other.extend(&[]),
        other.extend(std::slice::from_ref(&second)),
        other.extend(&[]),
    ];
    for block in &fork {
        subject.submit(block).unwrap();
    }
    assert_eq!(subject.ledger().digest(), other.ledger().digest());
    let made = |transaction: &Transaction| OutPoint {
        txid: transaction.txid(),
        index: 0,
    };
    assert!(subject.ledger().coin(&made(&first)).is_none());
    assert!(subject.ledger().coin(&made(&second)).is_some());
    // The payment that was taken back cannot come again, by no way.
    let refusal = pool_refusal(&subject, std::slice::from_ref(&first)).unwrap();
    assert_says(&refusal.to_string(), "does not exist or is spent");
    assert_says(&subject.refusal(&[first]), "does not exist or is spent");
    assert_conserved(subject.ledger());
}

/// A fork that is longer only by a block with a double spend does not win.
#[test]
fn a_fork_that_wins_by_a_double_spend() {
    let mut subject = Workshop::new(1);
    let genesis = subject.genesis();
    let fund = [subject.fund(CLIENT, 0)];
    let (first, second) = (pays(&genesis, &fund, 50), pays(&genesis, &fund, 60));
    subject.extend_by(2);
    let (tip, digest) = (subject.chain.tip(), subject.ledger().digest());
    let mut other = Workshop::new(2);
    let fork = [
        other.extend(&[first]),
        other.extend(&[pays(&genesis, &[other.fund(CLIENT, 1)], 1)]),
    ];
    let double = next_block(&other, other.next_time(), coins(50), &[second]);
    for block in fork.iter().chain([&double]) {
        subject.submit(block).unwrap();
    }
    assert_eq!((subject.chain.tip(), subject.ledger().digest()), (tip, digest));
    subject.extend(&[]);
}
