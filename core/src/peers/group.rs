//! Which addresses one party is likely to hold all of.

use crate::wire::NetAddress;
use borsh::{BorshDeserialize, BorshSerialize};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// From everywhere.
    Public,
    /// From the same machine or site (loopback, private, link-local, shared, documentation).
    Local,
    /// From nowhere: no address of one machine, or no port.
    Nowhere,
}

impl Reach {
    /// That of an address.
    pub fn of(address: &NetAddress) -> Self {
        let socket = address.socket();
        match socket.ip() {
            _ if socket.port() == 0 => Self::Nowhere,
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(&ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        let [first, second, ..] = ip.octets();
        if ip.is_multicast() || first == 0 || first >= 240 {
            return Self::Nowhere;
        }
        // 100.64.0.0/10 is shared behind a provider (RFC 6598), 198.18.0.0/15 is for benchmarks (RFC 2544).
        let shared = first == 100 && second & 0xc0 == 64 || first == 198 && second & 0xfe == 18;
        match ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_documentation() || shared {
            true => Self::Local,
            false => Self::Public,
        }
    }

    fn of_v6(ip: &Ipv6Addr) -> Self {
        if ip.is_multicast() || ip.is_unspecified() {
            return Self::Nowhere;
        }
        let documentation = ip.segments().starts_with(&[0x2001, 0xdb8]);
        match ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || documentation {
            true => Self::Local,
            false => Self::Public,
        }
    }
}

/// Addresses that are counted as one party's: whoever has one of them can cheaply have them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum NetGroup {
    /// A local address is a group of its own: on one machine or site nothing is gained by telling
    /// neighbours apart, and a network for development has nothing else.
    Local(NetAddress),
    /// An IPv4 /16.
    V4([u8; 2]),
    /// An IPv6 /32.
    V6([u8; 4]),
}

impl NetGroup {
    /// That of an address. IPv6 addresses made from an IPv4 one (6to4, RFC 3056; Teredo, RFC 4380; NAT64, RFC
    /// 6052) belong to the group of that one, or each IPv4 address would bring 65,536 groups with it.
    pub fn of(address: &NetAddress) -> Self {
        if Reach::of(address) != Reach::Public {
            return Self::Local(*address);
        }
        match address.socket().ip() {
            IpAddr::V4(ip) => Self::of_v4(ip.octets()),
            IpAddr::V6(ip) => match ip.octets() {
                [0x20, 0x02, a, b, ..] => Self::of_v4([a, b, 0, 0]),
                [0x20, 0x01, 0, 0, .., a, b, _, _] => Self::of_v4([!a, !b, 0, 0]),
                [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, _, _] => Self::of_v4([a, b, 0, 0]),
                [a, b, c, d, ..] => Self::V6([a, b, c, d]),
            },
        }
    }

    fn of_v4([a, b, ..]: [u8; 4]) -> Self {
        Self::V4([a, b])
    }

    /// Is this a single local address?
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}
