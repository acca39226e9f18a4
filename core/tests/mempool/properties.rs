//! After any sequence of arrivals, blocks and reorganisations the pool is what the model says.

use super::model::{Model, Waiting, depends};
use super::support::*;
use super::world::{World, pay};
use camelid_core::mempool::{FeeRate, Policy};
use camelid_core::params::Params;
use camelid_core::tx::{ActionKind, Transaction};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// Indices are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    /// Spends some of the latest outputs, spent or not, to so many, at so many units per byte.
    Pay(Vec<u8>, u8, u8),
    Open(u8),
    Engage(u8, u8),
    BadDelivery(u8),
    Settle(u8),
    /// Mines part of the template.
    Mine(u16),
    Fork(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let pay = (prop::collection::vec(any::<u8>(), 1..3), 1..4u8, 0..12u8);
    prop_oneof![
        24 => pay.prop_map(|(from, to, rate)| Step::Pay(from, to, rate)),
        3 => any::<u8>().prop_map(Step::Open),
        5 => any::<(u8, u8)>().prop_map(|(which, stake)| Step::Engage(which, stake)),
        3 => any::<u8>().prop_map(Step::BadDelivery),
        2 => any::<u8>().prop_map(Step::Settle),
        3 => (0..=1_000u16).prop_map(Step::Mine),
        1 => (1..3u8).prop_map(Step::Fork),
    ]
}

/// Limits that are reached quickly.
fn policy() -> Policy {
    Policy {
        max_bytes: 2_600,
        max_chain: 4,
        max_chain_bytes: 1_100,
        max_replaced: 3,
        expiry_s: 6 * 60,
        ..Policy::default()
    }
}

fn params() -> Params {
    Params {
        max_block_bytes: 2_400,
        max_block_signature_operations: 16 + 14,
        ..(*network()).clone()
    }
}

struct Story {
    world: World,
    model: Model,
    funds: Vec<Fund>,
    opens: Vec<Transaction>,
}

impl Story {
    fn new() -> Self {
        let world = World::new(policy(), params());
        let owners = [CLIENT, NODE].into_iter();
        let coins = owners.flat_map(|owner| (0..COINS_PER_KEY).map(move |index| (owner, index)));
        Self {
            funds: coins
                .map(|(owner, index)| world.workshop.fund(owner, index))
                .collect(),
            model: Model::new(policy()),
            opens: Vec::new(),
            world,
        }
    }

    /// One of the latest outputs; for four in five numbers one that nothing spends.
    fn fund(&self, which: u8, is_fit: impl Fn(&Fund) -> bool) -> Option<Fund> {
        let makes = |fund: &Fund, waiting: &Waiting| waiting.transaction.txid() == fund.outpoint.txid;
        let is_live = |fund: &Fund| {
            let exists = self.world.workshop.ledger().coin(&fund.outpoint).is_some();
            let exists = exists || self.model.pool.iter().any(|waiting| makes(fund, waiting));
            exists && !self.world.pool.spends(&fund.outpoint)
        };
        let latest = self.funds.iter().rev();
        let fit: Vec<&Fund> = latest
            .filter(|fund| is_fit(fund) && (which >= 200 || is_live(fund)))
            .take(8)
            .collect();
        Some((*fit.get(usize::from(which) % fit.len().max(1))?).clone())
    }

    /// One of the latest jobs.
    fn open(&self, which: u8) -> Option<&Transaction> {
        let latest = self.opens.len().min(3);
        let back = usize::from(which) % latest.max(1);
        self.opens.iter().rev().nth(back)
    }

    fn transaction(&self, step: &Step) -> Option<Transaction> {
        let genesis = self.world.genesis();
        match step {
            Step::Pay(from, to, rate) => {
                let funds = from.iter().filter_map(|which| self.fund(*which, |_| true));
                let mut funds: Vec<Fund> = funds.collect();
                funds.sort_by_key(|fund| fund.outpoint);
                funds.dedup();
                if funds.is_empty() {
                    return None;
                }
                let owners: Vec<u8> = (0..*to).map(|index| 1 + index % 2).collect();
                Some(pay(&genesis, &funds, &owners, u64::from(*rate)))
            }
            Step::Open(which) => {
                let enough = |fund: &Fund| fund.owner == CLIENT && fund.output.value >= coins(2);
                let fund = self.fund(*which, enough)?;
                let terms = terms(
                    &self.world.workshop.params,
                    self.world.workshop.chain.height().plus(1),
                );
                // Whatever is not locked is the fee of 2,000 units.
                let mut poorer = fund.clone();
                poorer.output.value = units(fund.output.value.units() - 2_000);
                let open = open_job(&genesis, &poorer, &terms);
                Some(sign(&genesis, open, std::slice::from_ref(&fund)))
            }
            Step::Engage(which, stake) => {
                let enough = |fund: &Fund| fund.owner == NODE && fund.output.value >= coins(33);
                let (open, stake) = (self.open(*which)?, self.fund(*stake, enough)?);
                Some(engaging(&genesis, open, &stake, &opening(&[5, END])).signed(&genesis))
            }
            Step::BadDelivery(which) => {
                let record = self.world.workshop.ledger().job(&self.open(*which)?.job_id?)?;
                let context = record.seal_context(&genesis, record.state.engagement()?);
                let evidence = evidence(&context, &delivery(&context, b"garbage", NODE));
                Some(bare(
                    record.id,
                    record.seq,
                    ActionKind::BadDelivery(Box::new(evidence)),
                ))
            }
            Step::Settle(which) => {
                let record = self.world.workshop.ledger().job(&self.open(*which)?.job_id?)?;
                Some(bare(record.id, record.seq, ActionKind::Settle))
            }
            Step::Mine(_) | Step::Fork(_) => None,
        }
    }

