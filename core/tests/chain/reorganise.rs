//! Reorganisations: long ones, large ones, failed ones, and what becomes of transactions.

use super::forge::*;
use super::peer::*;
use super::support::*;
use camelid_core::block::{Block, Work};
use camelid_core::chain::Submission;
use camelid_core::primitives::{BoundedVec, Height};
use camelid_core::script::ScriptBuilder;
use camelid_core::tx::{OutPoint, Transaction, TxOut};
use camelid_core::wire::Message;
use std::sync::Arc;

/// A block that touches more than 10,000 coins, taken back and connected again.
#[test]
fn a_block_that_touches_more_than_10000_coins_is_taken_back() {
    let params = network();
    let mut long = Forge::new(&params, 1);
    let genesis = long.tip.hash();
    let split = |funds: &[Fund], count: u64, owner: u8| {
        let each = funds.iter().map(|fund| fund.output.value.units()).sum::<u64>() / (count + 1);
        payment(
            &genesis,
            funds,
            (0..count).map(|_| pay_to(owner, units(each))).collect(),
        )
    };
    let first = split(&[genesis_fund(&params, CLIENT, 0)], 400, CLIENT);
    let coins_of = |transaction: &Transaction, owner: u8| -> Vec<Fund> {
        (0..)
            .take(transaction.outputs.len())
            .map(|index| fund_of(transaction, index, owner))
            .collect()
    };
    // 400 coins are spent, and 10,400 created, some of which are spent in the same block.
    let many: Vec<Transaction> = [(NODE, 0), (NODE, 1)]
        .map(|(owner, index)| split(&[genesis_fund(&params, owner, index)], 5_000, owner))
        .into();
    let merged = payment(
        &genesis,
        &coins_of(&first, CLIENT),
        vec![pay_to(CLIENT, coins(90))],
    );
    let chained = payment(
        &genesis,
        &coins_of(&many[0], NODE)[..50],
        vec![pay_to(NODE, units(1_000))],
    );
    let blocks = [
        long.block(60, &[first]),
        long.block(120, &[many.clone(), vec![merged, chained]].concat()),
    ];
    let other = Forge::new(&params, 2).blocks(3);

    let mut chain = new_chain(&params, 1);
    chain.submit_block(blocks[0].clone(), LATE).unwrap();
    let (coins_before, digest_before) = (chain.ledger().coin_count(), chain.ledger().digest());
    match chain.submit_block(blocks[1].clone(), LATE).unwrap() {
        Submission::Moved(change) => assert!(change.coins.len() > 10_000, "{}", change.coins.len()),
        outcome => panic!("{outcome:?}"),
    }
    let digest = chain.ledger().digest();
    assert!(chain.ledger().coin_count() > coins_before + 9_000);
    assert_conserved(chain.ledger());
    // Away,
    for block in &other {
        chain.submit_block(block.clone(), LATE).unwrap();
    }
    let mut alone = new_chain(&params, 2);
    for block in &other {
        alone.submit_block(block.clone(), LATE).unwrap();
    }
    assert_eq!(chain.ledger().digest(), alone.ledger().digest());
    assert_eq!(chain.ledger().coin_count(), alone.ledger().coin_count());
    assert_conserved(chain.ledger());
    // and back.
    let more = long.blocks(2);
    for block in &more {
        chain.submit_block(block.clone(), LATE).unwrap();
    }
    assert_eq!(chain.tip(), more[1].header.hash());
    let mut straight = new_chain(&params, 3);
    for (block, expected) in blocks.iter().zip([digest_before, digest]) {
        straight.submit_block(block.clone(), LATE).unwrap();
        assert_eq!(straight.ledger().digest(), expected);
    }
    for block in &more {
        straight.submit_block(block.clone(), LATE).unwrap();
    }
    assert_eq!(chain.ledger().digest(), straight.ledger().digest());
    assert_conserved(chain.ledger());
}

