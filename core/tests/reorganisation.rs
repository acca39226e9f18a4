//! Random histories of payments and jobs on competing branches: a reorganisation leaves no trace of
//! the branch that lost, and money is conserved at every tip.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::block::Block;
use camelid_core::chain::{Chain, Ledger};
use camelid_core::escrow::{JobRecord, Outcome};
use camelid_core::keys::EcdsaVerifier;
use camelid_core::mempool::{Mempool, MempoolError};
use camelid_core::primitives::{Amount, JobId};
use camelid_core::proof::JobProof;
use camelid_core::tx::{ActionKind, Transaction};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use support::stored::{Stored, any_disk};
use support::*;

/// What a random block holds. Indices are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Pay(u8, u8),
    Open(u8),
    Engage(u8),
    Withheld(u8),
    Deliver(u8),
    BadDelivery(u8),
    Settle(u8),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<u8>(), any::<u8>()).prop_map(|(which, to)| Step::Pay(which, to)),
        any::<u8>().prop_map(Step::Open),
        any::<u8>().prop_map(Step::Engage),
        any::<u8>().prop_map(Step::Engage),
        any::<u8>().prop_map(Step::Withheld),
        any::<u8>().prop_map(Step::Deliver),
        any::<u8>().prop_map(Step::BadDelivery),
        any::<u8>().prop_map(Step::Settle),
        any::<u8>().prop_map(Step::Settle),
        (0u8..12).prop_map(Step::Wait),
    ]
}

/// One branch under construction: a chain of its own, and what its players know.
struct Story {
    workshop: Workshop,
    blocks: Vec<Arc<Block>>,
    funds: Vec<Fund>,
    opens: Vec<Transaction>,
}

impl Story {
    fn new(map_seed: u64) -> Self {
        let workshop = Workshop::new(map_seed);
        let owners = [CLIENT, NODE].into_iter();
        let funds = owners
            .flat_map(|owner| (0..COINS_PER_KEY).map(move |index| (owner, index)))
            .map(|(owner, index)| workshop.fund(owner, index))
            .collect();
        Self {
            workshop,
            blocks: Vec::new(),
            funds,
            opens: Vec::new(),
        }
    }

    /// A story that begins like this one, told to a chain of its own.
    fn fork(&self, map_seed: u64) -> Self {
        let mut fork = Self::new(map_seed);
        for block in &self.blocks {
            fork.workshop.submit(block).unwrap();
        }
        fork.blocks = self.blocks.clone();
        fork.funds = self.funds.clone();
        fork.opens = self.opens.clone();
        assert_eq!(fork.workshop.ledger().digest(), self.workshop.ledger().digest());
        fork
    }

    /// An unspent coin of `owner` with at least `value`.
    fn fund(&self, owner: u8, which: u8, value: Amount) -> Option<Fund> {
        let ledger = self.workshop.ledger();
        let candidates: Vec<&Fund> = self
            .funds
            .iter()
            .filter(|fund| fund.owner == owner && fund.output.value >= value)
            .filter(|fund| ledger.coin(&fund.outpoint).is_some())
            .collect();
        let index = usize::from(which) % candidates.len().max(1);
        candidates.get(index).map(|fund| (*fund).clone())
    }

