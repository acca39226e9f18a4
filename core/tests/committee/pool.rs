//! What the mempool makes of disputes: which transactions exclude each other, which are free.

use super::court::*;
use super::support::*;
use camelid_core::chain::TipChange;
use camelid_core::escrow::Phase;
use camelid_core::keys::EcdsaVerifier;
use camelid_core::mempool::{Mempool, MempoolError};
use camelid_core::primitives::JobId;
use camelid_core::tx::{Action, ActionKey, ActionKind, ClaimKind, OutPoint, Transaction};
use std::sync::Arc;

struct Pool<'a> {
    court: &'a Court,
    pool: Mempool,
}

impl<'a> Pool<'a> {
    fn over(court: &'a Court) -> Self {
        let pool = Mempool::default();
        Self { court, pool }
    }

    fn accept(&mut self, transaction: &Transaction) -> Result<(), MempoolError> {
        let workshop = &self.court.workshop;
        let transaction = Arc::new(transaction.clone());
        self.pool.accept(
            transaction,
            workshop.ledger(),
            workshop.next_time(),
            &EcdsaVerifier,
        )
    }
}

#[test]
fn votes_of_different_seats_wait_together_and_of_one_seat_do_not() {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.advance_to(Phase::Commit);
    let seats = court.seats();
    let mut pool = Pool::over(&court);
    let first = court.commit(&seats[0], &VALID);
    assert_eq!(pool.accept(&first), Ok(()));
    assert_eq!(pool.accept(&court.commit(&seats[1], &VALID)), Ok(()));
    let other = court.commit(&seats[0], &INVALID);
    assert_eq!(pool.accept(&other), Err(MempoolError::Conflict(first.txid())));
    assert_eq!(pool.accept(&court.commit(&seats[2], &INVALID)), Ok(()));
    // Votes are no step of the record.
    assert!(!pool.pool.acts_on(&court.job, court.record().seq));
    // A block takes them all, without a fee.
    let moment = court.workshop.ledger().next_moment(court.workshop.next_time());
    let (chosen, fees) = pool.pool.select(court.workshop.ledger(), moment);
    assert_eq!((chosen.len(), fees.units()), (3, 0));
    // After they are mined, nothing is left of them.
    let chosen: Vec<Transaction> = chosen.iter().map(|transaction| (**transaction).clone()).collect();
    let mut rest = pool.pool;
    court.extend(&chosen);
    rest.rebase(
        &TipChange::default(),
        court.workshop.ledger(),
        court.workshop.next_time(),
        &EcdsaVerifier,
    );
    assert!(rest.is_empty());
}

