//! Why a scenario cannot be loaded, said so that the reader can mend it.

use std::fmt;
use std::ops::Range;

/// A scenario that cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The file, as it was named.
    pub file: String,
    /// Line from 1, if the fault has a place.
    pub line: Option<usize>,
    /// Column from 1, if the fault has a place.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The scenario would load in a program that runs real models.
    pub needs_models: bool,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}\n  hint: {}", self.message, self.hint)
    }
}

impl std::error::Error for LoadError {}

impl LoadError {
    /// A fault of the whole file.
    pub fn of_file(file: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            column: None,
            message: message.into(),
            hint: hint.into(),
            needs_models: false,
        }
    }

    /// A fault at `span` (bytes) of `text`.
    pub(super) fn at(
        file: &str,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Self {
            line: Some(line),
            column: Some(column),
            ..Self::of_file(file, message, hint)
        }
    }
}
