//! Why a job ended as it did, or has not ended yet: words, and the steps on the chain that they rest on.

use super::job::{Job, slug, token_number};
use super::service::View;
use camelid_core::committee::Finding;
use camelid_core::escrow::{JobRecord, Outcome, Phase, Stage, Vote};
use camelid_core::job::{PoolState, Terms};
use camelid_core::primitives::{Height, Txid};
use camelid_core::rastic::Verdict;
use camelid_core::tx::{ActionKind, ClaimKind};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A transaction of the best chain that acts on the job.
struct Step {
    height: Height,
    txid: Txid,
    kind: ActionKind,
}

/// What the steps say.
struct History {
    steps: Vec<Step>,
    /// Tokens of the prompt, if it is known: positions count from its first one.
    prompt_tokens: Option<usize>,
}

/// Findings that were revealed.
#[derive(Default)]
struct Count {
    valid: usize,
    invalid: usize,
    other: usize,
    committed: usize,
}

/// Explains the state of a job.
pub fn explain(view: &View<'_>, job: &Job<'_>) -> Value {
    let history = History {
        steps: job
            .record
            .as_deref()
            .map_or_else(Vec::new, |record| steps(view, record)),
        prompt_tokens: prompt_tokens(view, job),
    };
    let outcome = job.outcome();
    let mut words = match (job.record.as_deref(), outcome) {
        (Some(record), Some(outcome)) => history.ending(record, outcome),
        (Some(record), None) => history.standing(view, job, record),
        (None, _) => unmined(view, job),
    };
    if let Some(check) = history.own_check(job) {
        let _ = write!(words, " {check}");
    }
    json!({
        "job": job.id.to_string(),
        "outcome": outcome.map(slug),
        "paid": matches!(outcome, Some(Outcome::Settled | Outcome::Cleared | Outcome::Inconclusive)),
        "slashed": outcome.is_some_and(Outcome::is_slash),
        "why": words,
        "evidence": history.steps.iter().map(|step| history.evidence(step)).collect::<Vec<_>>(),
    })
}

/// All steps of a job, oldest first. Where they can be is bounded by its deadline and by its end.
fn steps(view: &View<'_>, record: &JobRecord) -> Vec<Step> {
    let chain = view.node.chain();
    let first = record.terms.deadline.minus(chain.params().jobs.max_deadline);
    let last = match record.state.outcome() {
        Some(_) => record.since.height,
        None => chain.height(),
    };
    let mut steps = Vec::new();
    for height in (first.0..=last.0).rev().map(Height) {
        let hash = chain.active().get(height.0 as usize);
        let Some(block) = hash.and_then(|hash| chain.block(hash)) else {
            continue;
        };
        let of_job = block.transactions.iter().rev();
        let of_job = of_job.filter(|transaction| transaction.job_id == Some(record.id));
        steps.extend(of_job.filter_map(|transaction| {
            let kind = transaction.action.as_ref()?.kind.clone();
            let txid = transaction.txid();
            Some(Step { height, txid, kind })
        }));
        if matches!(
            steps.last(),
            Some(Step {
                kind: ActionKind::OpenJob(_),
                ..
            })
        ) {
            break;
        }
    }
    steps.reverse();
    steps
}

fn prompt_tokens(view: &View<'_>, job: &Job<'_>) -> Option<usize> {
    let own = job.own.map(|own| own.offer.prompt.len());
    own.or_else(|| view.node.offers().get(&job.id).map(|offer| offer.prompt.len()))
}

fn unmined(view: &View<'_>, job: &Job<'_>) -> String {
    let Some(own) = job.own else {
        return "Nothing is known of it.".into();
    };
    let latest = own
        .offer
        .terms
        .deadline
        .minus(view.node.chain().params().jobs.min_deadline);
    match view.node.mempool().get(&own.open.wtxid()) {
        Some(_) => format!(
            "Its OpenJob {} waits in the mempool to be mined.",
            own.open.txid()
        ),
        None => format!(
            "Its OpenJob {} is neither mined nor in the mempool: its coins may be spent, or it is too young. It is \
             given up if it is not mined before block {latest}.",
            own.open.txid()
        ),
    }
}

impl History {
    fn height(&self, wanted: impl Fn(&ActionKind) -> bool) -> Option<Height> {
        let step = self.steps.iter().rev().find(|step| wanted(&step.kind))?;
        Some(step.height)
    }

    fn claim(&self, wanted: ClaimKind) -> Option<Height> {
        self.height(|kind| matches!(kind, ActionKind::Claim { kind, .. } if *kind == wanted))
    }

