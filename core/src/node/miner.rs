//! The miner role: templates out, solved headers in.

use super::base::Base;
use crate::block::{Block, BlockHeader, coinbase, required_bits};
use crate::chain::{AppliedBody, check_block};
use crate::primitives::{BlockHash, BoundedVec, Digest, Hash256, JobId, Time, Timestamp};
use crate::process::{Output, Outputs, Timer};
use crate::tx::{ActionKind, Transaction, TxOut};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Templates that a solution may still come for.
const KEPT_TEMPLATES: usize = 8;
/// When nothing changes, a new template gives a miner new nonces and the time of day after this long.
const RENEWAL_MS: u64 = 120_000;

/// A job that its parties leave unsettled for so many blocks is settled by a miner.
const OVERDUE_BLOCKS: u32 = 6;

/// Makes blocks on the best chain.
pub(super) struct Miner {
    templates: Vec<Block>,
    /// Tip and mempool that the newest template was made from.
    basis: Option<(BlockHash, Digest)>,
    /// When that was.
    made_at: Time,
    /// Templates that were made anew from the same basis.
    renewals: u64,
    /// When the timer for the next one fires.
    awake_at: Option<Time>,
}

impl Miner {
    pub(super) fn new() -> Self {
        Self {
            templates: Vec::new(),
            basis: None,
            made_at: Time(0),
            renewals: 0,
            awake_at: None,
        }
    }

    /// Hands out a new template when tip or mempool have changed, or after a while.
    pub(super) fn drive(&mut self, base: &Base, now: Time, out: &mut Outputs) {
        let basis = (base.chain.tip(), base.mempool.digest());
        let is_renewal = self.basis == Some(basis);
        if is_renewal && now < self.made_at.after_ms(RENEWAL_MS) {
            return;
        }
        if self.basis.is_some_and(|(tip, _)| tip != basis.0) {
            self.templates.clear();
        }
        self.renewals = if is_renewal { self.renewals + 1 } else { 0 };
        (self.basis, self.made_at) = (Some(basis), now);
        if let Some(block) = template(base, now, self.renewals) {
            out.push(Output::Mine {
                template: block.header,
            });
            if self.templates.len() == KEPT_TEMPLATES {
                self.templates.remove(0);
            }
            self.templates.push(block);
        }
    }

    /// Sees to it that what comes into the mempool gets into a template: at most a tenth of the time between
    /// two blocks after the last one was made, for a vote's window may be all but over.
    pub(super) fn refresh(&mut self, base: &Base, now: Time, out: &mut Outputs) {
        if self
            .basis
            .is_none_or(|(_, mempool)| mempool == base.mempool.digest())
        {
            return;
        }
        let pause_ms = u64::from(base.chain.params().spacing_s) * 100;
        let due = self.made_at.after_ms(pause_ms);
        if now >= due {
            self.drive(base, now, out);
        } else if self.awake_at != Some(due) {
            self.awake_at = Some(due);
            out.push(Output::SetTimer {
                timer: Timer::Template,
                at: due,
            });
        }
    }

    /// Completes the block whose header was solved.
    pub(super) fn handle_mined(
        &mut self,
        base: &mut Base,
        now: Time,
        header: &BlockHeader,
        out: &mut Outputs,
    ) {
        let found = self.templates.iter().find(|block| {
            block.header.merkle_root == header.merkle_root && block.header.previous == header.previous
        });
        // A solution for a template of an old tip is worth nothing.
        let Some(template) = found else { return };
        let block = Arc::new(Block {
            header: *header,
            transactions: template.transactions.clone(),
        });
        if let Err(refusal) = base.accept_block(now, block, None, out) {
            base.reject(base.id(), refusal.reason, out);
        }
    }
}

/// Ends jobs that could have been ended some blocks ago. Their parties may be gone, or may not care; anybody
/// may settle, and who keeps the ledger wants it free of them.
pub(super) fn settle_overdue(base: &mut Base, now: Time, out: &mut Outputs) {
    let ledger = base.chain.ledger();
    let Some(clock) = ledger.clock_before(OVERDUE_BLOCKS) else {
        return;
    };
    let overdue: Vec<(JobId, u32)> = ledger
        .unclosed_jobs()
        .filter(|record| record.at(&clock).stage.settles())
        .map(|record| base.standing(now, record))
        .filter(|standing| standing.stage.settles())
        .map(|standing| (standing.record.id, standing.record.seq))
        .collect();
    for (job, seq) in overdue {
        base.submit_action(now, job, seq, ActionKind::Settle, out);
    }
}

/// A block on the tip with what the mempool has. If that is not valid after all, an empty one: a miner
/// never works on a block that it would refuse itself.
fn template(base: &Base, now: Time, extra_nonce: u64) -> Option<Block> {
    let (ledger, time) = (base.chain.ledger(), base.block_time(now));
    let (transactions, _) = base.mempool.select(ledger, ledger.next_moment(time));
    assemble(base, time, extra_nonce, &transactions).or_else(|| assemble(base, time, extra_nonce, &[]))
}

/// A valid block of these transactions, with its reward for this node.
fn assemble(
    base: &Base,
    time: Timestamp,
    extra_nonce: u64,
    transactions: &[Arc<Transaction>],
) -> Option<Block> {
    let (ledger, params) = (base.chain.ledger(), base.chain.params());
    let body = AppliedBody::new(ledger, time, transactions, base.chain.verifier()).ok()?;
    let reward = body.reward().ok()?;
    let outputs = if reward.is_zero() {
        Vec::new()
    } else {
        Vec::from([TxOut::to_script(reward, base.purse.script().clone())])
    };
    let coinbase = coinbase(base.next_height(), extra_nonce, &body.records_root(), outputs)?;
    body.connect(&coinbase).ok()?;
    let transactions = [coinbase]
        .into_iter()
        .chain(transactions.iter().map(|entry| (**entry).clone()))
        .collect();
    let parent = base.chain.headers().header(&ledger.tip())?;
    let mut block = Block {
        header: BlockHeader {
            version: 1,
            previous: ledger.tip(),
            merkle_root: Hash256([0; 32]),
            time,
            bits: required_bits(params, parent, base.chain.height()),
            nonce: 0,
        },
        transactions: BoundedVec::from_vec(transactions)?,
    };
    block.header.merkle_root = block.merkle_root();
    check_block(&block, params).ok()?;
    Some(block)
}
