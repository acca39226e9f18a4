//! Having outputs checked by neighbours (`docs/src/protocol.md`, "Outsourced checks"; paper, 2.5.3).

use super::Client;
use super::check::{challenge, claim, conclude};
use super::debts::Debts;
use super::inquiry::{Answer, Inquiry};
use super::question::{Planting, Question, draw_helpers};
use crate::job::Opening;
use crate::keys::NodeId;
use crate::node::base::Base;
use crate::node::config::Outsourcing;
use crate::node::record::{CheckDebt, ClientJob};
use crate::primitives::{Hash256, JobId, Time};
use crate::process::{Event, Outputs};
use crate::rastic::{InconclusiveReason, Verdict, judge_matches};
use crate::wire::{CheckRefusal, Matches};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// A neighbour that was caught, or does not check, is not asked again for this long.
const AVOID_MS: u64 = 3_600_000;
/// Answers in a row against the majority after which a neighbour is avoided.
const MAX_CONTRADICTIONS: u32 = 3;
/// Neighbours asked about one output, as a multiple of those asked at first.
const MAX_ROUNDS: usize = 3;

/// A client's checks by neighbours.
pub(super) struct Outsourced {
    config: Outsourcing,
    inquiries: BTreeMap<JobId, Inquiry>,
    /// Neighbours that are not asked, and until when.
    avoided: BTreeMap<NodeId, Time>,
    /// Answers in a row in which a neighbour stood against the majority.
    contradictions: BTreeMap<NodeId, u32>,
    debts: Debts,
}

impl Client {
    /// A neighbour answers a request (named by its author and its id).
    pub(in crate::node) fn handle_matches(
        &mut self,
        base: &mut Base,
        now: Time,
        request: (NodeId, Hash256),
        matches: Matches,
        out: &mut Outputs,
    ) -> Result<(), String> {
        let Some(outsourced) = &mut self.outsourced else {
            return Ok(());
        };
        if let Some(job) = outsourced.take_answer(now, request, matches, out)? {
            self.start_check(base, now, &job, out);
        }
        Ok(())
    }

    /// A neighbour does not answer a request.
    pub(in crate::node) fn handle_refusal(
        &mut self,
        base: &mut Base,
        now: Time,
        request: (NodeId, Hash256),
        reason: CheckRefusal,
        out: &mut Outputs,
    ) {
        let job = self
            .outsourced
            .as_mut()
            .and_then(|outsourced| outsourced.take_refusal(now, request, reason));
        if let Some(job) = job {
            self.start_check(base, now, &job, out);
        }
    }
}

impl Outsourced {
    pub(super) fn new(config: Outsourcing, base: &Base) -> Self {
        Self {
            config,
            inquiries: BTreeMap::new(),
            avoided: BTreeMap::new(),
            contradictions: BTreeMap::new(),
            debts: Debts::new(base),
        }
    }

    pub(super) fn restore(&mut self, debt: CheckDebt) {
        self.debts.restore(debt);
    }

    /// The output in question is another one, or of no interest any more.
    pub(super) fn forget(&mut self, job: &JobId) {
        self.inquiries.remove(job);
    }

