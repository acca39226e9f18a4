//! Writing a scenario out as the text of its file.

use super::error::LoadError;
use super::file::Scenario;

impl Scenario {
    /// This scenario as a TOML file says it, with every key, each on a line of its own.
    ///
    /// # Errors
    /// [`LoadError`] if a number is too large for TOML (above 2^63 - 1), which no scenario that loads is.
    pub fn to_toml(&self) -> Result<String, LoadError> {
        toml::to_string(self).map_err(|error| {
            LoadError::of_file(
                &self.name,
                format!("cannot be written: {error}"),
                "use smaller numbers",
            )
        })
    }

    /// [`Self::to_toml`] without the keys that have their default values.
    ///
    /// # Errors
    /// [`LoadError`], as for [`Self::to_toml`].
    pub fn to_short_toml(&self) -> Result<String, LoadError> {
        let full = self.to_toml()?;
        let mut lines: Vec<&str> = full.lines().collect();
        // From the last, so that the indices before stay what they are.
        for index in (0..lines.len())
            .rev()
            .filter(|index| is_key(full.lines().nth(*index)))
        {
            let shorter = without(&lines, index);
            let same = |scenario: Self| scenario.to_toml().as_ref() == Ok(&full);
            if self.parse_like(&shorter.join("\n"), &self.name).is_ok_and(same) {
                lines = shorter;
            }
        }
        Ok(without_empty_tables(&lines).join("\n") + "\n")
    }

    /// This scenario, written out and loaded again: what was made or changed in memory goes the way of
    /// every file, its checks included, and has the text that a trace carries. `heading` is a comment at
    /// the top, one line.
    ///
    /// # Errors
    /// [`LoadError`], as for a file.
    pub fn rewritten(&self, heading: &str) -> Result<Self, LoadError> {
        self.reload(heading, &self.to_toml()?)
    }

    /// [`Self::rewritten`] with the text of [`Self::to_short_toml`].
    ///
    /// # Errors
    /// [`LoadError`], as for a file.
    pub fn shortened(&self, heading: &str) -> Result<Self, LoadError> {
        self.reload(heading, &self.to_short_toml()?)
    }

    fn reload(&self, heading: &str, text: &str) -> Result<Self, LoadError> {
        let heading = heading.replace('\n', " ");
        self.parse_like(&format!("# {heading}\n{text}"), &format!("{}.toml", self.name))
    }

    /// Loads `text` with the models that this scenario has.
    fn parse_like(&self, text: &str, file: &str) -> Result<Self, LoadError> {
        match &self.model.brought {
            Some(brought) => Self::parse_with(text, file, brought),
            None => Self::parse(text, file),
        }
    }

    /// This scenario with one key left out, for every key that may be.
    pub(crate) fn without_each_key(&self) -> Vec<Self> {
        let full = self.to_toml().unwrap_or_default();
        let lines: Vec<&str> = full.lines().collect();
        let keys = (0..lines.len()).filter(|index| is_key(lines.get(*index).copied()));
        keys.filter_map(|index| {
            self.parse_like(&without(&lines, index).join("\n"), &self.name)
                .ok()
        })
        .collect()
    }
}

fn is_key(line: Option<&str>) -> bool {
    line.is_some_and(|line| line.contains(" = "))
}

fn without<'a>(lines: &[&'a str], index: usize) -> Vec<&'a str> {
    let (before, from) = lines.split_at(index);
    [before, from.get(1..).unwrap_or_default()].concat()
}

/// Without the headings of tables that hold nothing; elements of arrays stay.
fn without_empty_tables<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for line in lines.iter().filter(|line| !line.is_empty()).chain([&"["]) {
        let heading = |line: &str| line.starts_with('[') && !line.starts_with("[[");
        if line.starts_with('[') && kept.last().is_some_and(|last| heading(last)) {
            kept.pop();
        }
        if line.starts_with('[') && !kept.is_empty() && kept.last() != Some(&"") {
            kept.push("");
        }
        kept.push(line);
    }
    // The end, which closed the last table, and the line before it.
    kept.truncate(kept.len().saturating_sub(2));
    kept
}
