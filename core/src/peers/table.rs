//! Where an address may stand: one place in each table, which its finder cannot choose.

use super::group::NetGroup;
use crate::primitives::{Stream, tagged_hash};
use crate::wire::NetAddress;
use alloc::collections::BTreeMap;

/// Buckets of addresses that are hearsay.
pub const NEW_BUCKETS: u16 = 256;
/// Buckets of addresses that have answered.
pub const TRIED_BUCKETS: u16 = 64;
/// Addresses in a bucket.
pub const SLOTS: u16 = 64;
/// Buckets that all that is told by one group lands in.
pub const SOURCE_NEW_BUCKETS: u16 = 16;
/// Buckets that all addresses of one group that have answered land in.
pub const GROUP_TRIED_BUCKETS: u16 = 4;

/// A bucket and a slot in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) bucket: u16,
    slot: u16,
}

impl Place {
    /// That of hearsay: the groups of source and address name the bucket, so that one source reaches a
    /// sixteenth of them, and what one source says of one group only a single one.
    pub(super) fn of_new(key: &[u8; 32], address: &NetAddress, source: &NetGroup) -> Self {
        let group = NetGroup::of(address);
        let way = below(key, "new way", &(source, group), SOURCE_NEW_BUCKETS);
        let bucket = below(key, "new bucket", &(source, way), NEW_BUCKETS);
        Self::in_bucket(key, "new slot", bucket, address)
    }

    /// That of an address that has answered: its group reaches a sixteenth of the buckets.
    pub(super) fn of_tried(key: &[u8; 32], address: &NetAddress) -> Self {
        let way = below(key, "tried way", address, GROUP_TRIED_BUCKETS);
        let group = NetGroup::of(address);
        let bucket = below(key, "tried bucket", &(group, way), TRIED_BUCKETS);
        Self::in_bucket(key, "tried slot", bucket, address)
    }

    fn in_bucket(key: &[u8; 32], label: &str, bucket: u16, address: &NetAddress) -> Self {
        let slot = below(key, label, &(bucket, address), SLOTS);
        Self { bucket, slot }
    }
}

/// A number in `0..bound` that nobody without the key can foretell.
fn below<T: borsh::BorshSerialize>(key: &[u8; 32], label: &str, fields: &T, bound: u16) -> u16 {
    let hash = tagged_hash("camelid/address-book", &(key, label, fields));
    u16::try_from(hash.to_u64() % u64::from(bound)).unwrap_or(0)
}

/// Addresses in their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    places: BTreeMap<Place, NetAddress>,
}

impl Table {
    pub(super) fn get(&self, place: &Place) -> Option<&NetAddress> {
        self.places.get(place)
    }

    pub(super) fn put(&mut self, place: Place, address: NetAddress) -> Option<NetAddress> {
        self.places.insert(place, address)
    }

    pub(super) fn clear(&mut self, place: &Place) {
        self.places.remove(place);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = (u16, &NetAddress)> {
        self.places.iter().map(|(place, address)| (place.bucket, address))
    }

    /// A random address. Each bucket has about the same share, however full it is, so that it does
    /// not help to fill a few of them.
    pub(super) fn pick(&self, stream: &mut Stream, buckets: u16) -> Option<NetAddress> {
        let mut draw = |bound: u16| u16::try_from(stream.below(u64::from(bound))).unwrap_or(0);
        let start = Place {
            bucket: draw(buckets),
            slot: draw(SLOTS),
        };
        let first = Place {
            bucket: start.bucket,
            slot: 0,
        };
        // Round the bucket that was drawn, or else the next one that has anything.
        let in_bucket = |(place, _): &(&Place, &NetAddress)| place.bucket == start.bucket;
        let after = self.places.range(start..).next().filter(in_bucket);
        let found = after
            .or_else(|| self.places.range(first..).next())
            .or_else(|| self.places.iter().next());
        found.map(|(_, address)| *address)
    }
}
