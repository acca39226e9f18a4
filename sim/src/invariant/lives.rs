//! The lives of jobs as blocks alone tell them, for invariants that judge the ledger and so cannot ask
//! it: which actions a chain holds, and where the rules put a job at a height.

use crate::world::Observation;
use camelid_core::chain::{Chain, Ledger};
use camelid_core::node::Node;
use camelid_core::params::Params;
use camelid_core::primitives::{BlockHash, JobId, tagged_hash};
use camelid_core::tx::{ActionKind, ClaimKind, Transaction};
use camelid_core::{job::Terms, keys::PublicKey, script::Script};
use std::collections::BTreeMap;

/// The jobs on the chain of each machine.
#[derive(Default)]
pub(super) struct Lives {
    by_machine: BTreeMap<usize, BTreeMap<JobId, Life>>,
}

/// What has happened to one job.
pub(super) struct Life {
    pub(super) id: JobId,
    pub(super) terms: Terms,
    /// All actions on it but the first, in the order of the chain.
    pub(super) steps: Vec<Step>,
}

/// An action and the height of its block.
pub(super) struct Step {
    pub(super) height: u32,
    pub(super) kind: ActionKind,
}

/// Where a job stands. Heights are those of the block in which it came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Open,
    Engaged { since: u32 },
    Delivered { since: u32 },
    Withheld { since: u32 },
    Round { since: u32, number: u8, audit: bool },
    Closed,
}

impl Lives {
    /// Asks `verdict` about each step that is new on the chain of the observed machine.
    pub(super) fn judge(
        &mut self,
        seen: &Observation<'_>,
        mut verdict: impl FnMut(&Life, usize, &Past<'_>, &Ledger) -> Result<(), String>,
    ) -> Result<(), String> {
        let new = self.follow(seen);
        let Some(chain) = seen.machines[seen.node].node().map(Node::chain) else {
            return Ok(());
        };
        if new.is_empty() {
            return Ok(());
        }
        let past = Past::of(chain);
        for (job, index) in new {
            if let Some(life) = self.of(seen.node, &job) {
                verdict(life, index, &past, chain.ledger())
                    .map_err(|error| format!("job {job:.8}: {error}"))?;
            }
        }
        Ok(())
    }

    /// Takes in how the chain of the observed machine has changed; returns what is new on it: jobs and
    /// the index of the step.
    fn follow(&mut self, seen: &Observation<'_>) -> Vec<(JobId, usize)> {
        let Some(node) = seen.machines[seen.node].node() else {
            return Vec::new();
        };
        let lives = self.by_machine.entry(seen.node).or_default();
        let fork = node.chain().active().len() - seen.connected.len();
        let fork = u32::try_from(fork).unwrap_or(u32::MAX);
        for life in lives.values_mut() {
            life.steps.retain(|step| step.height < fork);
        }
        let mut new = Vec::new();
        for (height, block) in (fork..).zip(seen.connected) {
            for transaction in block.transactions.iter() {
                new.extend(take_in(lives, height, transaction));
            }
        }
        new
    }

    fn of(&self, machine: usize, job: &JobId) -> Option<&Life> {
        self.by_machine.get(&machine)?.get(job)
    }
}

fn take_in(
    lives: &mut BTreeMap<JobId, Life>,
    height: u32,
    transaction: &Transaction,
) -> Option<(JobId, usize)> {
    let (id, kind) = (transaction.job_id?, &transaction.action.as_ref()?.kind);
    if let ActionKind::OpenJob(terms) = kind {
        let life = Life {
            id,
            terms: Terms::clone(terms),
            steps: Vec::new(),
        };
        lives.insert(id, life);
        return None;
    }
    let steps = &mut lives.get_mut(&id)?.steps;
    steps.push(Step {
        height,
        kind: kind.clone(),
    });
    Some((id, steps.len() - 1))
}

impl Life {
    /// Where the job stands when the step at `index` comes.
    pub(super) fn place_before(&self, index: usize, past: &Past<'_>) -> Place {
        let mut place = Place::Open;
        for step in self.steps.iter().take(index) {
            place = self.read(place, step.height, past).after(step);
        }
        let height = self.steps.get(index).map_or(0, |step| step.height);
        self.read(place, height, past)
    }

