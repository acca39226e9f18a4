//! H17: what a hostile relay makes of others' messages, in packets.

mod support;

use camelid_sim::run;
use camelid_sim::trace::{Frame, Trace, TracedInput};
use support::parse;

/// Ten nodes and two jobs; `relay` completes the group of two relays.
fn packets(relay: &str) -> usize {
    let scenario = parse(&format!(
        r#"
name = "relayed"
about = "Two relays among ten nodes."

[run]
until_ms = 1_500_000
heal_at_ms = 0

[network]
peers = 4

[[nodes]]
name = "miner"
count = 2
roles = ["miner"]

[[nodes]]
name = "worker"
count = 2
roles = ["worker"]
coins = 4

[[nodes]]
name = "client"
count = 4
roles = ["client"]
coins = 4

[[nodes]]
name = "relay"
count = 2
{relay}

[[jobs]]
client = "client"
count = 2
start_ms = 60_000

[expect]
sometimes = [{{ event = "job-open" }}]
"#
    ));
    let run = run(&scenario, 1);
    assert_eq!(run.report.counts["delivery-opened"], 2, "the jobs are done");
    let trace = Trace::read(&run.trace).expect("a whole trace");
    let arrivals = trace.frames.iter().filter(|frame| {
        matches!(
            frame,
            Frame::Step {
                input: TracedInput::Packet { .. },
                ..
            }
        )
    });
    arrivals.count()
}

#[test]
fn loops_end_at_the_next_node() {
    let (honest, looping) = (packets(""), packets("strategy = \"loop-jobs\""));
    // A relay repeats what it passes on, and nobody repeats that.
    assert!(
        looping < 2 * honest,
        "{looping} packets with loops, {honest} without"
    );
    assert!(looping > honest, "the loops add nothing: {looping}");
}

#[test]
fn forged_senders_multiply_traffic_only_as_far_as_hops_go() {
    let (honest, forging) = (packets(""), packets("strategy = \"forge-sender\""));
    // A message under another name is another message to everybody: this is what rate limits are to
    // bound, beside the hops.
    assert!(
        forging < 40 * honest,
        "{forging} packets with forged senders, {honest} without"
    );
    assert!(forging > honest, "the forgeries add nothing: {forging}");
}
