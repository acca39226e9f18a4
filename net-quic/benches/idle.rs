//! Memory of idle connections: `cargo bench -p camelid-net-quic --bench idle`.
//!
//! A node takes 200 connections of as many other nodes, which live in another process, and says what
//! its own process holds more than before.

#![allow(clippy::print_stdout, reason = "prints a measurement")]

use camelid_core::keys::{KeyHash, SecretKey};
use camelid_core::primitives::BlockHash;
use camelid_core::process::ConnectionEvent;
use camelid_core::wire::{NetAddress, Packet};
use camelid_io::{Received, Transport as _};
use camelid_net_quic::{Identity, QuicConfig, QuicTransport};
use peak_alloc::PeakAlloc;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const CONNECTIONS: u16 = 200;
/// Names the argument behind which the address to call stands.
const CALL: &str = "--call";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != CALL);
    match arguments.nth(1) {
        Some(address) => call(address.parse().expect("an address")).await,
        None => measure().await,
    }
}

fn identity(number: u16) -> Identity {
    let mut bytes = [1; 32];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    Identity {
        key: SecretKey::from_bytes(bytes).expect("a number below the order"),
        genesis: BlockHash([7; 32]),
        services: 0,
        listen_port: None,
    }
}

fn config() -> QuicConfig {
    QuicConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        max_inbound: CONNECTIONS.into(),
        max_inbound_per_ip: CONNECTIONS.into(),
        ..QuicConfig::default()
    }
}

async fn measure() {
    let (mut node, handle) = QuicTransport::bind(config(), identity(0)).expect("a free port");
    let address = handle.local_addr().expect("bound");
    let (heap, resident) = (HEAP.current_usage(), resident_bytes());
    let mut callers = Command::new(std::env::current_exe().expect("this program"))
        .args([CALL, &address.to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .expect("this program again");

    // Each says one word both ways, so that every queue and stream is in use.
    let (mut connected, mut heard) = (BTreeSet::<KeyHash>::new(), 0);
    while heard < CONNECTIONS {
        match node.recv().await.expect("the node is open") {
            Received::Connection(ConnectionEvent::Opened { peer, .. }) => {
                connected.insert(peer);
                node.send(peer, Packet::from(vec![1])).await;
            }
            Received::Packet(..) => heard += 1,
            Received::Connection(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(connected.len(), usize::from(CONNECTIONS));
    let each = |bytes: usize| bytes / usize::from(CONNECTIONS);
    println!("{CONNECTIONS} idle connections, of this end each:");
    println!(
        "  heap      {:>7} bytes",
        each(HEAP.current_usage().saturating_sub(heap))
    );
    if let (Some(before), Some(after)) = (resident, resident_bytes()) {
        println!("  resident  {:>7} bytes", each(after.saturating_sub(before)));
    }
    // The end of its standard input tells the other process that it may go.
    drop(callers.stdin.take());
    callers.wait().expect("it was started");
}

async fn call(address: SocketAddr) {
    let mut nodes = Vec::new();
    for number in 1..=CONNECTIONS {
        let (mut node, _) = QuicTransport::bind(config(), identity(number)).expect("a free port");
        node.connect(NetAddress::from(address)).await;
        let Some(Received::Connection(ConnectionEvent::Opened { peer, .. })) = node.recv().await else {
            panic!("number {number} is not let in");
        };
        node.send(peer, Packet::from(vec![1])).await;
        nodes.push(node);
    }
    let done = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    done.await.expect("reading ends").expect("a pipe");
}

/// Linux's count of the process's memory, where there is one.
fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
