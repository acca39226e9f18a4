//! Amounts, lists and texts as people read them.

use camelid_core::primitives::Amount;

/// An amount without the zeros at its end.
pub fn coins(amount: Amount) -> String {
    let text = amount.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// `a, b and c`
pub fn list(names: &[&str]) -> String {
    match names {
        [] => "nobody".into(),
        [one] => (*one).to_string(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A model's text on one line, without what a terminal would obey.
pub fn one_line(text: &str) -> String {
    let visible = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let line: String = visible.collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_lose_their_last_zeros_only() {
        let amount = |units| coins(Amount::from_units(units).expect("in range"));
        assert_eq!(amount(0), "0");
        assert_eq!(amount(1_000_000_000), "10");
        assert_eq!(amount(350_000_000), "3.5");
        assert_eq!(amount(1), "0.00000001");
    }

    #[test]
    fn texts_cannot_move_the_cursor() {
        assert_eq!(one_line("a\n\u{1b}[2Jb\r  c"), "a [2Jb c");
    }
}
