//! The driver on tokio, in paused time.
#![cfg(not(madsim))]
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure

mod support {
    pub mod fake;
    mod machine;
    pub use machine::{agree, two_machines};
}

use async_trait::async_trait;
use camelid_core::block::{BlockHeader, CompactTarget};
use camelid_core::keys::{KeyHash, NodeId};
use camelid_core::model::{InferenceResult, InferenceTask, PromptTokens, Sampling};
use camelid_core::primitives::{Amount, Height, JobId, ModelId, Time};
use camelid_core::process::{Command, Event, Input, JobRequest, Output, RequestId, Timer};
use camelid_core::rastic::Spec;
use camelid_io::{
    Adapters, Clock, Driver, DriverConfig, DriverError, DriverStopped, Inference, MemoryNetwork,
    MemoryStorage, MiningConfig, Received, Storage, Transport,
};
use proptest::prelude::*;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use support::fake::{
    Effect, Fake, FakeStorage, FakeTransport, Journal, event, header, packet, persist, quiet_adapters, send,
    somebody,
};
use support::{agree, two_machines};
use tokio::sync::mpsc;

// --- Real nodes ---

#[tokio::test(start_paused = true)]
async fn two_nodes_follow_the_chain_that_one_of_them_mines() {
    let (miner, follower) = two_machines();
    let (driver, stop_miner) = miner.boot().await;
    let mining = tokio::spawn(driver.run());
    let (driver, stop_follower) = follower.boot().await;
    let following = tokio::spawn(driver.run());

    miner.reached(5).await;
    follower.reached(5).await;
    stop_miner.stop();
    stop_follower.stop();
    let miner = mining.await.unwrap().unwrap();
    let follower = following.await.unwrap().unwrap();
    assert!(follower.chain().height().0 >= 5);
    assert!(agree(miner.chain(), follower.chain()));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_node_goes_on_from_its_records_and_catches_up() {
    let (miner, follower) = two_machines();
    let (driver, stop_miner) = miner.boot().await;
    let mining = tokio::spawn(driver.run());
    let (driver, stop) = follower.boot().await;
    let following = tokio::spawn(driver.run());
    follower.reached(3).await;
    stop.stop();
    let stopped = following.await.unwrap().unwrap();

    let missed = stopped.chain().height().0 + 10;
    miner.reached(missed).await;
    let recovered = follower.stored_node().await;
    assert_eq!(recovered.chain().active(), stopped.chain().active());
    assert_eq!(
        recovered.chain().ledger().digest(),
        stopped.chain().ledger().digest()
    );

    let (driver, stop) = follower.boot().await;
    assert!(follower.height_stored().await < missed);
    let following = tokio::spawn(driver.run());
    follower.reached(missed).await;
    stop_miner.stop();
    stop.stop();
    let miner = mining.await.unwrap().unwrap();
    let follower = following.await.unwrap().unwrap();
    assert!(agree(miner.chain(), follower.chain()));
}

#[tokio::test(start_paused = true)]
async fn a_miner_whose_disk_fails_publishes_nothing_that_it_could_forget() {
    let (miner, follower) = two_machines();
    miner.storage.fail_after(3);
    let (driver, stop) = follower.boot().await;
    let following = tokio::spawn(driver.run());

    let halted = miner.clone().run().await;
    assert!(matches!(halted, Err(DriverError::Persist(_))));
    assert_eq!(miner.storage.len(), 6); // three blocks, and what each changes
    // Virtual time moves when nobody has anything to do: the follower has read all that was sent.
    tokio::time::sleep(Duration::from_millis(10)).await;
    stop.stop();
    let follower = following.await.unwrap().unwrap();
    let headers = follower.chain().headers();
    assert_eq!(headers.height(&headers.best()), Some(Height(3)));
}

// --- Order and barriers ---

#[derive(Clone, Debug)]
enum Step {
    Persist,
    Send,
    Observe,
}

/// Runs batches of steps, numbered through, on storage that fails after `successes` appends.
/// Returns what left the machine and whether the driver halted for the storage.
fn run_script(batches: &[Vec<Step>], successes: usize) -> (Vec<Effect>, bool) {
    let mut number = 0;
    let script: Vec<Vec<Output>> = batches
        .iter()
        .map(|batch| {
            let outputs = batch.iter().map(|step| {
                number += 1;
                match step {
                    Step::Persist => persist(number),
                    Step::Send => send(number),
                    Step::Observe => event(number),
                }
            });
            outputs.collect()
        })
        .collect();
    let effects = Journal::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(async {
        let adapters = Adapters {
            transport: Box::new(FakeTransport {
                effects: effects.clone(),
                incoming: batches.len().saturating_sub(1),
                then_close: true,
            }),
            storage: Box::new(FakeStorage {
                effects: effects.clone(),
                successes,
                appends: Journal::default(),
            }),
            ..quiet_adapters()
        };
        let observed = effects.clone();
        let (driver, _handle) = Driver::new(Fake::new(script), adapters, DriverConfig::default());
        let driver = driver.with_observer(move |_, event| {
            if let Event::JobRefused { reason } = event {
                observed.push(Effect::Observed(reason.parse().unwrap()));
            }
        });
        driver.run().await
    });
    (effects.entries(), matches!(result, Err(DriverError::Persist(_))))
}

/// The effect of each step, numbered through.
fn effects_of(batches: &[Vec<Step>]) -> Vec<Effect> {
    let steps = (1..).zip(batches.iter().flatten());
    let effects = steps.map(|(number, step)| match step {
        Step::Persist => Effect::Stored(number),
        Step::Send => Effect::Sent(number),
        Step::Observe => Effect::Observed(number),
    });
    effects.collect()
}

/// What was stored, in order, and everything else, in order.
fn by_durability(effects: &[Effect]) -> (Vec<Effect>, Vec<Effect>) {
    effects
        .iter()
        .partition(|effect| matches!(effect, Effect::Stored(_)))
}

proptest! {
    #[test]
    fn nothing_overtakes_a_record_or_follows_one_that_failed(
        batches in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![Just(Step::Persist), Just(Step::Send), Just(Step::Observe)],
                0..8,
            ),
            1..6,
        ),
        successes in prop_oneof![0..8usize, Just(usize::MAX)],
    ) {
        let asked = effects_of(&batches);
        let (effects, halted) = run_script(&batches, successes);
        let (records, others) = by_durability(&asked);
        let (stored, left) = by_durability(&effects);
        prop_assert_eq!(halted, records.len() > successes);
        prop_assert!(records.starts_with(&stored) && others.starts_with(&left));
        if !halted {
            prop_assert_eq!(effects.len(), asked.len());
        }
        for (position, effect) in effects.iter().enumerate() {
            if !matches!(effect, Effect::Stored(_)) {
                let before = asked.iter().take_while(|other| *other != effect);
                let mut due = before.filter(|other| matches!(other, Effect::Stored(_)));
                prop_assert!(due.all(|record| effects[..position].contains(record)));
            }
        }
    }
}

