//! The job ledger's table (`docs/src/protocol.md`, "States"), row by row and edge by edge.

#![allow(clippy::unwrap_used)]

mod guards;
mod lives;
mod oracle;
mod past;
mod properties;
mod seats;
#[path = "../support/mod.rs"]
mod support;
mod verdicts;
mod world;

use camelid_core::dispute::BadDelivery;
use camelid_core::escrow::{
    Claim, Effects, Engagement, Event, JobError, JobRecord, JobState, Moment, Outcome, Since,
};
use camelid_core::job::{Opening, SignedDelivery, Terms};
use camelid_core::keys::{EcdsaVerifier, Signature};
use camelid_core::params::Params;
use camelid_core::primitives::{Amount, BlockHash, Commitment, Height, JobId, Timestamp, Txid};
use camelid_core::script::Script;
use camelid_core::tx::{ActionKind, ClaimKind, OutPoint};
use past::Past;
use support::*;

const GENESIS: BlockHash = BlockHash([1; 32]);
const JOB: JobId = JobId([2; 32]);
const ESCROW: OutPoint = outpoint(3);
const BOND: OutPoint = outpoint(4);
const DEPOSIT: OutPoint = outpoint(5);
const FUND: OutPoint = outpoint(6);
/// Where the window of every record here opened.
const SINCE: Since = Since {
    height: Height(100),
    mtp: Timestamp(1_000_000),
};
/// Blocks from [`SINCE`] to the deadline.
const DEADLINE: u32 = 20;

