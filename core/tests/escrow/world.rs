//! A small world for the lives of one job: tiny windows, few seats, real signatures.

use super::past::{Past, Remembering, hash_that_audits};
use super::support::*;
use super::*;
use camelid_core::committee::{
    Ballot, Finding, Models, Registration, Ticket, ballot_commitment, round_id, vote_check,
};
use camelid_core::escrow::Moment;
use camelid_core::params::CommitteeParams;
use camelid_core::primitives::Hash256;
use camelid_core::tx::claim_check;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The deposits of the three kinds of claims.
pub const DEPOSITS: [OutPoint; 3] = [DEPOSIT, outpoint(0x15), outpoint(0x16)];
/// Keys of verifiers start here.
const VERIFIER: u8 = 20;
const SALT: [u8; 32] = [9; 32];

/// What anybody might do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Engage,
    Settle,
    Withheld,
    Deliver,
    BadDelivery,
    Invalid,
    /// By the holder of a key.
    Appeal(u8),
    /// A seat commits to a ballot of [`World::ballots`].
    Commit(usize, usize),
    /// A seat reveals one.
    Reveal(usize, usize),
}

pub struct World {
    pub params: Params,
    pub past: Past,
    pub audited: bool,
    pub enough_tickets: bool,
    pub ballots: Vec<Ballot>,
    pub verifier: Remembering,
    signatures: RefCell<BTreeMap<(u8, Hash256), Signature>>,
    events: Events,
}

pub fn ballot(finding: Finding, root: u8) -> Ballot {
    Ballot {
        finding,
        score_root: Hash256([root; 32]),
    }
}

pub fn ticket(number: u8) -> Ticket {
    Ticket {
        id: outpoint(0x40 + number),
        registration: Registration {
            key: secret(VERIFIER + number).public_key(),
            models: Models::from_vec(vec![manifest().id()]).unwrap(),
        },
        registered: Height(1),
        seq: 1,
        retired: None,
        unbonding: None,
    }
}

pub fn ticket_map(tickets: impl IntoIterator<Item = Ticket>) -> BTreeMap<OutPoint, Ticket> {
    tickets.into_iter().map(|ticket| (ticket.id, ticket)).collect()
}

impl World {
    /// `windows` blocks for every window, `seats` in the two rounds, a block at each of `times`, in
    /// seconds after [`SINCE`].
    pub fn new(windows: u32, seats: [u32; 2], times: impl IntoIterator<Item = u32>) -> Self {
        let simnet = Params::simnet();
        let params = Params {
            jobs: camelid_core::params::JobParams {
                challenge: windows,
                deliver_counter: windows,
                burial: 1,
                ..simnet.jobs
            },
            committee: CommitteeParams {
                draw: windows,
                commit: windows,
                reveal: windows,
                appeal: windows,
                seats,
                min_eligible: seats[0] + seats[1],
                audit_permille: 30,
                ..simnet.committee
            },
            ..simnet
        };
        let start = SINCE.height.0;
        let times = (start..).zip(times).map(|(height, s)| (height, SINCE.mtp.0 + s));
        let before = [(0, SINCE.mtp.0)];
        let mut past = Past::new(before.into_iter().chain(times).collect());
        let needed = u8::try_from(params.committee.min_eligible).unwrap();
        past.tickets = ticket_map((0..needed).map(ticket));
        let events = Events::new(&params, &job_terms(&params));
        Self {
            params,
            past,
            audited: false,
            enough_tickets: true,
            ballots: vec![
                ballot(Finding::Valid, 1),
                ballot(Finding::Invalid { position: 2 }, 2),
            ],
            verifier: Remembering::default(),
            signatures: RefCell::default(),
            events,
        }
    }

    /// The beacon selects the job for an audit.
    pub fn audited(mut self) -> Self {
        self.audited = true;
        self.past.hash = hash_that_audits(true, self.params.committee.audit_permille);
        self
    }

    /// One ticket too few for a committee.
    pub fn without_committee(mut self) -> Self {
        self.enough_tickets = false;
        self.past.tickets.pop_last();
        self
    }

    /// The job in `state` since [`SINCE`]; its deadline is two blocks away.
    pub fn job(&self, state: State) -> JobRecord {
        let mut job = record(state, job_terms(&self.params));
        job.seq = 1;
        job.terms.deadline = SINCE.height.plus(2);
        job
    }

