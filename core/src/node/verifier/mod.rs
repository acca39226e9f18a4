//! The verifier role: holds tickets, sits on committees, and says what it computed.
//!
//! `tickets` keeps the bonds, `judging` turns evidence into a ballot. What stands here is the life of
//! a seat: find the evidence, commit, reveal. A verifier that cannot run the model keeps quiet and
//! pays the fine: a guess could slash an honest node.

mod judging;
mod tickets;

use super::base::Base;
use super::config::VerifierConfig;
use super::record::{CastVote, Record};
use crate::committee::{Ballot, Finding, ballot_commitment, sign_vote};
use crate::dispute::Evidence;
use crate::escrow::{JobRecord, Phase, Seat, Stage, Standing, Vote, Window};
use crate::model::InferenceResult;
use crate::primitives::{Digest, Hash256, JobId, Time, encode, tagged_hash};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::tx::{ActionKind, OutPoint};
use crate::wire::Message;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use judging::Judging;
use tickets::Tickets;

/// A question that was not answered is asked again after this long.
const ASK_AGAIN_MS: u64 = 60_000;

/// A round: the job, and the record that began it.
type Round = (JobId, u32);

/// Tickets and seats of this verifier.
pub(super) struct Verifier {
    tickets: Tickets,
    judging: Judging,
    /// Evidence in open disputes.
    evidence: BTreeMap<JobId, Evidence>,
    asked_at: BTreeMap<JobId, Time>,
    votes: BTreeMap<(Round, OutPoint), CastVote>,
}

impl Verifier {
    pub(super) fn new(config: VerifierConfig) -> Self {
        Self {
            tickets: Tickets::new(config),
            judging: Judging::default(),
            evidence: BTreeMap::new(),
            asked_at: BTreeMap::new(),
            votes: BTreeMap::new(),
        }
    }

    pub(super) fn restore(&mut self, vote: CastVote) {
        self.votes.insert(((vote.job, vote.seq), vote.ticket), vote);
    }

    /// Asks for all bonds back.
    pub(super) fn unbond(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        self.tickets.leave();
        self.tickets.drive(base, now, out);
    }

