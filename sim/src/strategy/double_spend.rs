//! H8, E11: the client tries to take its money back: by a payment that conflicts with OpenJob,
//! sent to half of its peers, and later by spending the escrow itself.

use super::{Context, Strategy};
use camelid_core::escrow::JobState;
use camelid_core::keys::NodeId;
use camelid_core::primitives::{Amount, BoundedVec, JobId};
use camelid_core::process::{Input, Output, Outputs, Timer};
use camelid_core::script::{Script, key_hash_script, key_hash_script_sig};
use camelid_core::tx::{ActionKind, Lock, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut, signature_hash};
use camelid_core::wire::{Envelope, Message, Packet};
use std::collections::BTreeSet;

/// Units of fee that the conflicting payment offers.
const FEE: u64 = 1_000_000;

/// Races its own OpenJob, then attacks the escrow.
#[derive(Default)]
pub(super) struct DoubleSpend {
    /// Jobs whose escrow was attacked.
    robbed: BTreeSet<JobId>,
    messages: u64,
}

impl Strategy for DoubleSpend {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { to, packet } = &output
            && let Some((_, Message::Transaction(open))) = context.open(packet)
            && is_open_job(&open)
            && let Some(conflict) = self.race(context, *to, &open)
        {
            context.attacked();
            out.push(conflict);
            return;
        }
        out.push(output);
    }

    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        if matches!(input, Input::TimerFired(Timer::Maintenance)) {
            self.rob_escrows(context, out);
        }
        Some(input)
    }
}

impl DoubleSpend {
    /// Every second peer gets a payment of the same coins to ourselves instead of OpenJob.
    fn race(&mut self, context: &Context<'_>, to: NodeId, open: &Transaction) -> Option<Output> {
        let position = context.node.peers().iter().position(|peer| *peer == to)?;
        if position % 2 == 0 {
            return None;
        }
        let inputs: Vec<OutPoint> = open.inputs.iter().map(|input| input.previous).collect();
        let conflict = payment_to_self(context, &inputs)?;
        Some(Output::Send {
            to,
            packet: self.wrap(context, to, conflict)?,
        })
    }

    /// Spends each of our escrows with a plain signature, once.
    fn rob_escrows(&mut self, context: &mut Context<'_>, out: &mut Outputs) {
        let own = context.node.id();
        let ledger = context.node.chain().ledger();
        let escrows: Vec<(JobId, OutPoint)> = ledger
            .unclosed_jobs()
            .filter(|record| record.state == JobState::Open && record.terms.contact == own)
            .map(|record| (record.id, record.escrow))
            .collect();
        for (job, escrow) in escrows {
            let Some(theft) = payment_to_self(context, &[escrow]) else {
                continue;
            };
            if !self.robbed.insert(job) {
                continue;
            }
            context.attacked();
            for peer in context.node.peers() {
                if let Some(packet) = self.wrap(context, *peer, theft.clone()) {
                    out.push(Output::Send { to: *peer, packet });
                }
            }
        }
    }

    fn wrap(&mut self, context: &Context<'_>, to: NodeId, transaction: Transaction) -> Option<Packet> {
        self.messages += 1;
        let magic = context.node.chain().params().magic;
        // Ids of the strategy's own messages count down, away from those of the node behind it.
        let id = u64::MAX - self.messages;
        let message = Message::Transaction(Box::new(transaction));
        Envelope::new(magic, context.node.id(), Some(to), id, 0, &message)
            .map(|envelope| envelope.to_packet())
    }
}

fn is_open_job(transaction: &Transaction) -> bool {
    transaction
        .action
        .as_ref()
        .is_some_and(|action| matches!(action.kind, ActionKind::OpenJob(_)))
}

/// A plain transaction that moves `inputs` to our own key, signed as well as our key can.
fn payment_to_self(context: &Context<'_>, inputs: &[OutPoint]) -> Option<Transaction> {
    let ledger = context.node.chain().ledger();
    let spent: Vec<&TxOut> = inputs
        .iter()
        .map(|outpoint| ledger.coin(outpoint).map(|coin| &coin.output))
        .collect::<Option<_>>()?;
    let sum = Amount::checked_sum(spent.iter().map(|output| output.value))?;
    let value = sum.checked_sub(Amount::from_units(FEE)?)?;
    let output = TxOut {
        value,
        lock: Lock::Script(key_hash_script(&context.key.node_id().0)),
    };
    let unsigned = inputs
        .iter()
        .map(|previous| TxIn {
            previous: *previous,
            script_sig: Script::empty(),
            sequence: NO_EXPIRY,
        })
        .collect();
    let mut transaction = Transaction {
        version: 1,
        inputs: BoundedVec::from_vec(unsigned)?,
        outputs: BoundedVec::from_vec(vec![output])?,
        lock_time: 0,
        job_id: None,
        action: None,
    };
    let txid = transaction.txid();
    for ((index, input), output) in (0..).zip(transaction.inputs.as_mut_slice()).zip(spent) {
        let signature = context
            .key
            .sign(&signature_hash(ledger.genesis(), &txid, index, output));
        input.script_sig = key_hash_script_sig(&signature.0, context.key.public_key().as_bytes());
    }
    Some(transaction)
}
