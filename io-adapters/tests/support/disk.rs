//! A disk that fails when it is told to, and loses in a crash what a disk may lose.
#![allow(dead_code)] // each of the tests uses a part

use camelid_core::primitives::Stream;
use redb::StorageBackend;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No write succeeds any more until the machine is restarted.
    NoSpace,
    /// Half of a write is done.
    TornWrite,
    /// A sync fails. What it was for may get lost, and later syncs do not try again.
    FailedSync,
    /// A read fails.
    FailedRead,
    /// Nothing succeeds any more until the machine is restarted.
    PowerCut,
}

/// Bytes that outlive whoever works with them. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What reads see.
    bytes: Vec<u8>,
    /// How it came about since the last crash.
    changes: Vec<(Change, Fate)>,
    armed: Option<(Fault, usize)>,
    broken: Option<Fault>,
    fired: bool,
    failures: usize,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Resize(usize),
}

/// What a crash does to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing: it was synced.
    Durable,
    /// Anything; the next sync makes it durable.
    Cached,
    /// Anything, for ever: its sync failed.
    Abandoned,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Read,
    Write,
    Sync,
}

impl FaultyDisk {
    /// Lets `fault` happen at the `nth` operation from now that it can happen to, counted from 0.
    pub fn arm(&self, fault: Fault, nth: usize) {
        self.0.lock().unwrap().armed = Some((fault, nth));
    }

    /// True when a fault that was armed has happened.
    pub fn has_fired(&self) -> bool {
        self.0.lock().unwrap().fired
    }

    /// Operations that have failed so far.
    pub fn failures(&self) -> usize {
        self.0.lock().unwrap().failures
    }

    /// From now on nothing succeeds, not even when a database that is dropped wants to tidy up.
    pub fn cut_power(&self) {
        self.0.lock().unwrap().broken = Some(Fault::PowerCut);
    }

    /// The machine restarts: what was not synced is there, lost or torn, as `seed` will have it.
    pub fn restart(&self, seed: u64) {
        let mut state = self.0.lock().unwrap();
        let mut stream = Stream::new(seed, "crash");
        let unsynced = state
            .changes
            .iter()
            .filter(|(_, fate)| *fate != Fate::Durable)
            .count();
        let mut left = match stream.below(4) {
            0 => unsynced, // as after a kill -9
            1 => usize::try_from(stream.below(unsynced as u64 + 1)).unwrap(),
            _ => 0,
        };
        let random = stream.below(2) == 0;
        let mut bytes = Vec::new();
        for (change, fate) in std::mem::take(&mut state.changes) {
            if fate == Fate::Durable {
                change.apply(&mut bytes);
            } else if left > 0 {
                left -= 1;
                change.apply(&mut bytes);
            } else if random {
                match stream.below(3) {
                    0 => {}
                    1 => change.apply(&mut bytes),
                    _ => change.torn(stream.next_u64()).apply(&mut bytes),
                }
            }
        }
        *state = State {
            changes: vec![(Change::Write(0, bytes.clone()), Fate::Durable)],
            bytes,
            fired: state.fired,
            failures: state.failures,
            ..State::default()
        };
    }

    /// Changes one bit, as ageing does.
    pub fn flip(&self, place: usize) {
        let mut state = self.0.lock().unwrap();
        let length = state.bytes.len();
        state.bytes[place / 8 % length] ^= 1 << (place % 8);
    }

    /// How many bytes there are.
    pub fn length(&self) -> usize {
        self.0.lock().unwrap().bytes.len()
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let outcome = state.attempt(Operation::Write);
        let change = match &outcome {
            Err(Fault::TornWrite) => change.torn(u64::MAX / 2),
            Err(_) => return outcome.map_err(to_io),
            Ok(()) => change,
        };
        change.apply(&mut state.bytes);
        state.changes.push((change, Fate::Cached));
        outcome.map_err(to_io)
    }
}

impl State {
    fn attempt(&mut self, operation: Operation) -> Result<(), Fault> {
        let outcome = self.fault_of(operation).map_or(Ok(()), Err);
        self.failures += usize::from(outcome.is_err());
        outcome
    }

    fn fault_of(&mut self, operation: Operation) -> Option<Fault> {
        if let Some(fault) = self.broken.filter(|fault| fault.hits(operation)) {
            return Some(fault);
        }
        let (fault, nth) = self.armed.filter(|(fault, _)| fault.hits(operation))?;
        if nth > 0 {
            self.armed = Some((fault, nth - 1));
            return None;
        }
        self.armed = None;
        self.fired = true;
        if matches!(fault, Fault::NoSpace | Fault::PowerCut) {
            self.broken = Some(fault);
        }
        Some(fault)
    }
}

impl Fault {
    fn hits(self, operation: Operation) -> bool {
        match self {
            Self::NoSpace | Self::TornWrite => operation == Operation::Write,
            Self::FailedSync => operation == Operation::Sync,
            Self::FailedRead => operation == Operation::Read,
            Self::PowerCut => true,
        }
    }
}

fn to_io(fault: Fault) -> io::Error {
    match fault {
        Fault::NoSpace => ErrorKind::StorageFull.into(),
        other => io::Error::other(format!("{other:?}")),
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Resize(length) => bytes.resize(*length, 0),
            Self::Write(offset, data) => {
                // A write beyond a resize that was lost.
                let end = offset + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }

    /// The first part of a write: `share` of 2^64.
    fn torn(&self, share: u64) -> Self {
        match self {
            Self::Resize(length) => Self::Resize(*length),
            Self::Write(offset, data) => {
                let part = usize::try_from((data.len() as u128 * u128::from(share)) >> 64).unwrap();
                Self::Write(*offset, data[..part].to_vec())
            }
        }
    }
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.length() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.attempt(Operation::Read).map_err(to_io)?;
        let offset = usize::try_from(offset).unwrap();
        let bytes = state.bytes.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Change::Resize(usize::try_from(length).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let outcome = state.attempt(Operation::Sync);
        let fate = if outcome.is_ok() {
            Fate::Durable
        } else {
            Fate::Abandoned
        };
        for (_, cached) in state.changes.iter_mut().filter(|(_, fate)| *fate == Fate::Cached) {
            *cached = fate;
        }
        outcome.map_err(to_io)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write(usize::try_from(offset).unwrap(), data.to_vec()))
    }
}
