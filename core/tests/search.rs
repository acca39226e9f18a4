//! The search for a nonce finds what hashing every header finds.
#![allow(clippy::unwrap_used)]

use camelid_core::block::{BlockHeader, CompactTarget, search};
use camelid_core::primitives::{BlockHash, Hash256, Timestamp};
use proptest::prelude::*;

fn header() -> impl Strategy<Value = BlockHeader> {
    (any::<u32>(), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>()).prop_map(
        |(version, previous, root, time)| BlockHeader {
            version,
            previous: BlockHash(previous),
            merkle_root: Hash256(root),
            time: Timestamp(time),
            bits: CompactTarget(0x2000_ffff), // one in 256
            nonce: 0,
        },
    )
}

proptest! {
    #[test]
    fn the_first_nonce_that_meets_the_target_is_found(header in header(), first: u32, count in 0..600u32) {
        let nonces = first..=first.saturating_add(count);
        let solves = |nonce: &u32| BlockHeader { nonce: *nonce, ..header }.check_work().is_ok();
        let found = search(&header, &header.bits.target().unwrap(), nonces.clone());
        prop_assert_eq!(found, nonces.clone().find(solves));
        // The nonce that is in the header already does not matter.
        let other = BlockHeader { nonce: first, ..header };
        prop_assert_eq!(search(&other, &header.bits.target().unwrap(), nonces), found);
    }
}

/// Bitcoin's genesis block, of which everybody knows the nonce.
#[test]
fn bitcoins_first_block_is_mined_again() {
    let mut root = [0; 32];
    let text = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
    for (index, byte) in root.iter_mut().rev().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
    }
    let header = BlockHeader {
        version: 1,
        previous: BlockHash([0; 32]),
        merkle_root: Hash256(root),
        time: Timestamp(1_231_006_505),
        bits: CompactTarget(0x1d00_ffff),
        nonce: 0,
    };
    let (target, nonce) = (header.bits.target().unwrap(), 2_083_236_893);
    assert_eq!(
        search(&header, &target, nonce - 1_000..=nonce + 1_000),
        Some(nonce)
    );
    assert_eq!(search(&header, &target, nonce + 1..=nonce + 1_000), None);
    assert_eq!(search(&header, &target, u32::MAX..=u32::MAX), None);
}
