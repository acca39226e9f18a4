//! What a block may do to coins and jobs, and what is refused.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::chain::Submission;
use camelid_core::escrow::{Closing, JobState, Outcome};
use camelid_core::keys::{EcdsaVerifier, SealContext};
use camelid_core::mempool::{Mempool, MempoolError};
use camelid_core::primitives::{Amount, BoundedVec, Height, JobId};
use camelid_core::tx::{Action, ActionKind, Lock, Transaction, TxOut};
use std::sync::Arc;
use support::*;

fn assert_refused(reason: &str, expected: &str) {
    assert!(reason.contains(expected), "{reason:?} does not say {expected:?}");
}

/// A job that has been engaged, with what is needed to go on.
struct Engaged {
    job: JobId,
    open: Transaction,
    engage: Transaction,
    context: SealContext,
}

/// Opens and engages a job in the next two blocks.
fn engage_job(workshop: &mut Workshop) -> Engaged {
    let genesis = workshop.genesis();
    let terms = terms(&workshop.params, workshop.chain.height().plus(1));
    let open = open_job(&genesis, &workshop.fund(CLIENT, 0), &terms);
    workshop.extend(std::slice::from_ref(&open));
    let engaging = engaging(&genesis, &open, &workshop.fund(NODE, 0), &opening(&[5, END]));
    let engage = engaging.signed(&genesis);
    workshop.extend(std::slice::from_ref(&engage));
    let record = workshop.ledger().job(&engaging.job).unwrap();
    let context = record.seal_context(&genesis, record.state.engagement().unwrap());
    Engaged {
        job: engaging.job,
        open,
        engage,
        context,
    }
}

// --- Spending ---

#[test]
fn an_output_is_spent_once() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let fund = workshop.fund(CLIENT, 0);
    let funds = std::slice::from_ref(&fund);
    let [one, two] = [50, 60].map(|amount| payment(&genesis, funds, vec![pay_to(NODE, coins(amount))]));

    let in_one_block = workshop.refusal(&[one.clone(), two.clone()]);
    assert_refused(&in_one_block, "does not exist or is spent");
    let twice = payment(
        &genesis,
        &[fund.clone(), fund.clone()],
        vec![pay_to(NODE, coins(1))],
    );
    assert_refused(&workshop.refusal(&[twice]), "spent twice");

    let mut pool = Mempool::default();
    let time = workshop.next_time();
    let first = pool.accept(Arc::new(one.clone()), workshop.ledger(), time, &EcdsaVerifier);
    assert_eq!(first, Ok(()));
    let again = pool.accept(Arc::new(one.clone()), workshop.ledger(), time, &EcdsaVerifier);
    assert_eq!(again, Err(MempoolError::Known));
    let conflict = pool.accept(Arc::new(two.clone()), workshop.ledger(), time, &EcdsaVerifier);
    assert!(matches!(conflict, Err(MempoolError::Replacement { replaced, .. }) if replaced == one.txid()));

    workshop.extend(&[one]);
    assert_refused(&workshop.refusal(&[two]), "does not exist or is spent");
    assert_conserved(workshop.ledger());
}

#[test]
fn outputs_come_from_inputs_that_the_spender_owns() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let fund = workshop.fund(CLIENT, 0);
    let funds = std::slice::from_ref(&fund);
    let too_much = payment(&genesis, funds, vec![pay_to(NODE, units(coins(100).units() + 1))]);
    assert_refused(&workshop.refusal(&[too_much]), "outputs exceed inputs");
    let thief = Fund {
        owner: STRANGER,
        ..fund.clone()
    };
    let theft = payment(&genesis, &[thief], vec![pay_to(STRANGER, coins(1))]);
    assert_refused(&workshop.refusal(&[theft]), "input 0");
    // Signed for other outputs.
    let mut altered = payment(&genesis, funds, vec![pay_to(NODE, coins(1))]);
    altered.outputs.as_mut_slice()[0].value = coins(2);
    assert_refused(&workshop.refusal(&[altered]), "input 0");
    // Within a block, a transaction sees those before it.
    let parent = payment(&genesis, funds, vec![pay_to(NODE, coins(99))]);
    let child = payment(
        &genesis,
        &[fund_of(&parent, 0, NODE)],
        vec![pay_to(NODE, coins(98))],
    );
    assert_refused(
        &workshop.refusal(&[child.clone(), parent.clone()]),
        "does not exist or is spent",
    );
    workshop.extend(&[parent, child]);
}

