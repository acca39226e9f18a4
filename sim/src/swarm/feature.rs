//! What a swarm scenario may have beyond a small honest network, one function each.

use super::sketch::{PlannedFault, Sketch};
use super::terms;
use crate::event;
use crate::scenario::{FaultKind, ModelKind, Range, Role, VerifyKind};
use crate::strategy::{KINDS, Kind};
use camelid_core::primitives::Stream;

/// Something that a seed may enable.
pub(super) struct Feature {
    /// What it is called in reports; also the label of its random stream.
    pub(super) name: &'static str,
    /// How likely it is, in thousandths.
    pub(super) permille: u32,
    /// Changes the sketch.
    pub(super) add: fn(&mut Sketch, &mut Stream),
}

/// All features, in the order in which they are added: a later one sees what earlier ones did. New ones go
/// where they belong; what follows depends on chain parameters, roles and groups.
pub(super) const FEATURES: &[Feature] = &[
    // Who takes part.
    feature("crowd", 250, crowd),
    feature("relays", 200, relays),
    feature("all-linked", 150, all_linked),
    feature("unequal-power", 250, unequal_power),
    feature("many-hats", 250, many_hats),
    feature("no-checks", 100, no_checks),
    // The chain.
    feature("spacing", 300, spacing),
    feature("windows", 400, windows),
    feature("maturity", 200, maturity),
    feature("min-age", 150, min_age),
    // The jobs.
    feature("more-jobs", 400, more_jobs),
    feature("burst", 200, burst),
    feature("deadlines", 250, deadlines),
    feature("amounts", 250, amounts),
    feature("scarce-coins", 150, scarce_coins),
    feature("lengths", 250, lengths),
    feature("greedy", 200, greedy),
    feature("v1-repaired", 250, v1_repaired),
    // Committees and checkers. Verifiers put jobs off until their tickets have matured.
    feature("seats", 250, seats),
    feature("rounds", 250, rounds),
    feature("verifiers", 400, verifiers),
    feature("audits", 300, audits),
    feature("outsourced", 150, outsourced),
    // The model.
    feature("ngram", 100, ngram),
    feature("near-ties", 150, near_ties),
    feature("early-ends", 200, early_ends),
    feature("slow-model", 200, slow_model),
    // The network and the disks.
    feature("latency", 250, latency),
    feature("loss", 300, loss),
    feature("duplicates", 250, duplicates),
    feature("reordering", 250, reordering),
    feature("slow-disk", 250, slow_disk),
    feature("flushes", 300, flushes),
    feature("skewed-clocks", 150, skewed_clocks),
    // Adversaries and faults.
    feature("adversary", 450, adversary),
    feature("second-adversary", 200, adversary),
    feature("bad-verifier", 200, bad_verifier),
    feature("crash", 300, crash),
    feature("second-crash", 150, crash),
    feature("crash-on-event", 300, crash_on_event),
    feature("partition", 250, partition),
    feature("partition-on-event", 250, partition_on_event),
];

const fn feature(name: &'static str, permille: u32, add: fn(&mut Sketch, &mut Stream)) -> Feature {
    Feature { name, permille, add }
}

fn fixed(stream: &mut Stream, low: u64, high: u64) -> Range {
    Range::fixed(stream.range(low, high))
}

fn narrow(stream: &mut Stream, low: u64, high: u64) -> u32 {
    u32::try_from(stream.range(low, high)).unwrap_or(u32::MAX)
}

fn crowd(sketch: &mut Sketch, stream: &mut Stream) {
    for role in [Role::Miner, Role::Worker, Role::Client] {
        let more = stream.range(0, 2);
        sketch.each_group(role, |group| group.count = Range::fixed(group.count.high + more));
    }
}

fn relays(sketch: &mut Sketch, stream: &mut Stream) {
    let count = fixed(stream, 1, 3);
    sketch.group("relay", |group| group.count = count);
}

fn all_linked(sketch: &mut Sketch, _: &mut Stream) {
    sketch.peers = u64::MAX;
}

fn unequal_power(sketch: &mut Sketch, stream: &mut Stream) {
    let high = stream.range(2, 20);
    sketch.each_group(Role::Miner, |group| group.hash_power = Range { low: 1, high });
}

/// Some groups get a second role.
fn many_hats(sketch: &mut Sketch, stream: &mut Stream) {
    let hats = [
        Role::Miner,
        Role::Worker,
        Role::Client,
        Role::Verifier,
        Role::Checker,
    ];
    for role in [Role::Miner, Role::Worker, Role::Client] {
        let Some(second) = stream.pick(&hats).copied() else {
            return;
        };
        sketch.each_group(role, |group| {
            if !group.roles.contains(&second) {
                group.roles.push(second);
                group.coins = Range::fixed(group.coins.high.max(4));
            }
        });
    }
}

fn no_checks(sketch: &mut Sketch, _: &mut Stream) {
    sketch.each_group(Role::Client, |group| group.verify = VerifyKind::No);
}

