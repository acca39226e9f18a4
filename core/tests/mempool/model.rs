//! What the pool does, in the plainest way: everything is looked for in a list, and counted anew.

use super::world::World;
use camelid_core::chain::TipChange;
use camelid_core::mempool::Policy;
use camelid_core::primitives::Wtxid;
use camelid_core::tx::Transaction;
use std::cmp::Reverse;
use std::collections::BTreeSet;

#[derive(Clone)]
pub struct Waiting {
    pub transaction: Transaction,
    since: u32,
    pub fee: u64,
}

impl Waiting {
    fn size(&self) -> usize {
        self.transaction.size()
    }

    pub fn is_bare(&self) -> bool {
        is_bare(&self.transaction)
    }
}

/// By order of arrival.
pub struct Model {
    policy: Policy,
    pub pool: Vec<Waiting>,
    /// Units per 1,000 bytes.
    floor: u64,
}

fn is_bare(transaction: &Transaction) -> bool {
    transaction
        .action
        .as_ref()
        .is_some_and(|action| action.kind.is_bare())
}

/// At most one of the two can be mined.
fn exclude_each_other(one: &Transaction, two: &Transaction) -> bool {
    let spends_same = one
        .inputs
        .iter()
        .any(|a| two.inputs.iter().any(|b| a.previous == b.previous));
    let key = |of: &Transaction| of.action.as_ref().and_then(|action| action.key(of.job_id));
    spends_same || key(one).is_some() && key(one) == key(two)
}

/// `child` spends an output of `parent`, or goes on from where it leaves their job.
pub fn depends(child: &Transaction, parent: &Transaction) -> bool {
    let seq = |of: &Transaction| of.action.as_ref().map(|action| action.seq);
    let goes_on = child.job_id.is_some() && child.job_id == parent.job_id && seq(parent) < seq(child);
    goes_on
        || child
            .inputs
            .iter()
            .any(|input| input.previous.txid == parent.txid())
}

fn rate(fee: u64, bytes: usize) -> u64 {
    fee * 1_000 / bytes as u64
}

fn fee_at(rate: u64, bytes: usize) -> u64 {
    (rate * bytes as u64).div_ceil(1_000)
}

