//! `seats-as-drawn`: who votes holds a seat that the beacon drew: among the eligible tickets, parties
//! and earlier seats left out, each ticket once; and it opens a commitment that nobody else opens. When
//! the dispute is over, seats that showed no ballot have lost the fine and serve no more.

use super::Invariant;
use super::lives::{Life, Lives, Past, Place};
use crate::world::Observation;
use camelid_core::chain::Ledger;
use camelid_core::committee::Ticket;
use camelid_core::escrow::History;
use camelid_core::primitives::{sha256, tagged_hash};
use camelid_core::tx::{ActionKind, ClaimKind, OutPoint};
use std::collections::{BTreeMap, BTreeSet};

/// Draws every committee again.
#[derive(Default)]
pub(super) struct SeatsAsDrawn {
    lives: Lives,
}

impl Invariant for SeatsAsDrawn {
    fn id(&self) -> &'static str {
        "seats-as-drawn"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        self.lives.judge(seen, |life, index, past, ledger| {
            Draws { life, past, ledger }.check(index)
        })
    }
}

/// The committees of one job.
struct Draws<'a> {
    life: &'a Life,
    past: &'a Past<'a>,
    ledger: &'a Ledger,
}

impl Draws<'_> {
    fn check(&self, index: usize) -> Result<(), String> {
        match &self.life.steps[index].kind {
            ActionKind::VoteCommit { ticket, .. } if !self.seats(index).contains(ticket) => {
                Err(format!("ticket {ticket} votes, and was not drawn"))
            }
            ActionKind::VoteReveal { ticket, .. } => self.check_own(index, ticket),
            ActionKind::Settle => self.check_fines(index),
            _ => Ok(()),
        }
    }

    /// Seats of the round in which the step at `index` comes, round 1 only of those before an appeal.
    fn seats(&self, index: usize) -> Vec<OutPoint> {
        let Place::Round { since, number, .. } = self.life.place_before(index, self.past) else {
            return Vec::new();
        };
        let now = self.life.steps[index].height;
        let [Some(draw), ..] = self.past.round(since, now) else {
            return Vec::new();
        };
        let mut eligible: Vec<&Ticket> = self
            .ledger
            .tickets()
            .values()
            .filter(|ticket| self.is_eligible(ticket, draw - 1))
            .collect();
        let committee = &self.past.params.committee;
        if eligible.len() < committee.min_eligible as usize {
            return Vec::new();
        }
        if let (2, Some(appeal)) = (number, self.appeal()) {
            let earlier = self.seats(appeal);
            eligible.retain(|ticket| !earlier.contains(&ticket.id));
        }
        let (genesis, beacon) = (self.past.hash(0), self.past.hash(draw - 1));
        let seed = tagged_hash("camelid/beacon", &(genesis, self.life.id, number, beacon));
        let count = committee.seats[usize::from(number) - 1];
        if eligible.len() < count as usize {
            return Vec::new();
        }
        let pick = |number: u32| {
            let hash = sha256(&[&seed.0[..], &number.to_le_bytes()].concat());
            let index = hash.to_u64() % eligible.len() as u64;
            eligible.remove(usize::try_from(index).unwrap_or(0)).id
        };
        (0..count).map(pick).collect()
    }

    fn is_eligible(&self, ticket: &Ticket, beacon: u32) -> bool {
        let Some((engaged, node, _)) = self.life.engage() else {
            return false;
        };
        let (terms, maturity) = (&self.life.terms, self.past.params.committee.ticket_maturity);
        let Ticket { registration, .. } = ticket;
        registration.models.contains(&terms.model)
            && registration.key != terms.client_key
            && registration.key != node
            && ticket.registered.0 + maturity <= engaged
            && ticket.retired.is_none_or(|height| height.0 > beacon)
    }

    fn appeal(&self) -> Option<usize> {
        self.life.steps.iter().position(|step| {
            let kind = &step.kind;
            matches!(kind, ActionKind::Claim { kind, .. } if *kind == ClaimKind::Appeal)
        })
    }

    /// A seat opens a commitment of its own: what another has opened as well is a copied vote.
    fn check_own(&self, reveal: usize, seat: &OutPoint) -> Result<(), String> {
        let steps = self.life.steps.iter().take(reveal);
        let (mut commitments, mut opened) = (BTreeMap::new(), BTreeSet::new());
        for step in steps {
            match &step.kind {
                ActionKind::VoteCommit {
                    ticket, commitment, ..
                } => {
                    commitments.insert(*ticket, *commitment);
                }
                ActionKind::VoteReveal { ticket, .. } => opened.extend(commitments.get(ticket).copied()),
                _ => {}
            }
        }
        match commitments.get(seat) {
            None => Err(format!("ticket {seat} opens what it has not committed to")),
            Some(own) if opened.contains(own) => Err(format!("ticket {seat} opens a copied commitment")),
            Some(_) => Ok(()),
        }
    }

    fn check_fines(&self, settle: usize) -> Result<(), String> {
        let reveals = self.life.steps.iter().filter_map(|step| match &step.kind {
            ActionKind::VoteReveal { ticket, .. } => Some(*ticket),
            _ => None,
        });
        let revealed: Vec<OutPoint> = reveals.collect();
        let rounds = self.appeal().into_iter().chain([settle]);
        let silent = rounds
            .flat_map(|index| self.seats(index))
            .filter(|seat| !revealed.contains(seat));
        let params = self.past.params;
        let fine = params.jobs.seat_pay(self.life.terms.reward).units()
            * u64::from(params.committee.no_show_fine_in_seat_pays);
        let most = params.committee.verifier_bond.units().saturating_sub(fine);
        for seat in silent {
            let serves = self
                .ledger
                .tickets()
                .get(&seat)
                .is_some_and(|ticket| ticket.retired.is_none());
            let held = self
                .ledger
                .coin(&seat)
                .map_or(0, |coin| coin.output.value.units());
            if serves || held > most {
                return Err(format!(
                    "seat {seat} kept quiet and holds {held} units of its bond"
                ));
            }
        }
        Ok(())
    }
}
