//! Places for connections from one address.

use crate::shared::lock;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

/// What counts as one address: an IPv4 address, or the /64 of IPv6 that a household gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IpGroup(IpAddr);

impl IpGroup {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V6(ip) if !ip.is_loopback() => {
                Self(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into())
            }
            ip => Self(ip),
        }
    }
}

/// Hands out so many places to each address.
#[derive(Debug)]
pub(crate) struct IpSlots {
    max_each: usize,
    taken: Arc<Mutex<BTreeMap<IpGroup, usize>>>,
}

/// A place, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct IpSlot {
    group: IpGroup,
    taken: Arc<Mutex<BTreeMap<IpGroup, usize>>>,
}

impl IpSlots {
    pub(crate) fn new(max_each: usize) -> Self {
        Self {
            max_each,
            taken: Arc::default(),
        }
    }

    /// A place for `ip`, if one is left.
    pub(crate) fn try_take(&self, ip: IpAddr) -> Option<IpSlot> {
        let group = IpGroup::of(ip);
        let mut taken = lock(&self.taken);
        let count = taken.get(&group).copied().unwrap_or(0);
        (count < self.max_each).then(|| {
            taken.insert(group, count + 1);
            IpSlot {
                group,
                taken: self.taken.clone(),
            }
        })
    }
}

impl Drop for IpSlot {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        // Addresses without connections are forgotten, or the map would grow with all that ever came.
        match taken.get_mut(&self.group) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_addresses_forgotten() {
        let slots = IpSlots::new(2);
        let ip = IpAddr::from([10, 0, 0, 1]);
        let first = slots.try_take(ip);
        let second = slots.try_take(ip);
        assert!(first.is_some() && second.is_some());
        assert!(slots.try_take(ip).is_none());
        assert!(slots.try_take(IpAddr::from([10, 0, 0, 2])).is_some());
        drop(first);
        assert!(slots.try_take(ip).is_some());
        drop(second);
        assert!(lock(&slots.taken).is_empty());
    }

    #[test]
    fn a_slash_64_is_one_address_and_so_are_both_forms_of_an_ipv4_address() {
        let group = |text: &str| IpGroup::of(text.parse().expect("an address"));
        assert_eq!(group("2001:db8:0:1::1"), group("2001:db8:0:1:ffff::2"));
        assert_ne!(group("2001:db8:0:1::1"), group("2001:db8:0:2::1"));
        assert_eq!(group("::ffff:192.0.2.1"), group("192.0.2.1"));
        assert_ne!(group("::1"), group("::2"));
    }
}
