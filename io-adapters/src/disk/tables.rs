//! The tables of the file, and all that is written to them.

use super::error::{OpenError, to_io};
use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::block::{Block, BlockHeader};
use camelid_core::chain::{Base, Connected, Flush};
use camelid_core::keys::NodeId;
use camelid_core::node::{Matter, Record};
use camelid_core::primitives::{BlockHash, decode, encode};
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction,
};
use std::io;

/// Version of the tables, of what is in them, and of the rules of consensus that deltas come from. Of an older file
/// blocks and log are kept, and the blocks checked anew.
const SCHEMA: u32 = 3;

/// Keys and values in borsh, unless the table says otherwise.
type Bytes = &'static [u8];
type Definition = TableDefinition<'static, Bytes, Bytes>;

/// What the file is: the schema's number and the network's genesis hash; and of the last flush the
/// [`Base`](camelid_core::chain::Base) of the ledger and the node.
const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
const SCHEMA_KEY: &str = "schema";
const NETWORK_KEY: &str = "network";
const BASE_KEY: &str = "base";
const OWNER_KEY: &str = "owner";

/// Headers of the blocks: number, counted up for ever, to header.
const HEADERS: TableDefinition<'_, u64, Bytes> = TableDefinition::new("headers");
/// Block hash to block.
pub(super) const BLOCKS: Definition = Definition::new("blocks");
/// Block hash to what the block changes; of blocks since the last flush.
pub(super) const DELTAS: Definition = Definition::new("deltas");
/// Block hash to what takes the block back.
pub(super) const UNDO: Definition = Definition::new("undo");
/// Outpoint to coin, at the last flush.
pub(super) const COINS: Definition = Definition::new("coins");
/// Job to record, of jobs that were closed at the last flush.
pub(super) const JOBS: Definition = Definition::new("jobs");
/// Outpoint to a coin that is or was the node's own, by the last flush.
pub(super) const OWN_COINS: Definition = Definition::new("own_coins");

/// The log of all other records: place, counted up for ever, to the encoding of a record.
const RECORDS: TableDefinition<'_, u64, Bytes> = TableDefinition::new("records");
/// Where the record about a thing is: [`subject`] to place in the log.
const PLACES: TableDefinition<'_, Bytes, u64> = TableDefinition::new("places");

/// What a record of the log is about. A later record about the same thing replaces an earlier one; each begins
/// with the number of its kind, that of the record's encoding. `None` for a record that is not in the log.
fn subject(record: &Record) -> Option<Vec<u8>> {
    Some(match record {
        Record::ClientJob(job) => encode(&(1u8, job.offer.job)),
        Record::WorkerJob(job) => encode(&(2u8, job.job)),
        Record::Vote(vote) => encode(&(3u8, vote.round, vote.ticket)),
        Record::CheckAccount(account) => encode(&(4u8, account.client)),
        Record::CheckDebt(debt) => encode(&(5u8, debt.checker)),
        Record::Unbonding => encode(&6u8),
        Record::Peers(_) => encode(&7u8),
        Record::Objection(job) => encode(&(10u8, job)),
        Record::Block(_) | Record::Connected(_) | Record::Flush(_) | Record::Forget(_) => return None,
    })
}

/// What the records of a matter that is over are about.
fn subjects_of(matter: &Matter) -> Vec<Vec<u8>> {
    match matter {
        Matter::ClientJob(job) => vec![encode(&(1u8, job)), encode(&(10u8, job))],
        Matter::WorkerJob(job) => vec![encode(&(2u8, job))],
        Matter::Vote(round, ticket) => vec![encode(&(3u8, round, ticket))],
    }
}

/// Makes sure that the file is of this schema and network; an empty one becomes so.
pub(super) fn check_or_create(database: &Database, network: &BlockHash) -> Result<(), OpenError> {
    let transaction = begin_write(database).map_err(to_io)?;
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
            (Some(_), Some(_)) => {
                upgrade(&transaction)?;
                meta.remove(BASE_KEY).map_err(to_io)?;
            }
            _ => return Err(damaged("it does not say what it is").into()),
        }
        for (key, value) in [(SCHEMA_KEY, encode(&SCHEMA)), (NETWORK_KEY, encode(network))] {
            meta.insert(key, value.as_slice()).map_err(to_io)?;
        }
        create_tables(&transaction).map_err(to_io)?;
    }
    transaction.commit().map_err(|error| to_io(error).into())
}