#[test]
fn an_action_consumes_its_record_a_vote_its_seat() {
    let (job, signature) = (JobId([1; 32]), camelid_core::keys::Signature([0; 64]));
    let ticket = |byte| OutPoint {
        txid: camelid_core::primitives::Txid([byte; 32]),
        index: 0,
    };
    let key = |seq, kind: &ActionKind| {
        let action = Action {
            seq,
            kind: kind.clone(),
        };
        action.key(kind.concerns_job().then_some(job))
    };
    let claim = |kind| ActionKind::Claim { kind, signature };
    let appeal = claim(ClaimKind::Appeal);
    assert_eq!(key(3, &ActionKind::Settle), Some(ActionKey::Job(job, 3)));
    assert_eq!(key(3, &appeal), key(3, &ActionKind::Settle));
    assert_eq!(
        key(3, &claim(ClaimKind::Invalid)),
        key(3, &claim(ClaimKind::Withheld))
    );
    assert_ne!(key(4, &appeal), key(3, &ActionKind::Settle));

    let commit = |byte| ActionKind::VoteCommit {
        ticket: ticket(byte),
        commitment: camelid_core::primitives::Hash256([byte; 32]),
        signature,
    };
    let reveal = |byte| ActionKind::VoteReveal {
        ticket: ticket(byte),
        ballot: VALID,
        salt: SALT,
    };
    let unbond = |byte| ActionKind::Unbond {
        ticket: ticket(byte),
        signature,
    };
    let all = [
        key(3, &ActionKind::Settle),
        key(3, &commit(1)),
        key(3, &commit(2)),
        key(4, &commit(1)),
        key(3, &reveal(1)),
        key(3, &reveal(2)),
        key(3, &unbond(1)),
        key(3, &unbond(2)),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    let withdraw = ActionKind::Withdraw { ticket: ticket(1) };
    assert_eq!(key(3, &withdraw), key(3, &unbond(1)));
    assert_eq!(key(0, &ActionKind::Register(Box::new(registration(1)))), None);
}

#[test]
fn appeals_exclude_each_other_and_pay_and_steps_without_money_are_relayed_bare() {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID); 3]);
    court.advance_to(Phase::Appeal);
    let mut pool = Pool::over(&court);
    let appeal = court.claim(ClaimKind::Appeal, NODE, 15);
    assert_eq!(pool.accept(&appeal), Ok(()));
    assert!(pool.pool.acts_on(&court.job, court.record().seq));
    let mut second = appeal.clone();
    // A unit less for the miner.
    let change = second.outputs[1].value.checked_add(units(1)).unwrap();
    second.outputs.as_mut_slice()[1].value = change;
    let fund = court.workshop.fund(NODE, 1);
    let second = sign(&court.workshop.genesis(), second, std::slice::from_ref(&fund));
    let refused = pool.accept(&second);
    assert!(matches!(refused, Err(MempoolError::Replacement { replaced, .. }) if replaced == appeal.txid()));
    // A step of the same record, whoever sends it.
    let settle = court.bare(ActionKind::Settle);
    assert_eq!(pool.accept(&settle), Err(MempoolError::Conflict(appeal.txid())));
    // A claim is paid for like any transaction.
    let mut pool = Pool::over(&court);
    let mut free = appeal.clone();
    let all = fund.output.value.checked_sub(free.outputs[0].value).unwrap();
    free.outputs.as_mut_slice()[1].value = all;
    let free = sign(&court.workshop.genesis(), free, std::slice::from_ref(&fund));
    assert!(matches!(pool.accept(&free), Err(MempoolError::Fee { .. })));

    court.settle();
    let mut pool = Pool::over(&court);
    let bond = court.workshop.params.committee.verifier_bond;
    let change = &court.change[0];
    let ticket = OutPoint {
        index: 0,
        ..change.outpoint
    };
    // Unbond and Withdraw of one record exclude each other, and neither carries money.
    let ticket = court.ticket(&ticket).unwrap();
    let unbond = court.unbond(&ticket, change.owner);
    let funds = [change.clone()];
    let padded = Transaction {
        version: 2,
        action: unbond.action.clone(),
        ..unsigned(&funds, vec![change.output.clone()], None)
    };
    let padded = sign(&court.workshop.genesis(), padded, &funds);
    assert_eq!(pool.accept(&padded), Err(MempoolError::NotBare));
    assert_eq!(pool.accept(&unbond), Ok(()));
    let kind = ActionKind::Withdraw { ticket: ticket.id };
    let withdraw = ticket_step(ticket.seq, kind);
    assert_eq!(pool.accept(&withdraw), Err(MempoolError::Conflict(unbond.txid())));
    // A registration pays.
    let fund = court.workshop.fund(STRANGER, 2);
    let paid = register(&court.workshop, &fund, registration(STRANGER), bond);
    assert_eq!(pool.accept(&paid), Ok(()));
    let mut pool = Pool::over(&court);
    let mut free = paid;
    free.outputs.as_mut_slice()[1].value = fund.output.value.checked_sub(bond).unwrap();
    let free = sign(&court.workshop.genesis(), free, std::slice::from_ref(&fund));
    assert!(matches!(pool.accept(&free), Err(MempoolError::Fee { .. })));
}

/// A large free step would push everybody's votes out of the blocks in which they must stand.
#[test]
fn a_delivery_that_answers_no_claim_is_not_relayed_for_free() {
    let court = Court::new(0);
    let record = court.record();
    let engagement = record.state.engagement().unwrap();
    let context = record.seal_context(&court.workshop.genesis(), engagement);
    let signed = delivery(&context, &opening(&[5, END]).to_bytes(), NODE);
    let deliver = court.bare(ActionKind::Deliver(Box::new(signed)));
    let refused = Pool::over(&court).accept(&deliver);
    assert!(matches!(refused, Err(MempoolError::Fee { .. })), "{refused:?}");
}

/// Otherwise a stranger could give each half of the network another form of the same step.
#[test]
fn a_bare_step_has_one_form() {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.advance_to(Phase::Commit);
    let vote = court.commit(&court.seats()[0], &VALID);
    let other = Transaction {
        lock_time: 7,
        ..vote.clone()
    };
    let refused = Pool::over(&court).accept(&other);
    assert!(matches!(refused, Err(MempoolError::Invalid(_))), "{refused:?}");
    assert_eq!(Pool::over(&court).accept(&vote), Ok(()));
}