    /// `in block N`, or nothing where the block is not here.
    fn at(height: Option<Height>) -> String {
        height
            .map(|height| format!(" in block {height}"))
            .unwrap_or_default()
    }

    fn worker(&self) -> String {
        let worker = self.steps.iter().rev().find_map(|step| match &step.kind {
            ActionKind::Engage { node_key, .. } => Some(node_key.key_hash()),
            _ => None,
        });
        worker.map_or_else(|| "the worker".into(), |worker| format!("worker {worker}"))
    }

    fn ending(&self, record: &JobRecord, outcome: Outcome) -> String {
        let Terms {
            reward,
            stake,
            deadline,
            ..
        } = &record.terms;
        let (worker, end) = (self.worker(), record.since.height);
        let engaged = Self::at(self.height(|kind| matches!(kind, ActionKind::Engage { .. })));
        match outcome {
            Outcome::Refunded => format!(
                "Not paid, and expired: no worker had engaged when block {deadline}, its deadline, came. The client \
                 has its money back since block {end}."
            ),
            Outcome::Settled => format!(
                "Paid: {worker} engaged{engaged}, and nobody objected while the challenge window was open. In block \
                 {end} it got the reward of {reward} coins and its stake of {stake}."
            ),
            Outcome::SlashedWithheld => format!(
                "Not paid, and slashed: {worker} engaged{engaged}; the client claimed{} that it got no output, and \
                 none was put on the chain in time. In block {end} the worker lost its stake of {stake} coins, and \
                 the client got the reward back.",
                Self::at(self.claim(ClaimKind::Withheld))
            ),
            Outcome::SlashedBadDelivery => format!(
                "Not paid, and slashed: what {worker} delivered does not open to what it had committed to{engaged}; \
                 the client opened it on the chain in block {end}. The worker lost its stake of {stake} coins, and \
                 the client got the reward back."
            ),
            Outcome::SlashedInvalid => format!(
                "Not paid, and slashed: {}. In block {end} {worker} lost its stake of {stake} coins, and the client \
                 got the reward back.",
                self.judgement("found that the output is not the model's")
            ),
            Outcome::Cleared => format!(
                "Paid: {}. In block {end} {worker} got the reward of {reward} coins and its stake of {stake}; who \
                 objected lost the deposit.",
                self.judgement("found nothing wrong with the output")
            ),
            Outcome::Inconclusive => format!(
                "Paid: {}, and without a decision the worker is in the right. In block {end} {worker} got the reward \
                 of {reward} coins and its stake of {stake}.",
                self.judgement("came to no decision")
            ),
        }
    }

    /// Who asked for a committee, and what it said.
    fn judgement(&self, found: &str) -> String {
        let asked = match self.claim(ClaimKind::Invalid) {
            Some(height) => format!("the client objected in block {height}"),
            None => "the chain drew the job for an audit".into(),
        };
        let appeal = match self.claim(ClaimKind::Appeal) {
            Some(height) => format!(", there was an appeal in block {height}"),
            None => String::new(),
        };
        let Count {
            valid,
            invalid,
            other,
            committed,
        } = self.count();
        let at = match self.accused() {
            Some(place) => format!(" at {place}"),
            None => String::new(),
        };
        format!(
            "{asked}{appeal}, and the committee {found}{at}: {committed} seats committed to a vote, {invalid} then \
             said invalid, {valid} valid, {other} that they cannot tell"
        )
    }

    fn count(&self) -> Count {
        let mut count = Count::default();
        for step in &self.steps {
            match &step.kind {
                ActionKind::VoteCommit { .. } => count.committed += 1,
                ActionKind::VoteReveal { ballot, .. } => match ballot.finding {
                    Finding::Valid => count.valid += 1,
                    Finding::Invalid { .. } => count.invalid += 1,
                    Finding::NoEvidence | Finding::Undecided => count.other += 1,
                },
                _ => {}
            }
        }
        count
    }

