//! Who is there: the first frame of either end (`docs/src/transport.md`, "The handshake").

use crate::refusal::Refusal;
use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::keys::{NodeId, PublicKey, SecretKey, Signature};
use camelid_core::primitives::{BlockHash, Hash256, decode, encode, tagged_hash};
use std::fmt;

/// The version that this crate speaks.
pub const VERSION: u16 = 1;
/// Largest hello that is read; later versions may be longer than this one.
pub const MAX_HELLO_BYTES: usize = 512;
/// Label of the bytes that are taken out of a TLS session (RFC 8446, 7.5; RFC 9266 does the same for
/// channel bindings in general).
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-camelid/1-identity";

/// The bytes that the two ends of a TLS session share with nobody.
#[derive(Clone, Copy)]
pub struct Session(pub [u8; 32]);

/// Which end of a connection speaks. A proof of one end is none for the other, or a server could
/// answer with the client's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub enum Role {
    /// The one that opened the connection.
    Client,
    /// The one that accepted it.
    Server,
}

/// What a node says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Claims {
    /// [`VERSION`]; stands first in every version, so that others can say so.
    pub version: u16,
    /// The genesis block, which names the network.
    pub genesis: BlockHash,
    /// What the node does for others: bits whose meaning is the core's.
    pub services: u8,
    /// The UDP port at which the node accepts connections, if it does.
    pub listen_port: Option<u16>,
    /// The node's key.
    pub public_key: PublicKey,
    /// Drawn when the process started: tells a node that was restarted from one that connects twice.
    pub instance: u64,
}

/// The first frame of either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hello {
    /// What the node says.
    pub claims: Claims,
    /// By the claims' key, over their [`statement`].
    pub proof: Signature,
}

impl Session {
    /// Of an established connection.
    pub fn of(connection: &quinn::Connection) -> Self {
        let mut bytes = [0; 32];
        connection
            .export_keying_material(&mut bytes, EXPORTER_LABEL, &[])
            .expect("32 bytes are fewer than TLS exports");
        Self(bytes)
    }
}

impl fmt::Debug for Session {
    /// Nothing of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

/// What is signed: all claims, by which end, to whom as far as that is known (a client does not know
/// whom it has called), and in which TLS session.
pub fn statement(session: &Session, role: Role, claims: &Claims, to: Option<NodeId>) -> Hash256 {
    tagged_hash("camelid/hello", &(session.0, role, claims, to))
}

impl Hello {
    /// Signs `claims` with their key.
    pub fn sign(key: &SecretKey, session: &Session, role: Role, claims: Claims, to: Option<NodeId>) -> Self {
        let proof = key.sign(&statement(session, role, &claims, to));
        Self { claims, proof }
    }

    /// The bytes that travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads the hello of another node. Whose it is remains to be [checked](Self::check).
    ///
    /// # Errors
    /// [`Refusal::WrongVersion`] for what begins with another version, and [`Refusal::BadHello`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let version = bytes.first_chunk().ok_or(Refusal::BadHello)?;
        if u16::from_le_bytes(*version) != VERSION {
            return Err(Refusal::WrongVersion);
        }
        decode(bytes, MAX_HELLO_BYTES).map_err(|_| Refusal::BadHello)
    }

    /// Is this the hello of the `role` of `session`, said to us, whose claims are `own`?
    ///
    /// # Errors
    /// [`Refusal::WrongNetwork`], [`Refusal::SelfConnection`] or [`Refusal::BadProof`].
    pub fn check(&self, session: &Session, role: Role, own: &Claims) -> Result<NodeId, Refusal> {
        let Self { claims, proof } = self;
        if claims.genesis != own.genesis {
            return Err(Refusal::WrongNetwork);
        }
        if claims.public_key == own.public_key {
            return Err(Refusal::SelfConnection);
        }
        let to = match role {
            Role::Client => None,
            Role::Server => Some(own.public_key.key_hash()),
        };
        let statement = statement(session, role, claims, to);
        match claims.public_key.verify(&statement, proof) {
            true => Ok(claims.public_key.key_hash()),
            false => Err(Refusal::BadProof),
        }
    }
}
