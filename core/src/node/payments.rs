//! What one key has paid another on the best chain. It settles the fees of outsourced checks: an
//! ordinary transaction is a payment from whoever's key spends its first input to whoever's key its
//! outputs name, so neither side has to tell the other about it.

use crate::block::Block;
use crate::chain::Chain;
use crate::keys::{KeyHash, NodeId, PublicKey};
use crate::primitives::{Amount, BlockHash, Digest, Height, tagged_hash};
use crate::script::StandardScript;
use crate::tx::{Lock, Transaction};
use alloc::collections::BTreeMap;
use borsh::BorshSerialize;

/// Length of the `script_sig` that spends a key hash: a 64-byte signature and a 33-byte key, each
/// after its push.
const KEY_HASH_SIG_BYTES: usize = 1 + 64 + 1 + KEY_BYTES;
const KEY_BYTES: usize = 33;

/// Which side of the payments is this node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It pays.
    Payer,
    /// It is paid.
    Payee,
}

/// Sums of payments between this node and others, by the other's name.
pub(super) struct Payments {
    own: NodeId,
    side: Side,
    /// The block up to which they are counted.
    counted: (Height, BlockHash),
    sums: BTreeMap<NodeId, u64>,
}

impl Payments {
    /// Counts nothing yet but the genesis block, in which nobody pays.
    pub(super) fn new(own: NodeId, side: Side, chain: &Chain) -> Self {
        Self {
            own,
            side,
            counted: (Height(0), chain.headers().genesis()),
            sums: BTreeMap::new(),
        }
    }

    /// What was paid between this node and `other`.
    pub(super) fn sum(&self, other: &NodeId) -> Amount {
        let units = self.sums.get(other).copied().unwrap_or_default();
        Amount::from_units(units).unwrap_or(Amount::MAX)
    }

    /// Takes back what left the best chain since the last call, and counts what joined it.
    pub(super) fn follow(&mut self, chain: &Chain) {
        let at = |height: Height| chain.active().get(height.0 as usize).copied();
        let (mut height, mut hash) = self.counted;
        while at(height) != Some(hash) {
            let (Some(block), Some(header)) = (chain.block(&hash), chain.headers().header(&hash)) else {
                return;
            };
            self.count(&block, u64::saturating_sub);
            (height, hash) = (Height(height.0.saturating_sub(1)), header.previous);
        }
        while let Some(next) = at(height.plus(1)) {
            let Some(block) = chain.block(&next) else {
                break;
            };
            self.count(&block, u64::saturating_add);
            (height, hash) = (height.plus(1), next);
        }
        self.counted = (height, hash);
    }

    fn count(&mut self, block: &Block, change: impl Fn(u64, u64) -> u64) {
        for transaction in block.transactions.iter().skip(1) {
            let Some(payer) = payer(transaction) else {
                continue;
            };
            for output in transaction.outputs.iter() {
                let Some(payee) = payee(&output.lock) else {
                    continue;
                };
                let other = match self.side {
                    Side::Payer if payer == self.own => payee,
                    Side::Payee if payee == self.own => payer,
                    Side::Payer | Side::Payee => continue,
                };
                // Change is no payment.
                if other != self.own {
                    let sum = self.sums.entry(other).or_default();
                    *sum = change(*sum, output.value.units());
                }
            }
        }
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        Digest(tagged_hash("camelid/payments", &(self.counted, &self.sums)).0)
    }
}

/// Whose key spends the first input. Where the script is no key hash this may be anybody's, who then
/// is given a present.
fn payer(transaction: &Transaction) -> Option<NodeId> {
    let bytes = transaction.inputs.first()?.script_sig.as_bytes();
    let key = bytes.last_chunk::<KEY_BYTES>()?;
    let key = PublicKey::from_bytes(*key).filter(|_| bytes.len() == KEY_HASH_SIG_BYTES)?;
    Some(key.key_hash())
}

fn payee(lock: &Lock) -> Option<NodeId> {
    let Lock::Script(script) = lock else {
        return None;
    };
    match StandardScript::parse(script)? {
        StandardScript::KeyHash(hash) => Some(KeyHash(hash)),
        _ => None,
    }
}
