//! What must always hold. One file for each invariant, with its formula; ids are stable.
//!
//! Invariants look at the nodes from outside: through their chains and the blocks that join and
//! leave them. `docs/src/invariants.md` lists them.

mod agreement;
mod coins_conserved;
pub(crate) mod liveness;
mod lives;
mod no_double_spend;
mod no_honest_slashed;
mod one_terminal_state;
mod payouts;
mod seats;
mod solvency;
mod verdict;
mod windows;

use crate::world::Observation;

/// Ids of all invariants.
pub const IDS: &[&str] = &[
    "agreement",
    "coins-conserved",
    "escrow-and-bond-solvency",
    "liveness-after-healing",
    "no-double-spend",
    "no-honest-slashed",
    "one-terminal-state",
    "paid-as-decided",
    "seats-as-drawn",
    "windows-kept",
];

/// Something that must always hold. An `Err` is a violation, in words.
pub trait Invariant {
    /// Its stable id.
    fn id(&self) -> &'static str;

    /// Called after each step of a node; must be cheap.
    fn check_step(&mut self, _: &Observation<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Called when a node's tip has moved.
    fn check_tip(&mut self, _: &Observation<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Called at the end of a run.
    fn check_end(&mut self, _: &Observation<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// A new watch for the invariant `id`.
pub fn by_id(id: &str) -> Option<Box<dyn Invariant>> {
    Some(match id {
        "agreement" => Box::new(agreement::Agreement),
        "coins-conserved" => Box::new(coins_conserved::CoinsConserved),
        "escrow-and-bond-solvency" => Box::new(solvency::Solvency),
        "liveness-after-healing" => Box::new(liveness::Liveness),
        "no-double-spend" => Box::new(no_double_spend::NoDoubleSpend::default()),
        "no-honest-slashed" => Box::new(no_honest_slashed::NoHonestSlashed::default()),
        "one-terminal-state" => Box::new(one_terminal_state::OneTerminalState::default()),
        "paid-as-decided" => Box::new(payouts::PaidAsDecided::default()),
        "seats-as-drawn" => Box::new(seats::SeatsAsDrawn::default()),
        "windows-kept" => Box::new(windows::WindowsKept::default()),
        _ => return None,
    })
}
