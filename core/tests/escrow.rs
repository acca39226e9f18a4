//! The job ledger's table (`docs/src/protocol.md`, "States"), row by row and edge by edge.

#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::dispute::{BadDelivery, BadDeliveryError};
use camelid_core::escrow::{
    Effects, Engagement, Event, Facts, JobError, JobRecord, JobState, Moment, Outcome, Since, transition,
};
use camelid_core::job::{Opening, SignedDelivery, Terms};
use camelid_core::keys::{EcdsaVerifier, PublicKey, Signature};
use camelid_core::model::Finish;
use camelid_core::params::Params;
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Commitment, Height, JobId, Timestamp, Txid};
use camelid_core::script::Script;
use camelid_core::tx::{ActionKind, OutPoint};
use proptest::prelude::*;
use support::*;

const GENESIS: BlockHash = BlockHash([1; 32]);
const JOB: JobId = JobId([2; 32]);
const ESCROW: OutPoint = outpoint(3);
const BOND: OutPoint = outpoint(4);
const DEPOSIT: OutPoint = outpoint(5);
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
            Step::Withheld => Event::Withheld {
                signature: self.claim,
                deposit: DEPOSIT,
                amount: self.deposit,
            },
            Step::Deliver => Event::Deliver(&self.good),
            Step::BadDelivery => Event::BadDelivery(&self.bad),
        }
    }
}

fn withheld_signature(record: &JobRecord, signer: u8) -> Signature {
    match ActionKind::withheld(&GENESIS, &record.id, record.seq, &secret(signer)) {
        ActionKind::Withheld { signature } => signature,
        _ => unreachable!(),
    }
}

