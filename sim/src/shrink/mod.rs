//! Making a failing scenario small: fewer adversaries, faults, nodes and jobs, then plainer values and
//! less time, as long as the same thing goes wrong.

mod simpler;

use crate::report::Violation;
use crate::scenario::Scenario;
use crate::swarm::{Term, broken_terms};
use simpler::PASSES;
use std::collections::BTreeSet;

/// A smaller scenario is also tried under so many other seeds, from 0: what a seed draws means something
/// else in it.
const OTHER_SEEDS: u64 = 3;

/// The invariant that only means something while the end of a run is quiet.
const NEEDS_QUIET_END: &str = "liveness-after-healing";
/// Expectations that a run without jobs or without time breaks trivially.
const NEEDS_TIME: &str = "eventually:";

/// A scenario and a seed under which something goes wrong.
#[derive(Clone, Debug)]
pub struct Failing {
    /// The scenario.
    pub scenario: Scenario,
    /// The seed.
    pub seed: u64,
    /// What goes wrong.
    pub violation: Violation,
}

/// What shrinking came to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest failing scenario that was found.
    pub failing: Failing,
    /// How many runs it took.
    pub runs: u64,
    /// False when the runs were used up before every simpler scenario had been tried.
    pub finished: bool,
}

/// Shrinks `failing` with at most `max_runs` runs. `run` says what goes wrong in a scenario under a seed;
/// it is asked again and again, and must always give the same answer.
///
/// What the result violates has the id of `failing.violation`. A scenario within the [terms](Term) of the
/// protocol stays within them, so that nothing is blamed on what the protocol does not promise. When
/// `finished`, no adversary, fault, group of nodes or table of jobs can be left out of the result.
pub fn shrink(failing: Failing, max_runs: u64, run: impl FnMut(&Scenario, u64) -> Vec<Violation>) -> Shrunk {
    let mut shrinker = Shrinker {
        broken: broken_terms(&failing.scenario),
        best: failing,
        runs: 0,
        max_runs,
        run,
    };
    shrinker.truncate();
    while shrinker.round() {}
    Shrunk {
        finished: shrinker.runs < max_runs,
        runs: shrinker.runs,
        failing: shrinker.best,
    }
}

struct Shrinker<R> {
    best: Failing,
    /// Terms that the first scenario breaks; others must stay kept.
    broken: BTreeSet<Term>,
    runs: u64,
    max_runs: u64,
    run: R,
}

impl<R: FnMut(&Scenario, u64) -> Vec<Violation>> Shrinker<R> {
    /// Every pass until it finds nothing simpler; true if any did.
    fn round(&mut self) -> bool {
        let id = &self.best.violation.id;
        let all = !id.starts_with(NEEDS_TIME);
        let passes: Vec<_> = PASSES.iter().filter(|pass| all || pass.keeps_time).collect();
        let mut found = false;
        for pass in passes {
            found |= self.exhaust(pass.simpler);
        }
        found
    }

    /// Takes steps of one kind until each has been refused; true if any was taken. After one that was
    /// taken the walk goes on in the same place: what was refused before seldom becomes possible, and the
    /// next round tries it again.
    fn exhaust(&mut self, simpler: fn(&Failing) -> Vec<Scenario>) -> bool {
        let (mut found, mut place) = (false, 0);
        let mut candidates = simpler(&self.best);
        while let Some(candidate) = candidates.get(place) {
            if self.accept(candidate) {
                found = true;
                candidates = simpler(&self.best);
            } else {
                place += 1;
            }
        }
        found
    }

    /// Ends the run where it fails, if it does before its end.
    fn truncate(&mut self) {
        let mut scenario = self.best.scenario.clone();
        let run = &mut scenario.run;
        run.until_ms = run.until_ms.min(self.best.violation.at_ms + 1);
        run.heal_at_ms = run.heal_at_ms.min(run.until_ms.saturating_sub(1));
        if run.until_ms < self.best.scenario.run.until_ms {
            self.accept(&scenario);
        }
    }

    /// Goes on with `candidate` if it fails in the same way.
    fn accept(&mut self, candidate: &Scenario) -> bool {
        let heading = format!("Shrunk; violates {}.", self.best.violation.id);
        // What does not load is no scenario: a client that left its jobs behind, a network without miners.
        let Ok(candidate) = candidate.rewritten(&heading) else {
            return false;
        };
        if !self.keeps_terms(&candidate) {
            return false;
        }
        let mut seeds = vec![self.best.seed];
        seeds.extend((0..OTHER_SEEDS).filter(|seed| *seed != self.best.seed));
        for seed in seeds {
            if self.runs >= self.max_runs {
                return false;
            }
            self.runs += 1;
            let violations = (self.run)(&candidate, seed);
            let same = |violation: &Violation| violation.id == self.best.violation.id;
            if let Some(violation) = violations.into_iter().find(same) {
                self.best = Failing {
                    scenario: candidate,
                    seed,
                    violation,
                };
                return true;
            }
        }
        false
    }

    fn keeps_terms(&self, candidate: &Scenario) -> bool {
        let excused = |term: &Term| {
            let quiet_end_is_idle = self.best.violation.id != NEEDS_QUIET_END;
            self.broken.contains(term) || (*term == Term::QuietEnd && quiet_end_is_idle)
        };
        broken_terms(candidate).iter().all(excused)
    }
}