/// A branch of more work whose last block is invalid when it is connected: the best valid block is its
/// last but one if that has more work than the old tip, and else the old tip.
#[test]
fn a_failed_reorganisation_ends_at_the_best_valid_block() {
    let params = network();
    let shared = Forge::new(&params, 1).blocks(2);
    let at_shared = |miner| {
        let mut forge = Forge::new(&params, miner);
        (forge.tip, forge.height) = (shared[1].header, Height(2));
        forge
    };
    for (ours, theirs) in [(3_u32, 2_u32), (3, 3), (3, 4), (3, 7), (1, 1)] {
        let own = at_shared(1).blocks(ours);
        let mut forge = at_shared(2);
        let mut branch = forge.blocks(theirs);
        // It claims more than there is, and more blocks follow it.
        let seconds = (forge.height.0 + 1) * 60;
        let greedy = greedy_block(&mut forge, seconds);
        branch.push(greedy.clone());
        branch.extend(forge.blocks(3));
        // Headers first, bodies backwards: nothing is connected until all of it is there.
        let mut chain = new_chain(&params, 1);
        for block in shared.iter().chain(&own) {
            chain.submit_block(block.clone(), LATE).unwrap();
        }
        for block in &branch {
            chain.submit_header(&block.header, LATE).unwrap();
        }
        let mut changes = Vec::new();
        for block in branch.iter().rev() {
            if let Ok(Submission::Moved(change)) = chain.submit_block(block.clone(), LATE) {
                changes.push(change);
            }
        }
        let best = if theirs > ours {
            &branch[theirs as usize - 1]
        } else {
            own.last().unwrap()
        };
        assert_eq!(chain.tip(), best.header.hash(), "{ours} against {theirs}");
        let invalid: Vec<_> = changes
            .iter()
            .flat_map(|change| &change.invalid)
            .map(|(hash, _)| *hash)
            .collect();
        assert_eq!(invalid, [greedy.header.hash()]);
        assert_eq!(chain.headers().best(), best.header.hash());
        let mut straight = new_chain(&params, 2);
        for hash in &chain.active()[1..] {
            straight
                .submit_block(chain.block(hash).unwrap().clone(), LATE)
                .unwrap();
        }
        assert_eq!(chain.ledger().digest(), straight.ledger().digest());
        // And it goes on from there.
        let mut forge = Forge::new(&params, 3);
        (forge.tip, forge.height) = (best.header, chain.height());
        let next = forge.blocks(1);
        chain.submit_block(next[0].clone(), LATE).unwrap();
        assert_eq!(chain.tip(), next[0].header.hash());
    }
}

fn greedy_block(forge: &mut Forge, seconds: u32) -> Arc<Block> {
    let honest = forge.clone().block(seconds, &[]);
    let mut transactions = honest.transactions.to_vec();
    transactions[0].outputs = BoundedVec::from_vec(vec![pay_to(forge.miner, coins(51))]).unwrap();
    let mut block = Block {
        header: honest.header,
        transactions: BoundedVec::from_vec(transactions).unwrap(),
    };
    block.header.merkle_root = block.merkle_root();
    solve(&mut block.header);
    (forge.tip, forge.height) = (block.header, forge.height.plus(1));
    Arc::new(block)
}

