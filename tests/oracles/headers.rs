//! Headers, compact targets and work against the `bitcoin` crate.
#![allow(clippy::unwrap_used)]

use bitcoin::hashes::Hash as _;
use bitcoin::{
    BlockHash as OracleHash, CompactTarget as OracleCompact, Target as OracleTarget, TxMerkleNode,
};
use camelid_core::block::{BlockHeader, CompactTarget, TargetError, Work};
use camelid_core::primitives::{BlockHash, Hash256, Timestamp, encode};
use proptest::prelude::*;

type OracleHeader = bitcoin::block::Header;

fn oracle(header: &BlockHeader) -> OracleHeader {
    OracleHeader {
        version: bitcoin::block::Version::from_consensus(header.version.cast_signed()),
        prev_blockhash: OracleHash::from_byte_array(header.previous.0),
        merkle_root: TxMerkleNode::from_byte_array(header.merkle_root.0),
        time: header.time.0,
        bits: OracleCompact::from_consensus(header.bits.0),
        nonce: header.nonce,
    }
}

fn header() -> impl Strategy<Value = BlockHeader> {
    any::<(u32, [u8; 32], [u8; 32], u32, u32, u32)>().prop_map(
        |(version, previous, merkle_root, time, bits, nonce)| BlockHeader {
            version,
            previous: BlockHash(previous),
            merkle_root: Hash256(merkle_root),
            time: Timestamp(time),
            bits: CompactTarget(bits),
            nonce,
        },
    )
}

/// The target 1, little-endian.
const ONE: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

/// Bits of every size, with mantissas at the edges: zero, the sign bit, non-canonical zeros in front.
fn bits() -> impl Strategy<Value = u32> {
    let mantissa = prop_oneof![
        any::<u32>().prop_map(|bits| bits & 0x00ff_ffff),
        prop::sample::select(vec![
            0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7f_ffff, 0x80_0000, 0x80_0001,
            0xff_ffff,
        ]),
    ];
    (prop_oneof![0u32..=36, 250u32..=255], mantissa).prop_map(|(size, mantissa)| (size << 24) | mantissa)
}

fn work_of(bits: u32) -> Work {
    CompactTarget(bits).target().unwrap().work()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn headers_encode_and_hash_alike(header in header()) {
        let oracle = oracle(&header);
        let bytes = encode(&header);
        prop_assert_eq!(bytes.len(), BlockHeader::BYTES);
        prop_assert_eq!(&bytes, &bitcoin::consensus::serialize(&oracle));
        prop_assert_eq!(header.hash().0, oracle.block_hash().to_byte_array());
        prop_assert_eq!(header.hash().to_string(), oracle.block_hash().to_string());
    }

    #[test]
    fn proofs_of_work_are_judged_alike(header in header(), bits in bits()) {
        // At most a few thousand hashes of work, so that both answers occur.
        let header = BlockHeader { bits: CompactTarget(bits), ..header };
        let oracle = oracle(&header);
        if header.bits.target().is_ok() {
            let accepted = oracle.validate_pow(oracle.target()).is_ok();
            prop_assert_eq!(header.check_work().is_ok(), accepted);
        } else {
            prop_assert!(header.check_work().is_err());
        }
    }

    #[test]
    fn compact_targets_expand_and_contract_alike(bits in bits()) {
        let expected = OracleTarget::from_compact(OracleCompact::from_consensus(bits));
        match CompactTarget(bits).target() {
            Ok(target) => {
                prop_assert_eq!(target.to_le_bytes(), expected.to_le_bytes());
                prop_assert_eq!(target.to_compact().0, expected.to_compact_lossy().to_consensus());
                // The oracle saturates at targets of 1; Bitcoin Core's formula gives 2^256 / 2 there.
                if target.to_le_bytes() != ONE {
                    prop_assert_eq!(target.work().to_le_bytes(), expected.to_work().to_le_bytes());
                }
                // The compact form of what a compact form stands for stands for the same.
                prop_assert_eq!(target.to_compact().target(), Ok(target));
            }
            // Where Bitcoin Core sets a flag, the oracle answers zero or, on an overflow, cuts off.
            // In one or two bytes it takes the sign bit for part of the number, which Core does not.
            Err(TargetError::Zero | TargetError::Negative) if bits >> 24 < 3 && bits & 0x0080_0000 != 0 => {}
            Err(TargetError::Zero | TargetError::Negative) => {
                prop_assert_eq!(expected, OracleTarget::ZERO);
            }
            Err(error) => prop_assert_eq!(error, overflow_by_the_book(bits).unwrap()),
        }
        prop_assert_eq!(CompactTarget(bits).target().is_err(), refused_by_the_book(bits));
    }

    #[test]
    fn work_adds_up_alike(one in 0x0300_0002u32..0x037f_ffff, two in 0x1d00_0001u32..0x1d7f_ffff) {
        let oracle = |bits| OracleTarget::from_compact(OracleCompact::from_consensus(bits)).to_work();
        let sum = work_of(one).plus(&work_of(two));
        prop_assert_eq!(sum.to_le_bytes(), (oracle(one) + oracle(two)).to_le_bytes());
        prop_assert_eq!(work_of(one) > work_of(two), oracle(one) > oracle(two));
    }
}

