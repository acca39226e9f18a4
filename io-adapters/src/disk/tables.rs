//! The tables of the file, and all that is done to them.

use super::error::{OpenError, to_io};
use camelid_core::node::Record;
use camelid_core::primitives::{BlockHash, decode, encode, tagged_hash};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::io;

/// Version of the tables, of what is in them, and of the rules of consensus that deltas come from. Deltas of an older
/// file are dropped, and their blocks checked anew.
const SCHEMA: u32 = 2;
/// What subjects of deltas begin with.
const DELTA: u8 = 8;

/// What the file is: the schema's number and the network's genesis hash, both in borsh.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const SCHEMA_KEY: &str = "schema";
const NETWORK_KEY: &str = "network";

/// The log: place, counted up for ever, to the encoding of a record.
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");

/// Where the record about a thing is: [`subject`] to place in the log.
const PLACES: TableDefinition<'_, &[u8], u64> = TableDefinition::new("places");

/// What a record is about. A later record about the same thing replaces an earlier one; each begins
/// with the number of its kind, that of the record's encoding.
///
/// A block is its own subject, by all its bytes: under one header's hash there may be a body that does
/// not belong to it.
fn subject(record: &Record, encoding: &[u8]) -> Vec<u8> {
    match record {
        Record::Block(_) => encode(&(0u8, tagged_hash("camelid/stored-block", encoding))),
        Record::ClientJob(job) => encode(&(1u8, job.offer.job)),
        Record::WorkerJob(job) => encode(&(2u8, job.job)),
        Record::Vote(vote) => encode(&(3u8, vote.round, vote.ticket)),
        Record::CheckAccount(account) => encode(&(4u8, account.client)),
        Record::CheckDebt(debt) => encode(&(5u8, debt.checker)),
        Record::Unbonding => encode(&6u8),
        Record::Peers(_) => encode(&7u8),
        Record::Delta(block, _) => encode(&(DELTA, block)),
    }
}

/// Makes sure that the file is of this schema and network; an empty one becomes so.
pub(super) fn check_or_create(database: &Database, network: &BlockHash) -> Result<(), OpenError> {
    let transaction = database.begin_write().map_err(to_io)?;
    {
        let mut meta = transaction.open_table(META).map_err(to_io)?;
        let schema = read_meta::<u32>(&meta, SCHEMA_KEY)?;
        let found = read_meta::<BlockHash>(&meta, NETWORK_KEY)?;
        match (schema, found) {
            (None, None) => {}
            (Some(schema), _) if schema > SCHEMA => {
                return Err(OpenError::NewerSchema {
                    found: schema,
                    supported: SCHEMA,
                });
            }
            (Some(SCHEMA), Some(found)) if found == *network => return Ok(()),
            (Some(_), Some(found)) if found != *network => {
                return Err(OpenError::OtherNetwork {
                    found,
                    expected: *network,
                });
            }
            (Some(_), Some(_)) => drop_deltas(&transaction).map_err(to_io)?,
            _ => return Err(damaged("it does not say what it is").into()),
        }
        for (key, value) in [(SCHEMA_KEY, encode(&SCHEMA)), (NETWORK_KEY, encode(network))] {
            meta.insert(key, value.as_slice()).map_err(to_io)?;
        }
        transaction.open_table(RECORDS).map_err(to_io)?;
        transaction.open_table(PLACES).map_err(to_io)?;
    }
    transaction.commit().map_err(|error| to_io(error).into())
}

fn drop_deltas(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut log = transaction.open_table(RECORDS)?;
    let mut places = transaction.open_table(PLACES)?;
    let mut dropped = Vec::new();
    for entry in places.extract_from_if([DELTA].as_slice()..[DELTA + 1].as_slice(), |_, _| true)? {
        dropped.push(entry?.1.value());
    }
    for place in dropped {
        log.remove(place)?;
    }
    Ok(())
}

fn read_meta<T: borsh::BorshDeserialize>(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> io::Result<Option<T>> {
    let Some(value) = meta.get(key).map_err(to_io)? else {
        return Ok(None);
    };
    let bytes = value.value();
    let value = decode(bytes, bytes.len()).map_err(|_| damaged("it does not say what it is"))?;
    Ok(Some(value))
}

/// Puts records at the end of the log in one transaction, and takes out those that they replace.
pub(super) fn append(database: &Database, records: &[Record]) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // Strangers choose the bytes of blocks. With a single barrier redb tells a half-written commit by a
    // checksum that is not made against them.
    transaction.set_two_phase_commit(true);
    {
        let mut log = transaction.open_table(RECORDS)?;
        let mut places = transaction.open_table(PLACES)?;
        let mut next = log
            .last()?
            .map_or(0, |(place, _)| place.value().saturating_add(1));
        for record in records {
            let encoding = encode(record);
            let subject = subject(record, &encoding);
            let earlier = places.get(subject.as_slice())?.map(|place| place.value());
            match (earlier, record) {
                (Some(_), Record::Block(_)) => continue,
                (Some(earlier), _) => drop(log.remove(earlier)?),
                (None, _) => {}
            }
            log.insert(next, encoding.as_slice())?;
            places.insert(subject.as_slice(), next)?;
            next = next.saturating_add(1);
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Reads the log from its beginning. The core holds all of it, blocks through the same `Arc`.
pub(super) fn load(database: &Database) -> io::Result<Vec<Record>> {
    let transaction = database.begin_read().map_err(to_io)?;
    let log = transaction.open_table(RECORDS).map_err(to_io)?;
    let mut records = Vec::new();
    for entry in log.iter().map_err(to_io)? {
        let (place, value) = entry.map_err(to_io)?;
        let encoding = value.value();
        let record = decode(encoding, encoding.len())
            .map_err(|error| damaged(&format!("record {}: {error}", place.value())))?;
        records.push(record);
    }
    Ok(records)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file is damaged: {what}"))
}
