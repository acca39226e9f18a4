//! When to colour.

use clap::ValueEnum;
use std::env;
use std::io::{IsTerminal, stdout};

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorWhen {
    /// Whether standard output is coloured. `NO_COLOR` counts when it is not empty
    /// (<https://no-color.org>).
    pub fn on_stdout(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let forbidden = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                stdout().is_terminal() && !forbidden
            }
        }
    }
}