#[test]
fn no_signature_moves_what_belongs_to_the_job_ledger() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let terms = terms(&workshop.params, Height(1));
    let open = open_job(&genesis, &workshop.fund(CLIENT, 0), &terms);
    workshop.extend(std::slice::from_ref(&open));
    let escrow = fund_of(&open, 0, CLIENT);
    let plain = payment(
        &genesis,
        std::slice::from_ref(&escrow),
        vec![pay_to(CLIENT, units(1))],
    );
    assert_refused(&workshop.refusal(&[plain]), "belongs to the job ledger");
    // Nor does another action of the same job.
    let settle = Action {
        seq: 1,
        kind: ActionKind::Settle,
    };
    let job = open.job_id.unwrap();
    let funds = std::slice::from_ref(&escrow);
    let act = unsigned(funds, vec![pay_to(CLIENT, units(1))], Some((job, settle)));
    let settled = sign(&genesis, act, funds);
    assert_refused(&workshop.refusal(&[settled]), "belongs to the job ledger");

    let mut workshop = Workshop::new(1);
    let engaged = engage_job(&mut workshop);
    for owner in [CLIENT, NODE] {
        let bond = fund_of(&engaged.engage, 0, owner);
        let plain = payment(&genesis, &[bond], vec![pay_to(owner, units(1))]);
        assert_refused(&workshop.refusal(&[plain]), "belongs to the job ledger");
    }
    workshop.extend_by(6);
    let deposit = workshop.params.jobs.withheld_deposit(terms.max_tokens);
    let claim = withheld(&genesis, engaged.job, 2, deposit, &workshop.fund(CLIENT, 1));
    workshop.extend(std::slice::from_ref(&claim));
    let plain = payment(
        &genesis,
        &[fund_of(&claim, 0, CLIENT)],
        vec![pay_to(CLIENT, units(1))],
    );
    assert_refused(&workshop.refusal(&[plain]), "belongs to the job ledger");
}

#[test]
fn native_outputs_need_their_action() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let fund = workshop.fund(CLIENT, 0);
    for lock in [Lock::Escrow, Lock::Bond, Lock::Deposit] {
        let native = TxOut {
            value: coins(1),
            lock,
        };
        let funds = std::slice::from_ref(&fund);
        let plain = payment(&genesis, funds, vec![native.clone()]);
        assert_refused(&workshop.refusal(&[plain]), "native lock");
        // Behind the one that the action asks for, or instead of it.
        let terms = terms(&workshop.params, Height(1));
        let open = open_job(&genesis, &fund, &terms);
        let mut outputs = open.outputs.to_vec();
        outputs[1] = native.clone();
        let mut second = open.clone();
        second.outputs = BoundedVec::from_vec(outputs).unwrap();
        assert_refused(&workshop.refusal(&[sign(&genesis, second, funds)]), "native lock");
        let mut wrong = open.clone();
        wrong.outputs.as_mut_slice()[0] = native;
        assert_refused(
            &workshop.refusal(&[sign(&genesis, wrong, funds)]),
            "output 0 must be an escrow",
        );
    }
}

// --- Coinbases, maturity, lock times ---

