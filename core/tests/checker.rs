//! A checker and its clients: what it answers, for whom, and on what credit.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::block::Block;
use camelid_core::keys::NodeId;
use camelid_core::model::{InferenceResult, PromptTokens, Sampling, TokenId, Tokens};
use camelid_core::node::{CheckerConfig, Node, NodeConfig, Record};
use camelid_core::primitives::{BoundedVec, JobId, ModelId, decode, encode};
use camelid_core::process::{Event, Input, Output, Outputs, Process, RequestId};
use camelid_core::wire::{CheckRefusal, CheckRequest, Envelope, Message};
use proptest::prelude::*;
use std::sync::Arc;
use support::network::{config, infer};
use support::*;

/// Two tokens of prompt and six of output, at 10 units each.
const FEE: u64 = 80;

/// A checker between two clients, one of which is its neighbour.
struct Bench {
    node: Node,
    records: Vec<Record>,
    events: Vec<Event>,
    replies: Vec<Message>,
    /// Requests for the model that are not answered yet.
    tasks: Vec<(RequestId, InferenceResult)>,
    message_id: u64,
}

fn checker_config() -> NodeConfig {
    NodeConfig {
        checker: Some(CheckerConfig {
            fee_per_token: units(10),
            credit: units(3 * FEE),
        }),
        ..config(NODE, &[CLIENT])
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            node: Node::new(checker_config()),
            records: Vec::new(),
            events: Vec::new(),
            replies: Vec::new(),
            tasks: Vec::new(),
            message_id: 0,
        }
    }

    fn input(&mut self, input: Input) {
        let mut out = Outputs::new();
        self.node.handle(LATE, input, &mut out);
        for output in out.take() {
            match output {
                Output::Persist(record) => self.records.push(*record),
                Output::Event(event) => self.events.push(event),
                Output::Infer { request, task } => self.tasks.push((request, infer(&task))),
                Output::Send { packet, .. } => {
                    let envelope = Envelope::from_packet(&packet, network().magic).unwrap();
                    self.replies.extend(envelope.message().unwrap());
                }
                _ => {}
            }
        }
    }

    fn message(&mut self, from: NodeId, message: &Message) {
        self.message_id += 1;
        let envelope = Envelope::new(network().magic, from, None, self.message_id, 0, message).unwrap();
        let packet = envelope.to_packet();
        self.input(Input::Message { from, packet });
    }

    /// Asks as a client, and returns what comes at once.
    fn ask(&mut self, request: &CheckRequest) -> Option<Message> {
        let before = self.replies.len();
        let message = Message::CheckRequest(Box::new(request.clone()));
        self.message(secret(CLIENT).node_id(), &message);
        self.replies.get(before).cloned()
    }

    /// Lets the model answer everything, and returns what is sent.
    fn run_model(&mut self) -> Vec<Message> {
        let before = self.replies.len();
        for (request, result) in std::mem::take(&mut self.tasks) {
            self.input(Input::Inferred { request, result });
        }
        self.replies[before..].to_vec()
    }

    fn blocks(&mut self, blocks: &[Arc<Block>]) {
        let headers = blocks.iter().map(|block| block.header).collect();
        let from = secret(CLIENT).node_id();
        self.message(from, &Message::Headers(BoundedVec::from_vec(headers).unwrap()));
        for block in blocks {
            self.message(from, &Message::Block(Box::new((**block).clone())));
        }
    }

    fn restart(&mut self) {
        let reread = |record: &Record| {
            let bytes = encode(record);
            decode(&bytes, bytes.len()).unwrap()
        };
        let records: Vec<Record> = self.records.iter().map(reread).collect();
        self.node = Node::recover(checker_config(), records);
        self.tasks.clear();
        self.input(Input::Start);
    }

    fn served(&self) -> usize {
        let served = |event: &&Event| matches!(event, Event::CheckReplied { .. });
        self.events.iter().filter(served).count()
    }

    fn rejected(&self) -> usize {
        let rejected = |event: &&Event| matches!(event, Event::Rejected { .. });
        self.events.iter().filter(rejected).count()
    }
}

/// The model's own output for `[5, 6]`, six tokens long.
fn honest() -> Vec<TokenId> {
    let task = camelid_core::model::InferenceTask::Generate {
        model: manifest().id(),
        job: JobId([1; 32]),
        prompt: PromptTokens::from_vec(vec![5, 6]).unwrap(),
        prefix: Tokens::new(),
        max_tokens: 6,
        seed: 1,
        sampling: Sampling::GREEDY,
    };
    let InferenceResult::Generated { output, .. } = infer(&task) else {
        panic!("the toy model writes");
    };
    assert_eq!(output.len(), 6);
    output.to_vec()
}

