//! Coins, jobs, tickets and totals after the blocks of one chain.

use super::store::{Base, Flush, SharedStore};
use super::unflushed::Changes;
use crate::committee::Ticket;
use crate::escrow::{Clock, History, JobRecord, JobState, JobStatus, Moment};
use crate::keys::NodeId;
use crate::params::Params;
use crate::primitives::{
    Amount, BlockHash, Digest, Hash256, Height, JobId, MerkleTree, SetDigest, Timestamp, encode, tagged_hash,
};
use crate::script::Script;
use crate::tx::{Lock, OutPoint, TxOut};
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// An unspent output.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Coin {
    /// Amount and lock.
    pub output: TxOut,
    /// The block that created it.
    pub created: Created,
    /// The first height at which it may be spent.
    pub spendable_from: Height,
}

/// Where relative lock times count from (BIP 68).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Created {
    /// Height of the block.
    pub height: Height,
    /// Median time past of its parent.
    pub mtp_before: Timestamp,
}

impl Created {
    /// In the block of `moment`.
    pub fn at(moment: Moment) -> Self {
        Self {
            height: moment.height,
            mtp_before: moment.mtp_before,
        }
    }
}

/// Money that is in no output. Issued = unspent outputs + audit fund + burned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Totals {
    /// Genesis allocations and all subsidies so far, claimed or not.
    pub issued: Amount,
    /// Slashed stakes, unclaimed subsidies and fees.
    pub burned: Amount,
    /// Audit fees that have not been paid out.
    pub audit_fund: Amount,
}

/// New values for some entries of the ledger; `None` removes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Delta {
    /// Coins by outpoint.
    pub coins: BTreeMap<OutPoint, Option<Coin>>,
    /// Job records by id.
    pub jobs: BTreeMap<JobId, Option<JobRecord>>,
    /// Verifier tickets by bond.
    pub tickets: BTreeMap<OutPoint, Option<Ticket>>,
    /// The totals.
    pub totals: Totals,
}

impl Delta {
    /// What becomes of the jobs whose records are written, by job id.
    pub fn job_statuses(&self) -> impl Iterator<Item = JobStatus> {
        self.jobs.values().flatten().map(JobRecord::status)
    }

    /// RFC 6962 root over the encodings of [`job_statuses`](Self::job_statuses): what a block's
    /// coinbase commits to, so that whoever has the headers alone can be shown how a job ended
    /// (`docs/src/proofs.md`).
    pub fn records_root(&self) -> Hash256 {
        MerkleTree::new(self.job_statuses().map(|status| encode(&status))).root()
    }
}

/// The state that a chain of blocks leaves behind.
///
/// Coins and closed jobs are in a [store](super::Store), as they were at the last flush, under those that changed
/// since. Without a store all of them are here.
#[derive(Clone, Debug)]
pub struct Ledger {
    params: Arc<Params>,
    genesis: BlockHash,
    /// Block hashes of the chain, by height.
    blocks: Vec<BlockHash>,
    /// Header times of the chain, by height.
    times: Vec<Timestamp>,
    /// Median time past of each block, by height.
    medians: Vec<Timestamp>,
    /// Has been flushed to.
    below: Option<SharedStore>,
    coins: Changes<OutPoint, Coin>,
    coin_count: u64,
    coins_digest: SetDigest,
    unclosed: BTreeMap<JobId, JobRecord>,
    closed: Changes<JobId, JobRecord>,
    closed_count: u64,
    jobs_digest: SetDigest,
    tickets: BTreeMap<OutPoint, Ticket>,
    tickets_digest: SetDigest,
    totals: Totals,
}

impl Ledger {
    /// The ledger before the genesis block, whose hash is `genesis`.
    pub(super) fn before_genesis(params: Arc<Params>, genesis: BlockHash, map_seed: u64) -> Self {
        Self {
            params,
            genesis,
            blocks: Vec::new(),
            times: Vec::new(),
            medians: Vec::new(),
            below: None,
            coins: Changes::new(map_seed),
            coin_count: 0,
            coins_digest: SetDigest::default(),
            unclosed: BTreeMap::new(),
            closed: Changes::new(map_seed),
            closed_count: 0,
            jobs_digest: SetDigest::default(),
            tickets: BTreeMap::new(),
            tickets_digest: SetDigest::default(),
            totals: Totals::default(),
        }
    }