#[test]
fn a_coinbase_keeps_its_rules() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let fund = workshop.fund(CLIENT, 0);
    let fee = units(1_000);
    let value = fund.output.value.checked_sub(fee).unwrap();
    let paying = payment(&genesis, &[fund], vec![pay_to(CLIENT, value)]);
    let (tip, time) = (workshop.chain.tip(), workshop.next_time());
    let all = coins(50).checked_add(fee).unwrap();
    let block =
        |coinbase: Transaction, rest: &[Transaction]| mine_with(&network(), tip, time, coinbase, rest);
    let paid = |amount| idle_coinbase(Height(1), 0, vec![pay_to(MINER, amount)]);
    let paying = std::slice::from_ref(&paying);

    let greedy = block(paid(all.checked_add(units(1)).unwrap()), paying);
    assert_refused(&workshop.refusal_of(&greedy), "claims too much");
    let wrong_height = idle_coinbase(Height(2), 0, vec![pay_to(MINER, all)]);
    assert_refused(
        &workshop.refusal_of(&block(wrong_height, paying)),
        "height as lock time",
    );
    let native = TxOut {
        value: coins(1),
        lock: Lock::Bond,
    };
    let native = idle_coinbase(Height(1), 0, vec![native]);
    assert_refused(&workshop.refusal_of(&block(native, paying)), "native output");
    let second = [paid(coins(1)), idle_coinbase(Height(1), 1, vec![])];
    assert_refused(
        &workshop.refusal_of(&block(second[0].clone(), &second[1..])),
        "coinbase outside",
    );
    let versioned = Transaction {
        version: 2,
        ..paid(all)
    };
    assert_refused(
        &workshop.refusal_of(&block(versioned, paying)),
        "carries an action",
    );
    let ordinary = block(paying[0].clone(), &[]);
    assert_refused(&workshop.refusal_of(&ordinary), "is missing");
    let mut unrooted = (*block(paid(all), paying)).clone();
    unrooted.transactions = BoundedVec::from_vec(vec![paid(all)]).unwrap();
    assert_refused(
        &workshop.refusal_of(&Arc::new(unrooted)),
        "not those the header commits to",
    );

    let exact = block(paid(all), paying);
    assert!(matches!(workshop.submit(&exact), Ok(Submission::Moved(change)) if change.invalid.is_empty()));
    assert_eq!(workshop.ledger().totals().burned, Amount::ZERO);
    // What a miner leaves is burned.
    let modest = mine(workshop.ledger(), workshop.next_time(), coins(20), &[]);
    workshop.submit(&modest).unwrap();
    assert_eq!(workshop.ledger().totals().burned, coins(30));
    assert_conserved(workshop.ledger());
}

#[test]
fn a_coinbase_matures() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let block = workshop.extend(&[]);
    let reward = fund_of(&block.transactions[0], 0, MINER);
    let spend = payment(&genesis, &[reward], vec![pay_to(MINER, coins(50))]);
    workshop.extend_by(workshop.params.maturity - 2);
    // In block 10 of 1 + 10.
    assert_refused(
        &workshop.refusal(std::slice::from_ref(&spend)),
        "may be spent from height 11",
    );
    workshop.extend(&[]);
    workshop.extend(&[spend]);
}

/// A payment that ignores no lock time.
fn locked_payment(
    workshop: &Workshop,
    version: u32,
    lock_time: u32,
    sequence: u32,
    fund: &Fund,
) -> Transaction {
    let funds = std::slice::from_ref(fund);
    let mut transaction = unsigned(funds, vec![pay_to(CLIENT, coins(1))], None);
    transaction.version = version;
    transaction.lock_time = lock_time;
    transaction.inputs.as_mut_slice()[0].sequence = sequence;
    sign(&workshop.genesis(), transaction, funds)
}

#[test]
fn lock_times_hold_until_the_block_after() {
    let mut workshop = Workshop::new(1);
    let by_height = locked_payment(&workshop, 1, 3, 0, &workshop.fund(CLIENT, 0));
    let mtp_at_3 = workshop.params.genesis_time.0 + 60;
    let by_time = locked_payment(&workshop, 1, mtp_at_3, 0, &workshop.fund(CLIENT, 1));
    let ignoring = locked_payment(&workshop, 1, 1_000, u32::MAX, &workshop.fund(CLIENT, 2));
    workshop.extend(&[ignoring]);
    workshop.extend(&[]);
    // Block 3: after times 0, 60, 120 the median is 60 s, which the lock time must lie below.
    assert_refused(
        &workshop.refusal(std::slice::from_ref(&by_height)),
        "locked until 3",
    );
    assert_eq!(workshop.ledger().median_time_past().0, mtp_at_3);
    assert_refused(&workshop.refusal(std::slice::from_ref(&by_time)), "locked until");
    workshop.extend_by(2);
    workshop.extend(&[by_height, by_time]);
}

