//! Checking an output with RASTiC on the client's own model.

use super::{Client, persist};
use crate::job::Opening;
use crate::keys::SecretKey;
use crate::model::{InferenceResult, InferenceTask, Manifest};
use crate::node::base::Base;
use crate::node::config::Verify;
use crate::node::record::{ClientJob, Received};
use crate::primitives::{BoundedVec, JobId, Stream, Time};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::rastic::{Claim, Plan, Verdict, judge_result, plan};
use alloc::boxed::Box;

impl Client {
    /// Asks the model about the output, if that has not been done.
    pub(super) fn start_check(&mut self, base: &mut Base, now: Time, job: &JobId, out: &mut Outputs) {
        let Some(entry) = self.jobs.get_mut(job) else {
            return;
        };
        let Some(Received {
            opening: Some(opening),
            verdict: None,
            ..
        }) = entry.received.clone()
        else {
            return;
        };
        match (&mut self.outsourced, self.config.verify) {
            (Some(outsourced), _) => outsourced.drive_job(base, now, entry, &opening, out),
            (None, Verify::Own) if entry.checking.is_none() => ask_own_model(base, entry, opening, out),
            (None, _) => {}
        }
    }

    /// The model's answer: judge the claim.
    pub(in crate::node) fn handle_inferred(
        &mut self,
        base: &mut Base,
        _now: Time,
        request: RequestId,
        result: &InferenceResult,
        out: &mut Outputs,
    ) {
        let Some(entry) = self
            .jobs
            .values_mut()
            .find(|entry| entry.checking == Some(request))
        else {
            return;
        };
        entry.checking = None;
        let Some(opening) = entry
            .received
            .as_ref()
            .and_then(|received| received.opening.as_ref())
        else {
            return;
        };
        let Some(manifest) = base.manifest(&entry.offer.terms.model) else {
            return;
        };
        let plan = challenge(&base.config.key, entry, opening, manifest);
        let verdict = judge_result(&plan, &claim(entry, opening, manifest), &manifest.profile, result);
        conclude(entry, verdict, out);
    }
}

fn ask_own_model(base: &mut Base, entry: &mut ClientJob, opening: Opening, out: &mut Outputs) {
    let Some(manifest) = base.manifest(&entry.offer.terms.model).cloned() else {
        return;
    };
    let request = base.next_request();
    entry.checking = Some(request);
    let terms = &entry.offer.terms;
    let positions = challenge(&base.config.key, entry, &opening, &manifest).positions;
    let task = InferenceTask::Predict {
        model: terms.model,
        job: entry.offer.job,
        prompt: entry.offer.prompt.clone(),
        output: opening.output,
        positions: BoundedVec::from_vec(positions).unwrap_or_default(),
        seed: terms.seed,
        sampling: terms.sampling,
    };
    out.push(Output::Infer {
        request,
        task: Box::new(task),
    });
}

/// Writes the verdict down.
pub(super) fn conclude(entry: &mut ClientJob, verdict: Verdict, out: &mut Outputs) {
    if let Some(received) = &mut entry.received {
        received.verdict = Some(verdict);
    }
    persist(entry, out);
    out.event(Event::Judged {
        job: entry.offer.job,
        spec: entry.offer.terms.spec,
        verdict,
    });
}

pub(super) fn claim<'a>(entry: &'a ClientJob, opening: &'a Opening, manifest: &'a Manifest) -> Claim<'a> {
    Claim {
        prompt: &entry.offer.prompt,
        output: &opening.output,
        max_tokens: entry.offer.terms.max_tokens,
        end_tokens: &manifest.end_tokens,
        vocabulary: manifest.vocabulary,
    }
}

/// Draws the positions to check. The draw hangs on the client's secret, so nobody can foresee it, and
/// on the job alone, so that it is the same after a crash.
pub(super) fn challenge(key: &SecretKey, entry: &ClientJob, opening: &Opening, manifest: &Manifest) -> Plan {
    let secret = key.derive("camelid/challenge", entry.offer.job.as_ref());
    let [a, b, c, d, e, f, g, h, ..] = secret;
    let mut stream = Stream::new(u64::from_le_bytes([a, b, c, d, e, f, g, h]), "challenge");
    plan(
        entry.offer.terms.spec,
        &claim(entry, opening, manifest),
        entry.offer.terms.samples,
        &mut stream,
    )
}
