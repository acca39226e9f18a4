//! Verifier bonds: locking one, losing part of it, and getting it back.

use super::assert_refused;
use super::court::*;
use super::support::*;
use camelid_core::committee::Ticket;
use camelid_core::keys::PublicKey;
use camelid_core::primitives::{Amount, BoundedVec, JobId, Txid, tagged_hash};
use camelid_core::tx::{ActionKind, ClaimKind, OutPoint};
use std::sync::Arc;

#[test]
fn a_registration_needs_the_bond_a_model_and_a_point() {
    let mut court = Court::new(0);
    let bond = court.workshop.params.committee.verifier_bond;
    let fund = court.workshop.fund(STRANGER, 2);
    for value in [units(bond.units() - 1), units(bond.units() + 1), Amount::ZERO] {
        let wrong = register(&court.workshop, &fund, registration(STRANGER), value);
        assert_refused(
            &court.workshop.refusal(&[wrong]),
            "output 0 must be a verifier bond",
        );
    }
    let mut without_models = registration(STRANGER);
    without_models.models = BoundedVec::new();
    let off_curve = (0u8..=255)
        .filter_map(|byte| {
            let mut bytes = [byte; 33];
            bytes[0] = 2;
            PublicKey::from_bytes(bytes)
        })
        .find(|key| !key.is_on_curve());
    let mut without_point = registration(STRANGER);
    without_point.key = off_curve.unwrap();
    for wrong in [without_models, without_point] {
        let wrong = register(&court.workshop, &fund, wrong, bond);
        assert_refused(
            &court.workshop.refusal(&[wrong]),
            "names no model, or a key off the curve",
        );
    }
    let good = register(&court.workshop, &fund, registration(STRANGER), bond);
    let mut with_job = good.clone();
    with_job.job_id = Some(JobId([1; 32]));
    let with_job = sign(&court.workshop.genesis(), with_job, std::slice::from_ref(&fund));
    assert_refused(&court.workshop.refusal(&[with_job]), "must come together");
    let mut numbered = good.clone();
    numbered.action.as_mut().unwrap().seq = 1;
    let numbered = sign(&court.workshop.genesis(), numbered, std::slice::from_ref(&fund));
    assert_refused(&court.workshop.refusal(&[numbered]), "names record 1");
    court.extend(std::slice::from_ref(&good));
    // The bond is nobody's to spend.
    let steal = payment(
        &court.workshop.genesis(),
        &[fund_of(&good, 0, STRANGER)],
        vec![pay_to(STRANGER, units(1))],
    );
    assert_refused(&court.workshop.refusal(&[steal]), "belongs to the job ledger");
}

fn withdraw(seq: u32, id: OutPoint) -> camelid_core::tx::Transaction {
    ticket_step(seq, ActionKind::Withdraw { ticket: id })
}

#[test]
fn a_bond_comes_back_after_the_wait_to_its_owner_and_once() {
    use camelid_core::escrow::History as _;
    let mut court = Court::new(0);
    let id = *court.workshop.ledger().tickets().keys().next().unwrap();
    let ticket = court.ticket(&id).unwrap();
    let owner = (VERIFIER..)
        .find(|owner| secret(*owner).public_key() == ticket.registration.key)
        .unwrap();
    assert_refused(
        &court.workshop.refusal(&[withdraw(1, id)]),
        "does not allow Withdraw",
    );
    for signer in [
        STRANGER,
        CLIENT,
        if owner == VERIFIER { VERIFIER + 1 } else { VERIFIER },
    ] {
        let forged = court.unbond(&ticket, signer);
        assert_refused(&court.workshop.refusal(&[forged]), "holder has not signed");
    }
    let unbond = court.unbond(&ticket, owner);
    let at_once = [unbond.clone(), withdraw(2, id)];
    assert_refused(&court.workshop.refusal(&at_once), "does not allow Withdraw");
    assert_refused(
        &court.workshop.refusal(&[unbond.clone(), unbond.clone()]),
        "names record 1",
    );
    court.extend(&[unbond]);
    let leaving = court.ticket(&id).unwrap();
    assert_eq!(leaving.retired, Some(court.workshop.chain.height()));
    let again = court.unbond(&leaving, owner);
    assert_refused(&court.workshop.refusal(&[again]), "does not allow Unbond");

    // Mined at s; the first block in which the window of n is closed is later than s + n by as much as
    // the median lags behind.
    let mut waited = 0;
    while court.workshop.refusal_or_none(&[withdraw(2, id)]).is_some() {
        court.extend(&[]);
        waited += 1;
        assert!(waited < 100);
    }
    assert!(
        waited >= court.workshop.params.committee.unbonding - 1,
        "{waited}"
    );
    let outpoint = OutPoint {
        txid: Txid(tagged_hash("camelid/withdrawal", &id).0),
        index: 0,
    };
    let bonds = court.workshop.ledger().locked_sum();
    court.extend(&[withdraw(2, id)]);
    let coin = court.workshop.ledger().coin(&outpoint).unwrap();
    assert_eq!(coin.output, pay_to(owner, coins(10)));
    assert_eq!(court.workshop.ledger().locked_sum(), bonds - 1_000_000_000);
    assert_eq!(court.ticket(&id), None);
    assert_refused(&court.workshop.refusal(&[withdraw(2, id)]), "no such ticket");
}