    /// Becomes what was flushed to `store`. `chain` has the hashes and header times of its blocks, by height. Nothing
    /// may be on its way.
    pub(super) fn resume(
        &mut self,
        store: SharedStore,
        base: Base,
        chain: impl Iterator<Item = (BlockHash, Timestamp)>,
    ) {
        self.coins.clear();
        self.closed.clear();
        self.below = Some(store);
        (self.coin_count, self.coins_digest) = (base.coin_count, base.coins_digest);
        (self.unclosed, self.closed_count, self.jobs_digest) =
            (base.unclosed, base.closed_count, base.jobs_digest);
        (self.tickets, self.tickets_digest) = (base.tickets, base.tickets_digest);
        self.totals = base.totals;
        self.blocks.clear();
        self.times.clear();
        self.medians.clear();
        chain.for_each(|(hash, time)| self.push_header(hash, time));
    }

    /// Lets everything that changed since the last flush leave for the store.
    pub(super) fn begin_flush(&mut self) -> Flush {
        self.coins.begin_flush();
        self.closed.begin_flush();
        Flush {
            anew: self.below.is_none(),
            base: Base {
                tip: self.tip(),
                totals: self.totals,
                unclosed: self.unclosed.clone(),
                tickets: self.tickets.clone(),
                coin_count: self.coin_count,
                closed_count: self.closed_count,
                coins_digest: self.coins_digest,
                jobs_digest: self.jobs_digest,
                tickets_digest: self.tickets_digest,
            },
            coins: self.coins.leaving(),
            jobs: self.closed.leaving(),
            owner: NodeId::default(),
            own_coins: Vec::new(),
        }
    }

    /// `store` has what left.
    pub(super) fn finish_flush(&mut self, store: &SharedStore) {
        self.coins.finish_flush();
        self.closed.finish_flush();
        self.below = Some(store.clone());
    }

    /// The network's parameters.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// The network.
    pub fn genesis(&self) -> &BlockHash {
        &self.genesis
    }

    /// The last block.
    pub fn tip(&self) -> BlockHash {
        self.blocks.last().copied().unwrap_or(BlockHash([0; 32]))
    }

    /// The hashes of all blocks, by height.
    pub fn blocks(&self) -> &[BlockHash] {
        &self.blocks
    }

    /// Height of the last block.
    pub fn height(&self) -> Height {
        Height(u32::try_from(self.times.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// Median of the last 11 header times (of fewer near the genesis block).
    pub fn median_time_past(&self) -> Timestamp {
        self.medians.last().copied().unwrap_or_default()
    }

    /// Where a block with header time `time` would stand on this ledger.
    pub fn next_moment(&self, time: Timestamp) -> Moment {
        let height = if self.times.is_empty() {
            Height(0)
        } else {
            self.height().plus(1)
        };
        Moment {
            height,
            mtp_before: self.median_time_past(),
            mtp: median_of_last_11(&self.times, time),
        }
    }

    /// The clock of a block at `moment` on this ledger.
    pub fn clock(&self, moment: Moment) -> Clock<'_> {
        Clock {
            params: &self.params,
            genesis: &self.genesis,
            history: self,
            moment,
        }
    }

    /// The clock of the block that is `blocks` below the tip, if there is one.
    pub fn clock_before(&self, blocks: u32) -> Option<Clock<'_>> {
        let height = Height(self.height().0.checked_sub(blocks)?);
        Some(self.clock(Moment {
            height,
            mtp_before: self.median_time_past_at(height.minus(1))?,
            mtp: self.median_time_past_at(height)?,
        }))
    }

    /// An unspent output.
    pub fn coin(&self, outpoint: &OutPoint) -> Option<Cow<'_, Coin>> {
        match self.coins.get(outpoint) {
            Some(changed) => changed.as_ref().map(Cow::Borrowed),
            None => self.below.as_ref()?.coin(outpoint).map(Cow::Owned),
        }
    }

