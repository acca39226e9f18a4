//! Putting a question about an output to neighbours, some of them with an error planted in it.

use super::inquiry::{Answer, Asked, Inquiry};
use crate::job::Opening;
use crate::keys::{NodeId, SecretKey};
use crate::model::{Manifest, TokenId};
use crate::node::base::Base;
use crate::node::config::Outsourcing;
use crate::node::record::ClientJob;
use crate::primitives::{BoundedVec, Stream, Time, encode};
use crate::process::{Event, Outputs};
use crate::tx::ActionKind;
use crate::wire::{CheckRequest, Message};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// A request that was not answered is sent again after this long.
const SEND_AGAIN_MS: u64 = 60_000;
/// After this long without an answer somebody else is asked.
const PATIENCE_MS: u64 = 180_000;

/// Is this output the model's?
pub(super) struct Question<'a> {
    pub(super) entry: &'a ClientJob,
    pub(super) opening: &'a Opening,
    pub(super) manifest: &'a Manifest,
    pub(super) config: Outsourcing,
}

/// May an error be planted?
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize)]
pub(super) enum Planting {
    /// With the configured probability.
    Drawn,
    /// No.
    Never,
}

impl Question<'_> {
    /// Asks `helper`, unless no honest checker could answer.
    pub(super) fn ask(
        &self,
        base: &mut Base,
        now: Time,
        helper: NodeId,
        planting: Planting,
        inquiry: &mut Inquiry,
        out: &mut Outputs,
    ) {
        let Some((request, planted)) = self.compose(&base.config.key, helper, planting, inquiry) else {
            return;
        };
        let asked = Asked {
            id: request.id(),
            fee: request.fee,
            planting,
            planted,
            since: now,
            sent: now,
            answer: Answer::Awaited,
        };
        inquiry.asked.insert(helper, asked);
        base.send(helper, &Message::CheckRequest(Box::new(request)), out);
        let job = self.entry.offer.job;
        out.event(Event::CheckRequested { job });
    }

    /// Sends again what was not answered, and gives up on who is silent.
    pub(super) fn repeat(&self, base: &mut Base, now: Time, inquiry: &mut Inquiry, out: &mut Outputs) {
        let mut due = Vec::new();
        for (helper, asked) in &mut inquiry.asked {
            if !matches!(asked.answer, Answer::Awaited) {
                continue;
            }
            if now >= asked.since.after_ms(PATIENCE_MS) {
                asked.answer = Answer::None;
            } else if now >= asked.sent.after_ms(SEND_AGAIN_MS) {
                asked.sent = now;
                due.push((*helper, asked.planting));
            }
        }
        for (helper, planting) in due {
            if let Some((request, _)) = self.compose(&base.config.key, helper, planting, inquiry) {
                base.send(helper, &Message::CheckRequest(Box::new(request)), out);
            }
        }
    }

    /// The request for `helper`, and where an error is planted in it. Both hang on the client's secret,
    /// so that no helper can foresee them, and on nothing that a crash can change, so that the same is
    /// asked afterwards, and charged once.
    fn compose(
        &self,
        key: &SecretKey,
        helper: NodeId,
        planting: Planting,
        inquiry: &Inquiry,
    ) -> Option<(CheckRequest, Option<u32>)> {
        let offer = &self.entry.offer;
        let mut request = CheckRequest {
            model: offer.terms.model,
            job: offer.job,
            prompt: offer.prompt.clone(),
            output: self.opening.output.clone(),
            positions: BoundedVec::from_vec(inquiry.positions.clone())?,
            seed: offer.terms.seed,
            sampling: offer.terms.sampling,
            fee: self.config.fee_per_token,
        };
        request.fee = request.fee.checked_mul(request.tokens())?;
        request.check(self.manifest).ok()?;
        let mut stream = secret_stream(key, "camelid/canary", &encode(&(offer.job, helper)));
        let plants = planting == Planting::Drawn && stream.chance(self.config.canary_permille);
        let planted = plants
            .then(|| plant(&mut request, &self.manifest.end_tokens, &mut stream))
            .flatten();
        Some((request, planted))
    }
}

/// Swaps one token of the output that is asked about, and says at which position.
///
/// The new token is taken from the same output, where it does not look out of place. An end token in
/// the last position stays: without it a short output would betray the swap to anybody.
fn plant(request: &mut CheckRequest, end_tokens: &[TokenId], stream: &mut Stream) -> Option<u32> {
    let prompt = u32::try_from(request.prompt.len()).ok()?;
    let token_at = |position: u32| {
        let index = usize::try_from(position.checked_sub(prompt)?).ok()?;
        Some((index, *request.output.get(index)?))
    };
    let candidates: Vec<(u32, usize, TokenId)> = request
        .positions
        .iter()
        .filter_map(|&position| token_at(position).map(|(index, token)| (position, index, token)))
        .filter(|(_, _, token)| !end_tokens.contains(token))
        .collect();
    let (position, index, honest) = *stream.pick(&candidates)?;
    let others: Vec<TokenId> = request
        .output
        .iter()
        .copied()
        .filter(|token| *token != honest && !end_tokens.contains(token))
        .collect();
    let swapped = *stream.pick(&others)?;
    *request.output.as_mut_slice().get_mut(index)? = swapped;
    Some(position)
}

/// `wanted` neighbours that were not asked yet and are not avoided, drawn by the client's secret. The
/// engaged node does not judge itself; it would also know an error that is not its own.
pub(super) fn draw_helpers(
    base: &Base,
    entry: &ClientJob,
    inquiry: &Inquiry,
    avoided: &BTreeMap<NodeId, Time>,
    wanted: usize,
) -> Vec<NodeId> {
    let engaged = entry.engage.as_ref().and_then(|engage| engage.action.as_ref());
    let engaged = engaged.and_then(|action| match &action.kind {
        ActionKind::Engage { node_key, .. } => Some(node_key.key_hash()),
        _ => None,
    });
    let mut candidates: Vec<NodeId> = base
        .peers
        .iter()
        .copied()
        .filter(|peer| Some(*peer) != engaged)
        .filter(|peer| !inquiry.asked.contains_key(peer) && !avoided.contains_key(peer))
        .collect();
    let context = encode(&(entry.offer.job, inquiry.asked.len() as u64));
    let mut stream = secret_stream(&base.config.key, "camelid/helpers", &context);
    let mut drawn = Vec::new();
    while drawn.len() < wanted && !candidates.is_empty() {
        let index = stream.below(candidates.len() as u64);
        drawn.push(candidates.swap_remove(usize::try_from(index).unwrap_or(0)));
    }
    drawn
}

/// A stream that nobody else can foresee.
fn secret_stream(key: &SecretKey, label: &str, context: &[u8]) -> Stream {
    let [a, b, c, d, e, f, g, h, ..] = key.derive(label, context);
    Stream::new(u64::from_le_bytes([a, b, c, d, e, f, g, h]), label)
}
