//! Inputs, outputs and transactions.

use super::action::Action;
use crate::primitives::{Amount, BoundedVec, JobId, Txid, Wtxid, encode, tagged_hash};
use crate::script::Script;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// Largest encoding of a transaction, in bytes; as large as a block may be.
pub const MAX_TRANSACTION_BYTES: usize = 1_000_000;

/// The sequence of an input that ignores lock times.
pub const NO_EXPIRY: u32 = u32::MAX;

/// Names an output: transaction and position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct OutPoint {
    /// The transaction (or, for a job's payouts, a hash of the job id).
    pub txid: Txid,
    /// Position among its outputs.
    pub index: u32,
}

impl OutPoint {
    /// The outpoint of a coinbase's input, which spends nothing.
    pub const NULL: Self = Self {
        txid: Txid([0; 32]),
        index: u32::MAX,
    };
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.index)
    }
}

impl fmt::Debug for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Spends an output.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TxIn {
    /// The output that is spent.
    pub previous: OutPoint,
    /// Satisfies the output's script; for an escrow, the client's 64-byte signature as one push.
    pub script_sig: Script,
    /// Relative lock time (BIP 68 reading, through CSV), or [`NO_EXPIRY`].
    pub sequence: u32,
}

/// Who may spend an output.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Lock {
    /// Whoever satisfies the script (the paper's `script_pubkey`).
    Script(Script),
    /// The job ledger: a client's `r + a + f`, until Engage or the refund.
    Escrow,
    /// The job ledger: `r + a + S`, until the job closes.
    Bond,
    /// The job ledger: a claimant's deposit.
    Deposit,
    /// The job ledger: the bond behind a verifier's ticket.
    Ticket,
}

/// An amount under a lock.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TxOut {
    /// How much.
    pub value: Amount,
    /// Who may spend it.
    pub lock: Lock,
}

impl TxOut {
    /// `value` for whoever satisfies `script`.
    pub fn to_script(value: Amount, script: Script) -> Self {
        Self {
            value,
            lock: Lock::Script(script),
        }
    }
}

/// A transaction (paper, 2.3).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// 1, or 2 with an action.
    pub version: u32,
    /// What it spends.
    pub inputs: BoundedVec<TxIn, 8192>,
    /// What it creates.
    pub outputs: BoundedVec<TxOut, 8192>,
    /// Earliest height (below 500,000,000) or median time past at which it may be mined; a
    /// coinbase's own height.
    pub lock_time: u32,
    /// The job that the action belongs to.
    pub job_id: Option<JobId>,
    /// What it does to that job.
    pub action: Option<Action>,
}

impl Transaction {
    /// Hash of everything but the `script_sig`s, so that a signature cannot be altered into
    /// another id.
    pub fn txid(&self) -> Txid {
        let inputs: alloc::vec::Vec<_> = self
            .inputs
            .iter()
            .map(|input| (input.previous, input.sequence))
            .collect();
        let fields = (
            self.version,
            inputs,
            &self.outputs,
            self.lock_time,
            &self.job_id,
            &self.action,
        );
        Txid(tagged_hash("camelid/txid", &fields).0)
    }

    /// Hash of the whole transaction.
    pub fn wtxid(&self) -> Wtxid {
        Wtxid(tagged_hash("camelid/wtxid", self).0)
    }

    /// Bytes of the canonical encoding.
    pub fn size(&self) -> usize {
        encode(self).len()
    }

    /// True for a block's first transaction: one input that spends nothing.
    pub fn is_coinbase(&self) -> bool {
        matches!(&*self.inputs, [input] if input.previous == OutPoint::NULL)
    }

    /// Static count of signature operations in its scripts (with those of its actions' own signatures).
    pub fn signature_operations(&self) -> u32 {
        let inputs = self.inputs.iter().map(|input| &input.script_sig);
        let outputs = self.outputs.iter().filter_map(|output| match &output.lock {
            Lock::Script(script) => Some(script),
            _ => None,
        });
        let scripts = inputs.chain(outputs).map(Script::signature_operations);
        scripts.fold(u32::from(self.action.is_some()), u32::saturating_add)
    }
}