/// Bitcoin Core's `fOverflow` (`arith_uint256::SetCompact`).
fn overflow_by_the_book(bits: u32) -> Option<TargetError> {
    let (size, word) = (bits >> 24, bits & 0x007f_ffff);
    let overflows = word != 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32));
    overflows.then_some(TargetError::Overflow)
}

/// What `CheckProofOfWork` refuses: `fNegative`, zero, `fOverflow`.
fn refused_by_the_book(bits: u32) -> bool {
    let (size, mut word) = (bits >> 24, bits & 0x007f_ffff);
    if size <= 3 {
        word >>= 8 * (3 - size);
    }
    let negative = word != 0 && bits & 0x0080_0000 != 0;
    word == 0 || negative || overflow_by_the_book(bits).is_some()
}

fn hash(displayed: &str) -> [u8; 32] {
    displayed.parse::<OracleHash>().unwrap().to_byte_array()
}

/// The genesis block, and block 125,552, which Bitcoin's documentation takes as its example.
#[test]
fn bitcoins_own_blocks_check_out() {
    let genesis = BlockHeader {
        version: 1,
        previous: BlockHash([0; 32]),
        merkle_root: Hash256(hash(
            "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        )),
        time: Timestamp(1_231_006_505),
        bits: CompactTarget(0x1d00_ffff),
        nonce: 2_083_236_893,
    };
    let block_125552 = BlockHeader {
        version: 1,
        previous: BlockHash(hash(
            "00000000000008a3a41b85b8b29ad444def299fee21793cd8b9e567eab02cd81",
        )),
        merkle_root: Hash256(hash(
            "2b12fcf1b09288fcaff797d71e950e71ae42b91e8bdb2304758dfcffc2b620e3",
        )),
        time: Timestamp(1_305_998_791),
        bits: CompactTarget(0x1a44_b9f2),
        nonce: 2_504_433_986,
    };
    let known = [
        (
            genesis,
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        ),
        (
            block_125552,
            "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d",
        ),
    ];
    for (header, displayed) in known {
        assert_eq!(header.hash().to_string(), displayed);
        assert_eq!(header.check_work(), Ok(()));
        let missed = BlockHeader {
            nonce: header.nonce + 1,
            ..header
        };
        assert_eq!(missed.check_work(), Err(TargetError::Missed));
    }
}

#[test]
fn a_hash_may_equal_its_target_and_no_more() {
    let target = CompactTarget(0x1d00_ffff).target().unwrap();
    let mut hash = target.to_le_bytes();
    assert!(target.is_met_by(&BlockHash(hash)));
    hash[0] = 1;
    assert!(!target.is_met_by(&BlockHash(hash)));
}