/// A check of every position of `output`, as different from others as `seed`.
fn request(output: &[TokenId], seed: u64) -> CheckRequest {
    let end = 2 + u32::try_from(output.len()).unwrap();
    CheckRequest {
        model: manifest().id(),
        job: JobId([1; 32]),
        prompt: PromptTokens::from_vec(vec![5, 6]).unwrap(),
        output: Tokens::from_vec(output.to_vec()).unwrap(),
        positions: BoundedVec::from_vec((2..end).collect()).unwrap(),
        seed,
        sampling: Sampling::GREEDY,
        fee: units(FEE),
    }
}

fn refused(reason: CheckRefusal, request: &CheckRequest) -> Option<Message> {
    Some(Message::CheckRefused {
        request: request.id(),
        reason,
    })
}

#[test]
fn each_position_is_answered_by_yes_or_no() {
    let mut bench = Bench::new();
    let mut swapped = honest();
    swapped[3] = (swapped[3] + 1) % 64;
    for (output, wrong) in [(honest(), None), (swapped, Some(3))] {
        let question = request(&output, 1);
        assert_eq!(bench.ask(&question), None);
        let [Message::CheckReply { request, matches }] = &bench.run_model()[..] else {
            panic!("no answer: {:?}", bench.events);
        };
        assert_eq!(*request, question.id());
        // What follows a swapped token is conditioned on it, and no longer the model's.
        let upto = wrong.map_or(6, |index| index + 1);
        let expected: Vec<bool> = (0..upto).map(|index| Some(index) != wrong).collect();
        assert_eq!(matches[..upto], expected);
    }
}

#[test]
fn a_client_is_served_up_to_its_credit_however_much_it_asks() {
    let mut bench = Bench::new();
    for seed in 0..200 {
        let question = request(&honest(), seed);
        let reply = bench.ask(&question);
        if seed >= 3 {
            assert_eq!(reply, refused(CheckRefusal::Credit, &question));
        }
        // Fees of checks that still run count as well.
        if seed % 5 == 0 {
            bench.run_model();
        }
    }
    bench.run_model();
    assert_eq!(bench.served(), 3);
}

#[test]
fn a_crash_forgets_no_debt_and_repeats_no_charge() {
    let mut bench = Bench::new();
    for seed in 0..3 {
        assert_eq!(bench.ask(&request(&honest(), seed)), None);
    }
    let answers = bench.run_model();
    assert_eq!(answers.len(), 3);
    for restarts in [false, true] {
        if restarts {
            bench.restart();
        }
        // What was answered is answered again, for nothing and without the model.
        for (seed, answer) in (0..).zip(&answers) {
            assert_eq!(bench.ask(&request(&honest(), seed)).as_ref(), Some(answer));
        }
        let next = request(&honest(), 3);
        assert_eq!(bench.ask(&next), refused(CheckRefusal::Credit, &next));
        assert!(bench.tasks.is_empty());
    }
    assert_eq!(bench.served(), 3);
}

