//! The table of strategies.

use super::censor::Censor;
use super::content::{Content, edit, rerun};
use super::erase::Erase;
use super::misread::{self, Misread};
use super::relay::Relay;
use super::timestamps::Timestamps;
use super::{Both, Strategy};
use super::{
    copied_commitment, copied_vote, double_engage, double_spend, evidence, false_withheld,
    garbage_ciphertext, garbage_packets, guess_checks, late_answer, late_engage, never_cosign, never_pays,
    never_replies, offer_flood, selfish_mining, stake_twice, stall, vanish, withhold_output,
};
use crate::scenario::Role;

/// A strategy that scenarios can name.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The roles that it perverts: without them there is nothing to attack with.
    pub roles: &'static [Role],
    pub(super) make: fn() -> Box<dyn Strategy>,
}

/// All strategies, in alphabetical order.
pub const KINDS: &[Kind] = &[
    miner("censor-claims", || Box::new(Censor::CLAIMS)),
    miner("censor-deliver", || Box::new(Censor::DELIVER)),
    miner("censor-engage", || Box::new(Censor::ENGAGE)),
    verifier("colluding-verifier", || Misread::boxed(misread::opposite)),
    worker("copied-commitment", || {
        Box::new(copied_commitment::CopiedCommitment::default())
    }),
    verifier("copied-vote", || Box::new(copied_vote::CopiedVote::default())),
    verifier("deaf-verifier", || Box::new(evidence::DeafVerifier)),
    client("double-engage", || {
        Box::new(double_engage::DoubleEngage::default())
    }),
    client("double-spend", || Box::new(double_spend::DoubleSpend::default())),
    worker("draft-between-honest-ends", || {
        Content::boxed(rerun::draft_between_honest_ends)
    }),
    worker("early-end", || Content::boxed(edit::early_end)),
    checker("echo-checker", || {
        Box::new(guess_checks::GuessChecks::saying_yes(1_000))
    }),
    verifier("echo-verifier", || Misread::boxed(misread::echo)),
    anybody("eclipse", || Box::new(Relay::ECLIPSE)),
    worker("edit", || Content::boxed(edit::one_token)),
    worker("empty-output", || Content::boxed(edit::empty)),
    miner("erase-claim", || Box::new(Erase::claims())),
    mining_client("erase-engage", || Box::new(Erase::engages())),
    mining_client("erase-open", || Box::new(Erase::openings())),
    client("false-claim", || Misread::boxed(misread::find_fault)),
    client("false-withheld", || Box::new(false_withheld::FalseWithheld)),
    worker("foreseen-challenge", || Content::boxed(rerun::foreseen_challenge)),
    anybody("forge-sender", || Box::new(Relay::FORGE)),
    worker("garbage", || Content::boxed(edit::garbage)),
    worker("garbage-ciphertext", || {
        Box::new(garbage_ciphertext::GarbageCiphertext::default())
    }),
    anybody("garbage-packets", || Box::new(garbage_packets::GarbagePackets)),
    anybody("hold-jobs", || Box::new(Relay::HOLD)),
    worker("late-answer", || Box::new(late_answer::LateAnswer::default())),
    worker("late-draft", || Content::boxed(rerun::late_draft)),
    client("late-engage", || Box::new(late_engage::LateEngage::default())),
    checker("lazy-checker", || {
        Box::new(guess_checks::GuessChecks::saying_yes(950))
    }),
    anybody("loop-jobs", || Box::new(Relay::LOOP)),
    anybody("mute-jobs", || Box::new(Relay::MUTE)),
    client("never-cosign", || Box::new(never_cosign::NeverCosign)),
    client("never-pays", || Box::new(never_pays::NeverPays)),
    checker("never-replies", || Box::new(never_replies::NeverReplies)),
    anybody("no-evidence", || Box::new(evidence::NoEvidence)),
    client("offer-flood", || Box::new(offer_flood::OfferFlood::default())),
    worker("over-limit", || Content::boxed(edit::over_limit)),
    worker("padding", || Content::boxed(edit::padding)),
    worker("prompt-cut", || Content::boxed(rerun::prompt_cut)),
    worker("quantized-model", || Content::boxed(rerun::quantized_model)),
    worker("repetition", || Content::boxed(edit::repetition)),
    worker("replay", || Content::boxed(rerun::replay)),
    client("selective-evidence", || {
        Box::new(evidence::SelectiveEvidence::default())
    }),
    miner("selfish-mining", || {
        Box::new(selfish_mining::SelfishMining::default())
    }),
    verifier("silent-verifier", || Misread::boxed(misread::nothing)),
    worker("smaller-model", || Content::boxed(rerun::smaller_model)),
    worker("splice", || Content::boxed(rerun::splice)),
    worker("stake-twice", || Box::new(stake_twice::StakeTwice::default())),
    worker("stall", || Box::new(stall::Stall)),
    worker("substitution", || Content::boxed(rerun::substitution)),
    worker("substitution-without-evidence", || {
        Box::new(Both(
            Content::boxed(rerun::substitution),
            Box::new(evidence::NoEvidence),
        ))
    }),
    miner("timestamps-ahead", || Box::new(Timestamps::Ahead)),
    miner("timestamps-back", || Box::new(Timestamps::Back)),
    worker("truncation", || Content::boxed(edit::truncation)),
    client("unproven-claim", || {
        Box::new(Both(
            Misread::boxed(misread::find_fault),
            Box::new(evidence::NoEvidence),
        ))
    }),
    client("vanish", || Box::new(vanish::Vanish::default())),
    worker("withhold-output", || Box::new(withhold_output::WithholdOutput)),
    worker("wrong-seed", || Content::boxed(rerun::wrong_seed)),
    worker("wrong-temperature", || Content::boxed(rerun::wrong_temperature)),
];

macro_rules! kinds_of {
    ($($name:ident: $roles:expr),+) => { $(
        const fn $name(name: &'static str, make: fn() -> Box<dyn Strategy>) -> Kind {
            Kind { name, roles: &$roles, make }
        }
    )+ };
}

kinds_of! {
    anybody: [],
    checker: [Role::Checker],
    client: [Role::Client],
    miner: [Role::Miner],
    mining_client: [Role::Client, Role::Miner],
    verifier: [Role::Verifier],
    worker: [Role::Worker]
}

/// The names of all strategies.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_strategy_once() {
        let names: Vec<&str> = names().collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }
}
