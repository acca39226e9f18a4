//! H7, E13: the worker promises one stake to several jobs at a time.

use super::{Context, Strategy};
use camelid_core::primitives::{Amount, BoundedVec, JobId};
use camelid_core::process::{Output, Outputs};
use camelid_core::script::key_hash_script_sig;
use camelid_core::tx::{Transaction, TxIn, TxOut, signature_hash};
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Half-signs every Engage over the stake of its first one, as long as that is unspent.
#[derive(Default)]
pub(super) struct StakeTwice {
    stake: Option<(JobId, Vec<TxIn>)>,
    forged: BTreeMap<JobId, Transaction>,
}

impl Strategy for StakeTwice {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { to, packet } = &output
            && let Some((envelope, Message::Engage(engage))) = context.open(packet)
            && envelope.sender == context.node.id()
            && let Some(forged) = self.restake(context, &engage)
            && let Some(packet) = context.rewrap(&envelope, &Message::Engage(Box::new(forged)))
        {
            context.attacked();
            out.push(Output::Send { to: *to, packet });
            return;
        }
        out.push(output);
    }
}

impl StakeTwice {
    /// The Engage with the first job's stake in the place of its own; `None` for the first job.
    fn restake(&mut self, context: &Context<'_>, engage: &Transaction) -> Option<Transaction> {
        let job = engage.job_id?;
        let spendable = |inputs: &[TxIn]| {
            let ledger = context.node.chain().ledger();
            inputs.iter().all(|input| ledger.coin(&input.previous).is_some())
        };
        let (first, stake) = self
            .stake
            .take_if(|(_, stake)| spendable(stake))
            .unwrap_or_else(|| (job, engage.inputs.iter().skip(1).cloned().collect()));
        let forged = if first == job {
            None
        } else if let Some(forged) = self.forged.get(&job) {
            Some(forged.clone())
        } else {
            sign_over(context, engage, &stake)
        };
        self.stake = Some((first, stake));
        self.forged.extend(forged.clone().map(|forged| (job, forged)));
        forged
    }
}

/// `engage` with the inputs `stake`, their change, and our signatures.
fn sign_over(context: &Context<'_>, engage: &Transaction, stake: &[TxIn]) -> Option<Transaction> {
    let ledger = context.node.chain().ledger();
    let record = ledger.job(&engage.job_id?)?;
    let spent: Vec<TxOut> = stake
        .iter()
        .map(|input| ledger.coin(&input.previous).map(|coin| coin.into_owned().output))
        .collect::<Option<_>>()?;
    let sum = Amount::checked_sum(spent.iter().map(|output| output.value))?;
    let change = TxOut {
        value: sum.checked_sub(record.terms.stake)?,
        lock: spent.first()?.lock.clone(),
    };
    let inputs = engage.inputs.iter().take(1).chain(stake).cloned().collect();
    let outputs = engage.outputs.iter().take(1).cloned().chain([change]).collect();
    let mut forged = Transaction {
        inputs: BoundedVec::from_vec(inputs)?,
        outputs: BoundedVec::from_vec(outputs)?,
        ..engage.clone()
    };
    let txid = forged.txid();
    let own = (1..).zip(forged.inputs.as_mut_slice().iter_mut().skip(1));
    for ((index, input), output) in own.zip(spent) {
        let digest = signature_hash(ledger.genesis(), &txid, index, &output);
        let signature = context.key.sign(&digest);
        input.script_sig = key_hash_script_sig(&signature.0, context.key.public_key().as_bytes());
    }
    Some(forged)
}
