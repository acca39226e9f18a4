//! The verifier role: holds tickets, sits on committees, and says what it computed.
//!
//! `tickets` keeps the bonds, `judging` turns evidence into a ballot. What stands here is the life of
//! a seat: find the evidence, commit, reveal. A verifier that cannot run the model keeps quiet and
//! pays the fine: a guess could slash an honest node.

mod judging;
mod tickets;

use super::base::{Audience, Base};
use super::config::VerifierConfig;
use super::record::{CastVote, Matter, Record};
use crate::committee::{Ballot, Finding, ballot_commitment, sign_vote};
use crate::dispute::Evidence;
use crate::escrow::{JobRecord, Phase, Seat, Stage, Standing, Vote, Window};
use crate::model::InferenceResult;
use crate::primitives::{Hash256, JobId, Time, encode};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::tx::{ActionKind, OutPoint};
use crate::wire::Message;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::BorshSerialize;
use judging::Judging;
use tickets::Tickets;

/// The parties have this part of the time between blocks to show evidence without being asked.
const SHOW_PART: u64 = 3;
/// A question that was not answered is asked again after this long.
const ASK_AGAIN_MS: u64 = 60_000;
/// Time for an answer, at the end of the window.
const ANSWER_MS: u64 = 30_000;

/// Votes that are remembered: a reorganisation may bring a round back.
const REMEMBERED_VOTES: usize = 4_096;

/// Tickets and seats of this verifier. Rounds go by their [`round_id`](crate::committee::round_id).
pub(super) struct Verifier {
    tickets: Tickets,
    judging: Judging,
    /// Evidence in open disputes.
    evidence: BTreeMap<JobId, Evidence>,
    searches: BTreeMap<JobId, Search>,
    votes: BTreeMap<(Hash256, OutPoint), CastVote>,
}

/// How far the search for the evidence about a job is.
#[derive(BorshSerialize)]
enum Search {
    /// Since then it is known to be missing.
    Waiting(Time),
    /// It was last asked for then.
    Asked(Time),
}

/// A round in which this verifier has seats.
struct Bench<'a> {
    round: Hash256,
    record: &'a JobRecord,
    seats: Vec<Seat>,
}

impl Verifier {
    pub(super) fn new(config: VerifierConfig) -> Self {
        Self {
            tickets: Tickets::new(config),
            judging: Judging::default(),
            evidence: BTreeMap::new(),
            searches: BTreeMap::new(),
            votes: BTreeMap::new(),
        }
    }

    pub(super) fn restore(&mut self, vote: CastVote) {
        self.votes.insert((vote.round, vote.ticket), vote);
    }

    pub(super) fn forget(&mut self, vote: &(Hash256, OutPoint)) {
        self.votes.remove(vote);
    }

    /// Asks for all bonds back.
    pub(super) fn unbond(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        self.tickets.leave();
        out.push(Output::Persist(Box::new(Record::Unbonding)));
        self.tickets.drive(base, now, out);
    }

    /// The operator asked for all bonds back before a crash.
    pub(super) fn restore_unbonding(&mut self) {
        self.tickets.leave();
    }

