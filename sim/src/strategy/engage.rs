//! Altering half-signed Engages.

use super::Context;
use camelid_core::keys::PublicKey;
use camelid_core::primitives::{Commitment, JobId};
use camelid_core::process::Output;
use camelid_core::script::{Script, key_hash_script_sig};
use camelid_core::tx::{Action, ActionKind, Transaction, signature_hash};
use camelid_core::wire::Message;

/// What an Engage says of its node.
pub(super) struct Party {
    pub(super) commitment: Commitment,
    pub(super) node_key: PublicKey,
    pub(super) payout: Script,
}

/// The job and the node of an Engage.
pub(super) fn party(engage: &Transaction) -> Option<(JobId, Party)> {
    match &engage.action.as_ref()?.kind {
        ActionKind::Engage {
            commitment,
            node_key,
            payout,
        } => {
            let party = Party {
                commitment: *commitment,
                node_key: *node_key,
                payout: payout.clone(),
            };
            Some((engage.job_id?, party))
        }
        _ => None,
    }
}

/// The job and the node of the half-signed Engage in `output`, if the node behind us sends its own.
pub(super) fn own(context: &Context<'_>, output: &Output) -> Option<(JobId, Party)> {
    let Output::Send { packet, .. } = output else {
        return None;
    };
    let (envelope, Message::Engage(engage)) = context.open(packet)? else {
        return None;
    };
    party(&engage).filter(|_| envelope.sender == context.node.id())
}

/// `output`, which sends an Engage of ours, with another commitment in it and signed anew.
pub(super) fn with_commitment(
    context: &Context<'_>,
    output: &Output,
    commitment: Commitment,
) -> Option<Output> {
    let Output::Send { to, packet } = output else {
        return None;
    };
    let (envelope, Message::Engage(engage)) = context.open(packet)? else {
        return None;
    };
    let altered = alter(context, *engage, commitment)?;
    let packet = context.rewrap(&envelope, &Message::Engage(Box::new(altered)))?;
    Some(Output::Send { to: *to, packet })
}

fn alter(context: &Context<'_>, mut engage: Transaction, new: Commitment) -> Option<Transaction> {
    let Some(Action {
        kind: ActionKind::Engage { commitment, .. },
        ..
    }) = &mut engage.action
    else {
        return None;
    };
    *commitment = new;
    let ledger = context.node.chain().ledger();
    let txid = engage.txid();
    // The first input is the escrow, which the client signs for; the others are our stake.
    for (index, input) in (0u32..).zip(engage.inputs.as_mut_slice()).skip(1) {
        let spent = &ledger.coin(&input.previous)?.output;
        let signature = context
            .key
            .sign(&signature_hash(ledger.genesis(), &txid, index, spent));
        input.script_sig = key_hash_script_sig(&signature.0, context.key.public_key().as_bytes());
    }
    Some(engage)
}