#[test]
fn a_payment_on_the_chain_restores_credit_until_a_reorganisation_takes_it_back() {
    let mut bench = Bench::new();
    for seed in 0..3 {
        bench.ask(&request(&honest(), seed));
    }
    bench.run_model();
    let paying = |owner: u8| {
        let mut workshop = Workshop::new(1);
        let fund = workshop.fund(owner, 0);
        let change = fund.output.value.checked_sub(units(1_000_000)).unwrap();
        let outputs = vec![pay_to(NODE, units(2 * FEE)), pay_to(owner, change)];
        let payment = payment(&workshop.genesis(), &[fund], outputs);
        vec![workshop.extend(&[payment]), workshop.extend(&[])]
    };
    // Somebody else's money pays somebody else's debts.
    bench.blocks(&paying(STRANGER));
    let question = request(&honest(), 3);
    assert_eq!(bench.ask(&question), refused(CheckRefusal::Credit, &question));

    let branch = |first: Vec<Arc<Block>>, blocks: u32| {
        let mut workshop = Workshop::new(2);
        for block in &first {
            workshop.submit(block).unwrap();
        }
        let more = (0..blocks).map(|_| workshop.extend(&[]));
        first
            .into_iter()
            .chain(more.collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    bench.blocks(&branch(paying(CLIENT), 1));
    assert_eq!(bench.ask(&question), None, "paid for two");
    bench.run_model();
    bench.restart();
    assert_eq!(bench.ask(&request(&honest(), 4)), None);
    bench.run_model();
    let question = request(&honest(), 5);
    assert_eq!(bench.ask(&question), refused(CheckRefusal::Credit, &question));

    // A longer branch on which the stranger pays and the client does not.
    bench.blocks(&branch(paying(STRANGER), 6));
    assert_eq!(bench.node.chain().height().0, 8);
    assert_eq!(bench.ask(&question), refused(CheckRefusal::Credit, &question));
    assert_eq!(bench.served(), 5);
}

#[test]
fn what_no_honest_client_asks_never_reaches_the_model() {
    let good = || request(&honest(), 1);
    let positions = |positions: &[u32]| CheckRequest {
        positions: BoundedVec::from_vec(positions.to_vec()).unwrap(),
        ..good()
    };
    let malformed = [
        positions(&[]),
        positions(&[0]),
        positions(&[8]),
        positions(&[2, 2]),
        positions(&[3, 2]),
        request(&[64], 1),
        request(&[5; 4096], 1),
        CheckRequest {
            prompt: PromptTokens::new(),
            positions: BoundedVec::from_vec(vec![1]).unwrap(),
            ..good()
        },
        CheckRequest {
            sampling: Sampling {
                top_p_milli: 0,
                ..Sampling::GREEDY
            },
            ..good()
        },
    ];
    let mut bench = Bench::new();
    for (number, request) in (1..).zip(&malformed) {
        assert_eq!(bench.ask(request), None);
        assert_eq!(bench.rejected(), number, "{request:?}");
    }
    let refusals = [
        (
            CheckRefusal::Model,
            CheckRequest {
                model: ModelId([9; 32]),
                ..good()
            },
        ),
        (
            CheckRefusal::Fee,
            CheckRequest {
                fee: units(FEE - 1),
                ..good()
            },
        ),
        (
            CheckRefusal::Credit,
            CheckRequest {
                fee: units(3 * FEE + 1),
                ..good()
            },
        ),
    ];
    for (reason, request) in refusals {
        assert_eq!(bench.ask(&request), refused(reason, &request));
    }
    // Nor is anybody served who is no neighbour.
    let message = Message::CheckRequest(Box::new(good()));
    bench.message(secret(STRANGER).node_id(), &message);
    assert_eq!(bench.rejected(), malformed.len() + 1);
    assert!(bench.tasks.is_empty());
    // A node without the role says so.
    let mut plain = Bench::new();
    plain.node = Node::new(config(NODE, &[CLIENT]));
    assert_eq!(plain.ask(&good()), refused(CheckRefusal::NotServed, &good()));
}

#[test]
fn a_model_that_cannot_be_run_costs_nobody_anything() {
    let mut bench = Bench::new();
    for seed in 0..10 {
        let question = request(&honest(), seed);
        assert_eq!(bench.ask(&question), None);
        let (request, _) = bench.tasks.pop().unwrap();
        let result = InferenceResult::failed("no model");
        bench.input(Input::Inferred { request, result });
        let reply = bench.replies.last().cloned();
        assert_eq!(reply, refused(CheckRefusal::Undecided, &question));
    }
    assert!(bench.records.is_empty());
}

fn any_request() -> impl Strategy<Value = CheckRequest> {
    let tokens = || prop::collection::vec(0u32..66, 0..8);
    let positions = prop::collection::btree_set(0u32..16, 0..6);
    (tokens(), tokens(), positions, 0u64..200, 0u64..3).prop_map(|(prompt, output, positions, fee, seed)| {
        CheckRequest {
            prompt: PromptTokens::from_vec(prompt).unwrap(),
            output: Tokens::from_vec(output).unwrap(),
            positions: BoundedVec::from_vec(positions.into_iter().collect()).unwrap(),
            fee: units(fee),
            ..request(&[5], seed)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked: what was served is within the credit, and answers have the right length.
    #[test]
    fn no_requests_get_more_than_the_credit(
        requests in prop::collection::vec((any_request(), any::<bool>()), 1..40)
    ) {
        let mut bench = Bench::new();
        let mut asked = std::collections::BTreeMap::new();
        for (request, run) in requests {
            asked.insert(request.id(), request.clone());
            bench.ask(&request);
            if run {
                bench.run_model();
            }
        }
        bench.run_model();
        let mut charged = std::collections::BTreeMap::new();
        for reply in &bench.replies {
            if let Message::CheckReply { request, matches } = reply {
                let asked = &asked[request];
                prop_assert_eq!(matches.len(), asked.positions.len());
                prop_assert!(asked.fee.units() >= 10 * asked.tokens());
                charged.insert(*request, asked.fee.units());
            }
        }
        prop_assert!(charged.values().sum::<u64>() <= 3 * FEE);
    }
}
