//! Records on disks that fail, and machines that are switched off.
#![cfg(not(madsim))]
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

mod support {
    pub mod disk;
    mod machine;
    pub mod records;
    pub use machine::{agree, two_machines};
}

use camelid_core::block::genesis_block;
use camelid_core::node::Record;
use camelid_core::params::Params;
use camelid_core::primitives::{BlockHash, encode};
use camelid_io::{DriverError, OpenError, RedbStorage, Storage};
use proptest::prelude::*;
use std::future::Future;
use std::io::{self, ErrorKind};
use support::disk::{Fault, FaultyDisk};
use support::records::{Contents, any_record, record};
use support::{agree, two_machines};

fn network() -> BlockHash {
    genesis_block(&Params::simnet()).header.hash()
}

fn open(disk: &FaultyDisk) -> Result<RedbStorage, OpenError> {
    RedbStorage::open_backend(disk.clone(), &network())
}

fn contents(storage: &mut RedbStorage) -> io::Result<Contents> {
    let log = block_on(storage.load())?;
    let contents = Contents::new(log, &*storage.store().unwrap());
    storage.take_fault().map_or(Ok(contents), Err)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

// --- What is kept ---

proptest! {
    #[test]
    fn a_storage_holds_what_a_store_in_memory_does(
        appends in prop::collection::vec(prop::collection::vec(any_record(), 0..5), 0..12),
    ) {
        let mut storage = RedbStorage::in_memory(&network()).unwrap();
        for records in &appends {
            block_on(storage.append(records.clone())).unwrap();
        }
        prop_assert_eq!(contents(&mut storage).unwrap(), Contents::after(&appends.concat()));
    }
}

#[test]
fn a_job_that_changes_for_ever_takes_bounded_space() {
    let disk = FaultyDisk::default();
    let mut storage = open(&disk).unwrap();
    let mut change = |times: u32| {
        for version in 0..times {
            let version = u8::try_from(version % 256).unwrap();
            let records = (1..12).map(|kind| record(kind, 0, version)).collect();
            block_on(storage.append(records)).unwrap();
        }
        disk.length()
    };
    let at_first = change(20);
    assert_eq!(change(500), at_first);
}

// --- Faults and crashes ---

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Record>),
    Arm(Fault, usize),
    /// The process ends as it should.
    Reopen,
    /// The machine loses power; the number says what becomes of what was not synced.
    Crash(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(any_record(), 1..4).prop_map(Step::Append),
        3 => (any_fault(), 0..40usize).prop_map(|(fault, nth)| Step::Arm(fault, nth)),
        1 => Just(Step::Reopen),
        2 => any::<u64>().prop_map(Step::Crash),
    ]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![
        Fault::NoSpace,
        Fault::TornWrite,
        Fault::FailedSync,
        Fault::FailedRead,
        Fault::PowerCut,
    ])
}

/// A storage, and what must be in it.
struct Model {
    disk: FaultyDisk,
    storage: Option<RedbStorage>,
    /// What was appended with success.
    acknowledged: Vec<Record>,
    /// The append that failed: all of it may be there, or nothing.
    uncertain: Vec<Record>,
}

impl Model {
    fn new() -> Self {
        let disk = FaultyDisk::default();
        // A file gets its name when it is complete.
        let storage = Some(open(&disk).unwrap());
        Self {
            disk,
            storage,
            acknowledged: Vec::new(),
            uncertain: Vec::new(),
        }
    }

    fn run(&mut self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        for step in steps {
            match step {
                Step::Append(records) => self.append(records)?,
                Step::Arm(fault, nth) => self.disk.arm(fault, nth),
                Step::Reopen => self.close(),
                Step::Crash(seed) => self.crash(seed),
            }
            self.open(7)?;
        }
        self.crash(0);
        self.open(0)
    }

    /// Opens the file if it is not open, in a second attempt on a machine that has no faults.
    fn open(&mut self, seed: u64) -> Result<(), TestCaseError> {
        if self.storage.is_some() {
            return Ok(());
        }
        let failures = self.disk.failures();
        let loaded = self.open_and_load().or_else(|error| {
            // The fault is the only excuse.
            prop_assert!(self.disk.failures() > failures, "{error:?}");
            self.crash(seed);
            Ok(self.open_and_load().unwrap())
        })?;
        let uncertain = std::mem::take(&mut self.uncertain);
        let with_uncertain = [self.acknowledged.clone(), uncertain].concat();
        if loaded != Contents::after(&self.acknowledged) {
            prop_assert_eq!(loaded, Contents::after(&with_uncertain));
            self.acknowledged = with_uncertain;
        }
        Ok(())
    }

