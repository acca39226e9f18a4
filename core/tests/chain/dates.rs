//! Dates: extreme ones, future ones, and what can be gained by choosing them.

use super::forge::*;
use super::peer::*;
use super::support::*;
use camelid_core::block::{BlockHeader, CompactTarget, Work, genesis_block, required_bits};
use camelid_core::chain::{HeaderError, Submission};
use camelid_core::params::Params;
use camelid_core::primitives::{Height, Time, Timestamp};
use std::sync::Arc;

/// The driver's clock `seconds` after the genesis block.
fn clock(params: &Params, seconds: u64) -> Time {
    Time((u64::from(params.genesis_time.0) + seconds) * 1_000)
}

#[test]
fn extreme_dates_and_clocks_are_judged_and_nothing_more() {
    let params = network();
    let genesis = params.genesis_time.0;
    let dates = [
        0,
        1,
        genesis - 1,
        genesis,
        genesis + 1,
        i32::MAX.cast_unsigned(),
        i32::MAX.cast_unsigned() + 1,
        u32::MAX - 1,
        u32::MAX,
    ];
    let clocks = [
        Time(0),
        Time(u64::from(genesis) * 1_000),
        Time(i64::MAX.cast_unsigned() / 1_000),
        Time(i64::MAX.cast_unsigned()),
        Time(i64::MAX.cast_unsigned() + 1),
        Time(u64::MAX),
    ];
    for date in dates {
        for now in clocks {
            let mut chain = new_chain(&params, 1);
            let mut header = Forge::new(&params, 1).header(60);
            header.time = Timestamp(date);
            solve(&mut header);
            let allowed = now.timestamp().plus_seconds(7_200);
            let expected = if date <= genesis {
                Err(HeaderError::TooOld(date))
            } else if u64::from(date) > allowed {
                Err(HeaderError::TooFarAhead(date))
            } else {
                Ok(true)
            };
            assert_eq!(chain.submit_header(&header, now), expected, "{date} at {now:?}");
        }
    }
    // Behind the last date of all there is none: the chain ends, and nothing else happens.
    let mut chain = new_chain(&params, 1);
    let mut forge = Forge::new(&params, 1);
    for _ in 0..6 {
        let mut last = forge.solved(Timestamp(u32::MAX), camelid_core::primitives::Hash256([1; 32]));
        solve(&mut last);
        let outcome = chain.submit_header(&last, LATE);
        forge.tip = last;
        forge.height = forge.height.plus(1);
        if outcome.is_err() {
            assert_eq!(outcome, Err(HeaderError::TooOld(u32::MAX)));
            return;
        }
    }
    panic!("six headers with the last date are one too many");
}

#[test]
fn targets_follow_from_extreme_dates_without_overflow() {
    let params = Params::mainnet();
    let genesis = genesis_block(&params).header;
    for time in [0, 1, i32::MAX.cast_unsigned(), u32::MAX] {
        for height in [0, 1, i32::MAX.cast_unsigned(), u32::MAX] {
            let parent = BlockHeader {
                time: Timestamp(time),
                ..genesis
            };
            let bits = required_bits(&params, &parent, Height(height));
            assert_eq!(bits.target().unwrap().to_compact(), bits);
        }
    }
}

#[test]
fn a_block_from_the_future_is_welcome_when_its_time_has_come() {
    let params = network();
    let mut forge = Forge::new(&params, 1);
    // Two hours and one second ahead of the clock.
    let early = forge.block(7_200 + 61, &[]);
    let child = forge.block(7_200 + 62, &[]);
    let mut chain = new_chain(&params, 1);
    for _ in 0..3 {
        let refused = chain.submit_block(early.clone(), clock(&params, 60)).unwrap_err();
        assert_eq!(refused, HeaderError::TooFarAhead(early.header.time.0).into());
        let orphan = chain.submit_block(child.clone(), clock(&params, 60)).unwrap_err();
        assert_eq!(orphan, HeaderError::UnknownParent(early.header.hash()).into());
    }
    assert_eq!(chain.headers().len(), 1);
    let accepted = chain.submit_block(early.clone(), clock(&params, 61)).unwrap();
    assert!(matches!(accepted, Submission::Moved(_)));
    chain.submit_block(child.clone(), clock(&params, 62)).unwrap();
    assert_eq!(chain.tip(), child.header.hash());
}

