//! What holds for all records: time leads out of every state, and money is neither made nor lost.

use super::support::*;
use super::*;
use proptest::prelude::*;

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