const fn outpoint(id: u8) -> OutPoint {
    OutPoint {
        txid: Txid([id; 32]),
        index: 0,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Engaged,
    Delivered,
    Withheld,
    Closed(Outcome),
}

const STATES: [State; 8] = [
    State::Open,
    State::Engaged,
    State::Delivered,
    State::Withheld,
    State::Closed(Outcome::Refunded),
    State::Closed(Outcome::Settled),
    State::Closed(Outcome::SlashedWithheld),
    State::Closed(Outcome::SlashedBadDelivery),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Engage,
    Settle,
    Withheld,
    Deliver,
    BadDelivery,
}

const STEPS: [Step; 5] = [
    Step::Engage,
    Step::Settle,
    Step::Withheld,
    Step::Deliver,
    Step::BadDelivery,
];

/// The guards of the table, in the words of the protocol.
#[derive(Clone, Copy, Debug)]
enum When {
    BeforeDeadline,
    FromDeadline,
    ChallengeOpen,
    ChallengeOpenAndBuried,
    ChallengeClosed,
    CounterOpen,
    CounterClosed,
}

/// From, event, guard, to.
const TABLE: [(State, Step, When, State); 10] = [
    (State::Open, Step::Engage, When::BeforeDeadline, State::Engaged),
    (
        State::Open,
        Step::Settle,
        When::FromDeadline,
        State::Closed(Outcome::Refunded),
    ),
    (
        State::Engaged,
        Step::Withheld,
        When::ChallengeOpenAndBuried,
        State::Withheld,
    ),
    (
        State::Engaged,
        Step::Deliver,
        When::ChallengeOpen,
        State::Delivered,
    ),
    (
        State::Engaged,
        Step::BadDelivery,
        When::ChallengeOpen,
        State::Closed(Outcome::SlashedBadDelivery),
    ),
    (
        State::Delivered,
        Step::BadDelivery,
        When::ChallengeOpen,
        State::Closed(Outcome::SlashedBadDelivery),
    ),
    (
        State::Engaged,
        Step::Settle,
        When::ChallengeClosed,
        State::Closed(Outcome::Settled),
    ),
    (
        State::Delivered,
        Step::Settle,
        When::ChallengeClosed,
        State::Closed(Outcome::Settled),
    ),
    (
        State::Withheld,
        Step::Deliver,
        When::CounterOpen,
        State::Delivered,
    ),
    (
        State::Withheld,
        Step::Settle,
        When::CounterClosed,
        State::Closed(Outcome::SlashedWithheld),
    ),
];

impl When {
    /// Whether the guard holds `blocks` after [`SINCE`], `seconds` of median time past after it.
    fn holds(self, blocks: u32, seconds: u32) -> bool {
        // Mainnet's windows, written out.
        let challenge_closed = blocks >= 16 && seconds >= 16 * 60;
        let counter_closed = blocks >= 30 && seconds >= 30 * 60;
        match self {
            Self::BeforeDeadline => blocks < DEADLINE,
            Self::FromDeadline => blocks >= DEADLINE,
            Self::ChallengeOpen => !challenge_closed,
            Self::ChallengeOpenAndBuried => !challenge_closed && blocks >= 6,
            Self::ChallengeClosed => challenge_closed,
            Self::CounterOpen => !counter_closed,
            Self::CounterClosed => counter_closed,
        }
    }
}

fn row(state: State, step: Step) -> Option<(When, State)> {
    TABLE
        .iter()
        .find(|(from, by, ..)| (*from, *by) == (state, step))
        .map(|(_, _, when, to)| (*when, *to))
}

fn after(blocks: u32, seconds: u32) -> Moment {
    Moment {
        height: SINCE.height.plus(blocks),
        mtp_before: Timestamp(SINCE.mtp.0 + seconds),
        mtp: Timestamp(SINCE.mtp.0 + seconds + 30),
    }
}

/// What an honest node would deliver.
fn good() -> Opening {
    opening(&[5, 9, END])
}

fn job_terms(params: &Params) -> Terms {
    Terms {
        deadline: SINCE.height.plus(DEADLINE),
        ..terms(params, SINCE.height)
    }
}

fn engagement(commitment: Commitment) -> Engagement {
    Engagement {
        commitment,
        node_key: secret(NODE).public_key(),
        payout: script_of(NODE),
        bond: BOND,
        since: SINCE,
    }
}

fn commitment_to(opening: &Opening) -> Commitment {
    opening.commitment(&GENESIS, &JOB, &secret(NODE).public_key(), &script_of(NODE))
}

fn record(state: State, terms: Terms) -> JobRecord {
    record_for(state, terms, commitment_to(&good()))
}

fn record_for(state: State, terms: Terms, commitment: Commitment) -> JobRecord {
    let engagement = engagement(commitment);
    JobRecord {
        id: JOB,
        terms,
        escrow: ESCROW,
        seq: 7,
        since: SINCE,
        state: match state {
            State::Open => JobState::Open,
            State::Engaged => JobState::Engaged(engagement),
            State::Delivered => JobState::Delivered(engagement),
            State::Withheld => JobState::Withheld {
                engagement,
                deposit: DEPOSIT,
            },
            State::Closed(outcome) => JobState::Closed(outcome),
        },
    }
}

fn state_of(record: &JobRecord) -> State {
    match &record.state {
        JobState::Open => State::Open,
        JobState::Engaged(_) => State::Engaged,
        JobState::Delivered(_) => State::Delivered,
        JobState::Withheld { .. } => State::Withheld,
        JobState::Closed(outcome) => State::Closed(*outcome),
        JobState::Disputed(_) => panic!("no event here leads to a committee"),
    }
}

/// Events that are in order in every respect but, perhaps, place and time.
struct Events {
    payout: Script,
    good: SignedDelivery,
    bad: BadDelivery,
    claim: Signature,
    deposit: Amount,
}

impl Events {
    /// For records of these terms.
    fn new(params: &Params, terms: &Terms) -> Self {
        let record = record(State::Engaged, terms.clone());
        let context = record.seal_context(&GENESIS, &engagement(commitment_to(&good())));
        let wrong = delivery(&context, b"not an opening", NODE);
        Self {
            payout: script_of(NODE),
            good: delivery(&context, &good().to_bytes(), NODE),
            bad: evidence(&context, &wrong),
            claim: withheld_signature(&record, CLIENT),
            deposit: params.jobs.withheld_deposit(terms.max_tokens),
        }
    }

    fn event(&self, step: Step) -> Event<'_> {
        match step {
            Step::Engage => Event::Engage {
                commitment: commitment_to(&good()),
                node_key: secret(NODE).public_key(),
                payout: &self.payout,
                bond: BOND,
            },
            Step::Settle => Event::Settle,
            Step::Withheld => withheld_claim(self.claim, self.deposit),
            Step::Deliver => Event::Deliver(&self.good),
            Step::BadDelivery => Event::BadDelivery(&self.bad),
        }
    }
}