#[test]
fn silence_costs_four_seat_pays_and_the_ticket() {
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID), Some(INVALID), None]);
    let seats = court.seats();
    let burned = court.workshop.ledger().totals().burned.units();
    court.settle();
    let (spoke, silent) = (&seats[0], &seats[2]);
    let bond = |court: &Court, id| court.workshop.ledger().coin(id).unwrap().output.value.units();
    assert_eq!(bond(&court, &spoke.ticket), 1_000_000_000);
    assert_eq!(bond(&court, &silent.ticket), 1_000_000_000 - 4 * PAY);
    assert_eq!(court.ticket(&spoke.ticket).unwrap().retired, None);
    let jailed = court.ticket(&silent.ticket).unwrap();
    assert_eq!(
        (jailed.retired, jailed.seq),
        (Some(court.workshop.chain.height()), 2)
    );
    // S less bounty and two pays, and the fine; blocks here leave fees to burn too.
    let ashes = court.workshop.ledger().totals().burned.units() - burned;
    assert_eq!(ashes, (64 - 1 - 2) * PAY + 4 * PAY);

    // The rest of the bond comes back all the same.
    let unbond = court.unbond(&jailed, owner_of(silent));
    court.extend(&[unbond]);
    while court
        .workshop
        .refusal_or_none(&[withdraw(3, jailed.id)])
        .is_some()
    {
        court.extend(&[]);
    }
    court.extend(&[withdraw(3, jailed.id)]);
    let txid = Txid(tagged_hash("camelid/withdrawal", &jailed.id).0);
    let coin = court
        .workshop
        .ledger()
        .coin(&OutPoint { txid, index: 0 })
        .unwrap();
    assert_eq!(
        coin.output,
        pay_to(owner_of(silent), units(1_000_000_000 - 4 * PAY))
    );
}

/// A fine of more than the bond takes all of it, and no more; the ticket can still be taken back.
#[test]
fn a_fine_stops_at_the_bond() {
    let mut params = (*network_with(0)).clone();
    params.committee.no_show_fine_in_seat_pays = 21;
    let mut court = Court::on(&Arc::new(params));
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID), Some(INVALID), None]);
    let silent = court.seats()[2].clone();
    court.settle();
    let left = court.workshop.ledger().coin(&silent.ticket).unwrap();
    assert_eq!(left.output.value, Amount::ZERO);
    let jailed = court.ticket(&silent.ticket).unwrap();
    let unbond = court.unbond(&jailed, owner_of(&silent));
    court.extend(&[unbond]);
    while court
        .workshop
        .refusal_or_none(&[withdraw(3, jailed.id)])
        .is_some()
    {
        court.extend(&[]);
    }
    let coins = court.workshop.ledger().coin_count();
    court.extend(&[withdraw(3, jailed.id)]);
    // The empty bond is gone, and only the block's own reward has come.
    assert_eq!(court.workshop.ledger().coin_count(), coins);
    assert_eq!(court.ticket(&jailed.id), None);
}

/// Later transactions of a block see what earlier ones did.
#[test]
fn a_ticket_may_be_taken_and_given_up_in_one_block_in_this_order() {
    let mut court = Court::new(0);
    let bond = court.workshop.params.committee.verifier_bond;
    let fund = court.workshop.fund(STRANGER, 2);
    let register = register(&court.workshop, &fund, registration(STRANGER), bond);
    let id = fund_of(&register, 0, STRANGER).outpoint;
    let ticket = Ticket {
        id,
        registration: registration(STRANGER),
        registered: court.workshop.chain.height().plus(1),
        seq: 1,
        retired: None,
        unbonding: None,
    };
    let unbond = court.unbond(&ticket, STRANGER);
    let wrong_order = [unbond.clone(), register.clone()];
    assert_refused(&court.workshop.refusal(&wrong_order), "no such ticket");
    court.extend(&[register, unbond]);
    assert_eq!(court.ticket(&id).unwrap().retired, Some(ticket.registered));
}

/// A draw is repeated when nobody has voted: it must not find other tickets in the place of those that
/// have left.
#[test]
fn who_is_fined_does_not_depend_on_when_somebody_settles() {
    use camelid_core::escrow::{History as _, Phase};
    let mut court = Court::new(0);
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.advance_to(Phase::Commit);
    let drawn = court.seats();
    let unbonds: Vec<_> = drawn
        .iter()
        .map(|seat| court.unbond(&court.ticket(&seat.ticket).unwrap(), owner_of(seat)))
        .collect();
    court.extend(&unbonds);
    while court
        .workshop
        .refusal_or_none(&[withdraw(2, drawn[0].ticket)])
        .is_some()
    {
        court.extend(&[]);
    }
    let withdraws: Vec<_> = drawn.iter().map(|seat| withdraw(2, seat.ticket)).collect();
    court.extend(&withdraws);
    let settle = court.bare(ActionKind::Settle);
    court.extend(&[settle]);
    let tickets = court.workshop.ledger().tickets().values();
    let jailed: Vec<OutPoint> = tickets
        .filter(|ticket| ticket.retired.is_some())
        .map(|ticket| ticket.id)
        .collect();
    assert_eq!(jailed, []);
}