    /// Does what is due for tickets and seats.
    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        self.tickets.drive(base, now, out);
        let unclosed: BTreeMap<JobId, JobRecord> = base
            .chain
            .ledger()
            .unclosed_jobs()
            .map(|record| (record.id, record.clone()))
            .collect();
        self.evidence.retain(|job, _| unclosed.contains_key(job));
        self.searches.retain(|job, _| unclosed.contains_key(job));
        self.judging.forget(|job| !unclosed.contains_key(job));
        while self.votes.len() > REMEMBERED_VOTES {
            if let Some(((round, ticket), _)) = self.votes.pop_first() {
                let record = Record::Forget(Matter::Vote(round, ticket));
                out.push(Output::Persist(Box::new(record)));
            }
        }
        for record in unclosed.values() {
            if record.state.engagement().is_some() {
                let standing = base.standing(now, record);
                self.drive_round(base, now, &standing, out);
            }
        }
    }

    fn drive_round(&mut self, base: &mut Base, now: Time, standing: &Standing, out: &mut Outputs) {
        let (record, Stage::Round(phase), Some(round)) = (&standing.record, standing.stage, standing.round)
        else {
            return;
        };
        let seats = own_seats(base, record);
        if seats.is_empty() {
            return;
        }
        let bench = Bench { round, record, seats };
        match (phase, &standing.window) {
            (Phase::Commit, Some(window)) => self.commit(base, now, &bench, window, out),
            (Phase::Reveal, _) => self.reveal(base, now, &bench, out),
            (Phase::Over, _) => base.submit_action(now, record.id, record.seq, ActionKind::Settle, out),
            _ => {}
        }
    }

    /// Commits to the ballot, or does what leads to one.
    fn commit(&mut self, base: &mut Base, now: Time, bench: &Bench<'_>, window: &Window, out: &mut Outputs) {
        let waiting: Vec<&Seat> = bench
            .seats
            .iter()
            .filter(|seat| seat.vote == Vote::None)
            .collect();
        if waiting.is_empty() {
            return;
        }
        let Some(ballot) = self.ballot(base, now, bench, window, out) else {
            return;
        };
        for seat in waiting {
            self.commit_seat(base, now, bench, seat, ballot, out);
        }
    }

    /// The ballot, once there is one; else it takes the next step towards it. Three quarters of the
    /// window are left to the parties to supply the opening, and time for an answer after a question.
    fn ballot(
        &mut self,
        base: &mut Base,
        now: Time,
        bench: &Bench<'_>,
        window: &Window,
        out: &mut Outputs,
    ) -> Option<Ballot> {
        let Bench { round, record, .. } = bench;
        let voted = bench
            .seats
            .iter()
            .find_map(|seat| self.votes.get(&(*round, seat.ticket)));
        if let Some(ballot) = voted.map(|vote| vote.ballot).or(self.judging.ballot(round)) {
            return Some(ballot);
        }
        let genesis = *base.chain.ledger().genesis();
        // What was shown may have been about another engagement, before a reorganisation.
        if let Some(evidence) = self
            .evidence
            .get(&record.id)
            .filter(|evidence| evidence.opens(&genesis, record))
        {
            self.judging.start(base, bench, window, evidence, out);
            return None;
        }
        let end = window.since.height.plus(window.blocks);
        let late = window.since.height.plus(window.blocks.saturating_mul(3) / 4);
        let unanswered = match self.searches.get(&record.id) {
            Some(Search::Asked(at)) => now >= at.after_ms(ANSWER_MS),
            _ => false,
        };
        let next = base.next_height();
        if next >= late && unanswered || next.plus(1) >= end {
            return Some(Ballot {
                finding: Finding::NoEvidence,
                score_root: Hash256::default(),
            });
        }
        if next >= late || self.may_ask(base, now, record.id) {
            self.ask(base, now, bench, out);
        }
        None
    }

    fn commit_seat(
        &mut self,
        base: &mut Base,
        now: Time,
        bench: &Bench<'_>,
        seat: &Seat,
        ballot: Ballot,
        out: &mut Outputs,
    ) {
        let Bench { round, record, .. } = bench;
        let (job, ticket, key) = (record.id, seat.ticket, base.config.key.clone());
        let vote = self.votes.entry((*round, ticket)).or_insert_with(|| CastVote {
            round: *round,
            ticket,
            ballot,
            salt: key.derive("camelid/ballot-salt", &encode(&(round, ticket))),
        });
        let commitment = ballot_commitment(round, &ticket, &vote.ballot, &vote.salt);
        let signature = sign_vote(round, &ticket, &commitment, &key);
        let kind = ActionKind::VoteCommit {
            ticket,
            commitment,
            signature,
        };
        // Durable before it can be mined: only this ballot opens the commitment.
        let durable = Record::Vote(Box::new(vote.clone()));
        let mut announcements = Outputs::new();
        if base.submit_bare(now, Some(job), record.seq, kind, &mut announcements) {
            out.push(Output::Persist(Box::new(durable)));
            let finding = vote.ballot.finding;
            out.event(Event::VoteCommitted { job, finding });
        }
        out.append(announcements);
    }

    fn reveal(&mut self, base: &mut Base, now: Time, bench: &Bench<'_>, out: &mut Outputs) {
        let (job, seq) = (bench.record.id, bench.record.seq);
        for seat in &bench.seats {
            let vote = self.votes.get(&(bench.round, seat.ticket));
            let (Vote::Committed(_), Some(vote)) = (seat.vote, vote) else {
                continue;
            };
            let (finding, kind) = (
                vote.ballot.finding,
                ActionKind::VoteReveal {
                    ticket: seat.ticket,
                    ballot: vote.ballot,
                    salt: vote.salt,
                },
            );
            if base.submit_bare(now, Some(job), seq, kind, out) {
                out.event(Event::VoteRevealed { job, finding });
            }
        }
    }

    /// True once the parties have had time to show their evidence unasked.
    fn may_ask(&mut self, base: &Base, now: Time, job: JobId) -> bool {
        let spacing_ms = u64::from(base.chain.params().spacing_s) * 1_000;
        match self.searches.entry(job).or_insert(Search::Waiting(now)) {
            Search::Waiting(since) => now >= since.after_ms(spacing_ms / SHOW_PART),
            Search::Asked(_) => true,
        }
    }

    /// Asks whoever has the evidence: the parties and the other seats.
    fn ask(&mut self, base: &mut Base, now: Time, bench: &Bench<'_>, out: &mut Outputs) {
        let job = bench.record.id;
        if let Some(Search::Asked(at)) = self.searches.get(&job)
            && now < at.after_ms(ASK_AGAIN_MS)
        {
            return;
        }
        self.searches.insert(job, Search::Asked(now));
        if let Some(seat) = bench.seats.first() {
            let ticket = seat.ticket;
            base.send_through(None, &Message::GetEvidence { job, ticket }, out);
        }
    }

    /// Evidence from a party or another seat: kept if it opens both commitments, and this verifier has
    /// a seat.
    pub(super) fn handle_evidence(
        &mut self,
        base: &mut Base,
        now: Time,
        evidence: Evidence,
        audience: Audience,
        out: &mut Outputs,
    ) {
        let ledger = base.chain.ledger();
        let Some(record) = ledger.job(&evidence.job) else {
            return;
        };
        if self.evidence.get(&evidence.job) == Some(&evidence) || !evidence.opens(ledger.genesis(), &record) {
            return;
        }
        // A prompt that the model cannot take shows nothing: a job that nobody can run is evidence
        // against whoever has to prove something.
        let manifest = base.manifest(&record.terms.model);
        if manifest.is_none_or(|manifest| !evidence.can_run(manifest)) {
            return;
        }
        let standing = base.standing(now, &record);
        let Some(dispute) = standing.record.state.dispute() else {
            return;
        };
        if own_seats(base, &standing.record).is_empty() {
            return;
        }
        // A party may show it to one seat only: pass it on to the others.
        if audience == Audience::Us {
            base.send_evidence(dispute, &evidence, out);
        }
        self.evidence.insert(evidence.job, evidence);
        self.drive_round(base, now, &standing, out);
    }

    /// Another seat asks for evidence.
    pub(super) fn handle_get_evidence(
        &self,
        base: &mut Base,
        now: Time,
        job: &JobId,
        ticket: &OutPoint,
        out: &mut Outputs,
    ) {
        if let Some(evidence) = self.evidence.get(job) {
            base.answer_seat(now, ticket, evidence, out);
        }
    }

    pub(super) fn handle_inferred(
        &mut self,
        base: &mut Base,
        now: Time,
        request: RequestId,
        result: &InferenceResult,
        out: &mut Outputs,
    ) {
        if self.tickets.handle_inferred(base, request, result) || self.judging.finish(base, request, result) {
            self.drive(base, now, out);
        }
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let votes: Vec<_> = self.votes.values().collect();
        let evidence: Vec<_> = self.evidence.keys().collect();
        (
            votes,
            evidence,
            &self.searches,
            self.judging.state(),
            self.tickets.state(),
        )
    }
}

/// The seats of the current round that are this node's.
fn own_seats(base: &Base, record: &JobRecord) -> Vec<Seat> {
    let own = base.config.key.public_key();
    let dispute = record.state.dispute();
    let seats = dispute.map_or(&[][..], |dispute| dispute.current_seats());
    seats.iter().filter(|seat| seat.key == own).cloned().collect()
}
