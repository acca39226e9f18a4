//! The miner role: templates out, solved headers in.

use super::base::Base;
use crate::block::{Block, BlockHeader, coinbase, required_bits};
use crate::chain::{AppliedBody, check_block};
use crate::primitives::{BlockHash, BoundedVec, Digest, Hash256, Time, Timestamp};
use crate::process::{Output, Outputs};
use crate::tx::{Transaction, TxOut};
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Templates that a solution may still come for.
const KEPT_TEMPLATES: usize = 8;
/// When nothing changes, a new template gives a miner new nonces and the time of day after this long.
const RENEWAL_MS: u64 = 120_000;

/// Makes blocks on the best chain.
pub(super) struct Miner {
    templates: Vec<Block>,
    /// Tip and mempool that the newest template was made from.
    basis: Option<(BlockHash, Digest)>,
    /// When that was.
    made_at: Time,
    /// Templates that were made anew from the same basis.
    renewals: u64,
}

impl Miner {
    pub(super) fn new() -> Self {
        Self {
            templates: Vec::new(),
            basis: None,
            made_at: Time(0),
            renewals: 0,
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
