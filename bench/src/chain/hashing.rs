//! Proof of work: the midstate beside whole hashes.

use crate::table::{Table, contender};
use bitcoin::hashes::{Hash as _, sha256d};
use camelid_core::block::{BlockHeader, CompactTarget, search};
use camelid_core::primitives::{BlockHash, Hash256, Timestamp, encode};
use sha2::{Digest as _, Sha256};
use std::hint::black_box;

const HASHES: u32 = 200_000;

pub(crate) fn run(table: &mut Table) {
    let header = BlockHeader {
        version: 1,
        previous: BlockHash([1; 32]),
        merkle_root: Hash256([2; 32]),
        time: Timestamp(3),
        bits: CompactTarget(0x0300_0001), // out of reach
        nonce: 0,
    };
    let target = header.bits.target().expect("the least target");
    let bytes: [u8; BlockHeader::BYTES] = encode(&header).try_into().expect("80 bytes");
    // The same loop for both: write the nonce, hash, look at the end of the hash.
    let whole = |hash: &dyn Fn(&[u8]) -> [u8; 32]| {
        let mut bytes = bytes;
        let met = (0..HASHES).any(|nonce| {
            bytes[76..].copy_from_slice(&nonce.to_le_bytes());
            hash(&bytes)[20..] == [0; 12]
        });
        assert!(!met);
    };
    let [midstate, plain, peer] = table.compare(
        "hash a header",
        (9, HASHES),
        [
            contender("camelid-core, from the midstate", || {
                assert_eq!(search(black_box(&header), &target, 0..=HASHES - 1), None);
            }),
            contender("sha2, all 80 bytes twice", || {
                whole(&|bytes| Sha256::digest(Sha256::digest(bytes)).into());
            }),
            contender("bitcoin_hashes::sha256d", || {
                whole(&|bytes| sha256d::Hash::hash(bytes).to_byte_array());
            }),
        ],
    );
    table.require("the midstate against plain sha2", 1.15, (midstate, plain));
    table.require("plain sha2 against bitcoin_hashes", 0.5, (plain, peer));
}
