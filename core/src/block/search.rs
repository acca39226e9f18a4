//! Looking for the nonce of a header.

use super::header::BlockHeader;
use super::target::Target;
use crate::primitives::{BlockHash, encode};
use core::ops::RangeInclusive;
use sha2::block_api::compress256;

/// The first of `nonces` with which `header` meets `target`.
///
/// A header is 80 bytes and SHA-256 works on 64 at a time, so all nonces share the state after the first
/// block (the *midstate*), and each costs two compressions instead of three.
pub fn search(header: &BlockHeader, target: &Target, nonces: RangeInclusive<u32>) -> Option<u32> {
    let work = Midstate::of(header);
    nonces
        .into_iter()
        .find(|nonce| target.is_met_by(&work.hash(*nonce)))
}

/// SHA-256's initial state (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// Where the nonce stands in the header's second block.
const NONCE_AT: usize = 76 - 64;

/// A header without its nonce.
struct Midstate {
    state: [u32; 8],
    /// The last 16 bytes and the padding of an 80-byte message.
    second: [u8; 64],
}

impl Midstate {
    fn of(header: &BlockHeader) -> Self {
        let bytes = encode(header);
        let (first, rest) = bytes.split_at(64);
        let (mut state, mut block) = (INITIAL, [0; 64]);
        block.copy_from_slice(first);
        compress256(&mut state, &[block]);
        let second = padded(rest, BlockHeader::BYTES);
        Self { state, second }
    }

    fn hash(&self, nonce: u32) -> BlockHash {
        let (mut inner, mut block) = (self.state, self.second);
        block[NONCE_AT..NONCE_AT + 4].copy_from_slice(&nonce.to_le_bytes());
        compress256(&mut inner, &[block]);
        let mut outer = INITIAL;
        compress256(&mut outer, &[padded(&to_bytes(&inner), 32)]);
        BlockHash(to_bytes(&outer))
    }
}

/// The last block of a message of `length` bytes whose last `rest`, at most 55, are left for it.
fn padded(rest: &[u8], length: usize) -> [u8; 64] {
    let mut block = [0; 64];
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x80;
    block[56..].copy_from_slice(&(8 * length as u64).to_be_bytes());
    block
}

fn to_bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *chunk = word.to_be_bytes();
    }
    bytes
}
