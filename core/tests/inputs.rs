//! Whatever is given to a node, in whatever order: it answers, and does not panic.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::block::BlockHeader;
use camelid_core::keys::Signature;
use camelid_core::model::{Finish, InferenceResult, Prediction, Tokens};
use camelid_core::node::{
    CheckerConfig, ClientConfig, NetworkConfig, Node, NodeConfig, VerifierConfig, Verify, WorkerConfig,
};
use camelid_core::primitives::{BoundedVec, JobId, Time};
use camelid_core::process::{
    Command, ConnectionEvent, Direction, Input, Output, Outputs, Process, RequestId, Timer,
};
use camelid_core::wire::{Envelope, MAX_HOPS, Message, Packet};
use proptest::prelude::*;
use proptest::sample::Index;
use support::network::{Network, config, job_request};
use support::*;

/// One step of a hostile driver.
#[derive(Clone, Debug)]
enum Step {
    Start,
    Timer,
    Packet(Vec<u8>),
    /// A packet that the node or its peers sent before, perhaps altered.
    Echo(Index, Option<(Index, u8)>),
    /// A payload of some kind in a sound envelope.
    Payload(u8, Vec<u8>),
    /// A message that was seen before with its payload altered and its checksum mended.
    Altered(Index, Index, u8),
    /// An answer to some request, perhaps one that was made.
    Inferred(u64, InferenceResult),
    /// The node's newest template, solved, or some header.
    Mined(Option<[u8; 32]>),
    Open(u32, u64, u32),
    Wait(u64),
    Connection(ConnectionEvent),
    Tend,
}