    fn open_and_load(&mut self) -> Result<Contents, OpenError> {
        let storage = self.storage.insert(open(&self.disk)?);
        Ok(contents(storage)?)
    }

    fn append(&mut self, records: Vec<Record>) -> Result<(), TestCaseError> {
        let storage = self.storage.as_mut().unwrap();
        let failures = self.disk.failures();
        if block_on(storage.append(records.clone())).is_ok() {
            self.acknowledged.extend(records);
            return Ok(());
        }
        prop_assert!(self.disk.failures() > failures);
        self.uncertain = records;
        let again = block_on(storage.append(vec![record(6, 0, 0)]));
        prop_assert!(again.is_err(), "after an error nothing is written");
        // A driver halts here, and its machine or its process is started anew.
        self.crash(self.uncertain.len() as u64);
        Ok(())
    }

    /// If closing fails, the machine is restarted too: after a sync that failed its cache may show
    /// what is not on the disk.
    fn close(&mut self) {
        let failures = self.disk.failures();
        self.storage = None;
        if self.disk.failures() > failures {
            self.crash(failures as u64);
        }
    }

    fn crash(&mut self, seed: u64) {
        self.disk.cut_power();
        self.storage = None;
        self.disk.restart(seed);
    }
}

proptest! {
    #[test]
    fn what_was_acknowledged_is_there_after_any_fault_and_crash(
        steps in prop::collection::vec(any_step(), 1..30),
    ) {
        Model::new().run(steps)?;
    }
}

#[test]
fn every_single_fault_in_the_life_of_a_file_is_survived() {
    let life = || (2..4).map(|version| Step::Append((0..12).map(|kind| record(kind, 0, version)).collect()));
    for fault in [
        Fault::NoSpace,
        Fault::TornWrite,
        Fault::FailedSync,
        Fault::FailedRead,
        Fault::PowerCut,
    ] {
        let mut hit = 0;
        for nth in 0.. {
            let mut model = Model::new();
            model.disk.arm(fault, nth);
            let lives = life().chain([Step::Reopen]).chain(life());
            model.run(lives.collect()).unwrap();
            if !model.disk.has_fired() {
                break;
            }
            hit += 1;
        }
        assert!(hit > 3, "{fault:?} can happen at {hit} operations");
    }
}

#[tokio::test(start_paused = true)]
async fn a_miner_whose_disk_fails_halts_and_goes_on_after_a_restart() {
    for (fault, nth) in [
        (Fault::NoSpace, 30),
        (Fault::TornWrite, 40),
        (Fault::FailedSync, 9),
        (Fault::PowerCut, 50),
    ] {
        let (miner, follower) = two_machines();
        let (driver, stop_follower) = follower.boot().await;
        let following = tokio::spawn(driver.run());
        let disk = FaultyDisk::default();
        let storage = || Box::new(RedbStorage::open_backend(disk.clone(), &miner.network()).unwrap());

        let (driver, _handle) = miner.boot_on(storage()).await;
        disk.arm(fault, nth);
        let halted = driver.run().await.err();
        assert!(
            matches!(halted, Some(DriverError::Persist(_) | DriverError::Read(_))),
            "{fault:?}: {halted:?}"
        );

        disk.restart(nth as u64);
        let (driver, stop_miner) = miner.boot_on(storage()).await;
        let before = follower.height_now();
        assert!(miner.height_now() >= before, "what others have is not forgotten");
        let mining = tokio::spawn(driver.run());
        follower.reached(before + 3).await;
        stop_miner.stop();
        stop_follower.stop();
        let (miner, follower) = (mining.await.unwrap().unwrap(), following.await.unwrap().unwrap());
        assert!(agree(miner.chain(), follower.chain()));
    }
}

// --- Files that are not ours ---