#[test]
fn a_failed_record_halts_the_driver_before_the_send_behind_it() {
    let batches = [
        vec![Step::Send],
        vec![Step::Persist, Step::Send, Step::Observe],
        vec![Step::Send],
    ];
    assert_eq!(run_script(&batches, 0), (vec![Effect::Sent(1)], true));
}

#[tokio::test(start_paused = true)]
async fn blocks_at_hand_share_commits() {
    let appends = Journal::default();
    let adapters = Adapters {
        transport: Box::new(FakeTransport {
            effects: Journal::default(),
            incoming: 99,
            then_close: true,
        }),
        storage: Box::new(FakeStorage {
            effects: Journal::default(),
            successes: usize::MAX,
            appends: appends.clone(),
        }),
        ..quiet_adapters()
    };
    let process = Fake::new((1..=100).map(|number| vec![persist(number), send(number)]));
    let (driver, _handle) = Driver::new(process, adapters, DriverConfig::default());
    assert!(matches!(driver.run().await, Err(DriverError::TransportClosed)));
    assert_eq!(appends.entries(), [32, 32, 32, 4]);
}

// --- Time ---

fn set_timer(at_ms: u64) -> Output {
    Output::SetTimer {
        timer: Timer::Maintenance,
        at: Time(at_ms),
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_fires_once_at_its_newest_setting() {
    // The clock starts at 1 000 000.
    let process = Fake::new([
        vec![set_timer(1_010_000), set_timer(1_005_000)],
        vec![set_timer(1_006_000), set_timer(1_020_000)],
        vec![set_timer(1_001_000)], // in the past: at once
        vec![set_timer(1_500_000)],
        vec![event(0)],
    ]);
    let inputs = process.inputs.clone();
    run_until_event(process, quiet_adapters(), DriverConfig::default()).await;
    let fired: Vec<(u64, Input)> = inputs
        .entries()
        .into_iter()
        .map(|(now, input)| (now.0, input))
        .collect();
    let at = |ms| (ms, Input::TimerFired(Timer::Maintenance));
    assert_eq!(
        fired,
        [
            (1_000_000, Input::Start),
            at(1_005_000),
            at(1_020_000),
            at(1_020_000),
            at(1_500_000)
        ]
    );
}

/// Shows the times 50, 40, 30 and so on: each look is earlier than the last.
struct BackwardClock(AtomicU64);

#[async_trait]
impl Clock for BackwardClock {
    fn now(&self) -> Time {
        Time(self.0.fetch_sub(10, Ordering::Relaxed))
    }

    async fn sleep_until(&self, _at: Time) {}
}

#[tokio::test(start_paused = true)]
async fn time_never_goes_back_for_the_process() {
    let process = Fake::new([vec![], vec![], vec![], vec![event(0)]]);
    let inputs = process.inputs.clone();
    let adapters = Adapters {
        clock: Arc::new(BackwardClock(AtomicU64::new(50))),
        transport: Box::new(FakeTransport {
            effects: Journal::default(),
            incoming: 3,
            then_close: false,
        }),
        ..quiet_adapters()
    };
    run_until_event(process, adapters, DriverConfig::default()).await;
    let times: Vec<u64> = inputs.entries().iter().map(|(now, _)| now.0).collect();
    assert_eq!(times, [50; 4]);
}

/// Runs a driver until its process says something, and stops it.
async fn run_until_event(process: Fake, adapters: Adapters, config: DriverConfig) -> Fake {
    let (said, mut hear) = mpsc::unbounded_channel();
    let (driver, handle) = Driver::new(process, adapters, config);
    let driver = driver.with_observer(move |_, _| said.send(()).unwrap());
    let running = tokio::spawn(driver.run());
    hear.recv().await.unwrap();
    handle.stop();
    running.await.unwrap().unwrap()
}

// --- Commands and stopping ---

#[tokio::test(start_paused = true)]
async fn commands_reach_the_process_until_it_stops() {
    let process = Fake::new([vec![], vec![event(0)]]);
    let inputs = process.inputs.clone();
    let (driver, handle) = Driver::new(process, quiet_adapters(), DriverConfig::default());
    let stopper = handle.clone();
    let driver = driver.with_observer(move |_, _| stopper.stop());
    let running = tokio::spawn(driver.run());
    handle.command(command()).await.unwrap();
    running.await.unwrap().unwrap();
    let inputs: Vec<Input> = inputs.entries().into_iter().map(|(_, input)| input).collect();
    assert_eq!(inputs, [Input::Start, Input::Command(command())]);
    assert_eq!(handle.command(command()).await, Err(DriverStopped));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_stops_meets_the_requests_that_wait() {
    let (driver, handle) = Driver::new(Fake::new([]), quiet_adapters(), DriverConfig::default());
    handle.command(command()).await.unwrap();
    let looking = tokio::spawn({
        let handle = handle.clone();
        async move { handle.inspect(|fake| fake.inputs.entries().len()).await }
    });
    tokio::task::yield_now().await; // it has asked now
    handle.stop();
    driver.run().await.unwrap();
    assert_eq!(looking.await.unwrap(), Ok(2)); // the start and the command
    assert_eq!(handle.inspect(|_| ()).await, Err(DriverStopped));
}

#[tokio::test(start_paused = true)]
async fn who_inspects_sees_nothing_that_is_not_durable() {
    // Up to 32 share a commit, and between two commits it is a toss whether a look or an input comes next.
    const INPUTS: usize = 2_000;
    let effects = Journal::default();
    let adapters = Adapters {
        transport: Box::new(FakeTransport {
            effects: Journal::default(),
            incoming: INPUTS - 1,
            then_close: false,
        }),
        storage: Box::new(FakeStorage {
            effects: effects.clone(),
            successes: usize::MAX,
            appends: Journal::default(),
        }),
        ..quiet_adapters()
    };
    let process = Fake::new((0..INPUTS).map(|_| vec![persist(1)]));
    let (driver, handle) = Driver::new(process, adapters, DriverConfig::default());
    let running = tokio::spawn(driver.run());
    let mut looks = 0;
    loop {
        let effects = effects.clone();
        let look = move |fake: &Fake| (fake.inputs.entries().len(), effects.entries().len());
        let (handled, stored) = handle.inspect(look).await.unwrap();
        assert_eq!(handled, stored);
        looks += 1;
        if handled == INPUTS {
            break;
        }
    }
    assert!(looks > 2, "some looks came in between");
    handle.stop();
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_asks_hears_what_came_of_it_and_nothing_else() {
    let told = |number| match event(number) {
        Output::Event(event) => event,
        other => unreachable!("{other:?}"),
    };
    let script = [
        vec![event(1)],
        vec![event(2), persist(1), event(3)],
        vec![],
        vec![event(4)],
    ];
    let (driver, handle) = Driver::new(Fake::new(script), quiet_adapters(), DriverConfig::default());
    let running = tokio::spawn(driver.run());
    assert_eq!(handle.ask(command()).await, Ok(vec![told(2), told(3)]));
    assert_eq!(handle.ask(command()).await, Ok(vec![]));
    assert_eq!(handle.ask(command()).await, Ok(vec![told(4)]));
    handle.stop();
    running.await.unwrap().unwrap();
    assert_eq!(handle.ask(command()).await, Err(DriverStopped));
}

#[tokio::test(start_paused = true)]
async fn who_asks_hears_nothing_of_what_could_not_be_stored() {
    let adapters = Adapters {
        storage: Box::new(FakeStorage {
            effects: Journal::default(),
            successes: 0,
            appends: Journal::default(),
        }),
        ..quiet_adapters()
    };
    let process = Fake::new([vec![], vec![event(1), persist(1)]]);
    let (driver, handle) = Driver::new(process, adapters, DriverConfig::default());
    let running = tokio::spawn(driver.run());
    assert_eq!(handle.ask(command()).await, Err(DriverStopped));
    assert!(running.await.unwrap().is_err());
}

fn command() -> Command {
    Command::OpenJob(Box::new(JobRequest {
        prompt: PromptTokens::default(),
        max_tokens: 1,
        seed: 0,
        sampling: Sampling::GREEDY,
        model: ModelId::default(),
        spec: Spec::V2,
        samples: 0,
        reward: Amount::ZERO,
        stake: None,
        engage_fee: Amount::ZERO,
        deadline_blocks: 10,
        private: false,
    }))
}

// --- Inference ---

/// Yields a few times and answers with the task's token limit; panics when that is 0.
#[derive(Default)]
struct CountingInference {
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Inference for CountingInference {
    async fn run(&self, task: InferenceTask) -> InferenceResult {
        let InferenceTask::Generate { max_tokens, .. } = task else {
            return InferenceResult::failed("unexpected");
        };
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::Relaxed);
        assert_ne!(max_tokens, 0, "asked to panic");
        InferenceResult::failed(&max_tokens.to_string())
    }
}

fn infer(request: u64, max_tokens: u32) -> Output {
    Output::Infer {
        request: RequestId(request),
        task: Box::new(InferenceTask::Generate {
            model: ModelId::default(),
            job: JobId::default(),
            prompt: PromptTokens::default(),
            prefix: Default::default(),
            max_tokens,
            seed: 0,
            sampling: Sampling::GREEDY,
        }),
    }
}

#[tokio::test(start_paused = true)]
async fn every_inference_is_answered_and_few_run_at_a_time() {
    let tasks = [101, 102, 0, 104, 105, 106];
    let asked = (1..).zip(tasks).map(|(request, tokens)| infer(request, tokens));
    let silence = std::iter::repeat_n(vec![], tasks.len() - 1);
    let script = std::iter::once(asked.collect())
        .chain(silence)
        .chain([vec![event(0)]]);
    let process = Fake::new(script);
    let inputs = process.inputs.clone();
    let inference = Arc::new(CountingInference::default());
    let adapters = Adapters {
        inference: inference.clone(),
        ..quiet_adapters()
    };
    let config = DriverConfig {
        parallel_inferences: NonZeroUsize::new(2).unwrap(),
        waiting_inferences: 3,
        ..DriverConfig::default()
    };
    run_until_event(process, adapters, config).await;

    let mut answers: Vec<(u64, String)> = inputs
        .entries()
        .into_iter()
        .filter_map(|(_, input)| match input {
            Input::Inferred {
                request,
                result: InferenceResult::Failed { reason },
            } => Some((request.0, reason.to_string())),
            _ => None,
        })
        .collect();
    answers.sort();
    let expected = [
        (1, "101"),
        (2, "102"),
        (3, "the task panicked"),
        (4, "104"),
        (5, "105"),
        (6, "too many inference tasks"),
    ];
    assert_eq!(
        answers,
        expected.map(|(request, reason)| (request, reason.to_string()))
    );
    assert_eq!(inference.most.load(Ordering::Relaxed), 2);
}

// --- Mining ---

const MINING: DriverConfig = DriverConfig {
    command_capacity: NonZeroUsize::MIN,
    parallel_inferences: NonZeroUsize::MIN,
    waiting_inferences: 0,
    mining: Some(MiningConfig {
        lanes: NonZeroU32::MIN,
        hashes_per_slice: 3,
        pause_ms: 0,
    }),
};

fn mine(template: BlockHeader) -> Output {
    Output::Mine { template }
}

/// What a process that hands out these templates, all at once, gets mined first.
async fn first_mined(templates: Vec<BlockHeader>) -> BlockHeader {
    first_mined_with(templates, MINING).await
}

async fn first_mined_with(templates: Vec<BlockHeader>, config: DriverConfig) -> BlockHeader {
    let process = Fake::new([templates.into_iter().map(mine).collect(), vec![event(0)]]);
    let inputs = process.inputs.clone();
    run_until_event(process, quiet_adapters(), config).await;
    match inputs.entries().as_slice() {
        [_, (_, Input::Mined { header })] => *header,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_solved_header_meets_its_target_and_keeps_what_is_committed() {
    let template = BlockHeader {
        bits: CompactTarget(0x2000_ffff), // one in 256
        ..header(1)
    };
    let solved = first_mined(vec![template]).await;
    assert_eq!(solved.check_work(), Ok(()));
    assert_eq!(BlockHeader { nonce: 0, ..solved }, template);
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_template_is_mined() {
    let hopeless = BlockHeader {
        bits: CompactTarget(0x0300_0001),
        ..header(1)
    };
    let solved = first_mined(vec![hopeless, header(2), header(3)]).await;
    assert_eq!(solved.merkle_root, header(3).merkle_root);
}

#[tokio::test(start_paused = true)]
async fn a_new_template_replaces_one_that_is_being_mined() {
    let hopeless = BlockHeader {
        bits: CompactTarget(0x0300_0001),
        ..header(1)
    };
    // The first packet comes while the hopeless template is in work.
    let process = Fake::new([vec![mine(hopeless)], vec![mine(header(2))], vec![event(0)]]);
    let inputs = process.inputs.clone();
    let adapters = Adapters {
        transport: Box::new(FakeTransport {
            effects: Journal::default(),
            incoming: 1,
            then_close: false,
        }),
        ..quiet_adapters()
    };
    run_until_event(process, adapters, MINING).await;
    let (_, last) = inputs.entries().pop().unwrap();
    assert!(matches!(last, Input::Mined { header: solved } if solved.merkle_root == header(2).merkle_root));
}

#[tokio::test(start_paused = true)]
async fn when_the_nonces_are_spent_the_time_goes_on() {
    // Two last nonces that do not solve it; then nonce 0 of the next second and so on.
    let template = (0..=u8::MAX)
        .map(|root| BlockHeader {
            nonce: u32::MAX - 1,
            ..header(root)
        })
        .find(|header| {
            let last = BlockHeader {
                nonce: u32::MAX,
                ..*header
            };
            header.check_work().is_err() && last.check_work().is_err()
        });
    let template = template.unwrap();
    let solved = first_mined(vec![template]).await;
    assert_eq!(solved.check_work(), Ok(()));
    assert_eq!(solved.time.0, template.time.0 + 1);
    assert!(solved.nonce < 1_000);
}

/// Each lane has its own share of the nonces, and the first to find one ends the search of all.
#[tokio::test(start_paused = true)]
async fn several_lanes_search_at_once() {
    let lanes = NonZeroU32::new(4).unwrap();
    let config = DriverConfig {
        mining: Some(MiningConfig {
            lanes,
            hashes_per_slice: 3,
            pause_ms: 0,
        }),
        ..MINING
    };
    let mut shares = [0; 4];
    for root in 0..40 {
        let template = BlockHeader {
            bits: CompactTarget(0x2000_ffff), // one in 256
            ..header(root)
        };
        let solved = first_mined_with(vec![template], config).await;
        assert_eq!(solved.check_work(), Ok(()));
        assert_eq!(BlockHeader { nonce: 0, ..solved }, template);
        shares[(solved.nonce / (u32::MAX / 4)) as usize] += 1;
    }
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

/// On a runtime with threads the lanes run beside each other, and the loop is not held up.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn lanes_run_on_several_threads() {
    let config = DriverConfig {
        mining: Some(MiningConfig {
            lanes: NonZeroU32::new(2).unwrap(),
            ..MiningConfig::default()
        }),
        ..MINING
    };
    let template = BlockHeader {
        bits: CompactTarget(0x1f00_ffff), // one in 65,536
        ..header(1)
    };
    let solved = first_mined_with(vec![template], config).await;
    assert_eq!(solved.check_work(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn without_mining_or_with_a_malformed_target_nothing_is_mined() {
    let malformed = BlockHeader {
        bits: CompactTarget(0),
        ..header(1)
    };
    for (template, config) in [(header(1), DriverConfig::default()), (malformed, MINING)] {
        let process = Fake::new([vec![mine(template), set_timer(2_000_000)], vec![event(0)]]);
        let inputs = process.inputs.clone();
        run_until_event(process, quiet_adapters(), config).await;
        let inputs: Vec<Input> = inputs.entries().into_iter().map(|(_, input)| input).collect();
        assert_eq!(inputs, [Input::Start, Input::TimerFired(Timer::Maintenance)]);
    }
}

// --- Adapters in memory ---

proptest! {
    #[test]
    fn a_full_queue_drops_the_newest_packets(capacity in 1..20usize, sent in 0..40u8) {
        let network = MemoryNetwork::new(NonZeroUsize::new(capacity).unwrap());
        let (mut sender, mut receiver) = (network.join(somebody()), network.join(other()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let received = runtime.block_on(async {
            for number in 0..sent {
                sender.send(other(), packet(number)).await;
            }
            let mut received = Vec::new();
            while received.len() < usize::from(sent).min(capacity) {
                received.push(receiver.recv().await.unwrap());
            }
            received
        });
        let kept = (0..sent).take(capacity).map(|number| Received::Packet(somebody(), packet(number)));
        prop_assert_eq!(received, kept.collect::<Vec<_>>());
        prop_assert_eq!(network.dropped(), u64::from(sent).saturating_sub(capacity as u64));
    }
}

fn other() -> NodeId {
    KeyHash([8; 20])
}

#[tokio::test(start_paused = true)]
async fn packets_to_nobody_are_counted_and_a_second_connection_cuts_the_first() {
    let network = MemoryNetwork::new(NonZeroUsize::MIN);
    let mut sender = network.join(somebody());
    sender.send(other(), packet(1)).await;
    assert_eq!(network.dropped(), 1);

    let mut first = network.join(other());
    let mut second = network.join(other());
    sender.send(other(), packet(2)).await;
    assert_eq!(first.recv().await, None);
    assert_eq!(second.recv().await, Some(Received::Packet(somebody(), packet(2))));
    drop(second);
    sender.send(other(), packet(3)).await;
    assert_eq!(network.dropped(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_injected_fault_hits_one_append() {
    let storage = MemoryStorage::new();
    storage.fail_after(1);
    let mut log = storage.clone();
    let record = |number| match persist(number) {
        Output::Persist(record) => *record,
        _ => unreachable!("persist() persists"),
    };
    assert!(log.append(vec![record(1)]).await.is_ok());
    assert!(log.append(vec![record(2)]).await.is_err());
    assert!(log.append(vec![record(3)]).await.is_ok());
    drop(log);
    let stored = storage.store().unwrap().headers();
    let stored: Vec<u32> = stored.iter().map(|header| header.nonce).collect();
    assert_eq!(stored, [1, 3]);
}