fn spacing(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.chain.spacing_s = Some(narrow(stream, 15, 90));
}

fn windows(sketch: &mut Sketch, stream: &mut Stream) {
    let chain = &mut sketch.scenario.chain;
    chain.challenge = Some(narrow(stream, 8, 24));
    chain.deliver_counter = Some(narrow(stream, 14, 50));
}

fn maturity(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.chain.maturity = Some(narrow(stream, 0, 30));
}

fn min_age(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.chain.min_age_s = Some(narrow(stream, 1, 600));
}

fn more_jobs(sketch: &mut Sketch, stream: &mut Stream) {
    let more = stream.range(1, 4);
    sketch.each_job(|job| job.count = Range::fixed(job.count.high + more));
}

fn burst(sketch: &mut Sketch, stream: &mut Stream) {
    let every_ms = Range {
        low: 0,
        high: stream.range(0, 20_000),
    };
    let start_ms = fixed(stream, 0, 600_000);
    sketch.each_job(|job| (job.every_ms, job.start_ms) = (every_ms, start_ms));
}

fn deadlines(sketch: &mut Sketch, stream: &mut Stream) {
    let deadline_blocks = Range {
        low: 10,
        high: stream.range(10, 30),
    };
    sketch.each_job(|job| job.deadline_blocks = deadline_blocks);
}

fn amounts(sketch: &mut Sketch, stream: &mut Stream) {
    // A stake is 32 rewards; workers have 200 coins.
    let reward_units = Range {
        low: 0,
        high: stream.range(1, 400_000_000),
    };
    let engage_fee_units = Range {
        low: 0,
        high: stream.range(0, 1_000_000),
    };
    sketch.each_job(|job| (job.reward_units, job.engage_fee_units) = (reward_units, engage_fee_units));
}

fn scarce_coins(sketch: &mut Sketch, stream: &mut Stream) {
    for role in [Role::Worker, Role::Client] {
        let (coins, coin_value) = (fixed(stream, 1, 2), fixed(stream, 1, 10));
        sketch.each_group(role, |group| {
            (group.coins, group.coin_value) = (coins, coin_value);
        });
    }
}

fn lengths(sketch: &mut Sketch, stream: &mut Stream) {
    let prompt_tokens = Range {
        low: 1,
        high: stream.range(1, 100),
    };
    let max_tokens = Range {
        low: 1,
        high: stream.range(1, 150),
    };
    sketch.each_job(|job| (job.prompt_tokens, job.max_tokens) = (prompt_tokens, max_tokens));
}

fn greedy(sketch: &mut Sketch, _: &mut Stream) {
    sketch.each_job(|job| job.temperature_milli = Range::fixed(0));
}

/// Not `v1-as-written`, by which honest work may be judged invalid (holes H1 and H3).
fn v1_repaired(sketch: &mut Sketch, stream: &mut Stream) {
    let samples = fixed(stream, 0, 8);
    sketch.each_job(|job| (job.spec, job.samples) = ("v1-repaired".into(), samples));
}

/// The committees that simnet has are small. `Sketch::finish` sees to it that tickets suffice.
fn seats(sketch: &mut Sketch, stream: &mut Stream) {
    let seats = narrow(stream, 1, 7);
    let appeal_seats = seats + narrow(stream, 0, 8);
    let chain = &mut sketch.scenario.chain;
    (chain.seats, chain.appeal_seats) = (Some(seats), Some(appeal_seats));
    chain.min_eligible = Some(seats + appeal_seats + narrow(stream, 0, 3));
}

fn rounds(sketch: &mut Sketch, stream: &mut Stream) {
    let chain = &mut sketch.scenario.chain;
    chain.commit = Some(narrow(stream, 4, 40));
    chain.reveal = Some(narrow(stream, 2, 12));
    chain.appeal = Some(narrow(stream, 2, 12));
}

fn verifiers(sketch: &mut Sketch, stream: &mut Stream) {
    let count = fixed(stream, 2, 8);
    let coins = fixed(stream, 1, 4);
    sketch.group("verifier", |group| (group.count, group.coins) = (count, coins));
    // As late as any job starts.
    sketch.each_job(|job| job.start_ms = Range::fixed(u64::MAX));
}

fn audits(sketch: &mut Sketch, stream: &mut Stream) {
    let chain = &mut sketch.scenario.chain;
    chain.audit_permille = Some(narrow(stream, 100, 1_000));
    chain.commit = Some(narrow(stream, terms::LEAST_AUDIT_COMMIT, 40));
    sketch.peers = sketch.peers.max(terms::AUDIT_PEERS);
}

fn outsourced(sketch: &mut Sketch, stream: &mut Stream) {
    let (count, helpers) = (fixed(stream, 1, 6), fixed(stream, 1, 4));
    let canary_permille = fixed(stream, 0, 600);
    let credit_units = Range {
        low: 0,
        high: stream.range(0, 100_000),
    };
    sketch.group("checker", |group| {
        (group.count, group.credit_units) = (count, credit_units);
    });
    sketch.each_group(Role::Client, |group| {
        group.verify = VerifyKind::Outsourced;
        (group.helpers, group.canary_permille) = (helpers, canary_permille);
    });
    // Clients ask neighbours.
    sketch.peers = sketch.peers.max(stream.range(2, 10));
}

