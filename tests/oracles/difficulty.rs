//! ASERT against big integers, and against what is published about aserti3-2d.
#![allow(clippy::unwrap_used)]

use camelid_core::block::{
    BlockHeader, CompactTarget, Difficulty, Target, asert, genesis_block, required_bits,
};
use camelid_core::params::Params;
use camelid_core::primitives::{Height, Timestamp};
use num_bigint::{BigInt, BigUint};
use proptest::prelude::*;

/// The definition, in numbers without a size: `anchor × 2^(late / half-life)` with the exponent cut off
/// towards zero after 16 binary digits and the power approximated by the specification's cubic.
fn oracle(anchor: &BigUint, late_s: i128, half_life_s: u32, limit: &BigUint) -> BigUint {
    let radix = BigInt::from(65_536);
    // `BigInt` divides towards zero, like C.
    let exponent = BigInt::from(late_s) * &radix / BigInt::from(half_life_s);
    let mut whole = &exponent / &radix;
    let mut fraction = &exponent % &radix;
    if fraction < BigInt::from(0) {
        whole -= 1;
        fraction += &radix;
    }
    let cubic = BigInt::from(195_766_423_245_049_u64) * &fraction
        + BigInt::from(971_821_376) * fraction.pow(2)
        + BigInt::from(5_127) * fraction.pow(3)
        + BigInt::from(1_u64 << 47);
    let factor = (cubic / BigInt::from(1_u64 << 48) + &radix).to_biguint().unwrap();
    // Beyond these the answer is the limit or 1, whatever the anchor.
    let whole = i64::try_from(whole.clamp(BigInt::from(-600), BigInt::from(600))).unwrap();
    let product = anchor * factor;
    let scaled = match whole.cast_unsigned().checked_sub(16) {
        Some(left) if whole >= 16 => product << left,
        _ => product >> (16 - whole).cast_unsigned(),
    };
    scaled.clamp(BigUint::from(1_u8), limit.clone())
}

fn number(target: Target) -> BigUint {
    BigUint::from_bytes_le(&target.to_le_bytes())
}

fn target(bits: u32) -> Target {
    CompactTarget(bits).target().unwrap()
}

/// Canonical targets of every size, with mantissas at the edges.
fn bits() -> impl Strategy<Value = u32> {
    let mantissa = prop_oneof![
        0x00_8000_u32..=0x7f_ffff,
        prop::sample::select(vec![
            0x00_8000, 0x00_8001, 0x00_ffff, 0x01_0000, 0x7f_fffe, 0x7f_ffff
        ]),
    ];
    (1_u32..=32, mantissa).prop_filter_map("a target of zero", |(size, mantissa)| {
        CompactTarget(size << 24 | mantissa)
            .target()
            .ok()
            .map(|target| target.to_compact().0)
    })
}

/// Seconds late: any, near multiples of the half-life, and around zero.
fn late(half_life_s: u32) -> impl Strategy<Value = i128> {
    let half_life = i128::from(half_life_s);
    prop_oneof![
        4 => (-300 * half_life)..=(300 * half_life),
        2 => (-300_i128..=300, -2_i128..=2).prop_map(move |(times, off)| times * half_life + off),
        1 => -70_000_i128..=70_000,
        1 => any::<i64>().prop_map(i128::from),
        1 => prop::sample::select(vec![0, 1, -1, i128::from(i64::MAX), i128::from(i64::MIN), i128::MAX, i128::MIN]),
    ]
}