    /// The transaction of a step, if it makes sense now.
    fn transaction(&self, step: &Step) -> Option<Transaction> {
        let genesis = self.workshop.genesis();
        let params = &self.workshop.params;
        let pick = |which: &u8| {
            let open = self.opens.get(usize::from(*which) % self.opens.len().max(1))?;
            let record = self.workshop.ledger().job(&open.job_id?)?;
            Some((open, record))
        };
        match step {
            Step::Wait(_) => None,
            Step::Pay(which, to) => {
                let fund = self.fund(1 + which % 2, *which, coins(2))?;
                let half = units(fund.output.value.units() / 2);
                let outputs = vec![
                    pay_to(1 + to % 2, half),
                    pay_to(fund.owner, units(half.units() - 1)),
                ];
                Some(payment(&genesis, &[fund], outputs))
            }
            Step::Open(which) => {
                let fund = self.fund(CLIENT, *which, coins(2))?;
                let terms = terms(params, self.workshop.chain.height().plus(1));
                Some(open_job(&genesis, &fund, &terms))
            }
            Step::Engage(which) => {
                let (open, _) = pick(which)?;
                let stake = self.fund(NODE, *which, coins(33))?;
                Some(engaging(&genesis, open, &stake, &opening(&[5, END])).signed(&genesis))
            }
            Step::Withheld(which) => {
                let (_, record) = pick(which)?;
                let fund = self.fund(CLIENT, *which, coins(1))?;
                let deposit = params.jobs.withheld_deposit(record.terms.max_tokens);
                Some(withheld(&genesis, record.id, record.seq, deposit, &fund))
            }
            Step::Deliver(which) => {
                let (_, record) = pick(which)?;
                let context = record.seal_context(&genesis, record.state.engagement()?);
                let delivery = delivery(&context, &opening(&[5, END]).to_bytes(), NODE);
                Some(bare(
                    record.id,
                    record.seq,
                    ActionKind::Deliver(Box::new(delivery)),
                ))
            }
            Step::BadDelivery(which) => {
                let (_, record) = pick(which)?;
                let context = record.seal_context(&genesis, record.state.engagement()?);
                let evidence = evidence(&context, &delivery(&context, b"garbage", NODE));
                Some(bare(
                    record.id,
                    record.seq,
                    ActionKind::BadDelivery(Box::new(evidence)),
                ))
            }
            Step::Settle(which) => {
                let (_, record) = pick(which)?;
                Some(bare(record.id, record.seq, ActionKind::Settle))
            }
        }
    }

