//! The claims in a trace: who said that the model wrote what.
//!
//! A trace holds inputs, so the outputs in which nodes speak of claims come from its replay. What is
//! taken from them is what any version of the protocol has: offers, the openings that clients keep,
//! and the predictions that honest nodes asked the model for.

use super::reader::Trace;
use super::replay::{ReplayError, Replayed, replay_watched};
use crate::scenario::{NodeSetup, Setup};
use camelid_core::escrow::Outcome;
use camelid_core::job::{Offer, Terms};
use camelid_core::keys::NodeId;
use camelid_core::model::{
    InferenceResult, InferenceTask, Manifest, Prediction, PromptTokens, TokenId, Tokens,
};
use camelid_core::node::{ClientJob, Record};
use camelid_core::primitives::{JobId, Txid};
use camelid_core::process::{Event, Input, Output, RequestId};
use camelid_core::rastic::{Claim, Verdict};
use camelid_core::tx::{ActionKind, Transaction};
use std::collections::BTreeMap;

/// All claims of a run.
pub struct TracedClaims {
    /// What the scenario and the seed made: nodes, and the model that judges.
    pub setup: Setup,
    /// The claims, in the order in which they were first seen.
    pub claims: Vec<TracedClaim>,
    /// Jobs that were offered, with or without a claim.
    pub jobs: usize,
}

/// The claim that an output is the model's, with what the run made of it.
#[derive(Clone, Debug)]
pub struct TracedClaim {
    /// The job.
    pub job: JobId,
    /// Its terms.
    pub terms: Terms,
    /// The prompt.
    pub prompt: PromptTokens,
    /// The output.
    pub output: Tokens,
    /// Number of the node that claims it, if the client knew its Engage.
    pub node: Option<usize>,
    /// What the client found.
    pub verdict: Option<Verdict>,
    /// How the job ended, as honest nodes saw it last.
    pub outcome: Option<Outcome>,
    /// What the model told honest nodes in the run, by position.
    pub predictions: BTreeMap<u32, Prediction>,
}

impl TracedClaim {
    /// The claim, as RASTiC judges it.
    pub fn claim<'a>(&'a self, manifest: &'a Manifest) -> Claim<'a> {
        Claim {
            prompt: &self.prompt,
            output: &self.output,
            max_tokens: self.terms.max_tokens,
            end_tokens: &manifest.end_tokens,
            vocabulary: manifest.vocabulary,
        }
    }
}

impl TracedClaims {
    /// The node that claims.
    pub fn node_of(&self, claim: &TracedClaim) -> Option<&NodeSetup> {
        self.setup.nodes.get(claim.node?)
    }
}

/// Takes every claim out of `trace`: each output that a client opened, or that an honest node asked
/// the model about.
///
/// # Errors
/// [`ReplayError`]: the trace is replayed, and a program that behaves differently cannot say what
/// was claimed.
pub fn claims(trace: &Trace) -> Result<TracedClaims, ReplayError> {
    let mut collector = Collector::default();
    let (_, setup) = replay_watched(trace, &mut |step| collector.take_in(step))?;
    Ok(collector.finish(setup))
}

/// A question to the model.
struct Question {
    claim: usize,
    positions: Vec<u32>,
}

#[derive(Default)]
struct Collector {
    offers: BTreeMap<JobId, Offer>,
    claims: Vec<TracedClaim>,
    by_job: BTreeMap<JobId, Vec<usize>>,
    outcomes: BTreeMap<JobId, Option<Outcome>>,
    /// Who signed which Engage.
    engaged: BTreeMap<Txid, NodeId>,
    /// Questions that were not answered yet.
    questions: BTreeMap<(usize, RequestId), Question>,
    /// The claimants' names, one for each claim.
    claimants: Vec<Option<NodeId>>,
}