impl Model {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            pool: Vec::new(),
            floor: 0,
        }
    }

    pub fn wtxids(&self) -> Vec<Wtxid> {
        self.pool
            .iter()
            .map(|waiting| waiting.transaction.wtxid())
            .collect()
    }

    pub fn bytes(&self) -> usize {
        self.pool.iter().map(Waiting::size).sum()
    }

    pub fn min_rate(&self) -> u64 {
        self.floor.max(self.policy.min_rate.0)
    }

    /// `from` and whatever in the pool depends on it.
    fn descendants(&self, from: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut found = from.clone();
        for (index, waiting) in self.pool.iter().enumerate() {
            let hangs_on = |parent: &usize| depends(&waiting.transaction, &self.pool[*parent].transaction);
            if found.iter().any(hangs_on) {
                found.insert(index);
            }
        }
        found
    }

    /// Whatever in the pool `transaction` depends on.
    fn ancestors(&self, transaction: &Transaction) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (index, waiting) in self.pool.iter().enumerate().rev() {
            let needed = |child: &usize| depends(&self.pool[*child].transaction, &waiting.transaction);
            if depends(transaction, &waiting.transaction) || found.iter().any(needed) {
                found.insert(index);
            }
        }
        found
    }

    fn score(&self, index: usize) -> u64 {
        let all = self.descendants(&BTreeSet::from([index]));
        let fees = all.iter().map(|index| self.pool[*index].fee).sum();
        let bytes = all.iter().map(|index| self.pool[*index].size()).sum();
        let own = &self.pool[index];
        rate(own.fee, own.size()).max(rate(fees, bytes))
    }

    fn remove(&mut self, gone: &BTreeSet<usize>) {
        let mut index = 0;
        self.pool.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
    }

    pub fn accept(&mut self, world: &World, transaction: &Transaction) -> bool {
        let (since, floor) = (world.workshop.next_time().0, self.min_rate());
        self.admit(world, transaction, since, floor)
    }

    /// True if the transaction enters; the pool is as it was if it does not.
    fn admit(&mut self, world: &World, transaction: &Transaction, since: u32, floor: u64) -> bool {
        let (before, floor_before) = (self.pool.clone(), self.floor);
        let enters = self.try_admit(world, transaction, since, floor).is_some();
        if !enters {
            (self.pool, self.floor) = (before, floor_before);
        }
        enters
    }

    fn try_admit(&mut self, world: &World, transaction: &Transaction, since: u32, floor: u64) -> Option<()> {
        let require = |condition: bool| condition.then_some(());
        require(!self.wtxids().contains(&transaction.wtxid()))?;
        let (size, fee, bare) = (transaction.size(), world.fee(transaction), is_bare(transaction));

        let excluded = |waiting: &Waiting| exclude_each_other(&waiting.transaction, transaction);
        let conflicts: BTreeSet<usize> = (0..self.pool.len())
            .filter(|index| excluded(&self.pool[*index]))
            .collect();
        let leaving = self.descendants(&conflicts);
        let best = conflicts.iter().map(|index| self.score(*index)).max();
        if let Some(best) = best {
            require(!bare && !conflicts.iter().any(|index| self.pool[*index].is_bare()))?;
            require(leaving.len() <= self.policy.max_replaced)?;
            let fees: u64 = leaving.iter().map(|index| self.pool[*index].fee).sum();
            require(fee >= fees + fee_at(self.policy.increment.0, size))?;
            require(rate(fee, size) > best)?;
        }
        self.remove(&leaving);

        let ancestors = self.ancestors(transaction);
        let mut package: Vec<Transaction> = ancestors
            .iter()
            .map(|index| self.pool[*index].transaction.clone())
            .collect();
        let fees: u64 = ancestors.iter().map(|index| self.pool[*index].fee).sum();
        package.push(transaction.clone());
        let bytes = package.iter().map(Transaction::size).sum();
        require(package.len() <= self.policy.max_chain && bytes <= self.policy.max_chain_bytes)?;
        require(best.is_none_or(|best| rate(fees + fee, bytes) > best))?;
        require(world.is_valid(&package))?;
        require(bare || fee >= fee_at(floor, size))?;
        self.pool.push(Waiting {
            transaction: transaction.clone(),
            since,
            fee,
        });
        for index in ancestors {
            let below = self.descendants(&BTreeSet::from([index]));
            let bytes: usize = below.iter().map(|index| self.pool[*index].size()).sum();
            require(below.len() <= self.policy.max_chain && bytes <= self.policy.max_chain_bytes)?;
        }
        self.evict();
        require(self.wtxids().contains(&transaction.wtxid()))
    }

    fn evict(&mut self) {
        while self.bytes() > self.policy.max_bytes {
            let payers = (0..self.pool.len()).filter(|index| !self.pool[*index].is_bare());
            let Some(worst) = payers.min_by_key(|index| (self.score(*index), Reverse(*index))) else {
                return;
            };
            self.floor = self.floor.max(self.score(worst) + self.policy.increment.0);
            self.remove(&self.descendants(&BTreeSet::from([worst])));
        }
    }

    /// The tip has moved to where `world` is.
    pub fn rebase(&mut self, world: &World, change: &TipChange) {
        let part = if self.bytes() < self.policy.max_bytes / 2 {
            16
        } else {
            64
        };
        for _ in &change.connected {
            self.floor -= self.floor.div_ceil(part);
            if self.floor < self.policy.increment.0 / 2 {
                self.floor = 0;
            }
        }
        let now = world.workshop.next_time().0;
        let blocks = change.disconnected.iter().rev();
        let returned = blocks.flat_map(|block| block.transactions[1..].to_vec());
        let returned: Vec<_> = returned.map(|transaction| (transaction, now)).collect();
        let kept = std::mem::take(&mut self.pool).into_iter();
        let kept: Vec<_> = kept
            .filter(|waiting| now < waiting.since + self.policy.expiry_s)
            .map(|waiting| (waiting.transaction, waiting.since))
            .collect();
        for (transaction, since) in returned.into_iter().chain(kept) {
            self.admit(world, &transaction, since, self.policy.min_rate.0);
        }
    }

    /// The fees of a block of `bytes` and `operations` that takes the best rate of what waits for
    /// nothing else, bare steps first, as long as something fits.
    pub fn greedy_fees(&self, world: &World, mut bytes: usize, mut operations: u32) -> u64 {
        let mut open: Vec<&Waiting> = self.pool.iter().collect();
        let mut fees = 0;
        loop {
            let fits = |waiting: &Waiting| {
                let transaction = &waiting.transaction;
                transaction.size() <= bytes && world.operations(transaction) <= operations
            };
            let is_ready = |waiting: &Waiting| {
                !open
                    .iter()
                    .any(|other| depends(&waiting.transaction, &other.transaction))
            };
            let ready = (0..open.len()).filter(|index| fits(open[*index]) && is_ready(open[*index]));
            let best = ready.min_by_key(|index| {
                let waiting = open[*index];
                (
                    Reverse((waiting.is_bare(), rate(waiting.fee, waiting.size()))),
                    *index,
                )
            });
            let Some(best) = best else { return fees };
            let taken = open.remove(best);
            bytes -= taken.size();
            operations -= world.operations(&taken.transaction);
            fees += taken.fee;
        }
    }
}