    pub fn acts(&self) -> Vec<Act> {
        let seats = self.params.committee.seats.into_iter().max().unwrap() as usize;
        let votes = (0..seats).flat_map(|seat| (0..self.ballots.len()).map(move |ballot| (seat, ballot)));
        let votes = votes.flat_map(|(seat, ballot)| [Act::Commit(seat, ballot), Act::Reveal(seat, ballot)]);
        [
            Act::Engage,
            Act::Settle,
            Act::Withheld,
            Act::Deliver,
            Act::BadDelivery,
            Act::Invalid,
            Act::Appeal(CLIENT),
            Act::Appeal(NODE),
        ]
        .into_iter()
        .chain(votes)
        .collect()
    }

    /// What a deposit holds.
    pub fn deposit(&self, kind: ClaimKind, terms: &Terms) -> Amount {
        let pay = self.params.jobs.seat_pay(terms.reward);
        match kind {
            ClaimKind::Withheld => self.params.jobs.withheld_deposit(terms.max_tokens),
            ClaimKind::Invalid => pay.checked_mul(7).unwrap(),
            ClaimKind::Appeal => pay.checked_mul(15).unwrap(),
        }
    }

    fn round(&self, seq: u32) -> Hash256 {
        round_id(&GENESIS, (&JOB, seq), &BOND, &self.past.hash)
    }

    pub fn commitment(&self, seq: u32, ticket: OutPoint, ballot: usize) -> Hash256 {
        ballot_commitment(&self.round(seq), &ticket, &self.ballots[ballot], &SALT)
    }

    /// The signature of `signer`, computed once.
    fn sign(&self, signer: u8, digest: Hash256) -> Signature {
        let mut known = self.signatures.borrow_mut();
        *known
            .entry((signer, digest))
            .or_insert_with(|| secret(signer).sign(&digest))
    }

    fn commit(&self, seq: u32, ticket: OutPoint, ballot: usize) -> Event<'static> {
        let commitment = self.commitment(seq, ticket, ballot);
        let (signer, none) = (VERIFIER + ticket.txid.0[0] - 0x40, Signature([0; 64]));
        let holder = secret(signer).public_key();
        let check = vote_check(&self.round(seq), (&ticket, holder), &commitment, none);
        Event::VoteCommit {
            ticket,
            commitment,
            signature: self.sign(signer, check.digest),
        }
    }

    fn claim(&self, kind: ClaimKind, record: &JobRecord, signer: u8) -> Event<'static> {
        let (round, none) = ((&record.id, record.seq), Signature([0; 64]));
        let check = claim_check(kind, &GENESIS, round, &FUND, secret(signer).public_key(), none);
        let claim = Claim {
            signature: self.sign(signer, check.digest),
            first_input: FUND,
            deposit: DEPOSITS[kind as usize],
            amount: self.deposit(kind, &record.terms),
        };
        Event::Claim(kind, claim)
    }

    /// The event of `act`; `seats` are those of the round, and a place that nobody has is played by a
    /// ticket that does not exist.
    pub fn event(&self, act: Act, record: &JobRecord, seats: &[camelid_core::escrow::Seat]) -> Event<'_> {
        let ticket = |seat: usize| seats.get(seat).map_or(outpoint(0x40), |seat| seat.ticket);
        match act {
            Act::Engage => self.events.event(Step::Engage),
            Act::Settle => Event::Settle,
            Act::Withheld => self.claim(ClaimKind::Withheld, record, CLIENT),
            Act::Deliver => self.events.event(Step::Deliver),
            Act::BadDelivery => self.events.event(Step::BadDelivery),
            Act::Invalid => self.claim(ClaimKind::Invalid, record, CLIENT),
            Act::Appeal(signer) => self.claim(ClaimKind::Appeal, record, signer),
            Act::Commit(seat, ballot) => self.commit(record.seq, ticket(seat), ballot),
            Act::Reveal(seat, ballot) => Event::VoteReveal {
                ticket: ticket(seat),
                ballot: self.ballots[ballot],
                salt: &SALT,
            },
        }
    }

    pub fn try_event(
        &self,
        record: &JobRecord,
        event: &Event<'_>,
        moment: Moment,
        fund: Amount,
    ) -> Result<Effects, JobError> {
        self.past
            .apply((&self.params, &self.verifier, fund), record, event, moment)
    }
}