    /// Number of unspent outputs.
    pub fn coin_count(&self) -> u64 {
        self.coin_count
    }

    /// Sum of all unspent outputs, in units (wide: a broken ledger may hold any sum). Reads all of them.
    pub fn coin_sum(&self) -> u128 {
        self.sum(|coin| u128::from(coin.output.value.units()))
    }

    /// Sum of the unspent outputs that only the job ledger moves, in units. Reads all of them.
    pub fn locked_sum(&self) -> u128 {
        self.sum(|coin| match coin.output.lock {
            Lock::Script(_) => 0,
            _ => u128::from(coin.output.value.units()),
        })
    }

    /// Sum of the unspent outputs under `script`, in units, mature or not. Reads all of them.
    pub fn balance(&self, script: &Script) -> u128 {
        self.sum(|coin| match &coin.output.lock {
            Lock::Script(lock) if lock == script => u128::from(coin.output.value.units()),
            _ => 0,
        })
    }

    fn sum(&self, measure: impl Fn(&Coin) -> u128) -> u128 {
        let mut sum = self.coins.sum(&measure);
        if let Some(store) = &self.below {
            store.each_coin(&mut |at, coin| {
                if self.coins.get(at).is_none() {
                    sum += measure(coin);
                }
            });
        }
        sum
    }

