//! What a node remembers of its peers over a restart.

use super::bans::{Bans, MAX_BANS, SavedBan};
use super::book::AddressBook;
use super::known::Known;
use super::table::{NEW_BUCKETS, SLOTS, TRIED_BUCKETS};
use crate::primitives::BoundedVec;
use crate::wire::NetAddress;
use borsh::io::{Error, ErrorKind, Read, Write};
use borsh::{BorshDeserialize, BorshSerialize};

/// The form of what is saved.
const VERSION: u8 = 1;
/// Most addresses that a book can have.
const MAX_SAVED: usize = (NEW_BUCKETS as usize + TRIED_BUCKETS as usize) * SLOTS as usize;
/// Outbound peers that are called first after a restart.
pub const MAX_ANCHORS: usize = 2;

/// Addresses, anchors and bans. The newest replaces older ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedPeers {
    entries: BoundedVec<Known, MAX_SAVED>,
    /// Outbound peers of last time: who restarts a victim gains nothing if it comes back to the same.
    pub anchors: BoundedVec<NetAddress, MAX_ANCHORS>,
    bans: BoundedVec<SavedBan, MAX_BANS>,
}

impl SavedPeers {
    /// What is to be remembered.
    pub fn new(book: &AddressBook, anchors: BoundedVec<NetAddress, MAX_ANCHORS>, bans: &Bans) -> Self {
        Self {
            entries: BoundedVec::from_vec(book.saved()).unwrap_or_default(),
            anchors,
            bans: BoundedVec::from_vec(bans.saved()).unwrap_or_default(),
        }
    }

    /// Puts addresses and bans back.
    pub fn restore(self, book: &mut AddressBook, bans: &mut Bans) {
        book.restore(self.entries.into_vec());
        bans.restore(self.bans.into_vec());
    }
}

impl BorshSerialize for SavedPeers {
    fn serialize<W: Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        (VERSION, &self.entries, &self.anchors, &self.bans).serialize(writer)
    }
}

impl BorshDeserialize for SavedPeers {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        if u8::deserialize_reader(reader)? != VERSION {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "saved peers of another version",
            ));
        }
        Ok(Self {
            entries: BoundedVec::deserialize_reader(reader)?,
            anchors: BoundedVec::deserialize_reader(reader)?,
            bans: BoundedVec::deserialize_reader(reader)?,
        })
    }
}