    /// Does what is due for tickets and seats.
    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        self.tickets.drive(base, now, out);
        let ledger = base.chain.ledger();
        let unclosed: Vec<JobRecord> = ledger.unclosed_jobs().cloned().collect();
        let is_open = |job: &JobId| unclosed.iter().any(|record| record.id == *job);
        self.evidence.retain(|job, _| is_open(job));
        self.asked_at.retain(|job, _| is_open(job));
        self.votes.retain(|((job, _), _), _| is_open(job));
        for record in unclosed {
            if record.state.engagement().is_some() {
                let standing = base.standing(now, &record);
                self.drive_round(base, now, &standing, out);
            }
        }
    }

    fn drive_round(&mut self, base: &mut Base, now: Time, standing: &Standing, out: &mut Outputs) {
        let (record, Stage::Round(phase)) = (&standing.record, standing.stage) else {
            return;
        };
        let seats = own_seats(base, record);
        if seats.is_empty() {
            return;
        }
        match (phase, &standing.window) {
            (Phase::Commit, Some(window)) => self.commit(base, now, record, window, &seats, out),
            (Phase::Reveal, _) => self.reveal(base, now, record, &seats, out),
            (Phase::Over, _) => base.submit_action(now, record.id, record.seq, ActionKind::Settle, out),
            _ => {}
        }
    }

    /// Commits to the ballot, or does what leads to one. Three quarters of the window are left to the parties to
    /// supply the opening.
    fn commit(
        &mut self,
        base: &mut Base,
        now: Time,
        record: &JobRecord,
        window: &Window,
        seats: &[Seat],
        out: &mut Outputs,
    ) {
        let round = (record.id, record.seq);
        let late = base.next_height() >= window.since.height.plus(window.blocks.saturating_mul(3) / 4);
        let ballot = match (self.judging.ballot(&round), self.evidence.get(&record.id)) {
            (Some(ballot), _) => ballot,
            (None, Some(evidence)) => return self.judging.start(base, record, window, evidence, out),
            (None, None) if late => Ballot {
                finding: Finding::NoEvidence,
                score_root: Hash256::default(),
            },
            (None, None) => return self.ask(base, now, record, out),
        };
        for seat in seats {
            let waiting = seat.vote == Vote::None;
            if waiting {
                self.commit_seat(base, now, round, seat, ballot, out);
            }
        }
    }

    fn commit_seat(
        &mut self,
        base: &mut Base,
        now: Time,
        round: Round,
        seat: &Seat,
        ballot: Ballot,
        out: &mut Outputs,
    ) {
        let (job, seq) = round;
        let (ticket, key) = (seat.ticket, base.config.key.clone());
        let vote = self.votes.entry((round, ticket)).or_insert_with(|| {
            let salt = key.derive("camelid/ballot-salt", &encode(&(job, seq, ticket)));
            CastVote {
                job,
                seq,
                ticket,
                ballot,
                salt,
            }
        });
        let genesis = base.chain.ledger().genesis();
        let commitment = ballot_commitment(genesis, (&job, seq), &ticket, &vote.ballot, &vote.salt);
        let signature = sign_vote(genesis, (&job, seq), &ticket, &commitment, &key);
        let kind = ActionKind::VoteCommit {
            ticket,
            commitment,
            signature,
        };
        // Durable before it can be mined: only this ballot opens the commitment.
        let record = Record::Vote(Box::new(vote.clone()));
        let mut announcements = Outputs::new();
        if base.submit_bare(now, Some(job), seq, kind, &mut announcements) {
            out.push(Output::Persist(Box::new(record)));
            let finding = vote.ballot.finding;
            out.event(Event::VoteCommitted { job, finding });
        }
        out.append(announcements);
    }

    fn reveal(&mut self, base: &mut Base, now: Time, record: &JobRecord, seats: &[Seat], out: &mut Outputs) {
        let (job, seq) = (record.id, record.seq);
        for seat in seats {
            let vote = self.votes.get(&((job, seq), seat.ticket));
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

    /// Asks both parties and the other seats for the evidence.
    fn ask(&mut self, base: &mut Base, now: Time, record: &JobRecord, out: &mut Outputs) {
        let asked = self.asked_at.get(&record.id);
        if asked.is_some_and(|at| now < at.after_ms(ASK_AGAIN_MS)) {
            return;
        }
        self.asked_at.insert(record.id, now);
        let Some((dispute, own)) = record
            .state
            .dispute()
            .zip(own_seats(base, record).first().cloned())
        else {
            return;
        };
        let parties = [record.terms.contact, dispute.engagement.node_key.key_hash()];
        let seats = dispute.current_seats().iter().map(|seat| seat.key.key_hash());
        let recipients: Vec<_> = parties
            .into_iter()
            .chain(seats)
            .filter(|recipient| *recipient != base.id())
            .collect();
        for recipient in recipients {
            let message = Message::GetEvidence {
                job: record.id,
                ticket: own.ticket,
            };
            base.send_through(Some(recipient), &message, out);
        }
    }

    /// Evidence from a party or another seat: kept if it opens both commitments, and this verifier has
    /// a seat.
    pub(super) fn handle_evidence(
        &mut self,
        base: &mut Base,
        now: Time,
        evidence: Evidence,
        out: &mut Outputs,
    ) {
        let ledger = base.chain.ledger();
        let Some(record) = ledger.job(&evidence.job) else {
            return;
        };
        let known = self.evidence.contains_key(&evidence.job);
        if known || !evidence.opens(ledger.genesis(), record) {
            return;
        }
        let standing = base.standing(now, record);
        let Some(dispute) = standing.record.state.dispute() else {
            return;
        };
        if own_seats(base, &standing.record).is_empty() {
            return;
        }
        // A party may show it to one seat only: pass it on to the others.
        base.send_evidence(dispute, &evidence, out);
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

    pub(super) fn digest(&self) -> Digest {
        let votes: Vec<_> = self.votes.values().collect();
        let evidence: Vec<_> = self.evidence.keys().collect();
        let fields = (
            votes,
            evidence,
            &self.asked_at,
            self.judging.digest(),
            self.tickets.digest(),
        );
        Digest(tagged_hash("camelid/verifier", &fields).0)
    }
}

/// The seats of the current round that are this node's.
fn own_seats(base: &Base, record: &JobRecord) -> Vec<Seat> {
    let own = base.config.key.public_key();
    let dispute = record.state.dispute();
    let seats = dispute.map_or(&[][..], |dispute| dispute.current_seats());
    seats.iter().filter(|seat| seat.key == own).cloned().collect()
}
