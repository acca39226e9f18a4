//! Whole disputes: claim, draw, votes, appeal, audit, settlement, and taking all of it back.

use super::assert_refused;
use super::court::*;
use super::support::*;
use camelid_core::escrow::{Closing, JobState, Outcome, Phase};
use camelid_core::tx::{ActionKind, ClaimKind};
use std::collections::BTreeSet;

/// A claim that all three seats uphold.
fn upheld() -> Court {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID); 3]);
    court.settle();
    court
}

/// A claim that is upheld, appealed by the node and rejected, with a silent seat in each round.
fn appealed() -> Court {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID), Some(INVALID), None]);
    court.advance_to(Phase::Appeal);
    court.file(ClaimKind::Appeal, NODE, 15);
    court.vote(&[Some(VALID), Some(VALID), Some(VALID), Some(INVALID), None]);
    court.settle();
    court
}

/// An audit that finds nothing.
fn audited() -> Court {
    let mut court = Court::new(1000);
    court.vote(&[Some(VALID); 3]);
    court.settle();
    court
}

#[test]
fn an_upheld_claim_slashes_and_pays_late() {
    let mut court = upheld();
    assert_eq!(court.record().state, JobState::Closed(Outcome::SlashedInvalid));
    // r + a + p and the deposit of 7 p.
    assert_eq!(court.paid_to(CLIENT), 100_000_000 + AUDIT_FEE + 8 * PAY);
    assert_eq!(court.paid_to(NODE), 0);
    let seats: Vec<u64> = (VERIFIER..VERIFIER + VERIFIERS)
        .map(|owner| court.paid_to(owner))
        .collect();
    assert_eq!(seats.iter().filter(|paid| **paid == PAY).count(), 3);
    assert_eq!(seats.iter().sum::<u64>(), 3 * PAY);

    // Payouts mature like a coinbase.
    let (height, maturity) = (court.workshop.chain.height(), court.workshop.params.maturity);
    let outpoint = Closing::outpoint(&court.job, 0);
    let coin = court.workshop.ledger().coin(&outpoint).unwrap().into_owned();
    assert_eq!(coin.spendable_from, height.plus(maturity));
    let fund = Fund {
        outpoint,
        output: coin.output,
        owner: CLIENT,
    };
    let spend = payment(&court.workshop.genesis(), &[fund], vec![pay_to(CLIENT, units(1))]);
    court.extend_by(maturity - 2);
    let early = court.workshop.refusal(std::slice::from_ref(&spend));
    assert_refused(&early, "may be spent from height");
    court.extend(&[]);
    court.extend(&[spend]);
}

#[test]
fn an_appeal_overturns_round_1_and_the_loser_pays_the_seats_that_decided() {
    let court = appealed();
    assert_eq!(court.record().state, JobState::Closed(Outcome::Cleared));
    // r + S and the deposit of 15 p.
    assert_eq!(court.paid_to(NODE), 100_000_000 + 64 * PAY + 15 * PAY);
    assert_eq!(court.paid_to(CLIENT), 0);
    let seats: u64 = (VERIFIER..VERIFIER + VERIFIERS)
        .map(|owner| court.paid_to(owner))
        .sum();
    assert_eq!(seats, 3 * PAY);
    let totals = court.workshop.ledger().totals();
    assert_eq!(totals.audit_fund, units(AUDIT_FEE));
    let ledger = court.workshop.ledger();
    // No bond or deposit is left, and two bonds are 4 p smaller.
    let bonds = u128::from(VERIFIERS) * 1_000_000_000 - 2 * 4 * u128::from(PAY);
    assert_eq!(ledger.locked_sum(), bonds);
}

#[test]
fn the_seats_of_round_2_are_others() {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(VALID); 3]);
    court.advance_to(Phase::Appeal);
    let first: BTreeSet<_> = court.seats().iter().map(|seat| seat.ticket).collect();
    court.file(ClaimKind::Appeal, CLIENT, 15);
    court.advance_to(Phase::Commit);
    let second: BTreeSet<_> = court.seats().iter().map(|seat| seat.ticket).collect();
    assert_eq!((first.len(), second.len()), (3, 5));
    assert!(first.is_disjoint(&second));
}

#[test]
fn only_the_loser_of_round_1_may_appeal_and_only_once() {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID); 3]);
    let too_early = court.claim(ClaimKind::Appeal, NODE, 15);
    assert_refused(&court.workshop.refusal(&[too_early]), "too early for Appeal");
    court.advance_to(Phase::Appeal);
    let by_winner = court.claim(ClaimKind::Appeal, CLIENT, 15);
    assert_refused(&court.workshop.refusal(&[by_winner]), "node's signature");
    let cheap = court.claim(ClaimKind::Appeal, NODE, 14);
    assert_refused(&court.workshop.refusal(&[cheap]), "is required");
    let settle = court.bare(ActionKind::Settle);
    assert_refused(&court.workshop.refusal(&[settle]), "too early for Settle");
    court.file(ClaimKind::Appeal, NODE, 15);
    court.vote(&[Some(INVALID); 5]);
    court.advance_to(Phase::Over);
    for appellant in [CLIENT, NODE] {
        let again = court.claim(ClaimKind::Appeal, appellant, 15);
        assert_refused(
            &court.workshop.refusal(&[again]),
            "Appeal is not possible in state Round2",
        );
    }
}

