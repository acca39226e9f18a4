//! `coins-conserved`: unspent outputs + audit fund + burned = issued, on every node after every move
//! of its tip; and issued = genesis allocations + the subsidies of all blocks.

use super::Invariant;
use crate::world::Observation;
use camelid_core::primitives::{Amount, Height};

/// Adds all coins up anew.
pub(super) struct CoinsConserved;

impl Invariant for CoinsConserved {
    fn id(&self) -> &'static str {
        "coins-conserved"
    }

    fn check_tip(&mut self, seen: &Observation<'_>) -> Result<(), String> {
        let Some(node) = seen.machines[seen.node].node() else {
            return Ok(());
        };
        let ledger = node.chain().ledger();
        let (totals, params) = (ledger.totals(), ledger.params());
        let held =
            ledger.coin_sum() + u128::from(totals.audit_fund.units()) + u128::from(totals.burned.units());
        let allocated = Amount::checked_sum(params.allocations.iter().map(|entry| entry.amount));
        let subsidies = (1..=ledger.height().0).map(|height| params.subsidy_at(Height(height)).units());
        let issued = u128::from(allocated.map_or(0, Amount::units)) + u128::from(subsidies.sum::<u64>());
        if held == issued && issued == u128::from(totals.issued.units()) {
            return Ok(());
        }
        Err(format!(
            "at height {}: {held} units in outputs, fund and burned; {issued} were issued, the ledger says {}",
            ledger.height(),
            totals.issued.units()
        ))
    }
}
