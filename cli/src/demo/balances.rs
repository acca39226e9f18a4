//! What everybody owned before and after.

use super::cast::Party;
use super::record::BalanceRecord;
use super::words::coins;
use crate::exit::Failure;
use crate::sim::{new_table, print_json};
use camelid_core::chain::Ledger;
use camelid_core::escrow::History;
use camelid_core::primitives::Amount;
use comfy_table::{Cell, CellAlignment, Color};
use std::io::{Write, stdout};

/// The rows of the table, and what belongs to nobody any more.
pub struct Balances {
    rows: Vec<Row>,
    burned: Amount,
    audit_fund: Amount,
}

struct Row {
    name: String,
    before: Amount,
    after: Amount,
}

impl Balances {
    /// Of the cast, on `ledger`. A verifier's bond is its own.
    pub fn on(ledger: &Ledger, cast: &[Party]) -> Self {
        let rows = cast.iter().map(|party| {
            let bonds: u128 = ledger
                .tickets()
                .values()
                .filter(|ticket| ticket.registration.key == party.key().public_key())
                .filter_map(|ticket| ledger.coin(&ticket.id))
                .map(|coin| u128::from(coin.output.value.units()))
                .sum();
            let after = u64::try_from(ledger.balance(&party.script()) + bonds).ok();
            Row {
                name: party.name.clone(),
                before: Amount::from_coins(party.wealth()).unwrap_or(Amount::MAX),
                after: after.and_then(Amount::from_units).unwrap_or(Amount::MAX),
            }
        });
        Self {
            rows: rows.collect(),
            burned: ledger.totals().burned,
            audit_fund: ledger.totals().audit_fund,
        }
    }

    /// For people.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn print(&self, color: bool) -> Result<(), Failure> {
        let mut table = new_table(&["node", "before", "after", "change"], color);
        for row in &self.rows {
            let (change, paint) = match row.after.checked_sub(row.before) {
                Some(gain) if gain.is_zero() => ("0".to_string(), None),
                Some(gain) => (format!("+{}", coins(gain)), Some(Color::Green)),
                None => {
                    let loss = row.before.checked_sub(row.after).unwrap_or(Amount::ZERO);
                    (format!("-{}", coins(loss)), Some(Color::Red))
                }
            };
            let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
            let change = match paint {
                Some(paint) if color => number(change).fg(paint),
                _ => number(change),
            };
            let (before, after) = (number(coins(row.before)), number(coins(row.after)));
            table.add_row([Cell::new(&row.name), before, after, change]);
        }
        let (burned, fund) = (coins(self.burned), coins(self.audit_fund));
        writeln!(
            stdout().lock(),
            "\n{table}\n\nBurned: {burned} coins. In the fund that pays for audits: {fund}."
        )?;
        Ok(())
    }

    /// For scripts.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn print_json(&self) -> Result<(), Failure> {
        for row in &self.rows {
            print_json(&BalanceRecord {
                schema: "camelid.demo.balance.v1",
                name: &row.name,
                before: row.before.to_string(),
                after: row.after.to_string(),
            })?;
        }
        Ok(())
    }
}
