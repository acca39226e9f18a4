//! A fingerprint of a set that is kept up to date in constant time.

use super::hash::{Digest, tagged_hash};
use borsh::{BorshDeserialize, BorshSerialize};

/// The sum of the hashes of a set's elements, in four 64-bit lanes.
///
/// It serves to notice that two states differ by accident or by a bug. It is no commitment: an
/// adversary who chooses the elements can make two sets collide, so consensus never rests on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SetDigest([u64; 4]);

impl SetDigest {
    /// Adds an element (one that is not in the set).
    pub fn insert<T: BorshSerialize + ?Sized>(&mut self, element: &T) {
        self.combine(element, u64::wrapping_add);
    }

    /// Takes an element out (one that is in the set).
    pub fn remove<T: BorshSerialize + ?Sized>(&mut self, element: &T) {
        self.combine(element, u64::wrapping_sub);
    }

    fn combine<T: BorshSerialize + ?Sized>(&mut self, element: &T, operation: fn(u64, u64) -> u64) {
        let hash = tagged_hash("camelid/set-element", element);
        for (lane, bytes) in self.0.iter_mut().zip(hash.0.as_chunks::<8>().0) {
            *lane = operation(*lane, u64::from_le_bytes(*bytes));
        }
    }

    /// The fingerprint.
    pub fn digest(&self) -> Digest {
        let mut bytes = [0; 32];
        for (chunk, lane) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *chunk = lane.to_le_bytes();
        }
        Digest(bytes)
    }
}