impl Collector {
    fn take_in(&mut self, step: &Replayed<'_>) {
        let honest = step.setup.is_honest(step.node);
        if let Input::Inferred { request, result } = step.input {
            self.take_answer(step.node, *request, result);
        }
        for output in step.outputs {
            match output {
                Output::Event(Event::JobOffered { offer }) => {
                    self.offers.insert(offer.job, (**offer).clone());
                }
                Output::Event(Event::JobChanged { job, outcome, .. }) if honest => {
                    self.outcomes.insert(*job, *outcome);
                }
                Output::Persist(record) => {
                    if let Record::ClientJob(job) = &**record {
                        self.take_record(job);
                    }
                }
                // A strategy may ask about anything, and read the answer as it likes.
                Output::Infer { request, task } if honest => self.take_question(step, *request, task),
                _ => {}
            }
        }
    }

    fn take_record(&mut self, record: &ClientJob) {
        let engage = record.engage.as_ref();
        if let Some((engage, node)) = engage.and_then(|engage| Some((engage, engaged_node(engage)?))) {
            self.engaged.insert(engage.txid(), node);
        }
        let Some(received) = &record.received else { return };
        let Some(opening) = &received.opening else { return };
        self.offers
            .entry(record.offer.job)
            .or_insert_with(|| record.offer.clone());
        let claimant = self.engaged.get(&received.bond.txid).copied();
        let Some(number) = self.number_of(&record.offer.job, &opening.output) else {
            return;
        };
        if let Some(known) = self.claimants.get_mut(number) {
            *known = known.or(claimant);
        }
        if let Some(claim) = self.claims.get_mut(number) {
            claim.verdict = claim.verdict.or(received.verdict);
        }
    }

    fn take_question(&mut self, step: &Replayed<'_>, request: RequestId, task: &InferenceTask) {
        let InferenceTask::Predict {
            model,
            job,
            output,
            positions,
            ..
        } = task
        else {
            return;
        };
        if *model != step.setup.model().manifest().id() {
            return;
        }
        if let Some(claim) = self.number_of(job, output) {
            let positions = positions.to_vec();
            self.questions
                .insert((step.node, request), Question { claim, positions });
        }
    }

    fn take_answer(&mut self, node: usize, request: RequestId, result: &InferenceResult) {
        let Some(Question { claim, positions }) = self.questions.remove(&(node, request)) else {
            return;
        };
        if let (InferenceResult::Predicted { predictions }, Some(claim)) =
            (result, self.claims.get_mut(claim))
        {
            claim
                .predictions
                .extend(positions.into_iter().zip(predictions.iter().copied()));
        }
    }

    /// The number of the claim that `output` is the answer to `job`, a new one if it is. `None` if
    /// nobody offered the job.
    fn number_of(&mut self, job: &JobId, output: &[TokenId]) -> Option<usize> {
        let numbers = self.by_job.entry(*job).or_default();
        let known = numbers.iter().find(|number| {
            let claim = self.claims.get(**number);
            claim.is_some_and(|claim| *claim.output == *output)
        });
        if let Some(number) = known {
            return Some(*number);
        }
        let offer = self.offers.get(job)?;
        let number = self.claims.len();
        self.claims.push(TracedClaim {
            job: *job,
            terms: offer.terms.clone(),
            prompt: offer.prompt.clone(),
            output: Tokens::from_vec(output.to_vec())?,
            node: None,
            verdict: None,
            outcome: None,
            predictions: BTreeMap::new(),
        });
        self.claimants.push(None);
        numbers.push(number);
        Some(number)
    }

    fn finish(self, setup: Setup) -> TracedClaims {
        let number_of = |id: NodeId| {
            setup
                .nodes
                .iter()
                .position(|node| node.config.key.node_id() == id)
        };
        let claims = self.claims.into_iter().zip(self.claimants);
        let claims = claims.map(|(claim, claimant)| TracedClaim {
            node: claimant.and_then(number_of),
            outcome: self.outcomes.get(&claim.job).copied().flatten(),
            ..claim
        });
        TracedClaims {
            claims: claims.collect(),
            jobs: self.offers.len(),
            setup,
        }
    }
}

/// The node that an Engage binds.
fn engaged_node(engage: &Transaction) -> Option<NodeId> {
    match &engage.action.as_ref()?.kind {
        ActionKind::Engage { node_key, .. } => Some(node_key.key_hash()),
        _ => None,
    }
}