#[test]
fn a_file_is_one_nodes_and_one_networks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.redb");
    let mut storage = RedbStorage::open(&path, &network()).unwrap();
    block_on(storage.append(vec![record(0, 1, 1)])).unwrap();
    let second = RedbStorage::open(&path, &network()).unwrap_err();
    assert!(matches!(second, OpenError::InUse), "{second:?}");
    assert_eq!(second.to_string(), "another node runs on this directory");
    drop(storage);

    let elsewhere = BlockHash([9; 32]);
    let refused = RedbStorage::open(&path, &elsewhere).unwrap_err();
    let OpenError::OtherNetwork { found, expected } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((found, expected), (network(), elsewhere));

    let mut storage = RedbStorage::open(&path, &network()).unwrap();
    assert_eq!(
        contents(&mut storage).unwrap(),
        Contents::after(&[record(0, 1, 1)])
    );
}

#[test]
fn a_file_that_was_not_finished_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("records.new"), [0; 5_000]).unwrap();
    let path = folder.path().join("records.redb");
    let mut storage = RedbStorage::open(&path, &network()).unwrap();
    assert_eq!(contents(&mut storage).unwrap(), Contents::after(&[]));
    let files = std::fs::read_dir(&folder).unwrap();
    assert_eq!(files.count(), 1, "nothing is left over");
}

/// Says on the disk that its file is of another schema.
fn set_schema(disk: &FaultyDisk, schema: u32) {
    const META: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("meta");
    let database = redb::Builder::new().create_with_backend(disk.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut meta = transaction.open_table(META).unwrap();
    meta.insert("schema", schema.to_le_bytes().as_slice()).unwrap();
    drop(meta);
    transaction.commit().unwrap();
}

/// Writes a file as schema 2 had it: all records in one log.
fn write_schema_2(disk: &FaultyDisk, records: &[Vec<u8>]) {
    const RECORDS: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("records");
    const PLACES: redb::TableDefinition<'_, &[u8], u64> = redb::TableDefinition::new("places");
    const META: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("meta");
    let database = redb::Builder::new().create_with_backend(disk.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut meta = transaction.open_table(META).unwrap();
        meta.insert("schema", 2u32.to_le_bytes().as_slice()).unwrap();
        meta.insert("network", network().0.as_slice()).unwrap();
        let mut log = transaction.open_table(RECORDS).unwrap();
        let mut places = transaction.open_table(PLACES).unwrap();
        for (place, record) in (0..).zip(records) {
            log.insert(place, record.as_slice()).unwrap();
            let subject = [record[0], u8::try_from(place).unwrap()];
            places.insert(subject.as_slice(), place).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// Deltas of an older schema may come from other rules, and are dropped.
#[test]
fn an_older_file_keeps_its_blocks_and_its_log() {
    let disk = FaultyDisk::default();
    let records: Vec<Record> = (0..8).map(|kind| record(kind, 1, 1)).collect();
    let mut encodings: Vec<_> = records.iter().map(encode).collect();
    encodings.insert(4, [8; 100].to_vec()); // a delta
    write_schema_2(&disk, &encodings);
    for _ in 0..2 {
        let mut storage = open(&disk).unwrap();
        assert_eq!(contents(&mut storage).unwrap(), Contents::after(&records));
    }
    let mut storage = open(&disk).unwrap();
    let connected = record(8, 1, 1);
    block_on(storage.append(vec![connected.clone()])).unwrap();
    let records = [records, vec![connected]].concat();
    assert_eq!(contents(&mut storage).unwrap(), Contents::after(&records));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let disk = FaultyDisk::default();
    drop(open(&disk).unwrap());
    set_schema(&disk, 4);
    for _ in 0..2 {
        let refused = open(&disk).unwrap_err();
        let OpenError::NewerSchema { found, supported } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((found, supported), (4, 3));
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database\n".repeat(1_000);
    std::fs::write(&path, &text).unwrap();
    let refused = RedbStorage::open(&path, &network()).unwrap_err();
    let OpenError::Io(error) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

proptest! {
    #[test]
    fn a_bit_that_the_disk_lost_is_noticed_or_changes_nothing(
        appends in prop::collection::vec(prop::collection::vec(any_record(), 1..6), 1..4),
        places in prop::collection::vec(any::<usize>(), 1..4),
    ) {
        let disk = FaultyDisk::default();
        let mut storage = open(&disk).unwrap();
        for records in &appends {
            block_on(storage.append(records.clone())).unwrap();
        }
        drop(storage);
        for place in places {
            disk.flip(place);
        }
        match open(&disk) {
            Ok(mut storage) => {
                prop_assert_eq!(contents(&mut storage).unwrap(), Contents::after(&appends.concat()));
            }
            Err(OpenError::Io(error)) => prop_assert_eq!(error.kind(), ErrorKind::InvalidData),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
