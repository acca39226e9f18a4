//! Swarm testing: the scenario itself is drawn from the seed.
//!
//! Each seed enables a random subset of features and draws the values of those (Groce, Zhang, Eide,
//! Chen, Regehr: *Swarm Testing*, ISSTA 2012): a run with few features lets them go to extremes that a
//! run with all of them never reaches. What is drawn keeps to the [terms](Term) under which the
//! protocol promises its invariants; any violation is a bug.

mod feature;
mod sketch;
mod terms;

pub use terms::{Term, broken_terms};

use crate::scenario::{JobGroup, LoadError, NodeGroup, Scenario};
use camelid_core::primitives::Stream;
use feature::FEATURES;
use sketch::Sketch;

/// What a seed made.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The scenario, called `swarm-SEED`, loaded from its own text.
    pub scenario: Scenario,
    /// The features that are in it.
    pub features: Vec<&'static str>,
}

/// Draws a scenario from `seed`. Every feature has a random stream of its own, which also says whether it is
/// there: a new feature changes only the seeds that it joins.
///
/// # Errors
/// [`LoadError`] if the scenario does not load: a bug in a feature.
pub fn draw(seed: u64) -> Result<Drawn, LoadError> {
    let stream = |label: &str| Stream::new(seed, &format!("swarm {label}"));
    let mut sketch = Sketch::new(&mut stream("base"))?;
    let mut features = Vec::new();
    for feature in FEATURES {
        let mut stream = stream(feature.name);
        if stream.chance(feature.permille) {
            (feature.add)(&mut sketch, &mut stream);
            features.push(feature.name);
        }
    }
    let scenario = sketch.finish(seed, &features)?;
    Ok(Drawn { scenario, features })
}

impl Drawn {
    /// What was drawn, on one line: nodes by group, jobs, and features.
    pub fn line(&self) -> String {
        let groups = self.scenario.nodes.iter().map(AsRef::<NodeGroup>::as_ref);
        let groups: Vec<String> = groups
            .map(|group| format!("{} {}", group.count.high, group.name))
            .collect();
        let jobs = self.scenario.jobs.iter().map(AsRef::<JobGroup>::as_ref);
        let jobs: u64 = jobs.map(|jobs| jobs.count.high).sum();
        let features = if self.features.is_empty() {
            "nothing special".into()
        } else {
            self.features.join(" ")
        };
        format!("{}; {jobs} jobs; {features}", groups.join(", "))
    }
}