fn withheld_claim(signature: Signature, amount: Amount) -> Event<'static> {
    let claim = Claim {
        signature,
        first_input: FUND,
        deposit: DEPOSIT,
        amount,
    };
    Event::Claim(ClaimKind::Withheld, claim)
}

fn withheld_signature(record: &JobRecord, signer: u8) -> Signature {
    claim_signature(ClaimKind::Withheld, record, signer)
}

fn claim_signature(kind: ClaimKind, record: &JobRecord, signer: u8) -> Signature {
    match ActionKind::claim(kind, &GENESIS, (&record.id, record.seq), &FUND, &secret(signer)) {
        ActionKind::Claim { signature, .. } => signature,
        _ => unreachable!(),
    }
}

fn apply(
    params: &Params,
    record: &JobRecord,
    event: &Event<'_>,
    moment: Moment,
) -> Result<Effects, JobError> {
    Past::of(moment).apply((params, &EcdsaVerifier, Amount::ZERO), record, event, moment)
}

#[test]
fn every_pair_of_state_and_event_does_what_the_table_says_at_every_edge() {
    let params = Params::mainnet();
    let terms = job_terms(&params);
    let events = Events::new(&params, &terms);
    let blocks = [
        0,
        1,
        5,
        6,
        7,
        15,
        16,
        17,
        DEADLINE - 1,
        DEADLINE,
        DEADLINE + 1,
        29,
        30,
        31,
    ];
    let seconds = [0, 359, 360, 959, 960, 961, 1_799, 1_800, 1_801];
    for (state, step) in STATES
        .into_iter()
        .flat_map(|state| STEPS.map(|step| (state, step)))
    {
        let record = record(state, terms.clone());
        for (blocks, seconds) in blocks.iter().flat_map(|b| seconds.map(|s| (*b, s))) {
            let result = apply(&params, &record, &events.event(step), after(blocks, seconds));
            let place = format!("{step:?} in {state:?} after {blocks} blocks and {seconds} s");
            match (row(state, step), result) {
                (Some((when, to)), Ok(effects)) => {
                    assert!(
                        when.holds(blocks, seconds),
                        "{place}: allowed too early or too late"
                    );
                    assert_eq!(state_of(&effects.record), to, "{place}");
                    assert_eq!(effects.record.seq, record.seq + 1, "{place}");
                    assert_eq!(effects.record.since, after(blocks, seconds).opens(), "{place}");
                    assert_eq!(
                        effects.closing.is_some(),
                        matches!(to, State::Closed(_)),
                        "{place}"
                    );
                }
                (Some((when, _)), Err(error)) => {
                    assert!(!when.holds(blocks, seconds), "{place}: {error}");
                    let unlisted = matches!(error, JobError::NotListed { .. });
                    assert!(!unlisted, "{place}: {error}");
                }
                (None, Err(JobError::NotListed { .. })) => {}
                (None, other) => panic!("{place}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_transition_releases_what_its_row_says_and_nothing_else() {
    let params = Params::mainnet();
    let terms = job_terms(&params);
    let events = Events::new(&params, &terms);
    for (from, step, when, to) in TABLE {
        let record = record(from, terms.clone());
        let moments = [after(10, 0), after(40, 4_000)];
        let moment = moments
            .into_iter()
            .find(|moment| when.holds(moment.height.0 - 100, moment.mtp_before.0 - SINCE.mtp.0));
        let effects = apply(&params, &record, &events.event(step), moment.unwrap()).unwrap();
        let expected: &[OutPoint] = match (from, to) {
            (State::Open, State::Closed(_)) => &[ESCROW],
            (State::Withheld, State::Closed(_)) => &[BOND, DEPOSIT],
            (State::Withheld, State::Delivered) => &[DEPOSIT],
            (_, State::Closed(_)) => &[BOND],
            _ => &[],
        };
        assert_eq!(effects.released, expected, "{step:?} in {from:?}");
        // Apart from state, sequence number and window nothing of a record ever changes.
        let back = JobRecord {
            state: record.state.clone(),
            seq: record.seq,
            since: record.since,
            ..effects.record
        };
        assert_eq!(back, record);
    }
}
