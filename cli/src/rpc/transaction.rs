//! Transactions as JSON.

use super::arguments::hex;
use camelid_core::committee::Finding;
use camelid_core::keys::KeyHash;
use camelid_core::primitives::encode;
use camelid_core::script::{Script, StandardScript};
use camelid_core::tx::{Action, ActionKind, Lock, Transaction, TxIn, TxOut};
use serde_json::{Value, json};

/// A transaction, with its encoding.
pub fn transaction_json(transaction: &Transaction) -> Value {
    let encoding = encode(transaction);
    let is_coinbase = transaction.is_coinbase();
    let inputs = transaction
        .inputs
        .iter()
        .map(|input| input_json(input, is_coinbase));
    let outputs = (0u32..).zip(transaction.outputs.iter());
    json!({
        "txid": transaction.txid().to_string(),
        "wtxid": transaction.wtxid().to_string(),
        "version": transaction.version,
        "size": encoding.len(),
        "locktime": transaction.lock_time,
        "vin": inputs.collect::<Vec<_>>(),
        "vout": outputs.map(|(index, output)| output_json(index, output)).collect::<Vec<_>>(),
        "job": transaction.job_id.map(|job| job.to_string()),
        "action": transaction.action.as_ref().map(action_json),
        "hex": hex(&encoding),
    })
}

fn input_json(input: &TxIn, is_coinbase: bool) -> Value {
    let script = hex(input.script_sig.as_bytes());
    if is_coinbase {
        return json!({"coinbase": script, "sequence": input.sequence});
    }
    json!({
        "txid": input.previous.txid.to_string(),
        "vout": input.previous.index,
        "scriptSig": {"hex": script},
        "sequence": input.sequence,
    })
}

fn output_json(index: u32, output: &TxOut) -> Value {
    let mut json = json!({"n": index, "value": output.value.to_string()});
    let (lock, script) = match &output.lock {
        Lock::Script(script) => ("script", Some(script)),
        Lock::Escrow => ("escrow", None),
        Lock::Bond => ("bond", None),
        Lock::Deposit => ("deposit", None),
        Lock::Ticket => ("ticket", None),
    };
    json["lock"] = lock.into();
    if let Some(script) = script {
        json["scriptPubKey"] = json!({"hex": hex(script.as_bytes()), "address": address_of(script)});
    }
    json
}

/// Whose key hash a script pays to, if that is what it does.
pub fn address_of(script: &Script) -> Option<String> {
    match StandardScript::parse(script)? {
        StandardScript::KeyHash(hash) => Some(KeyHash(hash).to_string()),
        _ => None,
    }
}

/// A step of a job, without what is large.
fn action_json(action: &Action) -> Value {
    let mut json = json!({"seq": action.seq, "kind": action.kind.name()});
    match &action.kind {
        ActionKind::Engage {
            commitment,
            node_key,
            payout,
        } => {
            json["commitment"] = commitment.to_string().into();
            json["node"] = node_key.key_hash().to_string().into();
            json["payout"] = address_of(payout).into();
        }
        ActionKind::VoteCommit { ticket, .. }
        | ActionKind::Unbond { ticket, .. }
        | ActionKind::Withdraw { ticket } => {
            json["ticket"] = ticket.to_string().into();
        }
        ActionKind::VoteReveal { ticket, ballot, .. } => {
            json["ticket"] = ticket.to_string().into();
            json["finding"] = finding_json(&ballot.finding);
        }
        ActionKind::OpenJob(_)
        | ActionKind::Settle
        | ActionKind::Claim { .. }
        | ActionKind::Deliver(_)
        | ActionKind::BadDelivery(_)
        | ActionKind::Register(_) => {}
    }
    json
}

/// What a seat says of an output.
pub fn finding_json(finding: &Finding) -> Value {
    match finding {
        Finding::Valid => json!({"finding": "valid"}),
        Finding::Invalid { position } => json!({"finding": "invalid", "position": position}),
        Finding::NoEvidence => json!({"finding": "no-evidence"}),
        Finding::Undecided => json!({"finding": "undecided"}),
    }
}