    /// Mines a block with the step's transaction, or without it where it is not valid.
    fn tell(&mut self, step: &Step) {
        let mut pool = Mempool::default();
        let time = self.workshop.next_time();
        let valid = self.transaction(step).filter(|transaction| {
            let accepted = pool.accept(
                Arc::new(transaction.clone()),
                self.workshop.ledger(),
                time,
                &EcdsaVerifier,
            );
            !matches!(accepted, Err(MempoolError::Invalid(_)))
        });
        let block = self.workshop.extend(valid.as_slice());
        self.blocks.push(block);
        assert_conserved(self.workshop.ledger());
        if let Some(transaction) = valid {
            let outputs = (0u32..).zip(transaction.outputs.iter());
            for (index, output) in outputs {
                if let Some(owner) = [CLIENT, NODE]
                    .into_iter()
                    .find(|owner| *output == pay_to(*owner, output.value))
                {
                    self.funds.push(fund_of(&transaction, index, owner));
                }
            }
            if matches!(step, Step::Open(_)) {
                self.opens.push(transaction);
            }
        }
        if let Step::Wait(blocks) = step {
            for _ in 0..*blocks {
                let block = self.workshop.extend(&[]);
                self.blocks.push(block);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the branches came, the ledger is that of a chain that only ever saw the winner.
    #[test]
    fn a_reorganisation_leaves_no_trace_of_the_losing_branch(
        shared in prop::collection::vec(step(), 0..10),
        one in prop::collection::vec(step(), 1..8),
        two in prop::collection::vec(step(), 1..8),
        interleaved in any::<bool>(),
        disk in prop::collection::vec(any_disk(), 1..40),
    ) {
        let mut beginning = Story::new(1);
        shared.iter().for_each(|step| beginning.tell(step));
        let mut ends = [(2u8, &one), (3, &two)].map(|(map_seed, steps)| {
            let mut story = beginning.fork(u64::from(map_seed));
            // Blocks of the two branches differ even if their steps do not.
            story.tell(&Step::Pay(map_seed, 0));
            steps.iter().for_each(|step| story.tell(step));
            story
        });
        let mut subject = Workshop::new(4);
        let mut stored = Stored::new(&subject.params);
        let mut disk = disk.into_iter().cycle();
        let mut arrivals: Vec<Arc<Block>> = beginning.blocks.clone();
        let tails = ends.each_ref().map(|story| story.blocks[beginning.blocks.len()..].to_vec());
        if interleaved {
            let longest = tails[0].len().max(tails[1].len());
            arrivals.extend((0..longest).flat_map(|i| tails.iter().filter_map(move |tail| tail.get(i).cloned())));
        } else {
            arrivals.extend(tails.iter().flatten().cloned());
        }
        for block in &arrivals {
            subject.submit(block).unwrap();
            assert_conserved(subject.ledger());
            stored.submit(block, disk.next().unwrap());
            assert_conserved(stored.chain.ledger());
        }
        // Then each branch in turn overtakes the other.
        for round in 0..3usize {
            let (behind, ahead) = (round % 2, (round + 1) % 2);
            while ends[behind].blocks.len() <= ends[ahead].blocks.len() {
                ends[behind].tell(&Step::Wait(0));
                let block = ends[behind].blocks.last().unwrap();
                subject.submit(block).unwrap();
                stored.submit(block, disk.next().unwrap());
            }
            let winner = &ends[behind].workshop.chain;
            for chain in [&subject.chain, &stored.chain] {
                assert_same(chain, winner);
            }
        }
    }
}

/// Nothing that can be asked tells the two chains apart.
fn assert_same(chain: &Chain, expected: &Chain) {
    assert_eq!(chain.tip(), expected.tip());
    for hash in expected.active() {
        assert_eq!(chain.block(hash), expected.block(hash));
    }
    let (ledger, expected_ledger) = (chain.ledger(), expected.ledger());
    assert_eq!(ledger.digest(), expected_ledger.digest());
    assert_eq!(ledger.coin_sum(), expected_ledger.coin_sum());
    assert_eq!(ledger.coin_count(), expected_ledger.coin_count());
    assert_eq!(ledger.locked_sum(), expected_ledger.locked_sum());
    assert!(ledger.unclosed_jobs().eq(expected_ledger.unclosed_jobs()));
    let jobs = all_jobs(ledger);
    assert_eq!(jobs, all_jobs(expected_ledger));
    assert_eq!(ledger.job_count(), jobs.len() as u64);
    for (job, record) in &jobs {
        assert_eq!(ledger.job(job).as_deref(), Some(record));
        assert_eq!(JobProof::create(chain, job), JobProof::create(expected, job));
    }
    assert_conserved(ledger);
}

fn all_jobs(ledger: &Ledger) -> BTreeMap<JobId, JobRecord> {
    let mut jobs = BTreeMap::new();
    ledger.each_job(|record| drop(jobs.insert(record.id, record.clone())));
    jobs
}

/// The steps above are not vacuous: a story with every action in it reaches every outcome.
#[test]
fn a_story_can_reach_every_outcome() {
    let mut story = Story::new(1);
    let steps = [
        Step::Open(0),
        Step::Wait(10),
        Step::Settle(0),
        Step::Open(0),
        Step::Engage(1),
        Step::BadDelivery(1),
        Step::Open(0),
        Step::Engage(2),
        Step::Wait(8),
        Step::Withheld(2),
        Step::Deliver(2),
        Step::Wait(30),
        Step::Settle(2),
        Step::Open(0),
        Step::Engage(3),
        Step::Wait(8),
        Step::Withheld(3),
        Step::Wait(40),
        Step::Settle(3),
    ];
    steps.iter().for_each(|step| story.tell(step));
    let outcomes: Vec<_> = story
        .opens
        .iter()
        .map(|open| {
            story
                .workshop
                .ledger()
                .job(&open.job_id.unwrap())
                .unwrap()
                .state
                .outcome()
        })
        .collect();
    let expected = [
        Outcome::Refunded,
        Outcome::SlashedBadDelivery,
        Outcome::Settled,
        Outcome::SlashedWithheld,
    ];
    assert_eq!(outcomes, expected.map(Some));
}
