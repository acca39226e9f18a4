//! The same load over madsim's network endpoints.

use crate::Load;
use madsim::net::Endpoint;
use madsim::runtime::{Handle, Runtime};
use std::net::SocketAddr;

const TAG: u64 = 1;

/// Moves the load around the ring.
pub(crate) fn run() {
    Runtime::new().block_on(async {
        let ring: Vec<_> = (0..Load::NODES)
            .map(|number| {
                let node = Handle::current().create_node().ip(address(number).ip()).build();
                node.spawn(relay(number))
            })
            .collect();
        for node in ring {
            node.await.expect("a relay ends when it has done its share");
        }
    });
}

/// Receives its share of the load and passes it on.
async fn relay(number: usize) {
    let endpoint = Endpoint::bind(address(number))
        .await
        .expect("addresses are distinct");
    // Everybody must be bound before the first packet is sent.
    madsim::time::sleep(std::time::Duration::from_secs(1)).await;
    let next = address((number + 1) % Load::NODES);
    let packet = vec![0; Load::BYTES];
    for _ in 0..Load::IN_FLIGHT / Load::NODES {
        endpoint
            .send_to(next, TAG, &packet)
            .await
            .expect("the network is up");
    }
    let mut buffer = vec![0; Load::BYTES];
    for _ in 0..Load::MESSAGES / Load::NODES {
        endpoint
            .recv_from(TAG, &mut buffer)
            .await
            .expect("the network is up");
        endpoint
            .send_to(next, TAG, &buffer)
            .await
            .expect("the network is up");
    }
}

fn address(number: usize) -> SocketAddr {
    let last = u8::try_from(number + 1).expect("at most 254 nodes");
    SocketAddr::from(([10, 0, 0, last], 1))
}
