//! Who may vote, when, how often and on what.

use super::assert_refused;
use super::court::*;
use super::support::*;
use camelid_core::escrow::{Phase, Seat, Vote};
use camelid_core::tx::{ActionKind, ClaimKind, OutPoint};
use std::collections::BTreeSet;

/// A claim whose commit window is open.
fn in_commit() -> (Court, Vec<Seat>) {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.advance_to(Phase::Commit);
    let seats = court.seats();
    (court, seats)
}

/// A ticket without a seat.
fn bystander(court: &Court, seats: &[Seat]) -> Seat {
    use camelid_core::escrow::History as _;
    let taken: BTreeSet<OutPoint> = seats.iter().map(|seat| seat.ticket).collect();
    let tickets = court.workshop.ledger().tickets();
    let ticket = tickets
        .values()
        .find(|ticket| !taken.contains(&ticket.id))
        .unwrap();
    Seat {
        ticket: ticket.id,
        key: ticket.registration.key,
        vote: Vote::None,
    }
}

#[test]
fn a_commitment_is_for_a_seat_once_with_its_own_signature() {
    let (mut court, seats) = in_commit();
    let stranger = bystander(&court, &seats);
    let unseated = court.commit(&stranger, &VALID);
    assert_refused(&court.workshop.refusal(&[unseated]), "has no seat in this round");
    for signer in [STRANGER, CLIENT, NODE, owner_of(&seats[1])] {
        let forged = court.commit_by(signer, &seats[0], &VALID);
        assert_refused(&court.workshop.refusal(&[forged]), "seat's signature");
    }
    let [valid, invalid] = [VALID, INVALID].map(|ballot| court.commit(&seats[0], &ballot));
    for twice in [[valid.clone(), invalid.clone()], [valid.clone(), valid.clone()]] {
        assert_refused(&court.workshop.refusal(&twice), "does not allow VoteCommit");
    }
    // Nor is there a reveal in the same block, or in this window.
    let reveal = court.reveal(&seats[0], &VALID, SALT);
    assert_refused(
        &court.workshop.refusal(&[valid.clone(), reveal]),
        "too early for VoteReveal",
    );
    court.extend(&[valid]);
    assert_refused(&court.workshop.refusal(&[invalid]), "does not allow VoteCommit");
}

#[test]
fn a_reveal_opens_the_commitment_once() {
    let (mut court, seats) = in_commit();
    let commit = court.commit(&seats[0], &INVALID);
    court.extend(&[commit]);
    court.advance_to(Phase::Reveal);
    let late = court.commit(&seats[1], &INVALID);
    assert_refused(
        &court.workshop.refusal(&[late]),
        "window for VoteCommit is closed",
    );
    for (ballot, salt) in [(VALID, SALT), (INVALID, [0; 32])] {
        let wrong = court.reveal(&seats[0], &ballot, salt);
        assert_refused(&court.workshop.refusal(&[wrong]), "not the one committed to");
    }
    let uncommitted = court.reveal(&seats[1], &INVALID, SALT);
    assert_refused(
        &court.workshop.refusal(&[uncommitted]),
        "does not allow VoteReveal",
    );
    let stranger = bystander(&court, &seats);
    let unseated = court.reveal(&stranger, &INVALID, SALT);
    assert_refused(&court.workshop.refusal(&[unseated]), "has no seat in this round");
    let reveal = court.reveal(&seats[0], &INVALID, SALT);
    let twice = [reveal.clone(), reveal.clone()];
    assert_refused(&court.workshop.refusal(&twice), "does not allow VoteReveal");
    court.extend(std::slice::from_ref(&reveal));
    assert_refused(&court.workshop.refusal(&[reveal]), "does not allow VoteReveal");
    assert_eq!(court.seats()[0].vote, Vote::Revealed(INVALID));
}

/// A commitment copied from another seat, and one from round 1, open nothing.
#[test]
fn a_vote_is_bound_to_ticket_and_round() {
    let (mut court, seats) = in_commit();
    let original = court.commit(&seats[0], &VALID);
    let Some(ActionKind::VoteCommit { commitment, .. }) = original.action.as_ref().map(|action| &action.kind)
    else {
        panic!("not a VoteCommit");
    };
    let copied = {
        use camelid_core::committee::vote_check;
        use camelid_core::keys::Signature;
        let round = court.standing().round.unwrap();
        let holder = (&seats[1].ticket, seats[1].key);
        let check = vote_check(&round, holder, commitment, Signature([0; 64]));
        court.bare(ActionKind::VoteCommit {
            ticket: seats[1].ticket,
            commitment: *commitment,
            signature: secret(owner_of(&seats[1])).sign(&check.digest),
        })
    };
    court.extend(&[original, copied]);
    court.advance_to(Phase::Reveal);
    let copy = court.reveal(&seats[1], &VALID, SALT);
    assert_refused(&court.workshop.refusal(&[copy]), "not the one committed to");
    let reveal = court.reveal(&seats[0], &VALID, SALT);
    court.extend(&[reveal]);
}

/// Votes do not compete: every order of them in one block leads to the same record.
#[test]
fn the_order_of_votes_does_not_matter() {
    let (mut court, seats) = in_commit();
    let commits: Vec<_> = seats.iter().map(|seat| court.commit(seat, &INVALID)).collect();
    let records: Vec<_> = [[0, 1, 2], [2, 1, 0], [1, 2, 0]]
        .iter()
        .map(|order| {
            let mut replayed = replay(&court.workshop.params, &court.blocks);
            replayed.extend(&order.map(|index| commits[index].clone()));
            replayed.ledger().job(&court.job).unwrap().into_owned()
        })
        .collect();
    assert_eq!(records[0], records[1]);
    assert_eq!(records[0], records[2]);
    // Nor does it whether they come in one block or in several.
    for commit in &commits {
        court.extend(std::slice::from_ref(commit));
    }
    assert_eq!(court.record(), records[0]);
}

#[test]
fn the_draw_does_not_depend_on_how_maps_are_seeded() {
    let (court, seats) = in_commit();
    let mut other = Workshop {
        params: court.workshop.params.clone(),
        chain: new_chain(&court.workshop.params, 123_456),
    };
    for block in &court.blocks {
        other.submit(block).unwrap();
    }
    let ledger = other.ledger();
    let clock = ledger.clock(ledger.next_moment(other.next_time()));
    let standing = ledger.job(&court.job).unwrap().at(&clock);
    assert_eq!(standing.record.state.dispute().unwrap().current_seats(), seats);
}
