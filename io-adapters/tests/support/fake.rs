//! A process that follows a script, and adapters that write down what they are told to do.
#![allow(dead_code)] // each of the tests uses a part

use async_trait::async_trait;
use camelid_core::block::{Block, BlockHeader, CompactTarget};
use camelid_core::keys::{KeyHash, NodeId};
use camelid_core::node::Record;
use camelid_core::primitives::{BlockHash, BoundedVec, Digest, Hash256, Time, Timestamp};
use camelid_core::process::{Event, Input, Output, Outputs, Process};
use camelid_core::wire::{NetAddress, Packet};
use camelid_io::{Adapters, NoInference, Received, RuntimeClock, Storage, Transport};
use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};

/// Answers the inputs, one after the other, with the batches of a script, then with nothing.
pub struct Fake {
    pub script: VecDeque<Vec<Output>>,
    pub inputs: Journal<(Time, Input)>,
}

impl Fake {
    pub fn new(script: impl IntoIterator<Item = Vec<Output>>) -> Self {
        Self {
            script: script.into_iter().collect(),
            inputs: Journal::default(),
        }
    }
}

impl Process for Fake {
    fn handle(&mut self, now: Time, input: Input, out: &mut Outputs) {
        self.inputs.push((now, input));
        for output in self.script.pop_front().unwrap_or_default() {
            out.push(output);
        }
    }

    fn digest(&self) -> Digest {
        Digest([0; 32])
    }
}

/// A list that several parties append to.
pub struct Journal<T>(Arc<Mutex<Vec<T>>>);

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Journal<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Journal<T> {
    pub fn push(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
    }

    pub fn entries(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}

/// What left the machine. The numbers are the payloads'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Stored(u8),
    Sent(u8),
    Observed(u8),
}

/// Writes down what is sent; brings a number of packets, and then closes or stays silent.
pub struct FakeTransport {
    pub effects: Journal<Effect>,
    pub incoming: usize,
    pub then_close: bool,
}

#[async_trait]
impl Transport for FakeTransport {
    async fn send(&mut self, _to: NodeId, packet: Packet) {
        self.effects.push(Effect::Sent(packet[0]));
    }

    async fn connect(&mut self, _address: NetAddress) {}

    async fn disconnect(&mut self, _peer: NodeId) {}

    async fn recv(&mut self) -> Option<Received> {
        if self.incoming > 0 {
            self.incoming -= 1;
            return Some(Received::Packet(somebody(), packet(0)));
        }
        if !self.then_close {
            pending::<()>().await;
        }
        None
    }
}

/// Takes its time, then writes down what is stored; fails before more records than `successes`.
pub struct FakeStorage {
    pub effects: Journal<Effect>,
    pub successes: usize,
    /// How many records each append had.
    pub appends: Journal<usize>,
}

#[async_trait]
impl Storage for FakeStorage {
    async fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.appends.push(records.len());
        let Some(successes) = self.successes.checked_sub(records.len()) else {
            return Err(io::Error::other("disk full"));
        };
        self.successes = successes;
        for record in records {
            let Record::Block(block) = record else {
                return Err(io::Error::other("no block"));
            };
            self.effects
                .push(Effect::Stored(u8::try_from(block.header.nonce).unwrap()));
        }
        Ok(())
    }

    async fn load(&mut self) -> io::Result<Vec<Record>> {
        Ok(Vec::new())
    }
}

/// Adapters of a machine to which nothing happens. Call it inside the runtime.
pub fn quiet_adapters() -> Adapters {
    Adapters {
        transport: Box::new(FakeTransport {
            effects: Journal::default(),
            incoming: 0,
            then_close: false,
        }),
        clock: Arc::new(RuntimeClock::starting_at(Time(1_000_000))),
        storage: Box::new(FakeStorage {
            effects: Journal::default(),
            successes: usize::MAX,
            appends: Journal::default(),
        }),
        inference: Arc::new(NoInference),
    }
}

pub fn somebody() -> NodeId {
    KeyHash([9; 20])
}

pub fn packet(number: u8) -> Packet {
    Packet::from(vec![number])
}

pub fn persist(number: u8) -> Output {
    let mut header = header(0);
    header.nonce = u32::from(number);
    Output::Persist(Box::new(Record::Block(Arc::new(Block {
        header,
        transactions: BoundedVec::new(),
    }))))
}

pub fn send(number: u8) -> Output {
    Output::Send {
        to: somebody(),
        packet: packet(number),
    }
}

pub fn event(number: u8) -> Output {
    Output::Event(Event::JobRefused {
        reason: number.to_string(),
    })
}

/// A header that about every second nonce solves.
pub fn header(merkle_root: u8) -> BlockHeader {
    BlockHeader {
        version: 1,
        previous: BlockHash([0; 32]),
        merkle_root: Hash256([merkle_root; 32]),
        time: Timestamp(1_000),
        bits: CompactTarget(0x207f_ffff),
        nonce: 0,
    }
}
