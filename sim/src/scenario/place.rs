//! Where a value stands in a file.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The bytes of the TOML `text` at which `path` stands: `chain.spacing_s` is a key of a table,
/// `jobs.2` the third element of an array (from 0). If the file leaves the path out, the innermost
/// part that it has.
pub(super) fn place(text: &str, path: &str) -> Range<usize> {
    let mut place = 0..0;
    let Ok(root) = DeTable::parse(text) else {
        return place;
    };
    let root = DeValue::Table(root.into_inner());
    let mut value = &root;
    for step in path.split('.') {
        let next = match value {
            DeValue::Table(table) => table
                .iter()
                .find(|(key, _)| key.get_ref() == step)
                .map(|(key, value)| (key.span(), value)),
            DeValue::Array(array) => step
                .parse::<usize>()
                .ok()
                .and_then(|index| array.get(index))
                .map(|value| (value.span(), value)),
            _ => None,
        };
        let Some((span, inner)) = next else {
            break;
        };
        place = span;
        value = inner.get_ref();
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# name and far are not here
name = 'name = far' # name
  walk.far = 1
[[jobs]]
a = 1
[[jobs]]
# a
a = [1, 22]
";

    #[test]
    fn keys_and_elements_are_found_however_they_are_written() {
        for (path, line, word) in [
            ("name", 2, "name"),
            ("walk.far", 3, "far"),
            ("jobs.0.a", 5, "a"),
            ("jobs.1.a", 8, "a"),
            ("jobs.1.a.1", 8, "22"),
        ] {
            let span = place(TEXT, path);
            assert_eq!(TEXT[..span.start].matches('\n').count() + 1, line, "{path}");
            assert_eq!(&TEXT[span], word, "{path}");
        }
    }

    #[test]
    fn what_is_left_out_is_placed_where_it_belongs() {
        let start = |path| place(TEXT, path).start;
        assert_eq!(
            start("jobs.1.b"),
            TEXT.rfind("[[jobs]]").expect("the second table")
        );
        assert_eq!(start("moon"), 0);
        assert_eq!(place("not [ TOML", "not"), 0..0);
    }
}