/// A table can be read once it was opened for writing.
fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    for definition in [BLOCKS, DELTAS, UNDO, COINS, JOBS, OWN_COINS] {
        transaction.open_table(definition)?;
    }
    transaction.open_table(HEADERS)?;
    transaction.open_table(RECORDS)?;
    transaction.open_table(PLACES)?;
    Ok(())
}

/// What comes from other rules is dropped. Blocks, which schemas 1 and 2 kept in the log, get tables of their own.
fn upgrade(transaction: &WriteTransaction) -> io::Result<()> {
    const BLOCK: u8 = 0;
    const DELTA: u8 = 8;
    for definition in [DELTAS, UNDO, COINS, JOBS, OWN_COINS] {
        transaction.delete_table(definition).map_err(to_io)?;
    }
    let mut places = transaction.open_table(PLACES).map_err(to_io)?;
    let mut log = transaction.open_table(RECORDS).map_err(to_io)?;
    for kind in [BLOCK, DELTA] {
        let (first, next) = ([kind], [kind + 1]);
        places
            .retain_in(first.as_slice()..next.as_slice(), |_, _| false)
            .map_err(to_io)?;
    }
    let has_table = |_, record: &[u8]| record.first().is_some_and(|kind| [BLOCK, DELTA].contains(kind));
    for entry in log.extract_if(has_table).map_err(to_io)? {
        let (place, record) = entry.map_err(to_io)?;
        if let Some((&BLOCK, block)) = record.value().split_first() {
            let block: Block = read(block, || format!("record {}", place.value()))?;
            append_block(transaction, &block).map_err(to_io)?;
        }
    }
    Ok(())
}

fn read_meta<T: BorshDeserialize>(
    meta: &impl ReadableTable<&'static str, Bytes>,
    key: &str,
) -> io::Result<Option<T>> {
    let value = meta.get(key).map_err(to_io)?;
    value
        .map(|value| read(value.value(), || format!("its {key}")))
        .transpose()
}

