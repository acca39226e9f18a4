//! H8, E08: a miner takes back what is already mined, by a longer branch that it mines in secret.
//!
//! When a transaction of the kind appears on the best chain, the miner leaves the chain below it and mines
//! a branch without it. It shows the branch once the victim has `level` confirmations and the branch is
//! longer, and gives up when it has fallen too far behind: the attack that Nakamoto and Rosenfeld
//! computed the odds of ("Analysis of hashrate-based double-spending", 2012).

use super::branch::SecretBranch;
use super::coins::payment_to_self;
use super::{Context, Strategy};
use camelid_core::block::{Block, BlockHeader};
use camelid_core::primitives::{BlockHash, Height, JobId};
use camelid_core::process::{Event, Input, Output, Outputs};
use camelid_core::tx::{ActionKind, OutPoint, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks by which a branch may be behind before it is given up.
pub const PATIENCE: u32 = 10;

/// What to erase.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// Our own OpenJob, whose coins the branch pays to ourselves.
    Open,
    /// The Engage of a job of ours: past the deadline, what it spent is refunded.
    Engage,
    /// Anybody's claim or BadDelivery.
    Claim,
}

/// Mines against the chain.
pub(super) struct Erase {
    victim: Victim,
    /// Payments of an OpenJob's coins to ourselves.
    rivals: BTreeMap<JobId, Transaction>,
    /// Jobs that were attacked; each is a trial.
    tried: BTreeSet<JobId>,
    attack: Option<Attack>,
    /// What the node behind us wants mined.
    public: Option<BlockHeader>,
}

struct Attack {
    branch: SecretBranch,
    /// The block to erase.
    target: BlockHash,
    height: Height,
    shown: bool,
}

impl Erase {
    pub(super) fn openings() -> Self {
        Self::of(Victim::Open)
    }

    pub(super) fn engages() -> Self {
        Self::of(Victim::Engage)
    }

    pub(super) fn claims() -> Self {
        Self::of(Victim::Claim)
    }

    fn of(victim: Victim) -> Self {
        Self {
            victim,
            rivals: BTreeMap::new(),
            tried: BTreeSet::new(),
            attack: None,
            public: None,
        }
    }
}

impl Strategy for Erase {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        let Some(attack) = &mut self.attack else {
            return Some(input);
        };
        match &input {
            Input::Mined { header } if attack.branch.extend(header) => {
                if attack.shown {
                    attack.branch.announce(context, out);
                }
                self.press_on(context, out);
                return None;
            }
            Input::Message { from, packet } if attack.shown => {
                if let Some((_, message)) = context.open(packet) {
                    attack.branch.answer(context, *from, &message, out);
                }
            }
            _ => {}
        }
        Some(input)
    }

    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        match &output {
            Output::Event(Event::JobOffered { offer }) if self.victim == Victim::Open => {
                self.prepare_rival(context, &offer.job);
            }
            Output::Event(Event::TipChanged { .. }) => {
                if self.attack.is_none() {
                    self.begin(context);
                }
                self.press_on(context, out);
            }
            Output::Mine { template } => {
                self.public = Some(*template);
                if self.attack.is_some() {
                    return;
                }
            }
            _ => {}
        }
        out.push(output);
    }
}

impl Erase {
    /// While the ledger still has the coins that OpenJob spends.
    fn prepare_rival(&mut self, context: &Context<'_>, job: &JobId) {
        let mempool = context.node.mempool();
        let mut waiting = mempool.wtxids().filter_map(|wtxid| mempool.get(&wtxid));
        let Some(open) = waiting.find(|waiting| waiting.job_id == Some(*job)) else {
            return;
        };
        let inputs: Vec<OutPoint> = open.inputs.iter().map(|input| input.previous).collect();
        self.rivals
            .extend(payment_to_self(context, &inputs).map(|rival| (*job, rival)));
    }

    /// Begins a branch below the tip, if that holds a new victim.
    fn begin(&mut self, context: &Context<'_>) {
        let chain = context.node.chain();
        let Some(block) = chain.block(&chain.tip()) else {
            return;
        };
        let Some(job) = self.victim_in(context, &block) else {
            return;
        };
        let rival = self.rivals.remove(&job).into_iter().collect();
        let Some(branch) = SecretBranch::new(context, &block.header.previous, rival) else {
            return;
        };
        self.tried.insert(job);
        self.attack = Some(Attack {
            branch,
            target: chain.tip(),
            height: chain.height(),
            shown: false,
        });
    }

    fn victim_in(&self, context: &Context<'_>, block: &Block) -> Option<JobId> {
        let ledger = context.node.chain().ledger();
        let is_ours = |job: &JobId| {
            ledger
                .job(job)
                .is_some_and(|record| record.terms.contact == context.node.id())
        };
        let is_victim = |transaction: &&Transaction| {
            let (Some(job), Some(action)) = (&transaction.job_id, &transaction.action) else {
                return false;
            };
            let fits = match (self.victim, &action.kind) {
                (Victim::Open, ActionKind::OpenJob(_)) => self.rivals.contains_key(job),
                (Victim::Engage, ActionKind::Engage { .. }) => is_ours(job),
                (Victim::Claim, ActionKind::Claim { .. } | ActionKind::BadDelivery(_)) => true,
                _ => false,
            };
            fits && !self.tried.contains(job)
        };
        block.transactions.iter().find(is_victim)?.job_id
    }

    /// Shows the branch, gives it up, or works on it.
    fn press_on(&mut self, context: &mut Context<'_>, out: &mut Outputs) {
        let Some(attack) = &mut self.attack else {
            return;
        };
        let chain = context.node.chain();
        let tip = chain.height();
        let on_chain = |height: Height, hash| chain.active().get(height.0 as usize) == Some(&hash);
        let won = attack.shown && on_chain(attack.branch.height(), attack.branch.tip());
        let hopeless = tip.since(attack.branch.height()) > PATIENCE;
        if won || hopeless || !(attack.shown || on_chain(attack.height, attack.target)) {
            self.attack = None;
            // The node may not have a new template soon, so it gets the one that was held back.
            if let Some(template) = self.public {
                out.push(Output::Mine { template });
            }
            return;
        }
        let confirmations = u64::from(tip.since(attack.height)) + 1;
        if !attack.shown && confirmations >= context.level && attack.branch.height() > tip {
            attack.shown = true;
            attack.branch.announce(context, out);
            context.attacked();
        }
        attack.branch.mine(context, out);
    }
}
