//! `camelid sim difficulty`: what the rule for targets makes of changing hash power, as a page of the book.

use crate::exit::{Exit, Failure};
use camelid_sim::difficulty::{Course, Outcome, Rule, study};
use std::io::{Write as _, stdout};

/// Seeds that each row is measured over.
const SEEDS: core::ops::Range<u64> = 0..10;

const COURSES: [(Course, &str); 5] = [
    (Course::Steady, "nothing happens"),
    (Course::TenTimes, "hash power × 10"),
    (Course::ATenth, "hash power ÷ 10"),
    (Course::Hopper, "a hopper with 20 × the others' power"),
    (Course::Dates, "dates as far ahead and back as allowed"),
];

/// Prints the page.
///
/// # Errors
/// [`Failure`] if it cannot be written.
pub fn difficulty() -> Result<Exit, Failure> {
    stdout().lock().write_all(page().as_bytes())?;
    Ok(Exit::Success)
}

fn page() -> String {
    let rows: String = COURSES
        .iter()
        .flat_map(|(course, name)| {
            [(Rule::Asert, "ASERT"), (Rule::Bitcoin, "Bitcoin's")]
                .map(|(rule, rule_name)| row(name, rule_name, *course, &study(rule, *course, SEEDS)))
        })
        .collect();
    format!(
        "\
# Difficulty, measured

<!-- Written by `make difficulty`. Do not edit. -->

What the [rule for targets](protocol.md#blocks-and-chain) makes of changing hash power, and what Bitcoin's
rule would: a new target every 2,016 blocks. Both with 60 seconds between blocks and {seeds} seeds. After
4,032 quiet blocks something happens, and the next 10,080 are looked at. *S* is the interval that is aimed at.

- *Mean interval*: over the first 2,016 blocks of the change.
- *Worst gap*: the longest time without a block, of all seeds.
- *Right after*: how long it takes until the target is within a tenth of the one that the hash power asks for.
- *Hopper's share*: the blocks it finds. It takes part while a block asks for no more work than one did before
  it came, and leaves the slow blocks to the others. It has 95 % of the hash power while it mines.

| what happens | rule | mean interval | worst gap | right after | hopper's share |
|---|---|---|---|---|---|
{rows}
The last two rows: all miners together date every other block two hours ahead of their clocks, and those between
one second after the median time past. A block dated ahead makes the next one easier, one dated back makes it
harder; the height alone decides what has been gained in the end. The chain is never ahead of its schedule by
more than the two hours and the blocks that the hash power's growth is worth: {half_life} for each doubling.
",
        seeds = SEEDS.end,
        half_life = 72,
    )
}

fn row(course_name: &str, rule_name: &str, course: Course, outcome: &Outcome) -> String {
    let settled = match (course, outcome.settled_after) {
        (Course::Steady | Course::Hopper | Course::Dates, _) => String::new(),
        (_, Some(after)) => format!("{} S", whole(after)),
        (_, None) => "never".into(),
    };
    let share = match course {
        Course::Hopper => format!("{} %", tenths(outcome.hopper_permille)),
        _ => String::new(),
    };
    format!(
        "| {course_name} | {rule_name} | {mean} S | {gap} S | {settled} | {share} |\n",
        mean = hundredths(outcome.mean_interval),
        gap = whole(outcome.worst_gap),
    )
}

/// Thousandths, rounded.
fn whole(thousandths: u64) -> u64 {
    (thousandths + 500) / 1_000
}

fn hundredths(thousandths: u64) -> String {
    let hundredths = (thousandths + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn tenths(permille: u64) -> String {
    format!("{}.{}", permille / 10, permille % 10)
}