/// The same through messages: the peer that came too early is listened to later.
#[test]
fn a_peer_may_offer_a_block_from_the_future_again() {
    let params = network();
    let early = Forge::new(&params, 1).block(7_200 + 61, &[]);
    let mut peer = Peer::new(&params, Work::default(), clock(&params, 60));
    peer.send_headers(&[early.header]);
    peer.send_block(&early);
    assert_eq!(peer.refusals.len(), 2, "{:?}", peer.refusals);
    assert!(
        peer.refusals
            .iter()
            .all(|reason| reason.contains("too far ahead"))
    );
    assert_eq!(peer.node.chain().height(), Height(0));
    peer.now = clock(&params, 61);
    peer.send_headers(&[early.header]);
    peer.send_block(&early);
    assert_eq!(peer.node.chain().tip(), early.header.hash());
    assert_eq!(peer.refusals.len(), 2);
}

/// Time for each of `count` blocks in thousandths of the spacing, for a network whose hash power is right
/// for the genesis target, if they are dated by `date`: of the height, the earliest date that is allowed and
/// the time, in seconds after the genesis block.
fn cost_permille(params: &Arc<Params>, count: u32, date: impl Fn(u32, u64, u64) -> u64) -> u64 {
    let hashes = |bits: CompactTarget| bits.target().unwrap().work().hashes();
    let mut parent = genesis_block(params).header;
    let spacing_ms = u64::from(params.spacing_s) * 1_000;
    let (mut times, mut now_ms) = (vec![0_u64], 0_u64);
    for height in 1..=count {
        let work = hashes(required_bits(params, &parent, Height(height - 1)));
        let took_ms = u128::from(spacing_ms) * work / hashes(params.genesis_bits);
        now_ms += u64::try_from(took_ms).unwrap();
        let now = now_ms / 1_000;
        let mut recent = times[times.len().saturating_sub(11)..].to_vec();
        recent.sort_unstable();
        let earliest = recent[recent.len() / 2] + 1;
        let dated = date(height, earliest, now).clamp(earliest, (now + 7_200).max(earliest));
        times.push(dated);
        parent.time = Timestamp(params.genesis_time.0 + u32::try_from(dated).unwrap());
    }
    now_ms * 1_000 / spacing_ms / u64::from(count)
}

/// Whoever has all the hash power and dates as it likes for 1,000 blocks does not get them for less
/// than two hours' worth of blocks less than honest dates would.
#[test]
fn timewarp_and_alternating_dates_for_1000_blocks_gain_nothing() {
    let params = Arc::new(Params {
        genesis_bits: CompactTarget(0x1b00_ffff),
        ..Params::mainnet()
    });
    let cost = |date: &dyn Fn(u32, u64, u64) -> u64| cost_permille(&params, 1_000, date);
    let honest = cost(&|_, _, now| now);
    assert!((999..=1_001).contains(&honest), "{honest}");
    let ahead_every = |period: u32| {
        cost(&move |height, _, _| {
            if height.is_multiple_of(period) {
                u64::MAX
            } else {
                0
            }
        })
    };
    // 120 blocks are two hours, which may be gained once; the rest is the price of going back.
    for period in [1, 2, 3, 11, 72, 500] {
        let permille = ahead_every(period);
        assert!(permille > 870, "{permille} permille of the time, every {period}");
    }
    // Dating back alone makes each block dearer than the one before.
    let back = cost(&|_, earliest, _| earliest);
    assert!(back > 100_000, "{back}");
}

/// 1,000 real headers with alternating dates: nodes take them, as long as each is after the median and not
/// too far ahead.
#[test]
fn a_chain_of_1000_alternating_dates_is_valid() {
    // 64 hashes a block at first.
    let params = asert_network(0x2003_ffff, 4_320);
    let mut forge = Forge::new(&params, 1);
    let mut chain = new_chain(&params, 1);
    let mut times = vec![0_u32];
    for height in 1..=1_000_u32 {
        let mut recent = times[times.len().saturating_sub(11)..].to_vec();
        recent.sort_unstable();
        let earliest = recent[recent.len() / 2] + 1;
        let now = 60 * height;
        let dated = if height.is_multiple_of(2) {
            now + 7_200
        } else {
            earliest
        };
        let header = forge.header(dated);
        times.push(dated);
        let too_old = BlockHeader {
            time: forge.date(earliest - 1),
            ..header
        };
        assert!(chain.submit_header(&too_old, clock(&params, now.into())).is_err());
        assert_eq!(chain.submit_header(&header, clock(&params, now.into())), Ok(true));
    }
    assert_eq!(
        chain.headers().height(&chain.headers().best()),
        Some(Height(1_000))
    );
}
