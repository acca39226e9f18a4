//! `liveness-after-healing`: at the end of a run, when the network has been perfect since
//! `heal_at_ms`, every honest node is up, its best chain is at least a quarter as many blocks higher
//! than the target spacing allows for the time since, and all honest tips are within
//! `agreement_depth` blocks of the highest.

use super::Invariant;
use crate::scenario::Setup;
use crate::world::{Machine, Observation};
use camelid_core::primitives::Height;

/// Judges the end of a run.
pub(super) struct Liveness;

impl Invariant for Liveness {
    fn id(&self) -> &'static str {
        "liveness-after-healing"
    }

    fn check_end(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        check(seen.setup, seen.machines)
    }
}

/// Looks at all honest nodes. What holds at some time keeps holding but for crashes and stragglers, since the
/// number of blocks that is asked for is that of the whole run.
pub(crate) fn check(setup: &Setup, machines: &[Machine]) -> Result<(), String> {
    let scenario = &setup.scenario;
    let healthy_ms = scenario.run.until_ms - scenario.run.heal_at_ms;
    let expected = healthy_ms / (u64::from(setup.params.spacing_s) * 1_000) / 4;
    let honest = || machines.iter().filter(|machine| machine.is_honest());
    let highest = honest()
        .filter_map(|machine| machine.node())
        .map(|node| node.chain().height())
        .max();
    let highest = highest.unwrap_or(Height(0));
    for machine in honest() {
        let name = &machine.setup.name;
        let Some(node) = machine.node() else {
            return Err(format!("{name} is down at the end"));
        };
        let chain = node.chain();
        let healed_at = setup.start.after_ms(scenario.run.heal_at_ms).timestamp();
        let headers = chain
            .active()
            .iter()
            .filter_map(|hash| chain.headers().header(hash));
        let since = headers.filter(|header| header.time >= healed_at).count() as u64;
        if since < expected {
            return Err(format!(
                "{name} saw {since} blocks after the network healed, at least {expected} expected"
            ));
        }
        let behind = highest.since(chain.height());
        if behind > scenario.expect.get_ref().agreement_depth {
            return Err(format!("{name} is {behind} blocks behind at the end"));
        }
    }
    Ok(())
}