/// Writes records in one transaction.
pub(super) fn append(database: &Database, records: &[Record]) -> Result<(), redb::Error> {
    let transaction = begin_write(database)?;
    for record in records {
        match record {
            Record::Block(block) => append_block(&transaction, block)?,
            Record::Connected(connected) => append_connected(&transaction, connected)?,
            Record::Flush(flush) => apply(&transaction, flush)?,
            Record::Forget(matter) => forget(&transaction, matter)?,
            other => append_other(&transaction, other)?,
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Strangers choose the bytes of blocks. With a single barrier redb tells a half-written commit by a checksum that is
/// not made against them.
fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

fn append_block(transaction: &WriteTransaction, block: &Block) -> Result<(), redb::Error> {
    let mut blocks = transaction.open_table(BLOCKS)?;
    let hash = encode(&block.header.hash());
    if blocks.get(hash.as_slice())?.is_none() {
        blocks.insert(hash.as_slice(), encode(block).as_slice())?;
        let mut headers = transaction.open_table(HEADERS)?;
        let number = after_last(&headers)?;
        headers.insert(number, encode(&block.header).as_slice())?;
    }
    Ok(())
}

fn append_connected(transaction: &WriteTransaction, connected: &Connected) -> Result<(), redb::Error> {
    let hash = encode(&connected.block);
    for (definition, delta) in [(DELTAS, &connected.delta), (UNDO, &connected.undo)] {
        let mut table = transaction.open_table(definition)?;
        table.insert(hash.as_slice(), encode(&**delta).as_slice())?;
    }
    Ok(())
}

/// Brings the ledger of the file to where the node's is; deltas up to there are not needed any more.
fn apply(transaction: &WriteTransaction, flush: &Flush) -> Result<(), redb::Error> {
    if flush.anew {
        transaction.delete_table(COINS)?;
        transaction.delete_table(JOBS)?;
    }
    transaction.delete_table(DELTAS)?;
    transaction.open_table(DELTAS)?;
    let changed = flush.coins.iter().map(|(key, coin)| (key, coin.as_ref()));
    overwrite(transaction.open_table(COINS)?, changed)?;
    let changed = flush.jobs.iter().map(|(key, record)| (key, record.as_ref()));
    overwrite(transaction.open_table(JOBS)?, changed)?;
    let mut meta = transaction.open_table(META)?;
    let owner = encode(&flush.owner);
    if meta
        .insert(OWNER_KEY, owner.as_slice())?
        .is_none_or(|before| before.value() != owner)
    {
        transaction.delete_table(OWN_COINS)?;
    }
    let changed = flush.own_coins.iter().map(|(key, coin)| (key, Some(coin)));
    overwrite(transaction.open_table(OWN_COINS)?, changed)?;
    meta.insert(BASE_KEY, encode(&flush.base).as_slice())?;
    Ok(())
}

fn overwrite<'a, K: BorshSerialize + 'a, V: BorshSerialize + 'a>(
    mut table: Table<'_, Bytes, Bytes>,
    changes: impl Iterator<Item = (&'a K, Option<&'a V>)>,
) -> Result<(), redb::Error> {
    for (key, value) in changes {
        let key = encode(key);
        match value {
            Some(value) => drop(table.insert(key.as_slice(), encode(value).as_slice())?),
            None => drop(table.remove(key.as_slice())?),
        }
    }
    Ok(())
}

/// Puts a record at the end of the log, and takes out the one that it replaces.
fn append_other(transaction: &WriteTransaction, record: &Record) -> Result<(), redb::Error> {
    let Some(subject) = subject(record) else {
        return Ok(());
    };
    let mut log = transaction.open_table(RECORDS)?;
    let mut places = transaction.open_table(PLACES)?;
    let next = after_last(&log)?;
    let replaced = places.insert(subject.as_slice(), next)?;
    if let Some(earlier) = replaced.map(|place| place.value()) {
        log.remove(earlier)?;
    }
    log.insert(next, encode(record).as_slice())?;
    Ok(())
}

fn forget(transaction: &WriteTransaction, matter: &Matter) -> Result<(), redb::Error> {
    let mut log = transaction.open_table(RECORDS)?;
    let mut places = transaction.open_table(PLACES)?;
    for subject in subjects_of(matter) {
        if let Some(place) = places.remove(subject.as_slice())?.map(|place| place.value()) {
            log.remove(place)?;
        }
    }
    Ok(())
}

fn after_last(table: &Table<'_, u64, Bytes>) -> Result<u64, redb::Error> {
    let last = table.last()?;
    Ok(last.map_or(0, |(number, _)| number.value().saturating_add(1)))
}

// --- Reading ---

/// Reads the log from its beginning.
pub(super) fn load(database: &Database) -> io::Result<Vec<Record>> {
    all(database, RECORDS)
}

/// The headers of all blocks, in the order in which these came.
pub(super) fn headers(database: &Database) -> io::Result<Vec<BlockHeader>> {
    all(database, HEADERS)
}

/// The values of a table.
fn all<T: BorshDeserialize>(
    database: &Database,
    table: TableDefinition<'_, u64, Bytes>,
) -> io::Result<Vec<T>> {
    let table = begin(database)?.open_table(table).map_err(to_io)?;
    let mut values = Vec::new();
    for entry in table.iter().map_err(to_io)? {
        let (number, value) = entry.map_err(to_io)?;
        values.push(read(value.value(), || {
            format!("entry {} of a table", number.value())
        })?);
    }
    Ok(values)
}

/// The ledger at the last flush.
pub(super) fn base(database: &Database) -> io::Result<Option<Base>> {
    let meta = begin(database)?.open_table(META).map_err(to_io)?;
    read_meta(&meta, BASE_KEY)
}

/// The node that made the last flush.
pub(super) fn owner(database: &Database) -> io::Result<Option<NodeId>> {
    let meta = begin(database)?.open_table(META).map_err(to_io)?;
    read_meta(&meta, OWNER_KEY)
}

/// The value at `key`.
pub(super) fn get<K: BorshSerialize, V: BorshDeserialize>(
    database: &Database,
    definition: Definition,
    key: &K,
) -> io::Result<Option<V>> {
    let table = begin(database)?.open_table(definition).map_err(to_io)?;
    let value = table.get(encode(key).as_slice()).map_err(to_io)?;
    value
        .map(|value| read(value.value(), || format!("a value of {definition}")))
        .transpose()
}

/// Calls `visit` with each key and its value.
pub(super) fn each<K: BorshDeserialize, V: BorshDeserialize>(
    database: &Database,
    definition: Definition,
    mut visit: impl FnMut(K, V),
) -> io::Result<()> {
    let table = begin(database)?.open_table(definition).map_err(to_io)?;
    for entry in table.iter().map_err(to_io)? {
        let (key, value) = entry.map_err(to_io)?;
        let what = || format!("an entry of {definition}");
        visit(read(key.value(), what)?, read(value.value(), what)?);
    }
    Ok(())
}

fn begin(database: &Database) -> io::Result<ReadTransaction> {
    database.begin_read().map_err(to_io)
}

fn read<T: BorshDeserialize>(bytes: &[u8], what: impl Fn() -> String) -> io::Result<T> {
    decode(bytes, bytes.len()).map_err(|error| damaged(&format!("{}: {error}", what())))
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file is damaged: {what}"))
}