    /// True if the step changed the pool.
    fn tell(&mut self, step: &Step) -> bool {
        if let Some(transaction) = self.transaction(step) {
            let refused = self.world.accept(&transaction).err();
            let entered = self.model.accept(&self.world, &transaction);
            assert_eq!(refused.is_none(), entered, "{step:?}: {refused:?}");
            if entered {
                for (index, output) in (0u32..).zip(transaction.outputs.iter()) {
                    let owner = [CLIENT, NODE]
                        .into_iter()
                        .find(|owner| *output == pay_to(*owner, output.value));
                    self.funds
                        .extend(owner.map(|owner| fund_of(&transaction, index, owner)));
                }
                if matches!(step, Step::Open(_)) {
                    self.opens.push(transaction);
                }
            }
            return entered;
        }
        let change = match step {
            Step::Mine(part) => self.world.mine(usize::from(*part)),
            Step::Fork(depth) => self.world.fork(u32::from(*depth)),
            _ => return false,
        };
        self.model.rebase(&self.world, &change);
        true
    }

    fn check(&self) {
        let pool = &self.world.pool;
        assert!(pool.wtxids().eq(self.model.wtxids()));
        assert_eq!(pool.bytes(), self.model.bytes());
        assert_eq!(pool.min_rate(), FeeRate(self.model.min_rate()));
        let fees = self.world.check_template();
        let params = &self.world.workshop.params;
        let greedy = self.model.greedy_fees(
            &self.world,
            params.max_block_bytes as usize - 1_000,
            params.max_block_signature_operations - 16,
        );
        assert!(fees >= greedy, "a template of {fees}, by single rate {greedy}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_pool_is_what_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        let mut story = Story::new();
        for step in &steps {
            story.tell(step);
            story.check();
        }
    }
}

/// The steps above reach what they are meant to reach.
#[test]
fn the_stories_are_not_vacuous() {
    let mut runner = TestRunner::deterministic();
    let stories = prop::collection::vec(step(), 40);
    let mut seen = BTreeMap::<&str, u32>::new();
    for _ in 0..24 {
        let mut story = Story::new();
        for step in stories.new_tree(&mut runner).unwrap().current() {
            let (before, height) = (story.model.wtxids(), story.world.workshop.chain.height());
            let entered = story.tell(&step);
            let after = story.model.wtxids();
            let kept = before.iter().filter(|wtxid| after.contains(wtxid)).count();
            let arrives = story.world.workshop.chain.height() == height && entered;
            let room = story.world.workshop.params.max_block_bytes as usize - 1_000;
            let depth = |waiting: &Waiting| {
                let others = story.model.pool.iter();
                others
                    .filter(|other| depends(&waiting.transaction, &other.transaction))
                    .count()
            };
            let facts = [
                ("refused", !entered),
                ("replaced or evicted", arrives && kept < before.len()),
                ("a floor", story.world.pool.min_rate() > policy().min_rate),
                (
                    "a step without fee",
                    story.model.pool.iter().any(Waiting::is_bare),
                ),
                ("an engage", entered && matches!(step, Step::Engage(..))),
                (
                    "two parents",
                    story.model.pool.iter().any(|waiting| depth(waiting) > 1),
                ),
                ("more than a block", story.model.bytes() > room),
                (
                    "a fork that returns something",
                    matches!(step, Step::Fork(_)) && after.len() > kept,
                ),
            ];
            for (name, _) in facts.iter().filter(|(_, holds)| *holds) {
                *seen.entry(name).or_default() += 1;
            }
        }
    }
    assert!(
        seen.len() == 8 && seen.values().all(|times| *times > 2),
        "{seen:?}"
    );
}
