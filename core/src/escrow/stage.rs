//! Where a job stands at a block: a function of its record and of the blocks before, nothing else.

use super::clock::{Clock, Since};
use super::dispute::{Dispute, Origin, Seat, Vote};
use super::record::{JobRecord, JobState};
use crate::committee::{Ticket, beacon_seed, draw, is_audited, round_id};
use crate::primitives::{Hash256, Height};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What may happen to a job now. Actions inside a window and the way out after it belong to
/// different stages, so no block allows both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for Engage.
    Open,
    /// The deadline has passed without one.
    Expired,
    /// CHALLENGE is open.
    Challenge,
    /// CHALLENGE is closed, and nobody asked a question.
    Unchallenged,
    /// DELIVER_COUNTER is open.
    Counter,
    /// DELIVER_COUNTER is closed.
    Unanswered,
    /// A committee is at work.
    Round(Phase),
    /// Over.
    Closed,
}

/// The part of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Waiting for the beacon.
    Draw,
    /// Seats commit.
    Commit,
    /// Seats reveal.
    Reveal,
    /// Round 1 only: its loser may appeal.
    Appeal,
    /// Nothing is left but to settle.
    Over,
}

/// A record as it is to be read at a block: an audit that the beacon has ordered, and seats that it
/// has drawn, are written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The record, completed.
    pub record: JobRecord,
    /// Its stage.
    pub stage: Stage,
    /// The window of a round that is open now.
    pub window: Option<Window>,
    /// [`round_id`] of a round whose beacon block is known.
    pub round: Option<Hash256>,
}

/// An open window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where it opened. For the commit window the block before is the beacon.
    pub since: Since,
    /// How many blocks it lasts at least.
    pub blocks: u32,
}

impl Stage {
    /// True when anyone may close the job.
    pub fn settles(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Unchallenged | Self::Unanswered | Self::Round(Phase::Over)
        )
    }
}

impl JobRecord {
    /// Where the job stands in a block at `clock`.
    pub fn at(&self, clock: &Clock<'_>) -> Standing {
        let jobs = &clock.params.jobs;
        let window = |blocks, open, closed| match clock.closed(&self.since, blocks) {
            None => open,
            Some(_) => closed,
        };
        let stage = match &self.state {
            JobState::Open if clock.moment.height < self.terms.deadline => Stage::Open,
            JobState::Open => Stage::Expired,
            JobState::Engaged(_) | JobState::Delivered(_) => match self.audited(clock) {
                Some(audit) => return audit.round_at(clock),
                None => window(jobs.challenge, Stage::Challenge, Stage::Unchallenged),
            },
            JobState::Withheld { .. } => window(jobs.deliver_counter, Stage::Counter, Stage::Unanswered),
            JobState::Disputed(_) => return self.clone().round_at(clock),
            JobState::Closed(_) => Stage::Closed,
        };
        Standing {
            record: self.clone(),
            stage,
            window: None,
            round: None,
        }
    }

    /// The record in round 1 of an audit, if the last block of its challenge window ordered one. The
    /// round begins in that block.
    fn audited(&self, clock: &Clock<'_>) -> Option<Self> {
        let engagement = self.state.engagement()?;
        let end = clock.closed(&self.since, clock.params.jobs.challenge)?;
        let beacon = clock.beacon(&end)?;
        if self.terms.private || !is_audited(&beacon, &self.id, clock.params.committee.audit_permille) {
            return None;
        }
        let last = end.height.minus(1);
        let dispute = Dispute::new(engagement.clone(), Origin::Audit);
        Some(Self {
            since: Since {
                height: last,
                mtp: clock.history.median_time_past_at(last)?,
            },
            state: JobState::Disputed(Box::new(dispute)),
            ..self.clone()
        })
    }

    fn round_at(mut self, clock: &Clock<'_>) -> Standing {
        let Self {
            state: JobState::Disputed(dispute),
            since,
            ..
        } = &self
        else {
            return Standing {
                stage: Stage::Closed,
                window: None,
                round: None,
                record: self,
            };
        };
        let timeline = Timeline::at(clock, since, dispute.round());
        let beacon = timeline.drawn.and_then(|drawn| clock.beacon(&drawn));
        let bond = &dispute.engagement.bond;
        let round = beacon.map(|beacon| round_id(clock.genesis, (&self.id, self.seq), bond, &beacon));
        // Once a bond can have left since the draw, a draw would find others in its place.
        let draws = |drawn: &Since| {
            let last = drawn.height.plus(clock.params.committee.unbonding);
            dispute.current_seats().is_empty() && clock.moment.height < last
        };
        if let Some(drawn) = timeline.drawn.filter(draws) {
            let seats = draw_seats(&self, dispute, clock, &drawn);
            if let JobState::Disputed(dispute) = &mut self.state {
                *dispute.current_seats_mut() = seats;
            }
        }
        Standing {
            record: self,
            stage: Stage::Round(timeline.phase),
            window: timeline.window,
            round,
        }
    }
}

/// How far a round has come.
struct Timeline {
    phase: Phase,
    window: Option<Window>,
    /// The block after the beacon block.
    drawn: Option<Since>,
}

impl Timeline {
    /// Walks through the windows of the round that began at `since`; each opens where the one before
    /// was first closed.
    fn at(clock: &Clock<'_>, since: &Since, round: u8) -> Self {
        let committee = &clock.params.committee;
        let windows = [
            (Phase::Draw, committee.draw),
            (Phase::Commit, committee.commit),
            (Phase::Reveal, committee.reveal),
            (Phase::Appeal, committee.appeal),
        ];
        let (mut since, mut drawn) = (*since, None);
        for (phase, blocks) in windows {
            if phase == Phase::Appeal && round != 1 {
                break;
            }
            let Some(closed) = clock.closed(&since, blocks) else {
                let window = Some(Window { since, blocks });
                return Self { phase, window, drawn };
            };
            drawn = drawn.or(Some(closed));
            since = closed;
        }
        Self {
            phase: Phase::Over,
            window: None,
            drawn,
        }
    }
}

/// The seats of the current round, whose draw window closed at `drawn`.
fn draw_seats(record: &JobRecord, dispute: &Dispute, clock: &Clock<'_>, drawn: &Since) -> Vec<Seat> {
    let Some(beacon) = clock.beacon(drawn) else {
        return Vec::new();
    };
    let committee = &clock.params.committee;
    let (engagement, round) = (&dispute.engagement, dispute.round());
    let parties = [record.terms.client_key, engagement.node_key];
    let beacon_height: Height = drawn.height.minus(1);
    let mut eligible: Vec<&Ticket> = clock
        .history
        .tickets()
        .values()
        .filter(|ticket| {
            ticket.is_eligible(
                &record.terms.model,
                engagement.since.height,
                beacon_height,
                committee.ticket_maturity,
            )
        })
        .filter(|ticket| !parties.contains(&ticket.registration.key))
        .collect();
    if eligible.len() < committee.min_eligible as usize {
        return Vec::new();
    }
    eligible.retain(|ticket| !dispute.seats.iter().any(|seat| seat.ticket == ticket.id));
    let seed = beacon_seed(clock.genesis, &record.id, round, &beacon);
    let drawn = draw(&seed, eligible, committee.seats_of(round));
    drawn
        .into_iter()
        .map(|ticket| Seat {
            ticket: ticket.id,
            key: ticket.registration.key,
            vote: Vote::None,
        })
        .collect()
}