#[test]
fn relative_locks_count_from_the_coins_block() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let made = payment(
        &genesis,
        &[workshop.fund(CLIENT, 0)],
        (0..4).map(|_| pay_to(CLIENT, coins(20))).collect(),
    );
    workshop.extend(std::slice::from_ref(&made));
    let fund = |index| fund_of(&made, index, CLIENT);
    const SECONDS: u32 = 1 << 22;
    let blocks = locked_payment(&workshop, 2, 0, 3, &fund(0));
    let seconds = locked_payment(&workshop, 2, 0, SECONDS | 1, &fund(1));
    let disabled = locked_payment(&workshop, 2, 0, (1 << 31) | 1_000, &fund(2));
    let version_1 = locked_payment(&workshop, 1, 0, 1_000, &fund(3));
    workshop.extend(&[disabled, version_1]);
    // Created in block 1: three blocks later is block 4.
    assert_refused(
        &workshop.refusal(std::slice::from_ref(&blocks)),
        "input 0 is locked",
    );
    workshop.extend(&[]);
    workshop.extend(&[blocks]);
    // 512 s of median time past after that of block 0 (genesis time): first reached by a parent of
    // which the last 11 headers' median lies 9 minutes after the genesis block.
    let genesis_time = workshop.params.genesis_time.0;
    while workshop.ledger().median_time_past().0 < genesis_time + 512 {
        assert_refused(
            &workshop.refusal(std::slice::from_ref(&seconds)),
            "input 0 is locked",
        );
        workshop.extend(&[]);
    }
    workshop.extend(&[seconds]);
}

// --- Jobs ---

#[test]
fn engage_may_not_eat_into_the_escrow() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let terms = terms(&workshop.params, Height(1));
    let open = open_job(&genesis, &workshop.fund(CLIENT, 0), &terms);
    workshop.extend(std::slice::from_ref(&open));
    let honest = engaging(&genesis, &open, &workshop.fund(NODE, 0), &opening(&[5, END]));
    let variant = |bond: i64, change: i64| {
        let mut engaging = engaging(&genesis, &open, &workshop.fund(NODE, 0), &opening(&[5, END]));
        for (output, by) in engaging.outputs.iter_mut().zip([bond, change]) {
            output.value = units(output.value.units().checked_add_signed(by).unwrap());
        }
        engaging.signed(&genesis)
    };
    // One unit of the engage fee, or all of it, for the node instead of the miner.
    let cases = [
        (variant(0, 1), "change exceeds"),
        (variant(0, 10_000), "change exceeds"),
        (variant(-1, 0), "output 0 must be a bond"),
        (variant(1, 0), "output 0 must be a bond"),
    ];
    for (engage, reason) in cases {
        assert_refused(&workshop.refusal(&[engage]), reason);
    }
    // The client's signature is the client's.
    let mut foreign = engaging(&genesis, &open, &workshop.fund(NODE, 0), &opening(&[5, END]));
    foreign.funds[0].owner = NODE;
    assert_refused(
        &workshop.refusal(&[foreign.signed(&genesis)]),
        "client has not signed",
    );
    // The engage fee goes to the miner: 50 coins and `f` can be claimed, no more.
    let claimed = coins(50).checked_add(terms.engage_fee).unwrap();
    let block = mine(
        workshop.ledger(),
        workshop.next_time(),
        claimed,
        &[honest.signed(&genesis)],
    );
    workshop.submit(&block).unwrap();
    let record = workshop.ledger().job(&honest.job).unwrap();
    assert!(matches!(record.state, JobState::Engaged(_)));
    assert_conserved(workshop.ledger());
}

