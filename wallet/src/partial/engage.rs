//! Who signs what in an Engage, and what each must see before.
//!
//! The node makes the transaction: its input 0 is the escrow of the job, its output 0 the bond of
//! `r + a + S`, and the rest are coins and change of the node, whose other inputs come to the stake `S`
//! and its change; the engage fee `f` is left to the miner (`docs/src/protocol.md`, "States"). The node
//! signs, sends it, and the client adds the signature for the escrow. Neither trusts the other: each
//! compares it with the job's record on its own ledger, and signs its own inputs only.

use super::{Partial, PartialError};
use camelid_core::escrow::{JobRecord, JobState};
use camelid_core::keys::{PublicKey, SecretKey};
use camelid_core::primitives::{Amount, BlockHash, Commitment, Height};
use camelid_core::script::Script;
use camelid_core::tx::{ActionKind, Lock, NO_EXPIRY, OutPoint, TxOut};

/// What is wrong with an Engage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngageError {
    /// It belongs to another network.
    #[error("it is for another network")]
    Network,
    /// It is no Engage of this job's present record.
    #[error("it is not an Engage of this job")]
    NotThisJob,
    /// Somebody is engaged already, or the job is over.
    #[error("the job is not open")]
    NotOpen,
    /// It could not be mined before the deadline.
    #[error("the deadline is height {deadline}, and the next block has height {next}")]
    Late {
        /// The job's deadline.
        deadline: u32,
        /// The next block's height.
        next: u32,
    },
    /// It could not be mined at once.
    #[error("it has a lock time, and could be held back")]
    LockTime,
    /// Input 0 is not the escrow, or not said to be what the escrow is.
    #[error("input 0 is not the job's escrow")]
    Escrow,
    /// Output 0 is not the bond.
    #[error("output 0 is not the bond of {0}")]
    Bond(Amount),
    /// The outputs take part of the escrow or of the stake.
    #[error("the other outputs come to more than the other inputs less the stake")]
    Change,
    /// The node's key is not a point: it could not sign a delivery, and could not be held to one.
    #[error("the node's key is not on the curve")]
    NodeKey,
    /// The signer's key has nothing to sign here.
    #[error("the key is not the one that signs")]
    WrongKey,
    /// Commitment, key or payout are not the node's.
    #[error("the commitment, the key or the payout is not the node's own")]
    NotOurs,
    /// The node would not get back what it puts in beyond the stake.
    #[error("the change that comes back is {back}, and {due} is due")]
    Loss {
        /// What comes back.
        back: Amount,
        /// What should.
        due: Amount,
    },
    /// Signing failed.
    #[error(transparent)]
    Partial(#[from] PartialError),
}

/// What either side knows of the job, from its own ledger.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The network.
    pub genesis: &'a BlockHash,
    /// The job's record.
    pub record: &'a JobRecord,
    /// Height of the next block.
    pub next: Height,
}

/// What a node put into an Engage.
#[derive(Clone, Copy, Debug)]
pub struct NodeSide<'a> {
    /// The commitment to its output.
    pub commitment: &'a Commitment,
    /// The key that will sign the delivery.
    pub node_key: &'a PublicKey,
    /// Where reward and stake go.
    pub payout: &'a Script,
    /// Where its change goes.
    pub change: &'a Script,
    /// What it adds to the engage fee at most.
    pub most_fee: Amount,
}

impl Partial {
    /// Adds the client's signature for the escrow, after everything that could cost the client has
    /// been looked at. The node's inputs are the node's affair: consensus lets it take nothing out of the
    /// escrow, and no other input is signed, whoever's key it needs.
    ///
    /// # Errors
    /// [`EngageError`]; nothing was signed.
    pub fn sign_engage_as_client(&mut self, key: &SecretKey, view: &View<'_>) -> Result<(), EngageError> {
        self.check_engage(view)?;
        let client_key = view.record.terms.client_key;
        if key.public_key() != client_key || self.escrow_key != Some(client_key) {
            return Err(EngageError::WrongKey);
        }
        self.sign_input(0, key);
        Ok(())
    }

