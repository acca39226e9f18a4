//! Targets: which one a header must carry, and what it is worth.

use super::forge::*;
use super::support::*;
use camelid_core::block::{BlockHeader, CompactTarget, TargetError, Work, required_bits};
use camelid_core::chain::HeaderError;
use camelid_core::primitives::{BlockHash, Timestamp};

/// 256 hashes a block.
const MEDIUM: u32 = 0x2000_ffff;

fn total_work(headers: &[BlockHeader]) -> Work {
    let works = headers.iter().map(|header| header.bits.target().unwrap().work());
    works.fold(Work::default(), |sum, work| sum.plus(&work))
}

#[test]
fn ten_easy_blocks_lose_against_nine_hard_ones() {
    let params = asert_network(MEDIUM, 240);
    // Twenty minutes for each block make them as easy as they get, a second for each ever harder.
    let (mut slow, mut fast) = (Forge::new(&params, 1), Forge::new(&params, 2));
    let easy: Vec<_> = (1..=10).map(|n| slow.block(1_200 * n, &[])).collect();
    let hard: Vec<_> = (1..=9).map(|n| fast.block(n, &[])).collect();
    let work = |blocks: &[std::sync::Arc<_>]| {
        let headers: Vec<BlockHeader> = blocks
            .iter()
            .map(|block: &std::sync::Arc<camelid_core::block::Block>| block.header)
            .collect();
        total_work(&headers)
    };
    assert!(work(&easy) < work(&hard[..2]), "the easy ones are easy");
    for order in [[&easy, &hard], [&hard, &easy]] {
        let mut chain = new_chain(&params, 1);
        for block in order.into_iter().flatten() {
            chain.submit_block(block.clone(), LATE).unwrap();
        }
        assert_eq!(chain.tip(), hard[8].header.hash());
        assert_eq!(chain.headers().best(), hard[8].header.hash());
    }
    // As headers alone, too: bodies are fetched for the hard ones.
    let mut chain = new_chain(&params, 1);
    for block in easy.iter().chain(&hard) {
        chain.submit_header(&block.header, LATE).unwrap();
    }
    let wanted: Vec<BlockHash> = hard.iter().map(|block| block.header.hash()).collect();
    assert_eq!(chain.missing_bodies(chain.headers().best(), 16), wanted);
}

#[test]
fn a_header_carries_the_required_target_and_no_other_form_of_it() {
    let params = asert_network(MEDIUM, 4_320);
    let mut forge = Forge::new(&params, 1);
    let first = forge.header(60);
    let others = [
        // The sign bit, with and without anything else.
        0x2080_ffff,
        0x0080_0000,
        // More than 256 bits.
        0x2101_0000,
        0x2300_0001,
        0xff00_ffff,
        // Zero, in several ways.
        0,
        0x2000_0000,
        0x0100_00ff,
        0x0300_0000,
        // The same number with a zero in front, or above the limit, or next to it.
        0x2100_00ff,
        0x207f_ffff,
        0x2100_ffff,
        0x2000_fffe,
        0x2001_0000,
        // Harder than asked for.
        0x1d00_ffff,
    ];
    for bits in others {
        let mut chain = new_chain(&params, 1);
        let header = BlockHeader {
            bits: CompactTarget(bits),
            ..first
        };
        assert_eq!(
            chain.submit_header(&header, LATE),
            Err(HeaderError::WrongBits),
            "{bits:#x}"
        );
        assert_eq!(chain.submit_header(&first, LATE), Ok(true));
    }
    // A target never leaves its limits, whatever the date says.
    let limit = CompactTarget(0x207f_ffff);
    let hardest = CompactTarget(0x0101_0000);
    let after = |seconds: u32, height: u32| {
        let parent = BlockHeader {
            time: Timestamp(seconds),
            ..first
        };
        required_bits(&params, &parent, camelid_core::primitives::Height(height))
    };
    assert_eq!(after(u32::MAX, 1), limit);
    assert_eq!(after(0, u32::MAX), hardest);
}

#[test]
fn targets_of_no_use_are_no_targets() {
    let cases = [
        (0x1d80_ffff, TargetError::Negative),
        (0x0180_0000, TargetError::Zero),
        (0x2101_0000, TargetError::Overflow),
        (0x2200_0100, TargetError::Overflow),
        (0x2300_0001, TargetError::Overflow),
        (0x0000_0000, TargetError::Zero),
        (0x0200_00ff, TargetError::Zero),
    ];
    for (bits, error) in cases {
        assert_eq!(CompactTarget(bits).target(), Err(error), "{bits:#x}");
    }
    // The largest that fits.
    assert!(CompactTarget(0x2100_ffff).target().is_ok());
}

#[test]
fn a_hash_may_equal_its_target_and_no_more() {
    for bits in [0x1d00_ffff_u32, 0x207f_ffff, 0x0101_0000] {
        let target = CompactTarget(bits).target().unwrap();
        let mut hash = target.to_le_bytes();
        assert!(target.is_met_by(&BlockHash(hash)));
        // One more: the carry goes through the bytes.
        let mut carry = true;
        for byte in &mut hash {
            (*byte, carry) = byte.overflowing_add(u8::from(carry));
        }
        assert!(!carry);
        assert!(!target.is_met_by(&BlockHash(hash)), "{bits:#x}");
    }
}

/// A header whose work falls short is refused and not remembered: another nonce makes it good.
#[test]
fn a_header_without_its_work_is_refused() {
    let params = asert_network(MEDIUM, 4_320);
    let good = Forge::new(&params, 1).header(60);
    let mut chain = new_chain(&params, 1);
    let mut missed = good;
    missed.nonce = missed.nonce.wrapping_add(1);
    while missed.check_work().is_ok() {
        missed.nonce = missed.nonce.wrapping_add(1);
    }
    let refused = chain.submit_header(&missed, LATE);
    assert_eq!(refused, Err(HeaderError::Work(TargetError::Missed)));
    assert_eq!(chain.headers().len(), 1);
    assert_eq!(chain.submit_header(&good, LATE), Ok(true));
}