    /// A challenge window that ended with an audit has become a round, begun in its last block.
    fn read(&self, place: Place, height: u32, past: &Past<'_>) -> Place {
        let (Place::Engaged { since } | Place::Delivered { since }) = place else {
            return place;
        };
        let end = past.closed(since, past.params.jobs.challenge, height);
        match end.map(|end| end - 1) {
            Some(last) if !self.terms.private && past.audits(last, &self.id) => Place::Round {
                since: last,
                number: 1,
                audit: true,
            },
            _ => place,
        }
    }

    /// Height, node and payout script of the Engage.
    pub(super) fn engage(&self) -> Option<(u32, PublicKey, &Script)> {
        self.steps.iter().find_map(|step| match &step.kind {
            ActionKind::Engage { node_key, payout, .. } => Some((step.height, *node_key, payout)),
            _ => None,
        })
    }
}

impl Place {
    fn after(self, step: &Step) -> Self {
        let since = step.height;
        match (&step.kind, self) {
            (ActionKind::Engage { .. }, _) => Self::Engaged { since },
            (ActionKind::Deliver(_), _) => Self::Delivered { since },
            (ActionKind::Settle | ActionKind::BadDelivery(_), _) => Self::Closed,
            (ActionKind::Claim { kind, .. }, place) => match (kind, place) {
                (ClaimKind::Withheld, _) => Self::Withheld { since },
                (ClaimKind::Appeal, Self::Round { audit, .. }) => Self::Round {
                    since,
                    number: 2,
                    audit,
                },
                _ => Self::Round {
                    since,
                    number: 1,
                    audit: false,
                },
            },
            _ => self,
        }
    }
}

/// The blocks of a chain: hashes and median times by height.
pub(super) struct Past<'a> {
    pub(super) params: &'a Params,
    hashes: &'a [BlockHash],
    times: Vec<u32>,
}

impl<'a> Past<'a> {
    pub(super) fn of(chain: &'a Chain) -> Self {
        let headers = chain
            .active()
            .iter()
            .filter_map(|hash| chain.headers().header(hash));
        Self {
            params: chain.params(),
            hashes: chain.active(),
            times: headers.map(|header| header.time.0).collect(),
        }
    }

    /// Median of the 11 header times up to `height`.
    fn median_time(&self, height: u32) -> u64 {
        let end = self.times.len().min(height as usize + 1);
        let mut recent = self.times[end.saturating_sub(11)..end].to_vec();
        recent.sort_unstable();
        recent.get(recent.len() / 2).map_or(0, |time| u64::from(*time))
    }

    /// The first height up to `now` at which a window of `blocks` blocks, opened in the block at
    /// `since`, is closed: that many blocks have passed, and before the last of them as much time.
    pub(super) fn closed(&self, since: u32, blocks: u32, now: u32) -> Option<u32> {
        let due = self.median_time(since) + u64::from(blocks) * u64::from(self.params.spacing_s);
        (since + blocks..=now).find(|height| self.median_time(height.saturating_sub(1)) >= due)
    }

    /// True when a window is open in the block at `now`.
    pub(super) fn open(&self, since: u32, blocks: u32, now: u32) -> bool {
        self.closed(since, blocks, now).is_none()
    }

    /// When DRAW, COMMIT, REVEAL and APPEAL of a round that began at `since` were closed.
    pub(super) fn round(&self, since: u32, now: u32) -> [Option<u32>; 4] {
        let committee = &self.params.committee;
        let draw = self.closed(since, committee.draw, now);
        let commit = draw.and_then(|draw| self.closed(draw, committee.commit, now));
        let reveal = commit.and_then(|commit| self.closed(commit, committee.reveal, now));
        let appeal = reveal.and_then(|reveal| self.closed(reveal, committee.appeal, now));
        [draw, commit, reveal, appeal]
    }

    /// Hash of the block at `height`.
    pub(super) fn hash(&self, height: u32) -> BlockHash {
        let hash = self.hashes.get(height as usize);
        hash.copied().unwrap_or(BlockHash([0; 32]))
    }

    /// True when the block at `height` orders an audit of `job`, should its window end there.
    fn audits(&self, height: u32, job: &JobId) -> bool {
        let hash = tagged_hash("camelid/audit", &(self.hash(height), job));
        hash.to_u64() % 1_000 < u64::from(self.params.committee.audit_permille)
    }
}