fn half_life() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(4_320),
        Just(172_800),
        1_u32..=1_000_000,
        Just(1),
        Just(u32::MAX)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn targets_are_those_of_big_integers(
        (half_life_s, late_s) in half_life().prop_flat_map(|half_life| (Just(half_life), late(half_life))),
        anchor in bits(),
        limit in bits(),
    ) {
        let (anchor, limit) = (target(anchor), target(limit));
        // The oracle multiplies before it clamps, so its numbers need an end.
        let bounded = late_s.clamp(-(1 << 90), 1 << 90);
        let expected = oracle(&number(anchor), bounded, half_life_s, &number(limit));
        prop_assert_eq!(number(asert(anchor, late_s, half_life_s, limit)), expected);
    }

    /// The rule for headers: the parent's place alone decides, whatever came before it.
    #[test]
    fn headers_follow_the_rule(
        time in any::<u32>(),
        height in any::<u32>(),
        spacing_s in prop_oneof![Just(60), 1_u32..=86_400, Just(u32::MAX)],
        half_life_s in half_life(),
        anchor in bits(),
        limit in bits(),
    ) {
        let limit = if target(limit) < target(anchor) { anchor } else { limit };
        let params = Params {
            genesis_bits: CompactTarget(anchor),
            difficulty: Difficulty::Asert { half_life_s, limit: CompactTarget(limit) },
            spacing_s,
            ..Params::mainnet()
        };
        prop_assert_eq!(params.check(), Ok(()));
        let parent = BlockHeader { time: Timestamp(time), ..genesis_block(&params).header };
        let late_s = i128::from(time) - i128::from(params.genesis_time.0)
            - i128::from(spacing_s) * i128::from(height);
        let expected = oracle(&number(target(anchor)), late_s, half_life_s, &number(target(limit)));
        let bits = required_bits(&params, &parent, Height(height));
        // The compact form rounds down to 23 or 16 bits, and headers can carry it.
        let got = number(bits.target().unwrap());
        prop_assert!(got <= expected);
        prop_assert!(got.bits() == expected.bits() && (&expected - &got) << 15_u8 <= expected);
        prop_assert_eq!(bits.target().unwrap().to_compact(), bits);
    }

    /// The cubic is within 0.013 % of the power of two, as its authors say.
    #[test]
    fn a_fraction_of_a_half_life_is_nearly_exact(late_s in 0_i128..65_536) {
        let anchor = target(0x1b00_ffff);
        let scaled = number(asert(anchor, late_s, 65_536, target(0x1d00_ffff)));
        #[allow(clippy::cast_precision_loss)] // sixteen bits
        let power = (late_s as f64 / 65_536.0).exp2();
        let ratio = |number: &BigUint| number.to_string().parse::<f64>().unwrap();
        let relative = ratio(&scaled) / ratio(&number(anchor)) / power - 1.0;
        prop_assert!(relative.abs() < 0.000_13, "{relative}");
    }
}

#[test]
fn the_edges() {
    let limit = target(0x1d00_ffff);
    let (one, anchor) = (target(0x0101_0000), target(0x1b00_ffff));
    let cases = [
        // At the anchor, and on schedule ever after.
        (anchor, 0, anchor),
        // One half-life late, and one early: exactly twice and half.
        (anchor, 4_320, target(0x1b01_fffe)),
        (anchor, -4_320, target(0x1a7f_ff80)),
        // At the limit and beyond it, up to where the product would leave 256 bits.
        (limit, 0, limit),
        (limit, 1, limit),
        (anchor, 16 * 4_320, limit),
        (anchor, 256 * 4_320, limit),
        (anchor, i128::MAX, limit),
        // Never zero.
        (anchor, -600 * 4_320, one),
        (anchor, i128::MIN, one),
        (one, -1, one),
        (one, -4_320, one),
        (one, 4_320, target(0x0102_0000)),
    ];
    for (anchor, late_s, expected) in cases {
        assert_eq!(
            asert(anchor, late_s, 4_320, limit),
            expected,
            "{anchor:?} {late_s}"
        );
    }
    // The largest compact target as an anchor: the product has 272 bits.
    let largest = target(0x207f_ffff);
    assert_eq!(asert(largest, 4_319, 4_320, largest), largest);
    let half = asert(largest, -4_320, 4_320, largest);
    assert_eq!(half.to_compact(), CompactTarget(0x203f_ffff));
}

/// A run of the test vectors that Bitcoin Cash's developers publish with the specification
/// (`test_vectors/aserti3-2d` in Bitcoin Cash Node's `qa-assets`): 600 s between blocks, a half-life
/// of two days, and an anchor whose parent has a given time. Each row is a block and the target that
/// comes after it.
fn run(anchor_bits: u32, parent_time: i128, rows: impl IntoIterator<Item = (i128, i128, u32)>) {
    for (blocks_after_anchor, time, bits) in rows {
        let late_s = time - parent_time - 600 * (blocks_after_anchor + 1);
        let next = asert(target(anchor_bits), late_s, 172_800, target(0x1d00_ffff));
        assert_eq!(
            next.to_compact(),
            CompactTarget(bits),
            "after {blocks_after_anchor} blocks"
        );
    }
}

