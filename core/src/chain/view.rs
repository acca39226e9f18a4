//! The ledger with pending changes over it.

use super::ledger::{Coin, Delta, Ledger, Totals};
use crate::committee::Ticket;
use crate::escrow::{History, JobRecord};
use crate::primitives::JobId;
use crate::tx::{Lock, OutPoint, Transaction};
use alloc::borrow::Cow;

/// Reads fall through to the view below and then to the ledger; writes stay here until the [`Delta`]
/// is taken out.
#[derive(Debug)]
pub struct View<'a> {
    ledger: &'a Ledger,
    below: Option<&'a View<'a>>,
    delta: Delta,
}

impl<'a> View<'a> {
    /// A view without changes.
    pub fn new(ledger: &'a Ledger) -> Self {
        Self::resume(
            ledger,
            Delta {
                totals: *ledger.totals(),
                ..Delta::default()
            },
        )
    }

    /// A view with the changes of an earlier view of the same ledger.
    pub fn resume(ledger: &'a Ledger, delta: Delta) -> Self {
        Self {
            ledger,
            below: None,
            delta,
        }
    }

    /// A view over this one, for changes that may be thrown away.
    pub fn attempt(&self) -> View<'_> {
        let delta = Delta {
            totals: self.delta.totals,
            ..Delta::default()
        };
        View {
            ledger: self.ledger,
            below: Some(self),
            delta,
        }
    }

    /// Takes the changes of a successful attempt in.
    pub fn absorb(&mut self, delta: Delta) {
        self.delta.coins.extend(delta.coins);
        self.delta.jobs.extend(delta.jobs);
        self.delta.tickets.extend(delta.tickets);
        self.delta.totals = delta.totals;
    }

    /// The changes so far.
    pub fn delta(&self) -> &Delta {
        &self.delta
    }

    /// The changes.
    pub fn into_delta(self) -> Delta {
        self.delta
    }

    /// The ledger below.
    pub fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// An unspent output.
    pub fn coin(&self, outpoint: &OutPoint) -> Option<Cow<'_, Coin>> {
        match self.delta.coins.get(outpoint) {
            Some(pending) => pending.as_ref().map(Cow::Borrowed),
            None => self
                .below
                .map_or_else(|| self.ledger.coin(outpoint), |below| below.coin(outpoint)),
        }
    }

    /// The record of a job.
    pub fn job(&self, id: &JobId) -> Option<Cow<'_, JobRecord>> {
        match self.delta.jobs.get(id) {
            Some(pending) => pending.as_ref().map(Cow::Borrowed),
            None => self
                .below
                .map_or_else(|| self.ledger.job(id), |below| below.job(id)),
        }
    }

    /// A verifier's ticket.
    pub fn ticket(&self, id: &OutPoint) -> Option<&Ticket> {
        match self.delta.tickets.get(id) {
            Some(pending) => pending.as_ref(),
            None => self
                .below
                .map_or_else(|| self.ledger.tickets().get(id), |below| below.ticket(id)),
        }
    }

    /// What `transaction` counts towards a block's limit on signature operations here: its own
    /// ([`Transaction::signature_operations`]) and those of the scripts that it spends, up to the first coin that
    /// is not here and makes the transaction invalid.
    pub fn signature_operations(&self, transaction: &Transaction) -> u32 {
        let spent = transaction.inputs.iter().map_while(|input| {
            Some(match &self.coin(&input.previous)?.output.lock {
                Lock::Script(script) => script.signature_operations(),
                // Checked by the action, which counts.
                _ => 0,
            })
        });
        spent.fold(transaction.signature_operations(), u32::saturating_add)
    }

    /// The totals.
    pub fn totals(&self) -> &Totals {
        &self.delta.totals
    }

    pub(super) fn set_coin(&mut self, outpoint: OutPoint, coin: Option<Coin>) {
        self.delta.coins.insert(outpoint, coin);
    }

    pub(super) fn set_job(&mut self, record: JobRecord) {
        self.delta.jobs.insert(record.id, Some(record));
    }

    pub(super) fn set_ticket(&mut self, id: OutPoint, ticket: Option<Ticket>) {
        self.delta.tickets.insert(id, ticket);
    }

    pub(super) fn totals_mut(&mut self) -> &mut Totals {
        &mut self.delta.totals
    }
}