fn apply(
    params: &Params,
    record: &JobRecord,
    event: &Event<'_>,
    moment: Moment,
) -> Result<Effects, JobError> {
    let facts = Facts {
        params,
        genesis: &GENESIS,
        moment,
        verifier: &EcdsaVerifier,
    };
    transition(record, event, &facts)
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

#[test]
fn a_withheld_claim_needs_the_exact_deposit_and_the_clients_signature() {
    let params = Params::mainnet();
    let record = record(State::Engaged, job_terms(&params));
    let required = params.jobs.withheld_deposit(record.terms.max_tokens);
    assert_eq!(required, units(200 * (4 * 8 + 600)));
    let claim = |signature, amount| Event::Withheld {
        signature,
        deposit: DEPOSIT,
        amount,
    };
    let by_client = withheld_signature(&record, CLIENT);
    let at = after(10, 600);
    for given in [
        units(required.units() - 1),
        units(required.units() + 1),
        Amount::ZERO,
    ] {
        let refused = apply(&params, &record, &claim(by_client, given), at);
        assert_eq!(refused, Err(JobError::Deposit { given, required }));
    }
    for signer in [NODE, STRANGER] {
        let signature = withheld_signature(&record, signer);
        let refused = apply(&params, &record, &claim(signature, required), at);
        assert_eq!(refused, Err(JobError::Signature("client")));
    }
    // A claim signed for the record before this one.
    let earlier = JobRecord {
        seq: record.seq - 1,
        ..record.clone()
    };
    let signature = withheld_signature(&earlier, CLIENT);
    let refused = apply(&params, &record, &claim(signature, required), at);
    assert_eq!(refused, Err(JobError::Signature("client")));
    assert!(apply(&params, &record, &claim(by_client, required), at).is_ok());
}

#[test]
fn a_delivery_needs_the_nodes_signature_for_this_bond_and_the_size_of_the_job() {
    let params = Params::mainnet();
    let record = record(State::Engaged, job_terms(&params));
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let elsewhere = camelid_core::keys::SealContext {
        bond_index: 1,
        ..context.clone()
    };
    let refusal =
        |delivery: &SignedDelivery| apply(&params, &record, &Event::Deliver(delivery), after(1, 60));
    for signer in [CLIENT, STRANGER] {
        let foreign = delivery(&context, &good().to_bytes(), signer);
        assert_eq!(refusal(&foreign), Err(JobError::Signature("node")));
    }
    let foreign = delivery(&elsewhere, &good().to_bytes(), NODE);
    assert_eq!(refusal(&foreign), Err(JobError::Signature("node")));

    let cap = 4 * record.terms.max_tokens as usize + 53;
    let sized = |length: usize| {
        let ephemeral = secret(STRANGER).public_key();
        SignedDelivery::sign(&context, ephemeral, vec![0; length], &secret(NODE)).unwrap()
    };
    assert_eq!(
        refusal(&sized(cap + 1)),
        Err(JobError::CiphertextTooLong { length: cap + 1, cap })
    );
    // The ledger takes any signed bytes that fit: whether they open is for BadDelivery.
    assert!(refusal(&sized(cap)).is_ok());
    // One above the cap can be no delivery, so having signed it is enough to be slashed for.
    let too_long = evidence(&context, &sized(cap + 1));
    assert!(apply(&params, &record, &Event::BadDelivery(&too_long), after(1, 60)).is_ok());
}

/// 33 bytes that travel as a key but are no point of the curve.
fn off_curve_key() -> PublicKey {
    (0u8..=255)
        .filter_map(|byte| {
            let mut bytes = [byte; 33];
            bytes[0] = 2;
            PublicKey::from_bytes(bytes)
        })
        .find(|key| !key.is_on_curve())
        .unwrap()
}

#[test]
fn engage_needs_a_node_key_on_the_curve() {
    let params = Params::mainnet();
    let event = Event::Engage {
        commitment: Commitment([0; 32]),
        node_key: off_curve_key(),
        payout: &script_of(NODE),
        bond: BOND,
    };
    let refused = apply(
        &params,
        &record(State::Open, job_terms(&params)),
        &event,
        after(1, 60),
    );
    assert_eq!(refused, Err(JobError::NodeKeyOffCurve));
}

/// A delivery of `opening` by a node that committed to it, judged with its manifest.
fn judged(commitment: Commitment, plaintext: &[u8]) -> Result<Effects, JobError> {
    let params = Params::mainnet();
    let record = record_for(State::Delivered, job_terms(&params), commitment);
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let evidence = evidence(&context, &delivery(&context, plaintext, NODE));
    apply(&params, &record, &Event::BadDelivery(&evidence), after(1, 60))
}

#[test]
fn only_a_bad_delivery_is_bad() {
    let committed = |opening: &Opening| judged(commitment_to(opening), &opening.to_bytes());
    let innocent = Err(JobError::BadDelivery(BadDeliveryError::DeliveryGood));
    assert_eq!(committed(&good()), innocent);
    let full = Opening {
        finish: Finish::Limit,
        ..opening(&[1, 2, 3, 4, 5, 6, 7, 8])
    };
    assert_eq!(committed(&full), innocent);

    let guilty: [Opening; 6] = [
        opening(&[]),
        // One token above the limit, its end token included.
        opening(&[1, 2, 3, 4, 5, 6, 7, 8, END]),
        // Stops for no reason.
        opening(&[5, 9]),
        // The finish that it does not have.
        Opening {
            finish: Finish::Limit,
            ..good()
        },
        Opening {
            finish: Finish::EndToken,
            ..full.clone()
        },
        Opening {
            finish: Finish::Limit,
            ..opening(&[5, 9])
        },
    ];
    for opening in guilty {
        assert!(committed(&opening).is_ok(), "{opening:?}");
    }
    // Well formed, but not what was committed to.
    assert!(judged(commitment_to(&good()), &full.to_bytes()).is_ok());
    assert!(judged(commitment_to(&good()), &[]).is_ok());
    let mut trailing = good().to_bytes();
    trailing.push(0);
    assert!(judged(commitment_to(&good()), &trailing).is_ok());
}

#[test]
fn evidence_must_be_complete_and_about_this_job() {
    let params = Params::mainnet();
    let stopped = opening(&[5, 9]);
    let record = record_for(State::Engaged, job_terms(&params), commitment_to(&stopped));
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let full = evidence(&context, &delivery(&context, &stopped.to_bytes(), NODE));
    let judge = |evidence: &BadDelivery| {
        let event = Event::BadDelivery(evidence);
        apply(&params, &record, &event, after(1, 60)).map(|_| ())
    };
    assert_eq!(judge(&full), Ok(()));

    let mut evidence = full.clone();
    evidence.manifest = None;
    assert_eq!(judge(&evidence), Err(BadDeliveryError::DeliveryGood.into()));
    let mut other = manifest();
    other.end_tokens = BoundedVec::new();
    evidence.manifest = Some(Box::new(other));
    assert_eq!(judge(&evidence), Err(BadDeliveryError::WrongManifest.into()));

    let mut evidence = full.clone();
    evidence.proof = None;
    assert_eq!(judge(&evidence), Err(BadDeliveryError::ProofMissing.into()));
    let mut evidence = full.clone();
    evidence.proof.as_mut().unwrap().response[31] ^= 1;
    assert_eq!(judge(&evidence), Err(BadDeliveryError::ProofInvalid.into()));
    let mut evidence = full;
    evidence.delivery.ciphertext.as_mut_slice()[0] ^= 1;
    assert_eq!(judge(&evidence), Err(JobError::Signature("node")));
}

#[test]
fn an_ephemeral_key_off_the_curve_needs_no_proof() {
    let params = Params::mainnet();
    let record = record(State::Engaged, job_terms(&params));
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let signed = SignedDelivery::sign(&context, off_curve_key(), vec![1, 2, 3], &secret(NODE)).unwrap();
    let evidence = BadDelivery {
        delivery: signed,
        proof: None,
        manifest: None,
    };
    assert!(apply(&params, &record, &Event::BadDelivery(&evidence), after(1, 60)).is_ok());
}

fn unclosed() -> impl Strategy<Value = State> {
    prop::sample::select(&STATES[..4])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// At every height and time exactly one holds: the window's action, or the way out by time.
    #[test]
    fn closed_and_open_are_exact_complements(state in unclosed(), blocks in 0u32..40, seconds in 0u32..2_400) {
        let params = Params::mainnet();
        let terms = job_terms(&params);
        let events = Events::new(&params, &terms);
        let inside = match state {
            State::Open => Step::Engage,
            State::Delivered => Step::BadDelivery,
            _ => Step::Deliver,
        };
        let record = record(state, terms);
        let attempt = |step| apply(&params, &record, &events.event(step), after(blocks, seconds));
        let (action, exit) = (attempt(inside).is_ok(), attempt(Step::Settle).is_ok());
        prop_assert!(action != exit, "action: {action}, exit: {exit}");
    }

    /// Whatever the record, time alone leads out of it, and stays leading out.
    #[test]
    fn every_state_but_closed_is_left_by_time_alone(
        state in unclosed(),
        height in 0u32..1_000_000,
        mtp in 0u32..2_000_000_000,
        deadline in 1u32..20_000,
        later in 0u32..100_000,
    ) {
        let params = Params::mainnet();
        let mut record = record(state, job_terms(&params));
        record.since = Since { height: Height(height), mtp: Timestamp(mtp) };
        record.terms.deadline = Height(height + deadline);
        let longest = 30u32.max(deadline);
        let moment = Moment {
            height: Height(height + longest + later),
            mtp_before: Timestamp(mtp + 30 * 60 + later),
            mtp: Timestamp(mtp + 30 * 60 + later),
        };
        let left = apply(&params, &record, &Event::Settle, moment);
        prop_assert!(matches!(left.unwrap().record.state, JobState::Closed(_)));
    }

    /// What closing pays out is what was locked, split as "Payouts" says.
    #[test]
    fn payouts_sum_to_what_was_locked(
        reward in 0u64..=25 * 100_000_000,
        extra_stake in 0u64..=100_000_000,
        private in any::<bool>(),
        engage_fee in 0u64..=1_000_000,
        max_tokens in 1u32..=4096,
    ) {
        let params = Params::mainnet();
        let (r, f) = (u128::from(reward), u128::from(engage_fee));
        let p = 100_000.max(r.div_ceil(2));
        let a = if private { 0 } else { (220 * p).div_ceil(1000) };
        let s = 64 * p + u128::from(extra_stake);
        let deposit = 200 * (4 * u128::from(max_tokens) + 600);
        let amount = |units: u128| units_of(units);
        let terms = Terms {
            reward: amount(r),
            audit_fee: amount(a),
            engage_fee: amount(f),
            stake: amount(s),
            private,
            max_tokens,
            ..job_terms(&params)
        };
        let locked = |with: u128| r + a + with;
        let bad = Events::new(&params, &terms);
        // From, event, locked, who is paid, how much, fund, burned.
        let rows = [
            (State::Open, Step::Settle, locked(f), CLIENT, r + a + f, 0, 0),
            (State::Engaged, Step::Settle, locked(s), NODE, r + s, a, 0),
            (State::Delivered, Step::Settle, locked(s), NODE, r + s, a, 0),
            (State::Withheld, Step::Settle, locked(s) + deposit, CLIENT, r + a + p + deposit, 0, s - p),
            (State::Engaged, Step::BadDelivery, locked(s), CLIENT, r + a + p, 0, s - p),
            (State::Delivered, Step::BadDelivery, locked(s), CLIENT, r + a + p, 0, s - p),
        ];
        for (state, step, locked, payee, paid, fund, burned) in rows {
            let blocks = if step == Step::Settle { (40, 4_000) } else { (1, 60) };
            let record = record(state, terms.clone());
            let effects = apply(&params, &record, &bad.event(step), after(blocks.0, blocks.1)).unwrap();
            let closing = effects.closing.unwrap();
            prop_assert_eq!(closing.total(), Some(amount(locked)));
            prop_assert_eq!(closing.payouts.len(), 1);
            prop_assert_eq!(&closing.payouts[0].script, &script_of(payee));
            prop_assert_eq!(closing.payouts[0].amount, amount(paid));
            prop_assert_eq!((closing.to_fund, closing.burned), (amount(fund), amount(burned)));
        }
    }
}

fn units_of(amount: u128) -> Amount {
    units(u64::try_from(amount).unwrap())
}

/// The smallest rewards' prices: the least seat pay rules until `r = 2 p`.
#[test]
fn prices_follow_the_table_of_constants() {
    let jobs = Params::mainnet().jobs;
    for (reward, seat_pay) in [
        (0, 100_000),
        (200_000, 100_000),
        (200_001, 100_001),
        (200_003, 100_002),
    ] {
        let reward = units(reward);
        assert_eq!(jobs.seat_pay(reward), units(seat_pay));
        assert_eq!(jobs.min_stake(reward), Some(units(64 * seat_pay)));
        assert_eq!(
            jobs.audit_fee(reward, false),
            units((seat_pay * 220).div_ceil(1000))
        );
        assert_eq!(jobs.audit_fee(reward, true), Amount::ZERO);
    }
}
