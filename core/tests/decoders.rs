//! No bytes from outside make a decoder panic, or allocate out of proportion to what was sent.
#![allow(clippy::unwrap_used)]

mod support;

use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::block::Block;
use camelid_core::chain::{Base, Coin, Connected, Created, Delta, Flush, OwnCoin, Totals};
use camelid_core::committee::{Ballot, Finding, MAX_MODELS, Models, Registration, Ticket};
use camelid_core::dispute::{BadDelivery, Evidence};
use camelid_core::escrow::{
    Appeal, Dispute, Engagement, JobRecord, JobState, Origin, Party, Seat, Since, Vote,
};
use camelid_core::job::{Offer, SignedDelivery, Terms};
use camelid_core::keys::{SealContext, Signature};
use camelid_core::model::{MAX_PROMPT_TOKENS, MAX_TOKENS, Manifest, PromptTokens};
use camelid_core::node::{CastVote, CheckAccount, CheckDebt, ClientJob, Matter, Received, Record, WorkerJob};
use camelid_core::peers::{AddressBook, Bans, NetGroup, SavedPeers};
use camelid_core::primitives::{
    BlockHash, BoundedVec, Commitment, Hash256, Height, JobId, MerkleProof, MerkleTree, ModelId, SetDigest,
    Timestamp, Wtxid, decode, encode,
};
use camelid_core::proof::JobProof;
use camelid_core::tx::{Action, ActionKind, OutPoint, Transaction};
use camelid_core::wire::{
    CheckRefusal, CheckRequest, CompactBlock, Envelope, MAX_HOPS, Message, PeerAddress, Services,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use support::*;

// --- An allocator that counts, for each thread of its own ---

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count(change: impl Fn(usize) -> usize) {
    // A thread that is ending has no counters any more, and nothing that is measured.
    let _ = LIVE.try_with(|live| {
        live.set(change(live.get()));
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call is passed on to the system's allocator as it came; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|live| live.saturating_add(layout.size()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(|live| live.saturating_sub(layout.size()));
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes that `work` had allocated at a time.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    let result = work();
    (result, PEAK.with(Cell::get) - before)
}

/// Memory that decoding `length` bytes may take. The smallest encoding of a transaction has 18 bytes
/// and stands for some 300, and a growing list holds its old and its new memory at a time.
fn allowance(length: usize) -> usize {
    64 * length + 8_192
}

// --- Every decoder ---

type Accepts = dyn Fn(&[u8]) -> bool;

/// A decoder and a valid encoding for it.
struct Decoder {
    name: &'static str,
    valid: Vec<u8>,
    /// True when the bytes decode; panics when they decode to something that encodes differently.
    accepts: Box<Accepts>,
}

fn decoder<T>(name: &'static str, value: &T) -> Decoder
where
    T: BorshSerialize + BorshDeserialize + PartialEq + Debug + 'static,
{
    let valid = encode(value);
    assert_eq!(&decode::<T>(&valid, valid.len()).unwrap(), value, "{name}");
    Decoder {
        name,
        valid,
        accepts: Box::new(
            move |bytes| match measured(name, bytes, || decode::<T>(bytes, 2_000_000)) {
                Ok(value) => {
                    assert_eq!(encode(&value), bytes, "{name}: two encodings of one value");
                    true
                }
                Err(_) => false,
            },
        ),
    }
}

/// The result of `decode`, which must keep within its allowance for `bytes`.
fn measured<T>(name: &str, bytes: &[u8], decode: impl FnOnce() -> T) -> T {
    let (result, peak) = peak_of(decode);
    assert!(
        peak <= allowance(bytes.len()),
        "{name}: {peak} bytes allocated for {}",
        bytes.len()
    );
    result
}

struct Samples {
    open: Transaction,
    engage: Transaction,
    block: Block,
    terms: Terms,
    offer: Offer,
    delivery: SignedDelivery,
    evidence: BadDelivery,
    proof: MerkleProof,
    job_proof: JobProof,
}

fn samples() -> Samples {
    let mut workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let terms = terms(&workshop.params, Height(1));
    let open = open_job(&genesis, &workshop.fund(CLIENT, 0), &terms);
    let engage = engaging(&genesis, &open, &workshop.fund(NODE, 0), &opening(&[5, END])).signed(&genesis);
    let block = workshop.extend(std::slice::from_ref(&open));
    let context = SealContext {
        genesis,
        job: open.job_id.unwrap(),
        bond_txid: engage.txid(),
        bond_index: 0,
        commitment: Commitment([3; 32]),
        recipient: terms.delivery_key,
    };
    let delivery = delivery(&context, b"anything", NODE);
    let offer = Offer {
        job: open.job_id.unwrap(),
        terms: terms.clone(),
        prompt: PromptTokens::from_vec(vec![5, 6]).unwrap(),
        prompt_salt: [1; 32],
    };
    Samples {
        engage,
        block: (*block).clone(),
        evidence: evidence(&context, &delivery),
        proof: MerkleTree::new((0u8..9).map(|leaf| [leaf])).proof(4).unwrap(),
        job_proof: JobProof::create(&workshop.chain, &open.job_id.unwrap()).unwrap(),
        open,
        terms,
        offer,
        delivery,
    }
}

impl Samples {
    fn testimony(&self) -> Evidence {
        Evidence {
            job: self.offer.job,
            prompt: self.offer.prompt.clone(),
            prompt_salt: self.offer.prompt_salt,
            opening: opening(&[5, END]),
        }
    }

    fn engagement(&self) -> Engagement {
        Engagement {
            commitment: Commitment([3; 32]),
            node_key: secret(NODE).public_key(),
            payout: script_of(NODE),
            bond: self.engage.inputs[0].previous,
            since: since(),
        }
    }

    /// Something new and something removed of each kind.
    fn delta(&self) -> Delta {
        let spent = self.open.inputs[0].previous;
        let made = OutPoint {
            txid: self.open.txid(),
            index: 0,
        };
        let coin = Coin {
            output: self.open.outputs[0].clone(),
            created: Created {
                height: Height(3),
                mtp_before: Timestamp(1_700_000_000),
            },
            spendable_from: Height(3),
        };
        Delta {
            coins: [(spent, None), (made, Some(coin))].into(),
            jobs: [(self.offer.job, Some(self.disputed())), (JobId([9; 32]), None)].into(),
            tickets: [(spent, None), (made, Some(unbonding(made)))].into(),
            totals: Totals::default(),
        }
    }

    fn connected(&self) -> Connected {
        Connected {
            block: self.block.header.hash(),
            delta: Arc::new(self.delta()),
            undo: Arc::new(self.delta()),
        }
    }

    /// Something new and something removed of each kind.
    fn flush(&self) -> Flush {
        let delta = self.delta();
        let made = |(at, ticket): (&OutPoint, &Option<Ticket>)| Some((*at, ticket.clone()?));
        Flush {
            anew: true,
            base: Base {
                tip: self.block.header.hash(),
                totals: delta.totals,
                unclosed: [(self.offer.job, self.disputed())].into(),
                tickets: delta.tickets.iter().filter_map(made).collect(),
                coin_count: 1,
                closed_count: 2,
                coins_digest: SetDigest::default(),
                jobs_digest: SetDigest::default(),
                tickets_digest: SetDigest::default(),
            },
            owner: secret(STRANGER).node_id(),
            own_coins: vec![(
                self.open.inputs[0].previous,
                OwnCoin {
                    value: units(7),
                    created: Height(1),
                    spent: Some(Height(2)),
                },
            )],
            coins: delta.coins.into_iter().collect(),
            jobs: delta.jobs.into_iter().collect(),
        }
    }

    /// A record in round 2 with votes of all kinds.
    fn disputed(&self) -> JobRecord {
        let ticket = self.open.inputs[0].previous;
        let key = secret(STRANGER).public_key();
        let seats = ballots()
            .map(Vote::Revealed)
            .into_iter()
            .chain([Vote::None, Vote::Committed(Hash256([5; 32]))]);
        let seats: Vec<Seat> = seats.map(|vote| Seat { ticket, key, vote }).collect();
        let appeal = Appeal {
            by: Party::Node,
            deposit: ticket,
            seats: seats.clone(),
        };
        let dispute = Dispute {
            seats,
            appeal: Some(appeal),
            ..Dispute::new(self.engagement(), Origin::Claim { deposit: ticket })
        };
        JobRecord {
            id: self.offer.job,
            terms: self.terms.clone(),
            escrow: ticket,
            seq: 4,
            since: since(),
            state: JobState::Disputed(Box::new(dispute)),
        }
    }
}

fn since() -> Since {
    Since {
        height: Height(7),
        mtp: Timestamp(700),
    }
}

/// One ballot with each finding.
fn ballots() -> [Ballot; 4] {
    let findings = [
        Finding::Valid,
        Finding::Invalid { position: 3 },
        Finding::NoEvidence,
        Finding::Undecided,
    ];
    findings.map(|finding| Ballot {
        finding,
        score_root: Hash256([6; 32]),
    })
}

fn registration() -> Registration {
    Registration {
        key: secret(STRANGER).public_key(),
        models: Models::from_vec(vec![manifest().id(), ModelId([1; 32])]).unwrap(),
    }
}

fn unbonding(id: OutPoint) -> Ticket {
    Ticket {
        id,
        registration: registration(),
        registered: Height(1),
        seq: 2,
        retired: Some(Height(9)),
        unbonding: Some(since()),
    }
}

/// What verifiers send, and what is kept of them.
fn verifier_decoders(s: &Samples) -> Vec<Decoder> {
    let (job, ticket) = (s.offer.job, s.open.inputs[0].previous);
    let signature = Signature([7; 64]);
    let vote = |kind| bare(job, 3, kind);
    let step = |kind| Transaction {
        job_id: None,
        action: Some(Action { seq: 1, kind }),
        ..vote(ActionKind::Settle)
    };
    let mut decoders = vec![
        decoder(
            "Transaction: Register",
            &step(ActionKind::Register(Box::new(registration()))),
        ),
        decoder(
            "Transaction: Unbond",
            &step(ActionKind::Unbond { ticket, signature }),
        ),
        decoder("Transaction: Withdraw", &step(ActionKind::Withdraw { ticket })),
        decoder("Evidence", &s.testimony()),
        decoder("JobRecord", &s.disputed()),
        decoder("Registration", &registration()),
    ];
    let commit = ActionKind::VoteCommit {
        ticket,
        commitment: Hash256([5; 32]),
        signature,
    };
    decoders.push(decoder("Transaction: VoteCommit", &vote(commit)));
    decoders.push(decoder("Ticket", &unbonding(ticket)));
    for ballot in ballots() {
        let salt = [8; 32];
        let reveal = ActionKind::VoteReveal { ticket, ballot, salt };
        decoders.push(decoder("Transaction: VoteReveal", &vote(reveal)));
        let cast = CastVote {
            round: Hash256([6; 32]),
            ticket,
            ballot,
            salt,
        };
        decoders.push(decoder("Record: Vote", &Record::Vote(Box::new(cast))));
        decoders.push(decoder("Ballot", &ballot));
    }
    decoders.push(decoder(
        "Record: Connected",
        &Record::Connected(Box::new(s.connected())),
    ));
    decoders.push(decoder("Record: Objection", &Record::Objection(s.offer.job)));
    let vote = Matter::Vote(Hash256([6; 32]), s.open.inputs[0].previous);
    decoders.push(decoder("Record: Forget", &Record::Forget(vote)));
    decoders.push(decoder("Record: Flush", &Record::Flush(Box::new(s.flush()))));
    decoders
}

/// One message of each kind, by kind.
fn messages(samples: &Samples) -> Vec<Message> {
    let s = samples;
    let hashes = || BoundedVec::from_vec(vec![BlockHash([1; 32]), s.block.header.hash()]).unwrap();
    let wtxids = || vec![Wtxid([1; 32]), s.open.wtxid()];
    let job = s.offer.job;
    vec![
        Message::GetHeaders(BoundedVec::from_vec(vec![s.block.header.previous]).unwrap()),
        Message::Headers(BoundedVec::from_vec(vec![s.block.header]).unwrap()),
        Message::GetBlocks(hashes()),
        Message::Block(Box::new(s.block.clone())),
        Message::Inventory(BoundedVec::from_vec(wtxids()).unwrap()),
        Message::GetTransactions(BoundedVec::from_vec(wtxids()).unwrap()),
        Message::Transaction(Box::new(s.open.clone())),
        Message::JobOffer(Box::new(s.offer.clone())),
        Message::JobAccepted {
            job,
            node_key: secret(NODE).public_key(),
        },
        Message::Engage(Box::new(s.engage.clone())),
        Message::Delivery {
            job,
            delivery: Box::new(s.delivery.clone()),
        },
        Message::DeliveryReceived {
            job,
            signature: Signature([7; 64]),
        },
        Message::GetEvidence {
            job,
            ticket: s.open.inputs[0].previous,
        },
        Message::Evidence(Box::new(s.testimony())),
        Message::CheckRequest(Box::new(CheckRequest {
            model: s.terms.model,
            job,
            prompt: s.offer.prompt.clone(),
            output: opening(&[5, END]).output,
            positions: BoundedVec::from_vec(vec![2, 3]).unwrap(),
            seed: 1,
            sampling: s.terms.sampling,
            fee: units(400),
        })),
        Message::CheckReply {
            request: Hash256([1; 32]),
            matches: BoundedVec::from_vec(vec![true, false]).unwrap(),
        },
        Message::CheckRefused {
            request: Hash256([1; 32]),
            reason: CheckRefusal::Credit,
        },
        Message::GetAddresses,
        Message::Addresses(BoundedVec::from_vec(vec![peer_address()]).unwrap()),
        Message::GetCompactBlock {
            block: s.block.header.hash(),
            salt: 3,
        },
        Message::CompactBlock(Box::new(CompactBlock::new(&s.block, 3).unwrap())),
        Message::GetBlockTransactions {
            block: s.block.header.hash(),
            places: BoundedVec::from_vec(vec![0, 1]).unwrap(),
        },
        Message::BlockTransactions {
            block: s.block.header.hash(),
            transactions: BoundedVec::from_vec(vec![s.open.clone()]).unwrap(),
        },
    ]
}

fn peer_address() -> PeerAddress {
    PeerAddress {
        address: "9.1.2.3:4000".parse::<SocketAddr>().unwrap().into(),
        services: Services::CHAIN,
        last_seen: Timestamp(1_700_000_000),
    }
}

/// A book with an address in each table, an anchor and a ban.
fn saved_peers() -> SavedPeers {
    let (mut book, mut bans) = (AddressBook::new([1; 32]), Bans::default());
    let (told, node) = (peer_address(), secret(NODE).node_id());
    book.note_success(told.last_seen, &told.address, node);
    let other = "9.9.2.3:4000".parse::<SocketAddr>().unwrap().into();
    let other = PeerAddress {
        address: other,
        ..told
    };
    book.add(told.last_seen, &other, NetGroup::of(&told.address));
    bans.add(told.last_seen, node, &told.address);
    SavedPeers::new(&book, BoundedVec::from_vec(vec![told.address]).unwrap(), &bans)
}

fn receipt() -> Message {
    Message::DeliveryReceived {
        job: JobId([1; 32]),
        signature: Signature([7; 64]),
    }
}

fn envelope(message: &Message, message_id: u64) -> Envelope {
    let magic = network().magic;
    let sender = secret(STRANGER).node_id();
    Envelope::new(magic, sender, None, message_id, MAX_HOPS, message).unwrap()
}

fn decoders() -> Vec<Decoder> {
    let s = samples();
    let claim = withheld(
        &BlockHash([0; 32]),
        JobId([1; 32]),
        2,
        units(5),
        &genesis_fund(&network(), CLIENT, 0),
    );
    let bad = bare(
        JobId([1; 32]),
        2,
        ActionKind::BadDelivery(Box::new(s.evidence.clone())),
    );
    let client_job = ClientJob {
        offer: s.offer.clone(),
        open: s.open.clone(),
        engage: Some(s.engage.clone()),
        received: Some(Received {
            bond: s.engage.inputs[0].previous,
            delivery: s.delivery.clone(),
            opening: Some(opening(&[5, END])),
            verdict: None,
        }),
        checking: None,
    };
    let worker_job = WorkerJob {
        job: s.offer.job,
        prompt: s.offer.prompt.clone(),
        prompt_salt: s.offer.prompt_salt,
        opening: opening(&[5, END]),
        engage: s.engage.clone(),
        delivery: None,
        received: true,
    };
    let account = CheckAccount {
        client: secret(CLIENT).node_id(),
        charged: units(800),
        answers: BoundedVec::from_vec(vec![(Hash256([1; 32]), BoundedVec::new())]).unwrap(),
    };
    let debt = CheckDebt {
        checker: secret(NODE).node_id(),
        owed: units(800),
        counted: BoundedVec::from_vec(vec![Hash256([1; 32])]).unwrap(),
    };
    let mut decoders = vec![
        decoder("Transaction: OpenJob", &s.open),
        decoder("Transaction: Engage", &s.engage),
        decoder("Transaction: Withheld", &claim),
        decoder("Transaction: BadDelivery", &bad),
        decoder("Block", &s.block),
        decoder("TransactionProof", &s.job_proof.coinbase),
        decoder("JobProof", &s.job_proof),
        decoder("Record: Block", &Record::Block(s.block.clone().into())),
        decoder("Record: ClientJob", &Record::ClientJob(Box::new(client_job))),
        decoder("Record: WorkerJob", &Record::WorkerJob(Box::new(worker_job))),
        decoder("Record: CheckAccount", &Record::CheckAccount(Box::new(account))),
        decoder("Record: CheckDebt", &Record::CheckDebt(Box::new(debt))),
        decoder("Record: Peers", &Record::Peers(Box::new(saved_peers()))),
        decoder("Offer", &s.offer),
        decoder("Terms", &s.terms),
        decoder("SignedDelivery", &s.delivery),
        decoder("BadDelivery", &s.evidence),
        decoder::<Manifest>("Manifest", &manifest()),
        decoder("MerkleProof", &s.proof),
        decoder("Params", &*network()),
    ];
    decoders.extend(verifier_decoders(&s));
    for message in messages(&s) {
        let magic = network().magic;
        decoders.push(decoder(message.name(), &message));
        decoders.push(Decoder {
            name: "Envelope",
            valid: envelope(&message, 1).to_packet().to_vec(),
            accepts: Box::new(move |bytes| {
                let opened = measured("Envelope", bytes, || {
                    Envelope::from_packet(bytes, magic).map(|envelope| envelope.message())
                });
                opened.is_ok_and(|message| message.is_ok())
            }),
        });
        let (kind, payload) = message.to_parts();
        decoders.push(Decoder {
            name: "Message::from_parts",
            valid: payload,
            accepts: Box::new(move |bytes| {
                measured("Message::from_parts", bytes, || Message::from_parts(kind, bytes)).is_ok()
            }),
        });
    }
    decoders
}

#[test]
fn nothing_may_be_missing_or_follow() {
    for decoder in decoders() {
        let Decoder { name, valid, accepts } = decoder;
        assert!(accepts(&valid), "{name}");
        for extra in [0, 1, 255] {
            let longer = [&valid[..], &[extra]].concat();
            assert!(!accepts(&longer), "{name} followed by {extra}");
        }
        // Every cut of the short ones, and many of the long ones.
        for length in (0..valid.len()).step_by(1 + valid.len() / 512) {
            assert!(!accepts(&valid[..length]), "{name} cut to {length} bytes");
        }
    }
}

/// Somewhere in each encoding are the lengths of its lists: the largest number at every offset, with
/// what follows and without, meets them all.
#[test]
fn a_claimed_length_is_not_allocated() {
    for Decoder { valid, accepts, .. } in decoders() {
        for offset in (0..valid.len().saturating_sub(3)).step_by(1 + valid.len() / 2_048) {
            for claim in [u32::MAX, 8_192, 16_384, 1_000_000] {
                let mut bytes = valid.clone();
                bytes[offset..offset + 4].copy_from_slice(&claim.to_le_bytes());
                accepts(&bytes);
                accepts(&bytes[..offset + 4]);
            }
        }
    }
}

#[test]
fn lists_above_their_bound_are_refused_at_once() {
    for kind in [0, 1, 2, 4, 5, Message::ADDRESSES] {
        let (refused, peak) = peak_of(|| Message::from_parts(kind, &u32::MAX.to_le_bytes()));
        assert!(refused.is_err_and(|error| error.to_string().contains("longer than its bound")));
        assert!(peak < 1_024, "{peak} bytes");
    }
}

/// The bounds on lists inside of what verifiers send.
#[test]
fn a_ticket_has_at_most_sixteen_models_and_evidence_at_most_a_prompt() {
    assert_eq!(MAX_MODELS, 16);
    let key = secret(STRANGER).public_key();
    let models = |count: u32| encode(&(key, vec![ModelId([1; 32]); count as usize]));
    assert!(decode::<Registration>(&models(16), 1_000).is_ok());
    assert!(decode::<Registration>(&models(17), 1_000).is_err());

    // Job, prompt, salt; finish, output, salt.
    let evidence = |prompt: usize, output: usize| {
        let opening = (0u8, vec![1u32; output], [4u8; 32]);
        encode(&(JobId([1; 32]), vec![1u32; prompt], [1u8; 32], opening))
    };
    let accepts = |bytes: &[u8]| matches!(Message::from_parts(13, bytes), Ok(Some(_)));
    let (prompt, output) = (MAX_PROMPT_TOKENS, MAX_TOKENS);
    assert!(accepts(&evidence(prompt, output)));
    assert!(!accepts(&evidence(prompt + 1, output)));
    assert!(!accepts(&evidence(prompt, output + 1)));
}

#[test]
fn every_known_kind_of_message_round_trips_and_others_are_ignored() {
    let messages = messages(&samples());
    for (kind, message) in (0u8..).zip(&messages) {
        let (number, payload) = message.to_parts();
        assert_eq!(number, kind, "{}", message.name());
        assert_eq!(Message::from_parts(kind, &payload), Ok(Some(message.clone())));
        assert_eq!(Message::kind_travels(kind), message.travels());
    }
    let unknown = u8::try_from(messages.len()).unwrap();
    for kind in unknown..=u8::MAX {
        assert_eq!(Message::from_parts(kind, &[]), Ok(None));
        assert_eq!(Message::from_parts(kind, b"anything"), Ok(None));
        // Nor is there such a variant that was forgotten in the count.
        assert!(decode::<Message>(&[&[kind][..], &[0; 64]].concat(), 100).is_err());
    }
}

#[test]
fn an_envelope_of_another_network_or_with_a_damaged_payload_is_refused() {
    let packet = envelope(&receipt(), 7).to_packet();
    assert!(Envelope::from_packet(&packet, network().magic).is_ok());
    assert!(Envelope::from_packet(&packet, *b"CAML").is_err());
    for position in 0..packet.len() {
        let mut damaged = packet.to_vec();
        damaged[position] ^= 1;
        let opened = Envelope::from_packet(&damaged, network().magic);
        let payload = packet.len() - 100..packet.len();
        assert!(opened.is_err() || !payload.contains(&position), "byte {position}");
    }
    let mut far = envelope(&receipt(), 7);
    far.hops_left = MAX_HOPS + 1;
    assert!(Envelope::from_packet(&far.to_packet(), network().magic).is_err());
}

// --- At random ---

fn edits() -> impl Strategy<Value = Vec<(Index, u8)>> {
    prop::collection::vec((any::<Index>(), any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for decoder in decoders_once() {
            (decoder.accepts)(&bytes);
        }
    }

    #[test]
    fn altered_encodings_do_no_harm(edits in edits(), cut in any::<Index>(), keep in any::<bool>()) {
        // A message without fields has no payload to alter.
        for decoder in decoders_once().iter().filter(|decoder| !decoder.valid.is_empty()) {
            let mut bytes = decoder.valid.clone();
            for (index, value) in &edits {
                let at = index.index(bytes.len());
                bytes[at] = *value;
            }
            if !keep {
                bytes.truncate(cut.index(bytes.len()));
            }
            (decoder.accepts)(&bytes);
        }
    }
}

/// The decoders, made once for each thread: signing their samples takes longer than a test's case.
fn decoders_once() -> &'static [Decoder] {
    thread_local! {
        static DECODERS: &'static [Decoder] = Vec::leak(decoders());
    }
    DECODERS.with(|decoders| *decoders)
}

/// One seed for each decoder of the fuzz target `decoders`, whose place in the target's list is the
/// first byte.
#[test]
#[ignore = "writes fuzz/seeds/decoders"]
fn write_fuzz_seeds() {
    let s = samples();
    let messages = messages(&s);
    let check = messages.iter().find_map(|message| match message {
        Message::CheckRequest(request) => Some(encode(request)),
        _ => None,
    });
    let message = {
        let (kind, payload) = receipt().to_parts();
        [vec![kind], payload].concat()
    };
    let seeds = [
        encode(&s.open),
        encode(&s.block),
        encode(&s.block.header),
        encode(&script_of(CLIENT)),
        encode(&s.terms),
        encode(&s.offer),
        encode(&s.delivery),
        encode(&s.evidence),
        encode(&s.testimony()),
        encode(&manifest()),
        encode(&s.proof),
        encode(&registration()),
        encode(&ballots()[1]),
        encode(&unbonding(s.open.inputs[0].previous)),
        encode(&s.disputed()),
        check.unwrap(),
        encode(&*network()),
        encode(&Record::Block(s.block.clone().into())),
        message,
        envelope(&receipt(), 1).to_packet().to_vec(),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/decoders");
    for (index, seed) in (0u8..).zip(seeds) {
        std::fs::write(folder.join(format!("{index:02}")), [vec![index], seed].concat()).unwrap();
    }
}
