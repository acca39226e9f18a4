//! Where a node can be reached.

use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::net::{Ipv6Addr, SocketAddr};

/// An address on the internet: 16 bytes of IPv6, with IPv4 mapped into it (RFC 4291, 2.5.5.2), and a UDP
/// port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct NetAddress {
    ip: [u8; 16],
    port: u16,
}

impl NetAddress {
    /// The address as sockets take it; one that was mapped is IPv4 again.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(Ipv6Addr::from(self.ip).to_canonical(), self.port)
    }

    /// The host alone, as 16 bytes of IPv6.
    pub fn host(&self) -> [u8; 16] {
        self.ip
    }
}

impl From<SocketAddr> for NetAddress {
    fn from(socket: SocketAddr) -> Self {
        let ip = match socket {
            SocketAddr::V4(socket) => socket.ip().to_ipv6_mapped(),
            SocketAddr::V6(socket) => *socket.ip(),
        };
        Self {
            ip: ip.octets(),
            port: socket.port(),
        }
    }
}

impl fmt::Display for NetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket().fmt(f)
    }
}

impl fmt::Debug for NetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
