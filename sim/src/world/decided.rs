//! When a run has nothing left to show (`docs/src/scenarios.md`, `ends_early`).

use super::World;
use super::machine::Machine;
use crate::event;
use crate::invariant::liveness;

impl World<'_> {
    /// True when nothing is to come that the scenario asks for, and all that was asked has an answer.
    pub(super) fn is_decided(&self) -> bool {
        let run = &self.setup.scenario.run;
        self.at_ms() >= run.heal_at_ms
            && self.planned == 0
            && self.observer.has_seen_all()
            && self.jobs_are_closed()
            && liveness::check(self.setup, &self.machines).is_ok()
    }

    /// True when on every honest node's chain all jobs are closed, and as many as were asked for.
    fn jobs_are_closed(&self) -> bool {
        let refused = self.observer.count(event::JOB_REFUSED);
        let honest = self.machines.iter().filter(|machine| machine.is_honest());
        honest.filter_map(Machine::node).all(|node| {
            let ledger = node.chain().ledger();
            let asked = self.setup.jobs.len() as u64;
            ledger.job_count() + refused >= asked && ledger.unclosed_jobs().next().is_none()
        })
    }
}
