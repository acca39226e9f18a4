//! Committing to outputs that an honest node refuses to commit to, and delivering them.

use crate::strategy::{Context, engage};
use camelid_core::escrow::JobState;
use camelid_core::job::{Opening, SignedDelivery};
use camelid_core::keys::{NodeId, seal};
use camelid_core::primitives::{JobId, encode};
use camelid_core::process::{Output, Outputs};
use camelid_core::wire::Message;
use std::collections::BTreeMap;

/// Openings of our own making. The node behind us takes the Engage that we alter for another node's,
/// so we have to deliver ourselves.
#[derive(Default)]
pub(super) struct Openings {
    planned: BTreeMap<JobId, Opening>,
}

impl Openings {
    /// The node's next Engage for `job` shall commit to `opening`.
    pub(super) fn plan(&mut self, job: JobId, opening: Opening) {
        self.planned.insert(job, opening);
    }

    /// `output` with the planned commitment in it, if it is an Engage of ours.
    pub(super) fn commit(&self, context: &mut Context<'_>, output: Output) -> Output {
        let Some((job, own)) = engage::own(context, &output) else {
            return output;
        };
        let Some(opening) = self.planned.get(&job) else {
            return output;
        };
        let genesis = context.node.chain().ledger().genesis();
        let commitment = opening.commitment(genesis, &job, &own.node_key, &own.payout);
        match engage::with_commitment(context, &output, commitment) {
            Some(altered) => {
                context.attacked();
                altered
            }
            None => output,
        }
    }

    /// Sends each delivery that is due, until the job is closed.
    pub(super) fn deliver(&self, context: &mut Context<'_>, out: &mut Outputs) {
        for (job, opening) in &self.planned {
            if let Some((contact, message)) = delivery(context, job, opening) {
                context.send_through(contact, &message, out);
            }
        }
    }
}

/// The delivery of `opening` and who it is for, once our Engage with its commitment is buried.
fn delivery(context: &Context<'_>, job: &JobId, opening: &Opening) -> Option<(NodeId, Message)> {
    let chain = context.node.chain();
    let record = chain.ledger().job(job)?;
    let JobState::Engaged(engagement) = &record.state else {
        return None;
    };
    let genesis = chain.ledger().genesis();
    let ours = opening.commitment(genesis, job, &context.key.public_key(), &engagement.payout);
    let buried = engagement.since.height.plus(chain.params().jobs.burial);
    if engagement.commitment != ours || chain.height() < buried {
        return None;
    }
    let seal_context = record.seal_context(genesis, engagement);
    let ephemeral = context.key.derive_key("forged-ephemeral", &encode(&seal_context));
    let sealed = seal(&seal_context, &ephemeral, &opening.to_bytes())?;
    let delivery = SignedDelivery::sign(&seal_context, sealed.ephemeral, sealed.ciphertext, context.key)?;
    let delivery = Box::new(delivery);
    Some((record.terms.contact, Message::Delivery { job: *job, delivery }))
}