fn ngram(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.model.kind = ModelKind::Ngram;
    sketch.scenario.model.order = fixed(stream, 1, 3);
}

/// Machines that compute almost the same, and a model that says so: two of them differ by four errors at most.
fn near_ties(sketch: &mut Sketch, stream: &mut Stream) {
    let jitter = stream.range(1, 20);
    sketch.scenario.model.jitter_milli = Range::fixed(jitter);
    sketch.scenario.model.tolerance_milli = fixed(stream, 4 * jitter, 6 * jitter);
}

fn early_ends(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.model.end_permille = fixed(stream, 20, 500);
}

fn slow_model(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.model.token_ms = Range {
        low: 0,
        high: stream.range(500, 5_000),
    };
}

fn latency(sketch: &mut Sketch, stream: &mut Stream) {
    let most_ms = terms::spacing_ms(&sketch.scenario) / terms::LATENCIES_PER_BLOCK;
    let high = stream.range(0, most_ms);
    sketch.scenario.network.latency_ms = Range {
        low: stream.range(0, high),
        high,
    };
}

fn loss(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.network.loss_permille = fixed(stream, 1, terms::MAX_LOSS_PERMILLE);
}

fn duplicates(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.network.duplicate_permille = fixed(stream, 1, 500);
}

fn reordering(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.network.reorder_permille = fixed(stream, 1, 300);
}

fn slow_disk(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.network.disk_ms = Range {
        low: 0,
        high: stream.range(50, 5_000),
    };
}

/// From one flush for each block to one for about a hundred.
fn flushes(sketch: &mut Sketch, stream: &mut Stream) {
    sketch.scenario.network.cache_bytes = Some(fixed(stream, 0, 200_000));
}

fn skewed_clocks(sketch: &mut Sketch, stream: &mut Stream) {
    let most_ms = terms::MAX_SKEW_BLOCKS * terms::spacing_ms(&sketch.scenario);
    let mut skew = || Range {
        low: 0,
        high: stream.range(0, most_ms),
    };
    let (ahead, behind) = (skew(), skew());
    sketch.each_node(|group| (group.clock_ahead_ms, group.clock_behind_ms) = (ahead, behind));
}

fn adversary(sketch: &mut Sketch, stream: &mut Stream) {
    if let Some(kind) = stream.pick(KINDS) {
        add_adversary(sketch, stream, kind);
    }
}

fn bad_verifier(sketch: &mut Sketch, stream: &mut Stream) {
    let judges = |kind: &&Kind| kind.roles.contains(&Role::Verifier);
    let kinds: Vec<&Kind> = KINDS.iter().filter(judges).collect();
    if let Some(kind) = stream.pick(&kinds) {
        add_adversary(sketch, stream, kind);
    }
}

fn add_adversary(sketch: &mut Sketch, stream: &mut Stream, kind: &Kind) {
    let name = format!("bad-{}", kind.name);
    let taken = sketch
        .scenario
        .nodes
        .iter()
        .any(|group| group.get_ref().name == name);
    // Two groups cannot have one name.
    if !taken {
        let count = if stream.chance(200) { 2 } else { 1 };
        // A flood of more takes minutes to run.
        let level = fixed(stream, 0, 3);
        sketch.add_adversary(kind, count, level);
    }
}

fn crash(sketch: &mut Sketch, stream: &mut Stream) {
    add_fault(sketch, stream, FaultKind::Crash, None);
}

fn partition(sketch: &mut Sketch, stream: &mut Stream) {
    add_fault(sketch, stream, FaultKind::Partition, None);
}

fn crash_on_event(sketch: &mut Sketch, stream: &mut Stream) {
    let on = stream.pick(&event::triggers()).cloned();
    add_fault(sketch, stream, FaultKind::Crash, on);
}

fn partition_on_event(sketch: &mut Sketch, stream: &mut Stream) {
    let on = stream.pick(&event::triggers()).cloned();
    add_fault(sketch, stream, FaultKind::Partition, on);
}

fn add_fault(sketch: &mut Sketch, stream: &mut Stream, kind: FaultKind, on: Option<String>) {
    let names = sketch.node_names();
    let many = u64::from(stream.chance(300)) * (names.len() as u64 / 2);
    let mut nodes: Vec<String> = (0..=many).filter_map(|_| stream.pick(&names).cloned()).collect();
    nodes.sort();
    nodes.dedup();
    let at = match on {
        Some(_) if stream.chance(500) => 0,
        Some(_) => stream.range(0, 120_000),
        None => stream.range(0, 1_000),
    };
    sketch.add_fault(PlannedFault {
        kind,
        on,
        nodes,
        share_permille: stream.range(10, 1_000),
        at,
    });
}
