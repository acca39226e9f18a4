//! What the neighbours say of one output, and what that comes to.

use super::question::Planting;
use crate::keys::NodeId;
use crate::primitives::{Amount, Hash256, Time};
use crate::rastic::Plan;
use crate::wire::Matches;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// The neighbours that were asked about an output.
pub(super) struct Inquiry {
    /// How the output is judged.
    pub(super) plan: Plan,
    /// The positions asked about: those of the plan at which a token stands.
    pub(super) positions: Vec<u32>,
    pub(super) asked: BTreeMap<NodeId, Asked>,
}

/// One request.
#[derive(BorshSerialize)]
pub(super) struct Asked {
    pub(super) id: Hash256,
    pub(super) fee: Amount,
    pub(super) planting: Planting,
    /// Where the error is that was planted in it.
    pub(super) planted: Option<u32>,
    pub(super) since: Time,
    pub(super) sent: Time,
    pub(super) answer: Answer,
}

/// What came of a request.
#[derive(BorshSerialize)]
pub(super) enum Answer {
    /// Nothing yet.
    Awaited,
    /// Nothing that counts: silence, a refusal, or an answer that betrayed its author.
    None,
    /// An answer to each position.
    Given(Matches),
}

/// Votes on one position.
#[derive(Clone, Copy, Default)]
struct Tally {
    yes: usize,
    no: usize,
}

impl Tally {
    /// What more than half of those who voted say, if they are also more than half of `helpers`.
    fn decision(self, helpers: usize) -> Option<bool> {
        let most = self.yes.max(self.no);
        (2 * most > helpers.max(self.yes + self.no)).then_some(self.yes > self.no)
    }

    /// Votes that it takes at least until there is a decision.
    fn lacking(self, helpers: usize) -> usize {
        let (all, most) = (self.yes + self.no, self.yes.max(self.no));
        let to_lead = (all + 1).saturating_sub(2 * most);
        (helpers / 2 + 1).saturating_sub(most).max(to_lead)
    }
}

impl Inquiry {
    pub(super) fn new(plan: Plan, length: u32) -> Self {
        let asked_about = |position: &u32| *position < length;
        Self {
            positions: plan.positions.iter().copied().filter(asked_about).collect(),
            plan,
            asked: BTreeMap::new(),
        }
    }

    /// True while somebody may still answer.
    pub(super) fn is_waiting(&self) -> bool {
        let mut asked = self.asked.values();
        asked.any(|asked| matches!(asked.answer, Answer::Awaited))
    }

    /// Neighbours that have found an error planted for them, and so did not see the output as it is;
    /// with the request and its fee.
    pub(super) fn blinded(&self) -> impl Iterator<Item = (NodeId, Hash256, Amount)> {
        let found = |asked: &&Asked| asked.planted.is_some() && matches!(asked.answer, Answer::Given(_));
        let blinded = self.asked.iter().filter(move |(_, asked)| found(asked));
        blinded.map(|(helper, asked)| (*helper, asked.id, asked.fee))
    }

    /// What the neighbours decided about `position`.
    pub(super) fn decided(&self, position: u32, helpers: usize) -> Option<bool> {
        self.tally(position).decision(helpers)
    }

    fn tally(&self, position: u32) -> Tally {
        let mut tally = Tally::default();
        for vote in self.asked.values().filter_map(|asked| self.vote(asked, position)) {
            tally.yes += usize::from(vote);
            tally.no += usize::from(!vote);
        }
        tally
    }

    /// Before a planted error stands what the node delivered: up to there, the answer is a vote.
    fn vote(&self, asked: &Asked, position: u32) -> Option<bool> {
        let Answer::Given(matches) = &asked.answer else {
            return None;
        };
        let untouched = asked.planted.is_none_or(|planted| position < planted);
        let index = self.positions.binary_search(&position).ok()?;
        matches.get(index).copied().filter(|_| untouched)
    }

    /// How many more neighbours to ask: `helpers` at first, then as many as the first error, or the
    /// lack of any, still takes.
    pub(super) fn lacking(&self, helpers: usize) -> usize {
        if self.positions.is_empty() {
            return 0;
        }
        if self.asked.is_empty() {
            return helpers;
        }
        let mut lacking = 0;
        for tally in self.positions.iter().map(|position| self.tally(*position)) {
            match tally.decision(helpers) {
                Some(true) => {}
                Some(false) => break,
                None => lacking = lacking.max(tally.lacking(helpers)),
            }
        }
        lacking
    }

    /// True when the neighbour's answer goes against a decision.
    pub(super) fn is_contradicted(&self, asked: &Asked, helpers: usize) -> bool {
        self.positions.iter().any(|position| {
            let decided = self.decided(*position, helpers);
            self.vote(asked, *position)
                .is_some_and(|vote| decided == Some(!vote))
        })
    }
}
