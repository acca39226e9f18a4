//! E11: the client signs the Engages of several nodes for one escrow, and sends each to other peers.

use super::coins::cosign;
use super::{Context, Strategy};
use camelid_core::primitives::JobId;
use camelid_core::process::{Input, Outputs};
use camelid_core::tx::Transaction;
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Waits for two half-signed Engages of each job.
#[derive(Default)]
pub(super) struct DoubleEngage {
    first: BTreeMap<JobId, Transaction>,
}

impl Strategy for DoubleEngage {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        let Input::Message { packet, .. } = &input else {
            return Some(input);
        };
        let Some((_, Message::Engage(engage))) = context.open(packet) else {
            return Some(input);
        };
        let Some(job) = engage.job_id else {
            return Some(input);
        };
        let first = self.first.entry(job).or_insert_with(|| (*engage).clone());
        if first.txid() != engage.txid()
            && let (Some(first), Some(second)) = (cosign(context, first), cosign(context, &engage))
        {
            context.attacked();
            let both = [first, second].map(|signed| Message::Transaction(Box::new(signed)));
            for (peer, message) in context.node.peers().iter().zip(both.iter().cycle()) {
                context.send(*peer, message, out);
            }
        }
        None
    }
}