    /// Adds the node's signatures for its coins with `keys`, after a look at whether the Engage is
    /// what the node meant. `coin` is what the node knows of its own coins.
    ///
    /// # Errors
    /// [`EngageError`]; nothing was signed.
    pub fn sign_engage_as_node(
        &mut self,
        keys: &[SecretKey],
        view: &View<'_>,
        side: &NodeSide<'_>,
        coin: impl Fn(&OutPoint) -> Option<TxOut>,
    ) -> Result<(), EngageError> {
        self.check_engage(view)?;
        self.check_node_side(side)?;
        self.check_change(&view.record.terms.stake, side)?;
        let mut signed = self.clone();
        let mut count = 0;
        for key in keys {
            count += signed.sign(key, &coin)?;
        }
        if count + 1 != self.spent.len() {
            return Err(EngageError::WrongKey);
        }
        *self = signed;
        Ok(())
    }

    /// What both sides look at.
    fn check_engage(&self, view: &View<'_>) -> Result<(), EngageError> {
        let (record, transaction) = (view.record, &self.transaction);
        if self.genesis != *view.genesis {
            return Err(EngageError::Network);
        }
        let action = transaction.action.as_ref().ok_or(EngageError::NotThisJob)?;
        let ActionKind::Engage { node_key, .. } = &action.kind else {
            return Err(EngageError::NotThisJob);
        };
        if transaction.job_id != Some(record.id) || action.seq != record.seq || transaction.version != 2 {
            return Err(EngageError::NotThisJob);
        }
        if record.state != JobState::Open {
            return Err(EngageError::NotOpen);
        }
        let terms = &record.terms;
        if view.next >= terms.deadline {
            return Err(EngageError::Late {
                deadline: terms.deadline.0,
                next: view.next.0,
            });
        }
        let final_inputs = transaction.inputs.iter().all(|input| input.sequence == NO_EXPIRY);
        if transaction.lock_time != 0 || !final_inputs {
            return Err(EngageError::LockTime);
        }
        let escrow = terms.escrow_value().ok_or(EngageError::Escrow)?;
        let spends_escrow = transaction.inputs.first().map(|input| input.previous) == Some(record.escrow);
        if !spends_escrow || !is_native(self.spent.first(), &Lock::Escrow, escrow) {
            return Err(EngageError::Escrow);
        }
        let bond = terms.bond_value().ok_or(EngageError::Bond(Amount::MAX))?;
        if !is_native(transaction.outputs.first(), &Lock::Bond, bond) {
            return Err(EngageError::Bond(bond));
        }
        let (spent, created) = self.other_sums().ok_or(EngageError::Change)?;
        let most = spent.checked_sub(terms.stake).ok_or(EngageError::Change)?;
        if created > most {
            return Err(EngageError::Change);
        }
        node_key.is_on_curve().then_some(()).ok_or(EngageError::NodeKey)
    }

    fn check_node_side(&self, side: &NodeSide<'_>) -> Result<(), EngageError> {
        match self.transaction.action.as_ref().map(|action| &action.kind) {
            Some(ActionKind::Engage {
                commitment,
                node_key,
                payout,
            }) if commitment == side.commitment && node_key == side.node_key && payout == side.payout => {
                Ok(())
            }
            _ => Err(EngageError::NotOurs),
        }
    }

    /// All but the stake and a bounded fee comes back to the node.
    fn check_change(&self, stake: &Amount, side: &NodeSide<'_>) -> Result<(), EngageError> {
        let (spent, _) = self.other_sums().ok_or(EngageError::Change)?;
        let own_change = Lock::Script(side.change.clone());
        let returned = self.transaction.outputs.iter().skip(1);
        let returned = returned.filter(|output| output.lock == own_change);
        let back = Amount::checked_sum(returned.map(|output| output.value)).ok_or(EngageError::Change)?;
        let due = spent.checked_sub(*stake).ok_or(EngageError::Change)?;
        let due = due.checked_sub(side.most_fee).unwrap_or(Amount::ZERO);
        if back < due {
            return Err(EngageError::Loss { back, due });
        }
        Ok(())
    }

    /// Sums of the inputs but the first, and of the outputs but the first.
    fn other_sums(&self) -> Option<(Amount, Amount)> {
        let sum = |outputs: &[TxOut]| Amount::checked_sum(outputs.iter().skip(1).map(|output| output.value));
        sum(&self.spent).zip(sum(&self.transaction.outputs))
    }
}

fn is_native(output: Option<&TxOut>, lock: &Lock, value: Amount) -> bool {
    output.is_some_and(|output| output.lock == *lock && output.value == value)
}