#[test]
fn an_audit_is_paid_by_the_fund_and_cannot_be_settled_around() {
    let mut court = Court::new(1000);
    court.advance_to(Phase::Draw);
    let seq = court.record().seq;
    let settle = court.bare(ActionKind::Settle);
    assert_refused(&court.workshop.refusal(&[settle]), "too early for Settle");
    let claim = court.claim(ClaimKind::Invalid, CLIENT, 7);
    assert_refused(
        &court.workshop.refusal(&[claim]),
        "Invalid is not possible in state Round1",
    );
    court.vote(&[Some(VALID); 3]);
    assert_eq!(
        court.record().seq,
        seq,
        "votes and audits take no sequence number"
    );
    court.advance_to(Phase::Appeal);
    let appeal = court.claim(ClaimKind::Appeal, CLIENT, 15);
    assert_refused(
        &court.workshop.refusal(&[appeal]),
        "not against a party that may appeal",
    );
    court.settle();
    assert_eq!(court.record().state, JobState::Closed(Outcome::Cleared));
    assert_eq!(court.paid_to(NODE), 100_000_000 + 64 * PAY);
    // Three seats share what the one job has brought in, rounded down.
    let seats: u64 = (VERIFIER..VERIFIER + VERIFIERS)
        .map(|owner| court.paid_to(owner))
        .sum();
    assert_eq!(seats, AUDIT_FEE / 3 * 3);
    assert_eq!(court.workshop.ledger().totals().audit_fund, units(AUDIT_FEE % 3));
}

#[test]
fn an_audit_that_nobody_can_be_shown_slashes() {
    use camelid_core::committee::{Ballot, Finding};
    let nothing = Ballot {
        finding: Finding::NoEvidence,
        score_root: camelid_core::primitives::Hash256::default(),
    };
    let mut court = Court::new(1000);
    court.vote(&[Some(nothing), Some(nothing), Some(VALID)]);
    court.settle();
    assert_eq!(court.record().state, JobState::Closed(Outcome::SlashedInvalid));
    assert_eq!(court.paid_to(CLIENT), 100_000_000 + AUDIT_FEE);
    let seats: u64 = (VERIFIER..VERIFIER + VERIFIERS)
        .map(|owner| court.paid_to(owner))
        .sum();
    assert_eq!(seats, 2 * PAY);
}

/// For each block that does something: a chain that has seen everything, and then a longer branch
/// without it and what follows, is in every respect the chain that never saw it; and it finds its way
/// back.
#[test]
fn every_block_of_a_dispute_can_be_taken_back() {
    for court in [upheld(), appealed(), audited()] {
        let (params, blocks) = (&court.workshop.params, &court.blocks);
        let acting = (0..blocks.len()).filter(|index| blocks[*index].transactions.len() > 1);
        for index in acting {
            let mut other = replay(params, &blocks[..index]);
            let mut subject = replay(params, blocks);
            // Its blocks claim less than those of the first branch, and so are others.
            while other.chain.height() <= court.workshop.chain.height() {
                let block = mine(other.ledger(), other.next_time(), coins(1), &[]);
                other.submit(&block).unwrap();
                subject.submit(&block).unwrap();
            }
            assert_eq!(subject.chain.tip(), other.chain.tip());
            assert_eq!(
                subject.ledger().digest(),
                other.ledger().digest(),
                "block {}",
                index + 1
            );
            assert_conserved(subject.ledger());

            let mut back = replay(params, blocks);
            for _ in 0..2 {
                let block = back.extend(&[]);
                subject.submit(&block).unwrap();
            }
            assert_eq!(subject.ledger().digest(), back.ledger().digest());
        }
    }
}

#[test]
fn a_job_whose_claim_was_reorganised_away_settles() {
    let court = upheld();
    let params = &court.workshop.params;
    let is_claim = |kind: &ActionKind| matches!(kind, ActionKind::Claim { .. });
    let claimed = court.blocks.iter().position(|block| {
        let actions = block.transactions.iter().filter_map(|tx| tx.action.as_ref());
        actions.map(|action| &action.kind).any(is_claim)
    });
    let mut subject = replay(params, &court.blocks);
    let mut other = replay(params, &court.blocks[..claimed.unwrap()]);
    let first = mine(other.ledger(), other.next_time(), coins(1), &[]);
    other.submit(&first).unwrap();
    subject.submit(&first).unwrap();
    while other.chain.height() <= court.workshop.chain.height() {
        let block = other.extend(&[]);
        subject.submit(&block).unwrap();
    }
    let record = subject.ledger().job(&court.job).unwrap().into_owned();
    assert!(matches!(record.state, JobState::Engaged(_)));
    subject.extend_until_settleable(&court.job);
    subject.extend(&[bare(court.job, record.seq, ActionKind::Settle)]);
    let record = subject.ledger().job(&court.job).unwrap();
    assert_eq!(record.state, JobState::Closed(Outcome::Settled));
    assert_conserved(subject.ledger());
}

/// Of two steps of one record in a block the first is made, and the second is invalid.
#[test]
fn the_first_step_in_a_block_excludes_the_others() {
    let mut court = Court::new(0);
    let genesis = court.workshop.genesis();
    let record = court.record();
    let context = record.seal_context(&genesis, record.state.engagement().unwrap());
    let wrong = delivery(&context, b"not an opening", NODE);
    let bad = court.bare(ActionKind::BadDelivery(Box::new(evidence(&context, &wrong))));
    let claim = court.claim(ClaimKind::Invalid, CLIENT, 7);
    for both in [[bad.clone(), claim.clone()], [claim, bad.clone()]] {
        assert_refused(&court.workshop.refusal(&both), "the job is at 3");
    }
    court.extend(&[bad]);
    assert_eq!(
        court.record().state,
        JobState::Closed(Outcome::SlashedBadDelivery)
    );
}
