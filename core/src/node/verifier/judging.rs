//! Turning evidence into a ballot.

use super::Bench;
use crate::committee::{Ballot, Finding, beacon_seed, challenge_stream};
use crate::dispute::Evidence;
use crate::escrow::{JobRecord, Window};
use crate::model::{InferenceResult, InferenceTask, Manifest};
use crate::node::base::Base;
use crate::primitives::{BoundedVec, Hash256, JobId};
use crate::process::{Output, Outputs, RequestId};
use crate::rastic::{Claim, InconclusiveReason, Plan, Verdict, judge_result, plan, score_root};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Rounds that are being judged, and ballots of those that have been.
#[derive(Default)]
pub(super) struct Judging {
    running: BTreeMap<RequestId, Case>,
    judged: BTreeMap<Hash256, (JobId, Ballot)>,
}

/// A claim before the model.
struct Case {
    round: Hash256,
    record: JobRecord,
    evidence: Evidence,
    plan: Plan,
}

impl Judging {
    pub(super) fn ballot(&self, round: &Hash256) -> Option<Ballot> {
        self.judged.get(round).map(|(_, ballot)| *ballot)
    }

    /// Drops what was judged about jobs that are `over`.
    pub(super) fn forget(&mut self, over: impl Fn(&JobId) -> bool) {
        self.judged.retain(|_, (job, _)| !over(job));
    }

    /// Asks the model, unless it is being asked. A machine that failed is asked again when the verifier
    /// next looks.
    pub(super) fn start(
        &mut self,
        base: &mut Base,
        bench: &Bench<'_>,
        commit_window: &Window,
        evidence: &Evidence,
        out: &mut Outputs,
    ) {
        let Bench { round, record, .. } = bench;
        let running = self.running.values().any(|case| case.round == *round);
        let Some(manifest) = base.manifest(&record.terms.model).filter(|_| !running) else {
            return;
        };
        let Some(plan) = plan_of(base, record, commit_window, evidence, manifest) else {
            return;
        };
        let terms = &record.terms;
        let task = InferenceTask::Predict {
            model: terms.model,
            job: record.id,
            prompt: evidence.prompt.clone(),
            output: evidence.opening.output.clone(),
            positions: BoundedVec::from_vec(plan.positions.clone()).unwrap_or_default(),
            seed: terms.seed,
            sampling: terms.sampling,
        };
        let case = Case {
            round: *round,
            record: (*record).clone(),
            evidence: evidence.clone(),
            plan,
        };
        let request = base.next_request();
        self.running.insert(request, case);
        out.push(Output::Infer {
            request,
            task: Box::new(task),
        });
    }

    /// The model's answer; true if it gives a ballot.
    pub(super) fn finish(&mut self, base: &Base, request: RequestId, result: &InferenceResult) -> bool {
        let Some(case) = self.running.remove(&request) else {
            return false;
        };
        let ballot = base
            .manifest(&case.record.terms.model)
            .and_then(|manifest| case.judge(manifest, result));
        if let Some(ballot) = ballot {
            self.judged.insert(case.round, (case.record.id, ballot));
        }
        ballot.is_some()
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let running: Vec<_> = self
            .running
            .iter()
            .map(|(request, case)| (request, case.round))
            .collect();
        (running, &self.judged)
    }
}

impl Case {
    /// The ballot, or `None` when the model could not be run.
    fn judge(&self, manifest: &Manifest, result: &InferenceResult) -> Option<Ballot> {
        let claim = claim(&self.record, &self.evidence, manifest);
        let verdict = judge_result(&self.plan, &claim, &manifest.profile, result);
        let finding = match verdict {
            Verdict::Valid => Finding::Valid,
            Verdict::Invalid { position, .. } => Finding::Invalid { position },
            Verdict::Inconclusive {
                reason: InconclusiveReason::NotRun,
            } => return None,
            Verdict::Inconclusive { .. } => Finding::Undecided,
        };
        // A claim whose shape alone condemns it has no positions, and so no scores.
        let score_root = match result {
            InferenceResult::Predicted { predictions } => score_root(predictions),
            _ => score_root(&[]),
        };
        Some(Ballot { finding, score_root })
    }
}

fn claim<'a>(record: &JobRecord, evidence: &'a Evidence, manifest: &'a Manifest) -> Claim<'a> {
    Claim {
        prompt: &evidence.prompt,
        output: &evidence.opening.output,
        max_tokens: record.terms.max_tokens,
        end_tokens: &manifest.end_tokens,
        vocabulary: manifest.vocabulary,
    }
}

/// The positions that this committee checks.
fn plan_of(
    base: &Base,
    record: &JobRecord,
    commit_window: &Window,
    evidence: &Evidence,
    manifest: &Manifest,
) -> Option<Plan> {
    let ledger = base.chain.ledger();
    let round = record.state.dispute()?.round();
    let beacon = ledger
        .blocks()
        .get(commit_window.since.height.minus(1).0 as usize)?;
    let seed = beacon_seed(ledger.genesis(), &record.id, round, beacon);
    let source = base.chain.params().committee.challenge;
    let mut stream = challenge_stream(source, &record.id, &seed);
    let terms = &record.terms;
    let claim = claim(record, evidence, manifest);
    Some(plan(terms.spec, &claim, terms.samples, &mut stream))
}
