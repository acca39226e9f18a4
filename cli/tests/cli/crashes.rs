//! A node that is killed while it mines and reorganises.

use super::nodes::{Running, found, record, until};
use super::support::Place;
use camelid_core::primitives::Stream;
use serde_json::Value;
use std::thread::sleep;
use std::time::Duration;

const PEER: &str = "miner1";
const VICTIM: &str = "miner3";

/// Three miners on one chain; one of them is killed without warning, again and again, at moments that hang
/// on the seed. What it makes alone before it has found the others again, it takes back. Each time it must
/// come to the ledger of a peer that nobody disturbs.
fn kill_and_compare(kills: u32) {
    let place = Place::new();
    found(&place, &[PEER, "miner2", VICTIM]);
    let (_peer, seed) = Running::start(&place, PEER, None);
    let (_other, _) = Running::start(&place, "miner2", Some(&seed));
    let mut moments = Stream::new(7, "kills");
    for kill in 0..kills {
        let (mut victim, _) = Running::start(&place, VICTIM, Some(&seed));
        let own = record(&place, "chain info", VICTIM)["blocks"].as_u64();
        until(&place, "chain info", VICTIM, |info| info["blocks"].as_u64() > own);
        agree(&place, kill);
        sleep(Duration::from_millis(moments.range(0, 1_500)));
        victim.kill();
    }
}

/// Waits until victim and peer have the same tip, and compares all that it stands for.
fn agree(place: &Place, kill: u32) {
    let state = |info: &Value| (info["bestblockhash"].clone(), info["ledgerdigest"].clone());
    until(place, "chain info", VICTIM, |victim| {
        let (tip, digest) = state(victim);
        let (peer_tip, peer_digest) = state(&record(place, "chain info", PEER));
        if tip != peer_tip {
            return false;
        }
        assert_eq!(digest, peer_digest, "after kill {kill}");
        true
    });
}

#[test]
fn a_node_that_is_killed_comes_back_to_the_ledger_of_an_undisturbed_one() {
    kill_and_compare(3);
}

#[test]
#[ignore = "nightly: minutes"]
fn a_node_that_is_killed_fifty_times_comes_back_each_time() {
    kill_and_compare(50);
}
