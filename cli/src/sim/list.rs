//! `camelid sim list`.

use super::load::load;
use super::table::new_table;
use crate::args::ListArgs;
use crate::exit::{Exit, Failure};
use std::io::{Write, stdout};

/// Lists scenarios: name, what they show, strategies, nodes, and a line about each.
///
/// # Errors
/// [`Failure`].
pub fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let mut table = new_table(&["scenario", "shows", "strategies", "nodes", "about"], false);
    for loaded in load(&args.paths)? {
        table.add_row(vec![
            loaded.scenario.name.clone(),
            loaded.scenario.shows.join(" "),
            loaded.strategies().join("\n"),
            loaded.nodes(),
            loaded.scenario.about.clone(),
        ]);
    }
    writeln!(stdout().lock(), "{table}")?;
    Ok(Exit::Success)
}
