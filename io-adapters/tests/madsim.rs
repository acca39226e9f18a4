//! The driver on machines that die: `RUSTFLAGS="--cfg madsim" cargo test -p camelid-io`, with a
//! target directory of its own.
#![cfg(madsim)]
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

mod support {
    mod machine;
    pub use machine::{Machine, agree, two_machines};
}

use madsim::runtime::Handle;
use support::{Machine, agree, two_machines};

#[madsim::test]
async fn killed_nodes_go_on_from_their_records_and_catch_up() {
    let runtime = Handle::current();
    let (miner, follower) = two_machines();
    let hosts = [&miner, &follower].map(|machine| {
        let machine = machine.clone();
        runtime.create_node().init(move || run(machine.clone())).build()
    });
    follower.reached(3).await;

    runtime.kill(hosts[1].id());
    let before = follower.height_stored().await;
    assert!(before >= 3, "what was announced is stored");
    miner.reached(before + 10).await;
    assert_eq!(follower.height_stored().await, before);
    runtime.restart(hosts[1].id());
    follower.reached(before + 10).await;

    // The miner, too, must go on from its own records.
    runtime.kill(hosts[0].id());
    let before = miner.height_stored().await;
    runtime.restart(hosts[0].id());
    follower.reached(before + 5).await;
    let (miner, follower) = (miner.stored_node().await, follower.stored_node().await);
    assert!(agree(miner.chain(), follower.chain()));
}

async fn run(machine: Machine) {
    let halted = machine.run().await.err();
    panic!("the driver halted: {halted:?}");
}