    /// The record of a job.
    pub fn job(&self, id: &JobId) -> Option<Cow<'_, JobRecord>> {
        if let Some(unclosed) = self.unclosed.get(id) {
            return Some(Cow::Borrowed(unclosed));
        }
        match self.closed.get(id) {
            Some(changed) => changed.as_ref().map(Cow::Borrowed),
            None => self.below.as_ref()?.job(id).map(Cow::Owned),
        }
    }

    /// Number of all jobs.
    pub fn job_count(&self) -> u64 {
        self.closed_count + self.unclosed.len() as u64
    }

    /// Calls `visit` with the records of all jobs: by id those that are not closed, closed ones that are in memory,
    /// and those in the store.
    pub fn each_job(&self, mut visit: impl FnMut(&JobRecord)) {
        self.unclosed
            .values()
            .chain(self.closed.values())
            .for_each(&mut visit);
        if let Some(store) = &self.below {
            store.each_job(&mut |record| {
                if self.closed.get(&record.id).is_none() {
                    visit(record);
                }
            });
        }
    }

    /// The records that are not closed, by job id.
    pub fn unclosed_jobs(&self) -> impl Iterator<Item = &JobRecord> {
        self.unclosed.values()
    }

    /// Money outside of outputs.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Fingerprint of everything above.
    pub fn digest(&self) -> Digest {
        let fields = (
            self.tip(),
            self.median_time_past(),
            self.coins_digest,
            self.jobs_digest,
            self.tickets_digest,
            self.totals,
        );
        Digest(tagged_hash("camelid/ledger", &fields).0)
    }

    /// Writes `delta` and returns what it overwrote: exchanging that restores the ledger. Coins that the block
    /// `made_in` made are not there yet, and not looked for.
    fn exchange(&mut self, delta: &Delta, made_in: Option<Height>) -> Delta {
        let is_new = |coin: &Option<Coin>| {
            coin.as_ref()
                .is_some_and(|coin| Some(coin.created.height) == made_in)
        };
        let coins = delta.coins.iter();
        let coins = coins.map(|(at, coin)| (*at, self.set_coin(*at, coin.clone(), is_new(coin))));
        let coins = coins.collect();
        let jobs = delta.jobs.iter();
        let jobs = jobs.map(|(id, record)| (*id, self.set_job(*id, record.clone())));
        let jobs = jobs.collect();
        let tickets = delta.tickets.iter();
        let tickets = tickets.map(|(id, ticket)| (*id, self.set_ticket(*id, ticket.clone())));
        let tickets = tickets.collect();
        Delta {
            coins,
            jobs,
            tickets,
            totals: core::mem::replace(&mut self.totals, delta.totals),
        }
    }

    /// Appends a block whose changes are `delta`; returns the inverse.
    pub(super) fn push_block(&mut self, hash: BlockHash, time: Timestamp, delta: &Delta) -> Delta {
        self.push_header(hash, time);
        self.exchange(delta, Some(self.height()))
    }

    fn push_header(&mut self, hash: BlockHash, time: Timestamp) {
        self.blocks.push(hash);
        self.medians.push(median_of_last_11(&self.times, time));
        self.times.push(time);
    }

    /// Takes the last block back.
    pub(super) fn pop_block(&mut self, inverse: &Delta) {
        self.blocks.pop();
        self.times.pop();
        self.medians.pop();
        self.exchange(inverse, None);
    }

    fn set_coin(&mut self, at: OutPoint, coin: Option<Coin>, is_new: bool) -> Option<Coin> {
        if let Some(coin) = &coin {
            self.coins_digest.insert(&(at, coin));
            self.coin_count += 1;
        }
        let store = self.below.as_ref().filter(|_| !is_new);
        let below = store.map(|store| |at: &OutPoint| store.coin(at));
        let before = self.coins.replace(at, coin, below);
        if let Some(before) = &before {
            self.coins_digest.remove(&(at, before));
            self.coin_count = self.coin_count.saturating_sub(1);
        }
        before
    }

    fn set_job(&mut self, id: JobId, record: Option<JobRecord>) -> Option<JobRecord> {
        if let Some(record) = &record {
            self.jobs_digest.insert(record);
        }
        let (closed, unclosed) = match record {
            Some(record) if matches!(record.state, JobState::Closed(_)) => (Some(record), None),
            unclosed => (None, unclosed),
        };
        let before = match unclosed {
            Some(record) => self.unclosed.insert(id, record),
            None => self.unclosed.remove(&id),
        };
        let before = before.or_else(|| self.set_closed(id, None));
        if closed.is_some() {
            self.set_closed(id, closed);
        }
        if let Some(before) = &before {
            self.jobs_digest.remove(before);
        }
        before
    }

    fn set_closed(&mut self, id: JobId, record: Option<JobRecord>) -> Option<JobRecord> {
        self.closed_count += u64::from(record.is_some());
        let below = self.below.as_ref().map(|store| |id: &JobId| store.job(id));
        let before = self.closed.replace(id, record, below);
        self.closed_count = self.closed_count.saturating_sub(u64::from(before.is_some()));
        before
    }

    fn set_ticket(&mut self, id: OutPoint, ticket: Option<Ticket>) -> Option<Ticket> {
        if let Some(ticket) = &ticket {
            self.tickets_digest.insert(ticket);
        }
        let before = match ticket {
            Some(ticket) => self.tickets.insert(id, ticket),
            None => self.tickets.remove(&id),
        };
        if let Some(before) = &before {
            self.tickets_digest.remove(before);
        }
        before
    }
}

impl History for Ledger {
    fn median_time_past_at(&self, height: Height) -> Option<Timestamp> {
        self.medians.get(height.0 as usize).copied()
    }

    fn block_hash_at(&self, height: Height) -> Option<BlockHash> {
        self.blocks.get(height.0 as usize).copied()
    }

    fn tickets(&self) -> &BTreeMap<OutPoint, Ticket> {
        &self.tickets
    }
}

/// Median of `last` and the up to ten times before it.
fn median_of_last_11(before: &[Timestamp], last: Timestamp) -> Timestamp {
    let mut recent = [last; 11];
    let count = before.len().min(10);
    recent[..count].copy_from_slice(&before[before.len() - count..]);
    let recent = &mut recent[..=count];
    recent.sort_unstable();
    recent[count.div_ceil(2)]
}