/// What was mined on the losing branch waits again, with what depends on it, unless the new branch has it,
/// contradicts it, or is too low for it.
#[test]
fn transactions_of_a_lost_branch_wait_again() {
    let params = network();
    let genesis = Forge::new(&params, 1).tip.hash();
    let pay = |funds: &[Fund], to: u8, amount: u64| payment(&genesis, funds, vec![pay_to(to, coins(amount))]);
    let fund = |owner, index| genesis_fund(&params, owner, index);
    let parent = pay(&[fund(CLIENT, 0)], CLIENT, 99);
    let child = pay(&[fund_of(&parent, 0, CLIENT)], NODE, 98);
    let both = pay(&[fund(CLIENT, 1)], NODE, 99);
    let loses = pay(&[fund(CLIENT, 2)], NODE, 99);
    let contradicts = pay(&[fund(CLIENT, 2)], STRANGER, 99);
    let mut late = unsigned(&[fund(CLIENT, 3)], vec![pay_to(NODE, coins(99))], None);
    late.lock_time = 2;
    late.inputs.as_mut_slice()[0].sequence = 0;
    let late = sign(&genesis, late, &[fund(CLIENT, 3)]);

    let mut losing = Forge::new(&params, 1);
    let branch = [
        losing.block(60, &[parent.clone(), both.clone()]),
        losing.block(120, &[child.clone(), loses.clone()]),
        losing.block(180, std::slice::from_ref(&late)),
    ];
    let mut winning = Forge::new(&params, 2);
    let winner = [
        winning.block(60, &[both.clone(), contradicts]),
        winning.block(120, &[]),
        winning.block(180, &[]),
        winning.block(240, &[]),
    ];
    let mut peer = Peer::new(&params, Work::default(), LATE);
    peer.send_chain(&branch);
    assert_eq!(peer.node.chain().tip(), branch[2].header.hash());
    assert_eq!(peer.node.mempool().wtxids().count(), 0);
    peer.send_chain(&winner);
    assert_eq!(peer.node.chain().tip(), winner[3].header.hash());
    let waits = |transaction: &Transaction| peer.node.mempool().get(&transaction.wtxid()).is_some();
    assert!(waits(&parent) && waits(&child) && waits(&late));
    assert!(!waits(&both) && !waits(&loses));
    // They are offered to those who ask, and may be mined on the new branch.
    let mined = winning.block(300, &[parent, child, late]);
    peer.send_block(&mined);
    assert_eq!(peer.node.chain().tip(), mined.header.hash());
    assert_eq!(peer.node.mempool().wtxids().count(), 0);
}

/// A transaction that only the losing branch's coinbase pays for cannot wait: the coin is gone.
#[test]
fn what_spends_a_lost_coinbase_is_gone() {
    let params = network();
    let genesis = Forge::new(&params, CLIENT).tip.hash();
    let mut losing = Forge::new(&params, CLIENT);
    let mut branch = losing.blocks(params.maturity);
    let coinbase = &branch[0].transactions[0];
    let reward = Fund {
        outpoint: OutPoint {
            txid: coinbase.txid(),
            index: 0,
        },
        output: coinbase.outputs[0].clone(),
        owner: CLIENT,
    };
    let spend = payment(&genesis, &[reward], vec![pay_to(NODE, coins(49))]);
    branch.push(losing.block((losing.height.0 + 1) * 60, std::slice::from_ref(&spend)));
    let winner = Forge::new(&params, 2).blocks(params.maturity + 2);
    let mut peer = Peer::new(&params, Work::default(), LATE);
    peer.send_chain(&branch);
    assert_eq!(peer.node.chain().tip(), branch.last().unwrap().header.hash());
    peer.send_chain(&winner);
    assert_eq!(peer.node.chain().tip(), winner.last().unwrap().header.hash());
    assert_eq!(peer.node.mempool().wtxids().count(), 0);
    let answers = peer.send(&Message::Transaction(Box::new(spend)));
    assert_eq!(answers, []);
}

/// An output that nobody can spend is a coin like any other to a reorganisation.
#[test]
fn unspendable_outputs_come_and_go() {
    let params = network();
    let mut forge = Forge::new(&params, 1);
    let genesis = forge.tip.hash();
    let never = ScriptBuilder::new().push(&[1; 20]).build().unwrap();
    let pay = payment(
        &genesis,
        &[genesis_fund(&params, CLIENT, 0)],
        vec![TxOut::to_script(coins(99), never)],
    );
    let block = forge.block(60, &[pay]);
    let mut chain = new_chain(&params, 1);
    let before = chain.ledger().coin_count();
    chain.submit_block(block, LATE).unwrap();
    for block in Forge::new(&params, 2).blocks(2) {
        chain.submit_block(block, LATE).unwrap();
    }
    assert_eq!(chain.ledger().coin_count(), before + 2);
    assert_conserved(chain.ledger());
}