#[test]
fn an_action_is_for_one_record_of_one_job() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let engaged = engage_job(&mut workshop);
    // The same terms from another coin are another job; from the same coin they cannot be again.
    assert_refused(
        &workshop.refusal(std::slice::from_ref(&engaged.open)),
        "does not exist or is spent",
    );
    let mut misnamed = open_job(
        &genesis,
        &workshop.fund(CLIENT, 1),
        &terms(&workshop.params, Height(3)),
    );
    misnamed.job_id = Some(engaged.job);
    let misnamed = sign(&genesis, misnamed, &[workshop.fund(CLIENT, 1)]);
    assert_refused(&workshop.refusal(&[misnamed]), "not that of the terms");

    workshop.extend_until_settleable(&engaged.job);
    for seq in [0, 1, 3] {
        let wrong = bare(engaged.job, seq, ActionKind::Settle);
        assert_refused(&workshop.refusal(&[wrong]), "the job is at 2");
    }
    let settle = bare(engaged.job, 2, ActionKind::Settle);
    let unknown = bare(JobId([1; 32]), 2, ActionKind::Settle);
    assert_refused(&workshop.refusal(&[unknown]), "no such job");
    assert_refused(
        &workshop.refusal(&[settle.clone(), settle.clone()]),
        "the job is at 3",
    );
    workshop.extend(&[settle]);
    let record = workshop.ledger().job(&engaged.job).unwrap();
    assert_eq!(record.state, JobState::Closed(Outcome::Settled));
    let again = bare(engaged.job, 3, ActionKind::Settle);
    assert_refused(
        &workshop.refusal(&[again]),
        "Settle is not possible in state Closed",
    );
    assert_conserved(workshop.ledger());
}

#[test]
fn a_slash_pays_out_as_the_protocol_says_and_late() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let engaged = engage_job(&mut workshop);
    let wrong = delivery(&engaged.context, b"garbage", NODE);
    let claim = ActionKind::BadDelivery(Box::new(evidence(&engaged.context, &wrong)));
    workshop.extend(&[bare(engaged.job, 2, claim)]);
    let height = workshop.chain.height();
    let outpoint = Closing::outpoint(&engaged.job, 0);
    let coin = workshop.ledger().coin(&outpoint).unwrap().into_owned();
    // r = 1 coin, p = r / 2, a = 0.22 p.
    let compensation = 100_000_000 + 11_000_000 + 50_000_000;
    assert_eq!(coin.output, pay_to(CLIENT, units(compensation)));
    assert_eq!(coin.spendable_from, height.plus(workshop.params.maturity));
    let fund = Fund {
        outpoint,
        output: coin.output,
        owner: CLIENT,
    };
    let spend = payment(&genesis, &[fund], vec![pay_to(CLIENT, units(1))]);
    assert_refused(&workshop.refusal(&[spend]), "may be spent from height");
    assert_conserved(workshop.ledger());
}

#[test]
fn the_deposit_of_an_answered_claim_is_a_fee_and_nobodys_output() {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let engaged = engage_job(&mut workshop);
    workshop.extend_by(5);
    let deposit = workshop.params.jobs.withheld_deposit(8);
    let claim = withheld(&genesis, engaged.job, 2, deposit, &workshop.fund(CLIENT, 1));
    workshop.extend(&[claim]);
    let answer = delivery(&engaged.context, &opening(&[5, END]).to_bytes(), NODE);
    let kind = ActionKind::Deliver(Box::new(answer));
    let action = Action {
        seq: 3,
        kind: kind.clone(),
    };
    let fund = workshop.fund(STRANGER, 0);
    let one_more = fund.output.value.checked_add(units(1)).unwrap();
    let funds = std::slice::from_ref(&fund);
    let outputs = vec![pay_to(NODE, one_more)];
    let grab = sign(
        &genesis,
        unsigned(funds, outputs, Some((engaged.job, action))),
        funds,
    );
    assert_refused(&workshop.refusal(&[grab]), "outputs exceed inputs");

    let all = coins(50).checked_add(deposit).unwrap();
    let block = mine(
        workshop.ledger(),
        workshop.next_time(),
        all,
        &[bare(engaged.job, 3, kind)],
    );
    assert!(matches!(workshop.submit(&block), Ok(Submission::Moved(change)) if change.invalid.is_empty()));
    let record = workshop.ledger().job(&engaged.job).unwrap();
    assert!(matches!(record.state, JobState::Delivered(_)));
    assert_conserved(workshop.ledger());
}