#[test]
fn published_vectors_from_the_smallest_target_to_the_limit() {
    // Run 4: each block comes a half-life late, and each target is twice the one before.
    let doubled = |step: u32| {
        let bit = step + 1;
        let (size, mantissa) = (bit / 8 + 1, 1_u32 << (bit % 8));
        match mantissa {
            0x80 => (size + 1) << 24 | 0x8000,
            _ => size << 24 | mantissa << 16,
        }
    };
    let rows = (0..=224_u32).map(|step| {
        let bits = if step < 223 { doubled(step) } else { 0x1d00_ffff };
        (i128::from(step) + 1, 174_000 + 173_400 * i128::from(step), bits)
    });
    assert_eq!(
        [doubled(0), doubled(6), doubled(222)],
        [0x0102_0000, 0x0200_8000, 0x1d00_8000]
    );
    run(0x0101_0000, 0, rows);
    // Run 3: on schedule at the smallest target. Run 1: on schedule at the limit.
    let on_schedule = |bits| (1..=10).map(move |blocks| (blocks, 600 * (blocks + 1), bits));
    run(0x0101_0000, 0, on_schedule(0x0101_0000));
    run(0x1d00_ffff, 0, on_schedule(0x1d00_ffff));
}

#[test]
fn published_vectors_from_the_limit_to_the_smallest_target() {
    // Run 5: 288 blocks at a time without any time passing.
    let halved = [
        (0, 0x1d00_fec5),
        (1, 0x1c7f_62c0),
        (2, 0x1c3f_b160),
        (3, 0x1c1f_d8b0),
        (4, 0x1c0f_ec58),
        (5, 0x1c07_f62c),
        (6, 0x1c03_fb16),
        (7, 0x1c01_fd8b),
        (8, 0x1c00_fec5),
        (9, 0x1b7f_62c0),
        (201, 0x037f_62c0),
        (207, 0x0301_fd8b),
        (208, 0x0300_fec5),
        (209, 0x027f_6200),
        (216, 0x0200_fe00),
        (217, 0x017f_0000),
        (222, 0x0103_0000),
        (223, 0x0101_0000),
        (224, 0x0101_0000),
    ];
    run(
        0x1d00_ffff,
        0,
        halved.map(|(step, bits)| (1 + 288 * step, 0, bits)),
    );
}

#[test]
fn published_vectors_of_irregular_blocks() {
    // Run 7: the first forty blocks of a growing network.
    let rows = [
        (1200, 0x1802_aee8),
        (1310, 0x1802_ad91),
        (1327, 0x1802_abf8),
        (1739, 0x1802_ab73),
        (2219, 0x1802_ab20),
        (2604, 0x1802_aa89),
        (2746, 0x1802_a94b),
        (7099, 0x1802_b39c),
        (7099, 0x1802_b1f2),
        (7657, 0x1802_b1d4),
        (8141, 0x1802_b181),
        (8236, 0x1802_b01c),
        (8644, 0x1802_af93),
        (9230, 0x1802_af8b),
        (9691, 0x1802_af28),
        (9708, 0x1802_ad8f),
        (10327, 0x1802_ad9c),
        (10899, 0x1802_ad88),
        (11478, 0x1802_ad7b),
        (11548, 0x1802_ac07),
        (12701, 0x1802_ad89),
        (12849, 0x1802_ac4d),
        (13186, 0x1802_ab95),
        (13319, 0x1802_aa4e),
        (13494, 0x1802_a925),
        (13540, 0x1802_a7a4),
        (13726, 0x1802_a684),
        (13764, 0x1802_a4fd),
        (13787, 0x1802_a36d),
        (14159, 0x1802_a2cf),
        (14203, 0x1802_a14e),
        (14474, 0x1802_a06d),
        (14582, 0x1802_9f19),
        (14741, 0x1802_9dea),
        (14971, 0x1802_9ceb),
        (15181, 0x1802_9be0),
        (15402, 0x1802_9adf),
        (15886, 0x1802_9a8e),
        (16041, 0x1802_995f),
        (16219, 0x1802_983e),
    ];
    run(
        0x1802_aee8,
        0,
        (1..).zip(rows).map(|(blocks, (time, bits))| (blocks, time, bits)),
    );
    // Run 10: blocks of 900 s across the largest signed 32-bit time.
    let late = [
        0x1802_afbb,
        0x1802_b08f,
        0x1802_b166,
        0x1802_b23a,
        0x1802_b30e,
        0x1802_b3e5,
        0x1802_b4bb,
        0x1802_b592,
        0x1802_b669,
        0x1802_b73d,
    ];
    let rows = (0..).zip(late);
    run(
        0x1802_aee8,
        2_147_483_047,
        rows.map(|(step, bits)| (1 + step, 2_147_484_547 + 900 * step, bits)),
    );
}
