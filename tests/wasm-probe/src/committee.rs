//! `camelid_core::committee`, through the chain and directly.

use crate::escrow::Engaged;
use crate::model::manifest;
use crate::workshop::{VERIFIER, VERIFIERS, Workshop, coin_of, key, spend};
use camelid_core::committee::{
    Ballot, Finding, Models, Registration, Rule, beacon_seed, challenge_stream, is_audited, tally, vote_check,
};
use camelid_core::committee::{Decision, ballot_commitment};
use camelid_core::escrow::{Outcome, Phase, Seat, Stage};
use camelid_core::keys::Signature;
use camelid_core::params::{ChallengeSource, Quorum};
use camelid_core::primitives::{Hash256, JobId};
use camelid_core::tx::{Action, ActionKind, ClaimKind, Lock, OutPoint, Transaction, TxOut};
use core::hint::black_box;

const SALT: [u8; 32] = [9; 32];

/// A committee that upholds a claim, a ticket that leaves, and the pure functions by themselves.
pub fn probe() {
    let (mut workshop, tickets) = with_tickets();
    workshop.extend(&[]);
    workshop.extend(&[]);
    let mut engaged = Engaged::on(workshop);
    let params = engaged.workshop.params.clone();
    let pay = params.jobs.seat_pay(engaged.record().terms.reward);
    let deposit = pay.checked_mul(u64::from(params.committee.claim_deposit_in_seat_pays));
    engaged.claim(ClaimKind::Invalid, deposit.expect("a small reward"));
    for phase in [Phase::Commit, Phase::Reveal] {
        for seat in seats_in(&mut engaged, phase) {
            let kind = vote(&engaged, &seat, phase);
            engaged.act(kind);
        }
    }
    engaged.workshop.extend_until_settleable(&engaged.job);
    engaged.act(ActionKind::Settle);
    assert_eq!(engaged.outcome(), Some(Outcome::SlashedInvalid));
    leave(&mut engaged.workshop, tickets[0]);
    alone();
}

/// A chain on which every verifier has a ticket.
fn with_tickets() -> (Workshop, Vec<OutPoint>) {
    let mut workshop = Workshop::new();
    let registrations: Vec<Transaction> = (0..VERIFIERS).map(|number| register(&workshop, number)).collect();
    workshop.extend(&registrations);
    let bond = |registration: &Transaction| coin_of(registration, 0, VERIFIER).outpoint;
    (workshop, registrations.iter().map(bond).collect())
}

fn register(workshop: &Workshop, number: u8) -> Transaction {
    let coin = workshop.coin(VERIFIER + number);
    let registration = Registration {
        key: key(coin.owner).public_key(),
        models: Models::from_vec(vec![manifest().id()]).expect("one model fits"),
    };
    let bond = TxOut {
        value: workshop.params.committee.verifier_bond,
        lock: Lock::Ticket,
    };
    let kind = ActionKind::Register(Box::new(registration));
    spend(
        &workshop.genesis(),
        &[coin],
        vec![bond],
        Some((None, Action { seq: 0, kind })),
    )
}

/// Mines until the next block is in `phase`; the seats then.
fn seats_in(engaged: &mut Engaged, phase: Phase) -> Vec<Seat> {
    loop {
        let standing = engaged.workshop.standing(&engaged.job);
        if standing.stage == Stage::Round(phase) {
            let dispute = standing.record.state.dispute().expect("a committee is at work");
            return dispute.current_seats().to_vec();
        }
        engaged.workshop.extend(&[]);
    }
}

/// What `seat` does in `phase`.
fn vote(engaged: &Engaged, seat: &Seat, phase: Phase) -> ActionKind {
    let standing = engaged.workshop.standing(&engaged.job);
    let round = standing.round.expect("the committee is drawn");
    let ticket = seat.ticket;
    let ballot = Ballot {
        finding: Finding::Invalid { position: 2 },
        score_root: Hash256(black_box([3; 32])),
    };
    if phase == Phase::Reveal {
        let salt = SALT;
        return ActionKind::VoteReveal { ticket, ballot, salt };
    }
    let commitment = ballot_commitment(&round, &ticket, &ballot, &SALT);
    let unsigned = vote_check(&round, (&ticket, seat.key), &commitment, Signature([0; 64]));
    let holder = (0..VERIFIERS)
        .map(|number| key(VERIFIER + number))
        .find(|key| key.public_key() == seat.key);
    ActionKind::VoteCommit {
        ticket,
        commitment,
        signature: holder.expect("a verifier has the seat").sign(&unsigned.digest),
    }
}

/// A verifier gets its bond back.
fn leave(workshop: &mut Workshop, id: OutPoint) {
    use camelid_core::escrow::History as _;
    let genesis = workshop.genesis();
    let ticket = workshop.chain.ledger().tickets()[&id].clone();
    let holder = key((VERIFIER..)
        .find(|owner| key(*owner).public_key() == ticket.registration.key)
        .expect("known"));
    let signature = ticket.sign_unbond(&genesis, &holder);
    let step = |seq, kind| spend(&genesis, &[], Vec::new(), Some((None, Action { seq, kind })));
    workshop.extend(&[step(
        ticket.seq,
        ActionKind::Unbond {
            ticket: id,
            signature,
        },
    )]);
    for _ in 0..=workshop.params.committee.unbonding {
        workshop.extend(&[]);
    }
    workshop.extend(&[step(ticket.seq + 1, ActionKind::Withdraw { ticket: id })]);
    assert!(!workshop.chain.ledger().tickets().contains_key(&id));
}

/// What needs no chain.
fn alone() {
    let genesis = Workshop::new().genesis();
    let job = JobId(black_box([5; 32]));
    let seed = beacon_seed(&genesis, &job, 1, &genesis);
    for source in [ChallengeSource::Beacon, ChallengeSource::Job] {
        black_box(challenge_stream(source, &job, &seed).next_u64());
    }
    assert!(is_audited(&genesis, &job, black_box(1000)));
    let ballot = Ballot {
        finding: Finding::NoEvidence,
        score_root: Hash256::default(),
    };
    for (audit, decision) in [(false, Decision::Rejected), (true, Decision::Upheld)] {
        let rule = Rule {
            seats: 1,
            quorum: Quorum::Votes,
            audit,
            exact: true,
        };
        let outcome = tally(black_box(&[ballot]), &rule);
        assert_eq!(outcome.decision, decision);
        assert!(outcome.pays(&ballot));
    }
}