    /// Pays what is due.
    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        self.avoided.retain(|_, until| now < *until);
        self.debts.drive(base, now, out);
    }

    fn helpers(&self) -> usize {
        usize::try_from(self.config.helpers).unwrap_or(usize::MAX).max(1)
    }

    /// Does what is due for an output that has no verdict yet.
    pub(super) fn drive_job(
        &mut self,
        base: &mut Base,
        now: Time,
        entry: &mut ClientJob,
        opening: &Opening,
        out: &mut Outputs,
    ) {
        let Some(manifest) = base.manifest(&entry.offer.terms.model).cloned() else {
            return;
        };
        let claim = claim(entry, opening, &manifest);
        let (job, helpers) = (entry.offer.job, self.helpers());
        let inquiry = self.inquiries.entry(job).or_insert_with(|| {
            let plan = challenge(&base.config.key, entry, opening, &manifest);
            Inquiry::new(plan, claim.len())
        });
        let question = Question {
            entry,
            opening,
            manifest: &manifest,
            config: self.config,
        };
        question.repeat(base, now, inquiry, out);
        if inquiry.is_waiting() {
            return;
        }
        let room = helpers
            .saturating_mul(MAX_ROUNDS)
            .saturating_sub(inquiry.asked.len());
        let wanted = inquiry.lacking(helpers).min(room);
        let drawn = draw_helpers(base, entry, inquiry, &self.avoided, wanted);
        // When there is nobody else: those whose planted error hid the rest of the output from them.
        let again = inquiry.blinded().take(wanted.saturating_sub(drawn.len()));
        for (helper, id, fee) in again.collect::<Vec<_>>() {
            self.debts.owe(helper, id, fee, out);
            question.ask(base, now, helper, Planting::Never, inquiry, out);
        }
        for helper in drawn {
            question.ask(base, now, helper, Planting::Drawn, inquiry, out);
        }
        if inquiry.is_waiting() {
            return;
        }
        let nobody = inquiry.asked.is_empty() && !inquiry.positions.is_empty();
        let verdict = if nobody {
            let reason = InconclusiveReason::NotRun;
            Verdict::Inconclusive { reason }
        } else {
            judge_matches(&inquiry.plan, &claim, |position| {
                inquiry.decided(position, helpers)
            })
        };
        self.close(now, &job, out);
        conclude(entry, verdict, out);
    }

    /// An answer: the job that it is about, unless nobody waits for it. Errors are the sender's fault.
    fn take_answer(
        &mut self,
        now: Time,
        (from, id): (NodeId, Hash256),
        matches: Matches,
        out: &mut Outputs,
    ) -> Result<Option<JobId>, String> {
        let Some((job, inquiry)) = find(&mut self.inquiries, &from, &id) else {
            return Ok(None);
        };
        let Some(asked) = inquiry.asked.get_mut(&from) else {
            return Ok(None);
        };
        if matches.len() != inquiry.positions.len() {
            asked.answer = Answer::None;
            self.avoided.insert(from, now.after_ms(AVOID_MS));
            return Err("not one answer for each position".into());
        }
        let at_planted = asked
            .planted
            .and_then(|planted| inquiry.positions.binary_search(&planted).ok())
            .and_then(|index| matches.get(index));
        if at_planted == Some(&true) {
            asked.answer = Answer::None;
            self.avoided.insert(from, now.after_ms(AVOID_MS));
            self.debts.forgive(&from, out);
            out.event(Event::CanaryFailed { checker: from });
        } else {
            asked.answer = Answer::Given(matches);
        }
        Ok(Some(job))
    }

    fn take_refusal(
        &mut self,
        now: Time,
        (from, id): (NodeId, Hash256),
        reason: CheckRefusal,
    ) -> Option<JobId> {
        let (job, inquiry) = find(&mut self.inquiries, &from, &id)?;
        inquiry.asked.get_mut(&from)?.answer = Answer::None;
        match reason {
            // As if it had not been asked, and it will not be.
            CheckRefusal::NotServed | CheckRefusal::Model | CheckRefusal::Fee => {
                inquiry.asked.remove(&from);
                self.avoided.insert(from, now.after_ms(AVOID_MS));
            }
            CheckRefusal::Credit => self.debts.hurry(),
            CheckRefusal::Busy | CheckRefusal::Undecided => {}
        }
        Some(job)
    }

    /// All answers are in: owe for those that the others do not contradict.
    fn close(&mut self, now: Time, job: &JobId, out: &mut Outputs) {
        let helpers = self.helpers();
        let Some(inquiry) = self.inquiries.remove(job) else {
            return;
        };
        for (helper, asked) in &inquiry.asked {
            if !matches!(asked.answer, Answer::Given(_)) {
                continue;
            }
            if inquiry.is_contradicted(asked, helpers) {
                let contradictions = self.contradictions.entry(*helper).or_default();
                *contradictions += 1;
                if *contradictions >= MAX_CONTRADICTIONS {
                    self.contradictions.remove(helper);
                    self.avoided.insert(*helper, now.after_ms(AVOID_MS));
                }
            } else {
                self.contradictions.remove(helper);
                self.debts.owe(*helper, asked.id, asked.fee, out);
            }
        }
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let inquiries: Vec<_> = self
            .inquiries
            .iter()
            .map(|(job, inquiry)| (job, &inquiry.positions, &inquiry.asked))
            .collect();
        (inquiries, &self.avoided, &self.contradictions, self.debts.state())
    }
}

/// The open request of this author and id.
fn find<'a>(
    inquiries: &'a mut BTreeMap<JobId, Inquiry>,
    from: &NodeId,
    id: &Hash256,
) -> Option<(JobId, &'a mut Inquiry)> {
    let is_open = |inquiry: &Inquiry| {
        let asked = inquiry.asked.get(from);
        asked.is_some_and(|asked| asked.id == *id && matches!(asked.answer, Answer::Awaited))
    };
    inquiries
        .iter_mut()
        .find(|(_, inquiry)| is_open(inquiry))
        .map(|(job, inquiry)| (*job, inquiry))
}