fn result() -> impl Strategy<Value = InferenceResult> {
    let tokens = prop::collection::vec(0u32..70, 0..12);
    let predictions = prop::collection::vec((0u32..70, any::<u32>()), 0..12);
    prop_oneof![
        (tokens, any::<bool>()).prop_map(|(output, ended)| InferenceResult::Generated {
            output: Tokens::from_vec(output).unwrap(),
            finish: if ended { Finish::EndToken } else { Finish::Limit },
        }),
        predictions.prop_map(|predictions| {
            let predictions = predictions.into_iter().map(|(token, gap_milli)| Prediction {
                token,
                gap_milli,
                runner_up: token ^ 1,
                margin_milli: gap_milli,
            });
            InferenceResult::Predicted {
                predictions: BoundedVec::from_vec(predictions.collect()).unwrap(),
            }
        }),
        Just(InferenceResult::failed("no model")),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    let edit = prop::option::of((any::<Index>(), any::<u8>()));
    prop_oneof![
        1 => Just(Step::Start),
        3 => Just(Step::Timer),
        1 => bytes().prop_map(Step::Packet),
        4 => (any::<Index>(), edit).prop_map(|(which, edit)| Step::Echo(which, edit)),
        2 => (any::<u8>(), bytes()).prop_map(|(kind, payload)| Step::Payload(kind % (Message::KINDS + 1), payload)),
        6 => any::<(Index, Index, u8)>().prop_map(|(which, at, value)| Step::Altered(which, at, value)),
        4 => (0u64..6, result()).prop_map(|(request, result)| Step::Inferred(request, result)),
        6 => Just(Step::Mined(None)),
        1 => any::<[u8; 32]>().prop_map(|root| Step::Mined(Some(root))),
        2 => (0u32..6000, 0u64..200_000_000_000_000_000, 0u32..40)
            .prop_map(|(tokens, reward, deadline)| Step::Open(tokens, reward, deadline)),
        1 => Just(Step::Open(8, 100_000_000, 20)),
        3 => prop_oneof![0u64..200_000, Just(u64::MAX)].prop_map(Step::Wait),
        3 => connection().prop_map(Step::Connection),
        3 => Just(Step::Tend),
    ]
}

/// Of a few peers at a few addresses.
fn connection() -> impl Strategy<Value = ConnectionEvent> {
    let peer = || {
        prop_oneof![4 => Just(NODE), 1 => Just(CLIENT), 1 => Just(STRANGER)]
            .prop_map(|owner| secret(owner).node_id())
    };
    let address =
        || (20u8..24).prop_map(|first| std::net::SocketAddr::from(([first, 1, 0, 1], 4_000)).into());
    let direction = || prop_oneof![Just(Direction::Inbound), Just(Direction::Outbound)];
    prop_oneof![
        3 => (peer(), address(), direction()).prop_map(|(peer, address, direction)| ConnectionEvent::Opened {
            peer,
            address,
            direction,
        }),
        1 => peer().prop_map(|peer| ConnectionEvent::Closed { peer }),
        1 => address().prop_map(|address| ConnectionEvent::Failed { address }),
    ]
}

/// A node with all roles, and everything it or the network ever sent.
struct Harness {
    node: Node,
    now: Time,
    seen: Vec<Packet>,
    template: Option<BlockHeader>,
    message_id: u64,
}

impl Harness {
    fn new(seen: Vec<Packet>, is_open: bool) -> Self {
        let open = NetworkConfig {
            seeds: vec![std::net::SocketAddr::from(([20, 1, 0, 1], 4_000)).into()],
            ..NetworkConfig::default()
        };
        let config = NodeConfig {
            network: is_open.then_some(open),
            client: Some(ClientConfig { verify: Verify::Own }),
            worker: Some(WorkerConfig { parallel_jobs: 2 }),
            committee: Some(VerifierConfig { tickets: 2 }),
            miner: true,
            checker: Some(CheckerConfig {
                fee_per_token: units(1),
                credit: units(100),
            }),
            ..config(CLIENT, &[NODE, MINER])
        };
        Self {
            node: Node::new(config),
            now: Time(u64::from(network().genesis_time.0) * 1_000),
            seen,
            template: None,
            message_id: 0,
        }
    }

    fn input(&self, step: Step) -> Option<Input> {
        let from = secret(NODE).node_id();
        let message = |packet: Vec<u8>| Input::Message {
            from,
            packet: Packet::from(packet),
        };
        Some(match step {
            Step::Start => Input::Start,
            Step::Timer => Input::TimerFired(Timer::Maintenance),
            Step::Tend => Input::TimerFired(Timer::Connections),
            Step::Connection(event) => Input::Connection(event),
            Step::Packet(bytes) => message(bytes),
            Step::Echo(which, edit) => {
                let mut bytes = which.get(&self.seen).to_vec();
                if let Some((at, value)) = edit {
                    let at = at.index(bytes.len());
                    bytes[at] = value;
                }
                message(bytes)
            }
            Step::Payload(kind, payload) => message(self.sound(kind, payload)),
            Step::Altered(which, at, value) => {
                let packet: &Packet = which.get(&self.seen);
                let envelope = Envelope::from_packet(packet, network().magic).ok()?;
                let mut payload = envelope.payload.to_vec();
                let at = at.index(payload.len().max(1));
                *payload.get_mut(at)? = value;
                message(self.sound(envelope.kind, payload))
            }
            Step::Inferred(request, result) => Input::Inferred {
                request: RequestId(request),
                result,
            },
            Step::Mined(None) => {
                let mut header = self.template?;
                header.time = header.time.max(self.now.timestamp());
                solve(&mut header);
                Input::Mined { header }
            }
            Step::Mined(Some(root)) => {
                let mut header = self.template?;
                header.merkle_root.0 = root;
                Input::Mined { header }
            }
            Step::Open(max_tokens, reward, deadline_blocks) => {
                let mut request = job_request();
                request.max_tokens = max_tokens;
                request.reward = camelid_core::primitives::Amount::from_units(reward)?;
                request.deadline_blocks = deadline_blocks;
                Input::Command(Command::OpenJob(Box::new(request)))
            }
            Step::Wait(_) => return None,
        })
    }

    /// An envelope whose checksum is right, whatever is inside.
    fn sound(&self, kind: u8, payload: Vec<u8>) -> Vec<u8> {
        let message = Message::DeliveryReceived {
            job: JobId([0; 32]),
            signature: Signature([0; 64]),
        };
        let sender = secret(MINER).node_id();
        let id = self.message_id;
        let mut envelope = Envelope::new(network().magic, sender, None, id, MAX_HOPS, &message).unwrap();
        let [a, b, c, d, ..] = camelid_core::primitives::sha256d(&payload).0;
        envelope.kind = kind;
        envelope.payload = BoundedVec::from_vec(payload).unwrap();
        envelope.checksum = [a, b, c, d];
        envelope.to_packet().to_vec()
    }

    fn take(&mut self, step: Step) {
        self.message_id += 1;
        if let Step::Wait(ms) = step {
            self.now = self.now.after_ms(ms);
        }
        let Some(input) = self.input(step) else { return };
        let mut out = Outputs::new();
        self.node.handle(self.now, input, &mut out);
        for output in out.take() {
            match output {
                Output::Send { packet, .. } => self.seen.push(packet),
                Output::Mine { template } => self.template = Some(template),
                _ => {}
            }
        }
        assert_conserved(self.node.chain().ledger());
    }
}

/// What honest nodes send each other while they do a job.
fn honest_packets() -> &'static [Packet] {
    thread_local! {
        static PACKETS: &'static [Packet] = {
            let mut network = Network::new();
            let job = network.open_job();
            network.run_to_state(&job, "Closed");
            Vec::leak(std::mem::take(&mut network.packets))
        };
    }
    PACKETS.with(|packets| *packets)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_order_of_inputs_makes_a_node_panic(
        steps in prop::collection::vec(step(), 1..60),
        is_open in any::<bool>(),
    ) {
        let mut harness = Harness::new(honest_packets().to_vec(), is_open);
        for step in steps {
            harness.take(step);
        }
        // It still works: its own blocks extend its chain, unless the clock has come to its end.
        harness.take(Step::Timer);
        let height = harness.node.chain().height();
        harness.take(Step::Mined(None));
        let ended = harness.now.timestamp().0 > u32::MAX - 100_000;
        prop_assert!(ended || harness.template.is_none() || harness.node.chain().height() == height.plus(1));
    }
}
