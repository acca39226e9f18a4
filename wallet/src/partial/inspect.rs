//! What a partially signed transaction would do.

use super::Partial;
use camelid_core::primitives::{Amount, Txid};
use camelid_core::tx::{OutPoint, TxOut};

/// What is to be seen before anybody signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The id, which signatures do not change.
    pub txid: Txid,
    /// What it spends, as is claimed, and who has signed.
    pub inputs: Vec<InputSummary>,
    /// What it creates.
    pub outputs: Vec<TxOut>,
    /// The action's name, if it has one.
    pub action: Option<&'static str>,
    /// What the miner gets if the claims about the inputs are true; `None` if it would spend more than it
    /// has, or the sums overflow.
    pub fee: Option<Amount>,
    /// Nothing is missing.
    pub is_complete: bool,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSummary {
    /// What it spends.
    pub outpoint: OutPoint,
    /// What that is, as is claimed.
    pub output: TxOut,
    /// Signatures that there are, and that are needed; `None` for a form that is not supported.
    pub signatures: Option<(usize, usize)>,
}

impl Partial {
    /// What it would do, and what is missing.
    pub fn inspect(&self) -> Summary {
        let inputs: Vec<InputSummary> = (self.transaction.inputs.iter().zip(&self.spent).enumerate())
            .map(|(index, (input, output))| InputSummary {
                outpoint: input.previous,
                output: output.clone(),
                signatures: self.progress(index),
            })
            .collect();
        let sum = |outputs: &[TxOut]| Amount::checked_sum(outputs.iter().map(|output| output.value));
        let fee = sum(&self.spent).zip(sum(&self.transaction.outputs));
        Summary {
            txid: self.transaction.txid(),
            is_complete: inputs
                .iter()
                .all(|input| input.signatures.is_some_and(|(there, needed)| there == needed)),
            inputs,
            outputs: self.transaction.outputs.to_vec(),
            action: self.transaction.action.as_ref().map(|action| action.kind.name()),
            fee: fee.and_then(|(spent, created)| spent.checked_sub(created)),
        }
    }
}
