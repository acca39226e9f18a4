//! H8, E11: the client tries to take its money back: by a payment that conflicts with OpenJob,
//! sent to half of its peers, and later by spending the escrow itself.

use super::coins::payment_to_self;
use super::{Context, Strategy};
use camelid_core::escrow::JobState;
use camelid_core::keys::NodeId;
use camelid_core::primitives::JobId;
use camelid_core::process::{Input, Output, Outputs, Timer};
use camelid_core::tx::{ActionKind, OutPoint, Transaction};
use camelid_core::wire::Message;
use std::collections::BTreeSet;

/// Races its own OpenJob, then attacks the escrow.
#[derive(Default)]
pub(super) struct DoubleSpend {
    /// Jobs whose escrow was attacked.
    robbed: BTreeSet<JobId>,
}

impl Strategy for DoubleSpend {
    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { to, packet } = &output
            && let Some((_, Message::Transaction(open))) = context.open(packet)
            && is_open_job(&open)
            && let Some(conflict) = rival_for(context, *to, &open)
        {
            context.attacked();
            context.send(*to, &conflict, out);
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
            let theft = Message::Transaction(Box::new(theft));
            for peer in context.node.peers() {
                context.send(*peer, &theft, out);
            }
        }
    }
}

/// Every second peer gets a payment of the same coins to ourselves instead of OpenJob.
fn rival_for(context: &Context<'_>, to: NodeId, open: &Transaction) -> Option<Message> {
    let position = context.node.peers().iter().position(|peer| *peer == to)?;
    if position % 2 == 0 {
        return None;
    }
    let inputs: Vec<OutPoint> = open.inputs.iter().map(|input| input.previous).collect();
    Some(Message::Transaction(Box::new(payment_to_self(context, &inputs)?)))
}

fn is_open_job(transaction: &Transaction) -> bool {
    transaction
        .action
        .as_ref()
        .is_some_and(|action| matches!(action.kind, ActionKind::OpenJob(_)))
}
