//! Drawing the seats of a committee.

use super::ticket::Ticket;
use crate::params::ChallengeSource;
use crate::primitives::{BlockHash, Hash256, JobId, Stream, sha256, tagged_hash};
use crate::tx::OutPoint;
use alloc::vec::Vec;

/// Seed of the draw for round `round` of `job`. `beacon` is the hash of the last block of the draw
/// window, which nobody knows before the claim is mined (hole H6).
pub fn beacon_seed(genesis: &BlockHash, job: &JobId, round: u8, beacon: &BlockHash) -> Hash256 {
    tagged_hash("camelid/beacon", &(genesis, job, round, beacon))
}

/// Names the round that record `seq` of `job` began, about the engagement with bond `bond`, with its
/// beacon block. Votes are bound to it: nothing cast on one branch means anything on another.
pub fn round_id(
    genesis: &BlockHash,
    (job, seq): (&JobId, u32),
    bond: &OutPoint,
    beacon: &BlockHash,
) -> Hash256 {
    tagged_hash("camelid/round", &(genesis, job, seq, bond, beacon))
}

/// Draws `seats` of the `eligible` tickets without replacement: draw `i` takes the one at index
/// `u64_le(SHA-256(seed ‖ i)) mod remaining`, `i` in 4 bytes little-endian. Nobody when there are
/// not enough.
///
/// `eligible` must be in one order for everybody (by outpoint). The bias of the remainder is under
/// 2^-40 for fewer than 2^24 tickets.
pub fn draw<'a>(seed: &Hash256, mut eligible: Vec<&'a Ticket>, seats: u32) -> Vec<&'a Ticket> {
    if eligible.len() < seats as usize {
        return Vec::new();
    }
    let mut drawn = Vec::new();
    for number in 0..seats {
        let mut preimage = Vec::from(seed.0);
        preimage.extend(number.to_le_bytes());
        let remaining = eligible.len() as u64;
        let Some(index) = sha256(&preimage).to_u64().checked_rem(remaining) else {
            return drawn;
        };
        drawn.push(eligible.remove(usize::try_from(index).unwrap_or(0)));
    }
    drawn
}

/// Where the committee with beacon seed `seed` draws the positions of a sampled specification from:
/// all its seats check the same ones.
pub fn challenge_stream(source: ChallengeSource, job: &JobId, seed: &Hash256) -> Stream {
    let seed = match source {
        ChallengeSource::Beacon => seed.to_u64(),
        ChallengeSource::Job => Hash256(job.0).to_u64(),
    };
    Stream::new(seed, "challenge")
}
