//! `windows-kept`: every action on a job stands in a block of the window that is for it, counted from
//! heights and header times alone; Settle after the last of them; and votes, appeals and audits at the
//! times of a round.

use super::Invariant;
use super::lives::{Life, Lives, Past, Place};
use crate::world::Observation;
use camelid_core::tx::{ActionKind, ClaimKind};

/// Follows the actions on the chain of each node.
#[derive(Default)]
pub(super) struct WindowsKept {
    lives: Lives,
}

impl Invariant for WindowsKept {
    fn id(&self) -> &'static str {
        "windows-kept"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        self.lives
            .judge(seen, |life, index, past, _| check(life, index, past))
    }
}

fn check(life: &Life, index: usize, past: &Past<'_>) -> Result<(), String> {
    let (step, place) = (&life.steps[index], life.place_before(index, past));
    if is_in_time(life, place, &step.kind, step.height, past) {
        return Ok(());
    }
    Err(format!(
        "{} in the block at {}, when it is in {place:?}",
        name(&step.kind),
        step.height
    ))
}

fn is_in_time(life: &Life, place: Place, kind: &ActionKind, now: u32, past: &Past<'_>) -> bool {
    let (jobs, deadline) = (&past.params.jobs, life.terms.deadline.0);
    match (place, kind) {
        (Place::Open, ActionKind::Engage { .. }) => now < deadline,
        (Place::Open, ActionKind::Settle) => now >= deadline,
        (Place::Engaged { since } | Place::Delivered { since }, ActionKind::Settle) => {
            !past.open(since, jobs.challenge, now)
        }
        (Place::Engaged { since }, ActionKind::Deliver(_))
        | (Place::Engaged { since } | Place::Delivered { since }, ActionKind::BadDelivery(_)) => {
            past.open(since, jobs.challenge, now)
        }
        (Place::Engaged { since } | Place::Delivered { since }, ActionKind::Claim { kind, .. }) => {
            let is_delivered = matches!(place, Place::Delivered { .. });
            let may = match kind {
                ClaimKind::Withheld => !is_delivered && now >= since + jobs.burial,
                ClaimKind::Invalid => true,
                ClaimKind::Appeal => false,
            };
            may && past.open(since, jobs.challenge, now)
        }
        (Place::Withheld { since }, ActionKind::Deliver(_)) => past.open(since, jobs.deliver_counter, now),
        (Place::Withheld { since }, ActionKind::Settle) => !past.open(since, jobs.deliver_counter, now),
        (Place::Round { since, number, .. }, kind) => is_in_round(kind, number, past.round(since, now)),
        _ => false,
    }
}

/// Each window of a round is open from where the one before was closed.
fn is_in_round(kind: &ActionKind, number: u8, closed: [Option<u32>; 4]) -> bool {
    let [draw, commit, reveal, appeal] = closed.map(|closed| closed.is_some());
    match (kind, number) {
        (ActionKind::VoteCommit { .. }, _) => draw && !commit,
        (ActionKind::VoteReveal { .. }, _) => commit && !reveal,
        (
            ActionKind::Claim {
                kind: ClaimKind::Appeal,
                ..
            },
            1,
        ) => reveal && !appeal,
        (ActionKind::Settle, 1) => appeal,
        (ActionKind::Settle, 2) => reveal,
        _ => false,
    }
}

fn name(kind: &ActionKind) -> &'static str {
    match kind {
        ActionKind::OpenJob(_) => "OpenJob",
        ActionKind::Engage { .. } => "Engage",
        ActionKind::Settle => "Settle",
        ActionKind::Claim { kind, .. } => kind.name(),
        ActionKind::Deliver(_) => "Deliver",
        ActionKind::BadDelivery(_) => "BadDelivery",
        ActionKind::VoteCommit { .. } => "VoteCommit",
        ActionKind::VoteReveal { .. } => "VoteReveal",
        ActionKind::Register(_) => "Register",
        ActionKind::Unbond { .. } => "Unbond",
        ActionKind::Withdraw { .. } => "Withdraw",
    }
}