    /// The place that most seats that said invalid name.
    fn accused(&self) -> Option<String> {
        let mut positions: Vec<u32> = self
            .steps
            .iter()
            .filter_map(|step| match &step.kind {
                ActionKind::VoteReveal { ballot, .. } => match ballot.finding {
                    Finding::Invalid { position } => Some(position),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        positions.sort_unstable();
        let largest = positions
            .chunk_by(|a, b| a == b)
            .max_by_key(|group| group.len())?;
        largest.first().map(|position| self.place(*position))
    }

    /// A position in words.
    fn place(&self, position: u32) -> String {
        match self.prompt_tokens {
            Some(prompt) => format!("token {} of the output", token_number(position, prompt)),
            None => format!("position {position} of prompt and output"),
        }
    }

    fn standing(&self, view: &View<'_>, job: &Job<'_>, record: &JobRecord) -> String {
        let terms = &record.terms;
        let params = view.node.chain().params();
        let Some(standing) = view.node.standing(view.now, &job.id) else {
            return "Nothing is known of it.".into();
        };
        let since = standing.record.since.height;
        let worker = self.worker();
        match standing.stage {
            Stage::Open => {
                let accepted = match view.node.offers().state(&job.id) {
                    Some(PoolState::Accepted { by }) => format!("worker {by} says that it works on it"),
                    _ => "no worker has said that it works on it".into(),
                };
                format!(
                    "Not paid yet: it waits for a worker to engage; {accepted}. If none has before block {}, the \
                     client is refunded.",
                    terms.deadline
                )
            }
            Stage::Expired => format!(
                "Not paid: no worker had engaged when block {}, its deadline, came. The refund is due with one of \
                 the next blocks.",
                terms.deadline
            ),
            Stage::Challenge => format!(
                "Not paid yet: {worker} is engaged, and the client can object until the challenge window of {} \
                 blocks, open since block {since}, is over (longer when blocks come faster than they should). Then \
                 the worker gets {} coins and its stake of {}.",
                params.jobs.challenge, terms.reward, terms.stake
            ),
            Stage::Unchallenged => {
                "Not paid yet: nobody objected in time, and the payment is due with one of the next blocks."
                    .into()
            }
            Stage::Counter => format!(
                "Not paid yet: the client claimed in block {since} that it got no output. If {worker} does not put it \
                 on the chain within {} blocks, it loses its stake of {} coins.",
                params.jobs.deliver_counter, terms.stake
            ),
            Stage::Unanswered => format!(
                "Not paid: {worker} has not answered the claim that it withholds the output, and is slashed with one \
                 of the next blocks."
            ),
            Stage::Round(phase) => self.round(&standing.record, phase),
            Stage::Closed => "It is over.".into(),
        }
    }

    fn round(&self, record: &JobRecord, phase: Phase) -> String {
        let Some(dispute) = record.state.dispute() else {
            return "A committee judges the output.".into();
        };
        let seats = dispute.current_seats();
        let voted = seats.iter().filter(|seat| seat.vote != Vote::None).count();
        let asked = match dispute.is_audit() {
            true => "the chain drew the job for an audit",
            false => "the client claims that the output is not the model's",
        };
        let now = match phase {
            Phase::Draw => "its committee is not drawn yet".into(),
            Phase::Commit => format!("{voted} of {} seats have committed to a vote", seats.len()),
            Phase::Reveal => format!("{} seats are showing their votes", seats.len()),
            Phase::Appeal => "who lost can appeal now".into(),
            Phase::Over => "the decision takes effect with one of the next blocks".into(),
        };
        format!("Not paid yet: {asked}, and {now} (round {}).", dispute.round())
    }

    fn own_check(&self, job: &Job<'_>) -> Option<String> {
        let received = job.own?.received.as_ref()?;
        if received.opening.is_none() {
            return Some("What this node was sent does not open to the commitment.".into());
        }
        Some(match received.verdict? {
            Verdict::Valid => "This node's own check found nothing wrong with the output.".into(),
            Verdict::Invalid { position, reason } => {
                format!(
                    "This node's own check found at {}: {reason}.",
                    self.place(position)
                )
            }
            Verdict::Inconclusive { reason } => format!("This node's own check could not tell: {reason}."),
        })
    }

    fn evidence(&self, step: &Step) -> Value {
        let mut words = step.kind.name().to_owned();
        // Writing to a string cannot fail.
        match &step.kind {
            ActionKind::Engage { node_key, .. } => {
                let _ = write!(words, " by {}", node_key.key_hash());
            }
            ActionKind::VoteReveal { ballot, .. } => {
                let _ = match ballot.finding {
                    Finding::Valid => write!(words, ": valid"),
                    Finding::Invalid { position } => write!(words, ": invalid at {}", self.place(position)),
                    Finding::NoEvidence => write!(words, ": nobody showed the output"),
                    Finding::Undecided => write!(words, ": undecided"),
                };
            }
            _ => {}
        }
        json!({
            "height": step.height.0,
            "txid": step.txid.to_string(),
            "step": step.kind.name(),
            "words": words,
        })
    }
}
