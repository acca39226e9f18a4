//! `camelid rastic economics`.

use super::args::EconomicsArgs;
use super::stake::{Market, in_coins, whole};
use crate::decimal::Decimal;
use crate::exit::{Exit, Failure};
use crate::sim::print_json;
use camelid_core::primitives::Amount;
use num_bigint::BigInt;
use serde::Serialize;
use serde_json::Number;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};

/// Shares of jobs checked, in thousandths, in the table for people.
const CHECKED_PERMILLE: [u64; 8] = [10, 20, 50, 100, 200, 300, 500, 1_000];

/// Schema, inputs and results. Amounts are coins, as text.
#[derive(Serialize)]
struct EconomicsRecord {
    schema: &'static str,
    gain: String,
    reward: String,
    check_permille: Number,
    detect_permille: Number,
    verifiers: Option<u16>,
    colluding_permille: Option<Number>,
    false_slash_ppm: u32,
    cost: Option<String>,
    /// False when cheating pays whatever the stake.
    stake_suffices: bool,
    /// The least stake; null when none suffices.
    min_stake: Option<String>,
    /// The largest cost of a job that an honest node with this stake can bear; null when there is none.
    max_cost: Option<String>,
    /// Whether an honest node with `cost` and this stake takes part; null without a cost or stake.
    participates: Option<bool>,
}

/// Says how much stake makes cheating a loss.
///
/// # Errors
/// [`Failure::Output`].
pub fn economics(args: &EconomicsArgs) -> Result<Exit, Failure> {
    let market = market_of(args);
    let record = EconomicsRecord::new(args, &market);
    if args.json {
        print_json(&record)?;
    } else {
        stdout()
            .lock()
            .write_all(in_words(args, &market, &record).as_bytes())?;
    }
    Ok(Exit::Success)
}

fn market_of(args: &EconomicsArgs) -> Market {
    let share = |permille: Decimal| permille.fraction() / whole(1_000);
    let market = Market {
        gain: whole(args.gain.units()),
        reward: whole(args.reward.units()),
        checked: share(args.check_permille),
        detected: share(args.detect_permille),
        falsely_slashed: whole(args.false_slash_ppm.into()) / whole(1_000_000),
    };
    match (args.verifiers, args.colluding_permille) {
        (Some(verifiers), Some(colluding)) => market.with_collusion(verifiers, &share(colluding)),
        _ => market,
    }
}

impl EconomicsRecord {
    fn new(args: &EconomicsArgs, market: &Market) -> Self {
        let stake = market.least_stake();
        let largest_cost = stake.as_ref().and_then(|stake| market.largest_cost(stake));
        let bears = |cost: Amount| {
            largest_cost
                .as_ref()
                .is_some_and(|largest| BigInt::from(cost.units()) <= *largest)
        };
        Self {
            schema: "camelid.rastic.economics.v1",
            gain: args.gain.to_string(),
            reward: args.reward.to_string(),
            check_permille: args.check_permille.json(),
            detect_permille: args.detect_permille.json(),
            verifiers: args.verifiers,
            colluding_permille: args.colluding_permille.map(Decimal::json),
            false_slash_ppm: args.false_slash_ppm,
            cost: args.cost.map(|cost| cost.to_string()),
            stake_suffices: stake.is_some(),
            participates: stake.as_ref().and(args.cost).map(bears),
            min_stake: stake.as_ref().map(in_coins),
            max_cost: largest_cost.as_ref().map(in_coins),
        }
    }
}

fn in_words(args: &EconomicsArgs, market: &Market, record: &EconomicsRecord) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<36}{value}");
    };
    line("gain of a cheat (g)", &record.gain);
    line("reward (r)", &record.reward);
    line("checked (q)", &format!("{} permille", args.check_permille));
    line(
        "caught when checked (d)",
        &format!("{} permille", args.detect_permille),
    );
    if let (Some(verifiers), Some(colluding)) = (args.verifiers, args.colluding_permille) {
        line(
            "independent verifiers (v)",
            &format!("{verifiers}, {colluding} permille collude"),
        );
    }
    line(
        "least stake",
        &match &record.min_stake {
            Some(stake) => format!("{stake}{}", in_rewards(market)),
            None => "none suffices: a cheat is never caught".into(),
        },
    );
    if record.stake_suffices {
        let cost = record.max_cost.as_deref();
        line(
            "an honest node can bear a cost of",
            cost.unwrap_or("nothing: false slashes cost more than the reward"),
        );
    }
    if let (Some(cost), Some(participates)) = (&record.cost, record.participates) {
        line(
            &format!("with a cost of {cost} it"),
            if participates { "takes part" } else { "stays away" },
        );
    }
    text.push('\n');
    by_share_checked(&mut text, market);
    text
}

/// The least stake, and the cost an honest node can bear with it, for other shares checked.
fn by_share_checked(text: &mut String, market: &Market) {
    let _ = writeln!(
        text,
        "{:>9}  {:>24}  {:>10}  {:>20}",
        "checked", "least stake", "in rewards", "cost it leaves room"
    );
    for permille in CHECKED_PERMILLE {
        let market = Market {
            checked: whole(permille) / whole(1_000),
            ..market.clone()
        };
        let Some(stake) = market.least_stake() else {
            let _ = writeln!(text, "{permille:>7} ‰  {:>24}", "none suffices");
            continue;
        };
        let cost = market
            .largest_cost(&stake)
            .map_or("none".into(), |cost| in_coins(&cost));
        let rewards = rewards(&market).unwrap_or_default();
        let _ = writeln!(
            text,
            "{permille:>7} ‰  {:>24}  {rewards:>10}  {cost:>20}",
            in_coins(&stake)
        );
    }
}

fn in_rewards(market: &Market) -> String {
    rewards(market).map_or(String::new(), |rewards| format!(" = {rewards} r"))
}

/// The least stake as so many rewards, with one decimal.
fn rewards(market: &Market) -> Option<String> {
    let stake = market.least_stake()?;
    if market.reward == whole(0) {
        return None;
    }
    let tenths = (whole(10) * stake / &market.reward).round().to_integer();
    Some(format!("{}.{}", &tenths / 10, &tenths % 10))
}
