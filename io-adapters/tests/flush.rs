//! Flushes, and storage that cannot be read.
#![cfg(not(madsim))]
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

mod support {
    pub mod disk;
    pub mod fake;
    mod machine;
    pub mod records;
    pub use machine::{agree, two_machines};
}

use async_trait::async_trait;
use camelid_core::node::Record;
use camelid_core::process::{Input, Output};
use camelid_io::{
    Adapters, Driver, DriverConfig, DriverError, DriverStopped, MemoryStorage, RedbStorage, Storage,
};
use std::io;
use support::disk::{Fault, FaultyDisk};
use support::fake::{Effect, Fake, FakeTransport, Journal, persist, quiet_adapters, send};
use support::records::record;
use support::{agree, two_machines};

fn flush() -> Output {
    Output::Persist(Box::new(record(9, 0, 1)))
}

#[tokio::test(start_paused = true)]
async fn a_flush_is_answered_when_it_is_durable() {
    let process = Fake::new([vec![persist(1), flush()], vec![persist(2)], vec![flush()]]);
    let inputs = process.inputs.clone();
    let storage = MemoryStorage::new();
    let adapters = Adapters {
        storage: Box::new(storage.clone()),
        ..quiet_adapters()
    };
    let (driver, handle) = Driver::new(process, adapters, DriverConfig::default());
    handle.stop();
    driver.run().await.unwrap();
    let inputs: Vec<Input> = inputs.entries().into_iter().map(|(_, input)| input).collect();
    // The answer to the first flush is answered with a record, and what comes next with a flush.
    assert_eq!(inputs, [Input::Start, Input::Flushed]);
    assert_eq!(storage.len(), 3);
    assert!(storage.store().unwrap().base().is_some());
}

/// Works, but says after some appends that it could not be read.
struct Unreadable {
    storage: MemoryStorage,
    looks: usize,
}

#[async_trait]
impl Storage for Unreadable {
    async fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        self.storage.append(records).await
    }

    async fn load(&mut self) -> io::Result<Vec<Record>> {
        self.storage.load().await
    }

    fn take_fault(&mut self) -> Option<io::Error> {
        let fault = self.looks == 0;
        self.looks = self.looks.wrapping_sub(1);
        fault.then(|| io::Error::other("unreadable"))
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_of_an_unreadable_storage_does_not_leave() {
    for looks in 0..3 {
        let effects = Journal::default();
        let adapters = Adapters {
            transport: Box::new(FakeTransport {
                effects: effects.clone(),
                incoming: 2,
                then_close: true,
            }),
            storage: Box::new(Unreadable {
                storage: MemoryStorage::new(),
                looks,
            }),
            ..quiet_adapters()
        };
        let process = Fake::new([vec![send(1)], vec![send(2)], vec![send(3)]]);
        let (driver, _handle) = Driver::new(process, adapters, DriverConfig::default());
        let halted = driver.run().await.err();
        assert!(matches!(halted, Some(DriverError::Read(_))), "{halted:?}");
        let sent = [Effect::Sent(1), Effect::Sent(2)];
        assert_eq!(effects.entries(), sent[..looks]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_of_an_unreadable_storage_is_not_told() {
    let adapters = Adapters {
        storage: Box::new(Unreadable {
            storage: MemoryStorage::new(),
            looks: 1,
        }),
        ..quiet_adapters()
    };
    let (driver, handle) = Driver::new(Fake::new([]), adapters, DriverConfig::default());
    let running = tokio::spawn(driver.run());
    assert_eq!(handle.inspect(|_| "nothing is there").await, Err(DriverStopped));
    let halted = running.await.unwrap().err();
    assert!(matches!(halted, Some(DriverError::Read(_))), "{halted:?}");
}

/// A node on a disk that it has flushed most of its chain to serves it to another one.
#[tokio::test(start_paused = true)]
async fn a_flushed_chain_is_served_and_gone_on_with() {
    let (miner, follower) = two_machines();
    let disk = FaultyDisk::default();
    let storage = || Box::new(RedbStorage::open_backend(disk.clone(), &miner.network()).unwrap());
    for height in [30, 60] {
        let (driver, stop) = miner.boot_on(storage()).await;
        let mining = tokio::spawn(driver.run());
        miner.reached(height).await;
        stop.stop();
        let node = mining.await.unwrap().unwrap();
        assert!(storage().store().unwrap().base().is_some(), "it has flushed");
        assert!(node.chain().height().0 >= height);
    }
    let (driver, stop_miner) = miner.boot_on(storage()).await;
    assert!(miner.height_now() >= 60);
    let mining = tokio::spawn(driver.run());
    let (driver, stop_follower) = follower.boot().await;
    let following = tokio::spawn(driver.run());
    follower.reached(65).await;
    stop_miner.stop();
    stop_follower.stop();
    let (miner, follower) = (mining.await.unwrap().unwrap(), following.await.unwrap().unwrap());
    assert!(agree(miner.chain(), follower.chain()));
}

/// A read that fails halts the node, and no block is called invalid for it.
#[tokio::test(start_paused = true)]
async fn a_read_that_fails_halts_the_node() {
    let (miner, follower) = two_machines();
    let disk = FaultyDisk::default();
    let storage = || Box::new(RedbStorage::open_backend(disk.clone(), &miner.network()).unwrap());
    let (driver, stop) = miner.boot_on(storage()).await;
    let mining = tokio::spawn(driver.run());
    miner.reached(30).await;
    stop.stop();
    mining.await.unwrap().unwrap();
    // Its blocks are asked for, which are on the disk only.
    let (driver, _stop) = miner.boot_on(storage()).await;
    disk.arm(Fault::FailedRead, 0);
    let mining = tokio::spawn(driver.run());
    let (driver, stop_follower) = follower.boot().await;
    let following = tokio::spawn(driver.run());
    let halted = mining.await.unwrap().err();
    assert!(
        matches!(halted, Some(DriverError::Persist(_) | DriverError::Read(_))),
        "{halted:?}"
    );
    stop_follower.stop();
    following.await.unwrap().unwrap();
    disk.restart(1);
    let (driver, stop) = miner.boot_on(storage()).await;
    assert!(miner.height_now() >= 30);
    stop.stop();
    driver.run().await.unwrap();
}
