//! A job as JSON.

use super::service::View;
use super::transaction::finding_json;
use camelid_core::escrow::{Dispute, JobRecord, JobState, Outcome, Vote};
use camelid_core::job::{PoolState, Terms};
use camelid_core::keys::NodeId;
use camelid_core::model::Finish;
use camelid_core::node::{ClientJob, Verify};
use camelid_core::primitives::{Height, JobId};
use camelid_core::rastic::Verdict;
use camelid_core::tx::{ActionKind, Transaction};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What a client's job goes through, in order. Each means that those before it are over.
pub const PHASES: [&str; 8] = [
    "opened",
    "mined",
    "accepted",
    "generated",
    "engaged",
    "buried",
    "delivered",
    "checked",
];

/// A job, and what this node knows of it.
pub struct Job<'a> {
    /// The job.
    pub id: JobId,
    /// What the ledger says.
    pub record: Option<Cow<'a, JobRecord>>,
    /// What the node's client role knows.
    pub own: Option<&'a ClientJob>,
    view: &'a View<'a>,
}

impl<'a> Job<'a> {
    /// The job called `id`, if anything is known of it but its name.
    pub fn find(view: &'a View<'a>, id: JobId) -> Option<Self> {
        let record = view.node.chain().ledger().job(&id);
        let own = view.node.client_job(&id);
        (record.is_some() || own.is_some()).then_some(Self {
            id,
            record,
            own,
            view,
        })
    }

    /// Its terms.
    pub fn terms(&self) -> Option<&Terms> {
        let own = self.own.map(|own| &own.offer.terms);
        self.record.as_ref().map(|record| &record.terms).or(own)
    }

    /// Who is engaged, or was.
    pub fn node(&self) -> Option<NodeId> {
        let engagement = self.record.as_ref().and_then(|record| record.state.engagement());
        let signed = self.own.and_then(|own| engaged_by(own.engage.as_ref()?));
        engagement
            .map(|engagement| engagement.node_key.key_hash())
            .or(signed)
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.record.as_ref()?.state.outcome()
    }

    /// One line of a list.
    pub fn summary(&self) -> Value {
        json!({
            "job": self.id.to_string(),
            "own": self.own.is_some(),
            "state": self.state(),
            "outcome": self.outcome().map(slug),
            "height": self.record.as_ref().map(|record| record.since.height.0),
            "reward": self.terms().map(|terms| terms.reward.to_string()),
            "deadline": self.terms().map(|terms| terms.deadline.0),
        })
    }

    /// Everything.
    pub fn json(&self) -> Value {
        let mut json = self.summary();
        let standing = self.view.node.standing(self.view.now, &self.id);
        json["stage"] = standing
            .as_ref()
            .map(|standing| format!("{:?}", standing.stage))
            .into();
        json["tip"] = self.view.node.chain().height().0.into();
        json["terms"] = self.terms().map(terms_json).into();
        json["node"] = self.node().map(|node| node.to_string()).into();
        if let Some(record) = &self.record
            && let Some(engagement) = record.state.engagement()
        {
            let jobs = &self.view.node.chain().params().jobs;
            json["engaged_at"] = engagement.since.height.0.into();
            json["buried_at"] = engagement.since.height.plus(jobs.burial).0.into();
        }
        // Seats that are drawn stand in the standing; the record gets them with the first vote.
        let dispute = standing
            .as_ref()
            .and_then(|standing| standing.record.state.dispute());
        json["dispute"] = dispute.map(dispute_json).into();
        if let Some(own) = self.own {
            json["phase"] = self.phase(own).into();
            let client = self.view.node.config().client;
            json["checks"] = client.is_some_and(|client| client.verify != Verify::No).into();
            let received = own.received.as_ref();
            let opening = received.and_then(|received| received.opening.as_ref());
            json["delivery"] = received
                .map(|received| if received.opening.is_some() { "good" } else { "bad" })
                .into();
            json["output"] = opening
                .map(|opening| json!({"tokens": opening.output.to_vec(), "finish": finish(opening.finish)}))
                .into();
            json["check"] = self
                .verdict()
                .map(|verdict| verdict_json(&verdict, own.offer.prompt.len()))
                .into();
        }
        json
    }

    /// What the node's own check said.
    pub fn verdict(&self) -> Option<Verdict> {
        self.own?.received.as_ref()?.verdict
    }

