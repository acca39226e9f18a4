//! What a running node says of itself, for people and for scripts.

mod args;
mod chain;
mod node;
mod wallet;

pub use args::{ChainCommand, QueryArgs};
pub use chain::chain;
#[cfg(feature = "ggml")]
pub use node::{peers, status, stop};
pub use wallet::{HistoryArgs, balance, history, pay};

use crate::exit::Failure;
use crate::sim::print_json;
use serde_json::Value;
use std::io::{Write as _, stdout};

/// A name and what is said of it, a line each.
struct Facts(Vec<(&'static str, String)>);

impl Facts {
    fn print(&self) -> Result<(), Failure> {
        let mut out = stdout().lock();
        for (name, fact) in &self.0 {
            writeln!(out, "{name:<12}{fact}")?;
        }
        Ok(out.flush()?)
    }
}

/// Prints an object under a schema.
///
/// # Errors
/// [`Failure::Output`].
pub fn print_record(schema: &'static str, mut record: Value) -> Result<(), Failure> {
    record["schema"] = schema.into();
    print_json(&record)
}

/// A field as people read it: text without quotes, nothing as a dash.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A duration in its two largest units.
#[cfg(any(feature = "ggml", test))]
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_two_units() {
        let words = [59, 60, 3_599, 3_600, 86_399, 90_000].map(duration);
        let expected = [
            "59 s",
            "1 min 0 s",
            "59 min 59 s",
            "1 h 0 min",
            "23 h 59 min",
            "1 d 1 h",
        ];
        assert_eq!(words, expected);
    }
}