    fn state(&self) -> String {
        // An audit that is due stands in no record before the first vote.
        let standing = self.view.node.standing(self.view.now, &self.id);
        standing.map_or("unmined".into(), |standing| {
            standing.record.state.name().to_lowercase()
        })
    }

    /// The last of [`PHASES`] that is over.
    fn phase(&self, own: &ClientJob) -> &'static str {
        let [
            opened,
            mined,
            accepted,
            generated,
            engaged,
            buried,
            delivered,
            checked,
        ] = PHASES;
        let received = own.received.as_ref();
        if received.is_some_and(|received| received.verdict.is_some()) {
            return checked;
        }
        if received.is_some() {
            return delivered;
        }
        let Some(record) = &self.record else { return opened };
        let burial = self.view.node.chain().params().jobs.burial;
        match (&record.state, record.state.engagement()) {
            (_, Some(engagement)) if self.next_height() >= engagement.since.height.plus(burial) => buried,
            (_, Some(_)) => engaged,
            (JobState::Closed(Outcome::Refunded), _) => mined,
            (JobState::Closed(_), _) => buried,
            _ if own.engage.is_some() => generated,
            _ => match self.view.node.offers().state(&self.id) {
                Some(PoolState::Accepted { .. }) => accepted,
                _ => mined,
            },
        }
    }

    fn next_height(&self) -> Height {
        self.view.node.chain().height().plus(1)
    }
}

/// Who is engaged by a transaction.
fn engaged_by(engage: &Transaction) -> Option<NodeId> {
    match &engage.action.as_ref()?.kind {
        ActionKind::Engage { node_key, .. } => Some(node_key.key_hash()),
        _ => None,
    }
}

fn terms_json(terms: &Terms) -> Value {
    json!({
        "model": terms.model.to_string(),
        "max_tokens": terms.max_tokens,
        "seed": terms.seed,
        "temperature_milli": terms.sampling.temperature_milli,
        "top_k": terms.sampling.top_k,
        "top_p_milli": terms.sampling.top_p_milli,
        "spec": terms.spec.name(),
        "samples": terms.samples,
        "deadline": terms.deadline.0,
        "reward": terms.reward.to_string(),
        "stake": terms.stake.to_string(),
        "audit_fee": terms.audit_fee.to_string(),
        "engage_fee": terms.engage_fee.to_string(),
        "private": terms.private,
        "created": terms.created.0,
        "client": terms.client_key.key_hash().to_string(),
    })
}

fn dispute_json(dispute: &Dispute) -> Value {
    let seats = dispute.current_seats().iter().map(|seat| {
        let mut json = json!({"node": seat.key.key_hash().to_string(), "ticket": seat.ticket.to_string()});
        json["vote"] = match &seat.vote {
            Vote::None => Value::Null,
            Vote::Committed(_) => "committed".into(),
            Vote::Revealed(ballot) => finding_json(&ballot.finding),
        };
        json
    });
    json!({
        "origin": if dispute.is_audit() { "audit" } else { "claim" },
        "round": dispute.round(),
        "seats": seats.collect::<Vec<_>>(),
    })
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::EndToken => "end-token",
        Finish::Limit => "limit",
    }
}

/// A verdict; positions count from the first token of the prompt, `token` from the first of the output.
fn verdict_json(verdict: &Verdict, prompt_tokens: usize) -> Value {
    match verdict {
        Verdict::Valid => json!({"verdict": "valid"}),
        Verdict::Invalid { position, reason } => json!({
            "verdict": "invalid",
            "position": position,
            "token": token_number(*position, prompt_tokens),
            "reason": reason.to_string(),
        }),
        Verdict::Inconclusive { reason } => json!({"verdict": "inconclusive", "reason": reason.to_string()}),
    }
}

/// Which token of the output, from 1, stands at `position`; 0 for one of the prompt.
pub fn token_number(position: u32, prompt_tokens: usize) -> usize {
    (position as usize + 1).saturating_sub(prompt_tokens)
}

/// An outcome's name in JSON.
pub fn slug(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refunded => "refunded",
        Outcome::Settled => "settled",
        Outcome::SlashedWithheld => "slashed-withheld",
        Outcome::SlashedBadDelivery => "slashed-bad-delivery",
        Outcome::SlashedInvalid => "slashed-invalid",
        Outcome::Cleared => "cleared",
        Outcome::Inconclusive => "inconclusive",
    }
}
