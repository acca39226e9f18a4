//! Scripts with a meaning: trees of conditions, the elements that satisfy them or do not, and both
//! altered at random.

use crate::spend::{Agreement, KEYS, Piece, Spend, number, operation, public};
use bitcoin::hashes::{Hash as _, hash160, sha256};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

const IF: u8 = 0x63;
const NOTIF: u8 = 0x64;
const ELSE: u8 = 0x67;
const ENDIF: u8 = 0x68;
const VERIFY: u8 = 0x69;
const RETURN: u8 = 0x6a;
const DROP: u8 = 0x75;
const DUP: u8 = 0x76;
const SIZE: u8 = 0x82;
const EQUAL: u8 = 0x87;
const EQUALVERIFY: u8 = 0x88;
const SHA256: u8 = 0xa8;
const HASH160: u8 = 0xa9;
const CHECKSIG: u8 = 0xac;
const CHECKMULTISIG: u8 = 0xae;
const CLTV: u8 = 0xb1;
const CSV: u8 = 0xb2;

/// Every opcode of ours that does not push.
const OURS: [u8; 19] = [
    IF,
    NOTIF,
    ELSE,
    ENDIF,
    VERIFY,
    RETURN,
    DROP,
    DUP,
    SIZE,
    EQUAL,
    EQUALVERIFY,
    SHA256,
    HASH160,
    CHECKSIG,
    0xad,
    CHECKMULTISIG,
    0xaf,
    CLTV,
    CSV,
];
/// Some of Bitcoin's that we do not have: NOP, VERIF, DEPTH, SWAP, CAT, NOT, ADD, RIPEMD160, NOP1, none.
const OTHERS: [u8; 10] = [0x61, 0x65, 0x74, 0x7c, 0x7e, 0x91, 0x93, 0xa6, 0xb0, 0xff];

/// How a signature that is asked for is given.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Signed,
    Forged,
    /// By the next key.
    Other,
    Empty,
}

/// Leaves true or false on the stack, and takes what it needs from what `script_sig` pushed.
#[derive(Clone, Debug)]
enum Condition {
    Known(bool),
    Equal(Vec<u8>, bool),
    Hash(u8, Vec<u8>, bool),
    Size(u8, bool),
    Signature(u8, Answer),
    MultiSignature {
        required: u8,
        answers: Vec<Answer>,
        empty_dummy: bool,
    },
    Lock(u8, u32),
    Conditional {
        negated: bool,
        parts: Box<[Condition; 3]>,
    },
    Both(Box<[Condition; 2]>),
    Returned,
}

/// A script under construction, and the elements that it takes, first one first.
#[derive(Default)]
struct Draft {
    script: Vec<Piece>,
    elements: Vec<Piece>,
}

impl Draft {
    fn operations(&mut self, bytes: &[u8]) {
        self.script.extend(bytes.iter().copied().map(operation));
    }

    fn push(&mut self, element: &[u8]) {
        self.script.push(Piece::Push(element.to_vec()));
    }

    fn take(&mut self, element: Piece, runs: bool) {
        if runs {
            self.elements.push(element);
        }
    }

    /// Writes `condition`; `runs` if the place is reached. Returns its value, as far as it has one.
    fn write(&mut self, condition: &Condition, runs: bool) -> bool {
        match condition {
            Condition::Known(value) => {
                self.script.push(number(i64::from(*value)));
                *value
            }
            Condition::Equal(element, same) => {
                self.take(Piece::Push(spoil(element, !same)), runs);
                self.push(element);
                self.operations(&[EQUAL]);
                *same
            }
            Condition::Hash(function, preimage, same) => {
                self.take(Piece::Push(spoil(preimage, !same)), runs);
                self.operations(&[*function]);
                if *function == SHA256 {
                    self.push(&sha256::Hash::hash(preimage).to_byte_array());
                } else {
                    self.push(&hash160::Hash::hash(preimage).to_byte_array());
                }
                self.operations(&[EQUAL]);
                *same
            }
            Condition::Size(length, same) => {
                let length_given = if *same { *length } else { *length + 1 };
                self.take(Piece::Push(vec![9; usize::from(length_given)]), runs);
                self.operations(&[SIZE]);
                self.script.push(number(i64::from(*length)));
                self.operations(&[EQUALVERIFY]);
                // What was measured is still there.
                self.operations(&[DROP]);
                self.script.push(number(1));
                *same
            }
            Condition::Signature(key, answer) => {
                self.take(answered(*key, *answer), runs);
                self.push(&public(*key));
                self.operations(&[CHECKSIG]);
                matches!(answer, Answer::Signed)
            }
            Condition::MultiSignature {
                required,
                answers,
                empty_dummy,
            } => self.write_multi_signature((*required, answers, *empty_dummy), runs),
            Condition::Lock(function, required) => {
                self.script.push(number(i64::from(*required)));
                self.operations(&[*function, DROP]);
                self.script.push(number(1));
                true
            }
            Condition::Conditional { negated, parts } => {
                let [condition, then, otherwise] = &**parts;
                let taken = self.write(condition, runs) != *negated;
                self.operations(&[if *negated { NOTIF } else { IF }]);
                let then = self.write(then, runs && taken);
                self.operations(&[ELSE]);
                let otherwise = self.write(otherwise, runs && !taken);
                self.operations(&[ENDIF]);
                if taken { then } else { otherwise }
            }
            Condition::Both(parts) => {
                let first = self.write(&parts[0], runs);
                self.operations(&[VERIFY]);
                first & self.write(&parts[1], runs && first)
            }
            Condition::Returned => {
                self.operations(&[RETURN]);
                false
            }
        }
    }

    /// Keys in order; those that answer, in the same order.
    fn write_multi_signature(
        &mut self,
        (required, answers, empty_dummy): (u8, &[Answer], bool),
        runs: bool,
    ) -> bool {
        let signers = (0..KEYS).zip(answers).take(usize::from(required));
        // The last signature is on top, the unused element below all.
        for (key, answer) in signers.clone().rev() {
            self.take(answered(key, *answer), runs);
        }
        let dummy = if empty_dummy { vec![] } else { vec![1] };
        self.take(Piece::Push(dummy), runs);
        self.script.push(number(i64::from(required)));
        for key in 0..KEYS {
            self.push(&public(key));
        }
        self.script.push(number(i64::from(KEYS)));
        self.operations(&[CHECKMULTISIG]);
        signers
            .clone()
            .all(|(_, answer)| matches!(answer, Answer::Signed))
            && empty_dummy
    }
}

fn spoil(element: &[u8], spoil: bool) -> Vec<u8> {
    let mut element = element.to_vec();
    if spoil {
        element.push(7);
    }
    element
}

fn answered(key: u8, answer: Answer) -> Piece {
    match answer {
        Answer::Signed => Piece::Signature { key, forged: false },
        Answer::Forged => Piece::Signature { key, forged: true },
        Answer::Other => Piece::Signature {
            key: (key + 1) % KEYS,
            forged: false,
        },
        Answer::Empty => Piece::Push(vec![]),
    }
}

fn mostly() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.9)
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        12 => Just(Answer::Signed),
        1 => Just(Answer::Forged),
        1 => Just(Answer::Other),
        2 => Just(Answer::Empty),
    ]
}

/// Lock times, ages and sequences near where their rules change.
fn locks() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0..20u32,
        2 => 499_999_990..500_000_010u32,
        1 => select(vec![1 << 31, (1 << 31) | 5, 1 << 22, (1 << 22) | 5, u32::MAX, u32::MAX - 1]),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    let element = || prop::collection::vec(any::<u8>(), 0..80);
    let leaf = prop_oneof![
        2 => mostly().prop_map(Condition::Known),
        2 => (element(), mostly()).prop_map(|(element, same)| Condition::Equal(element, same)),
        2 => (select(vec![SHA256, HASH160]), element(), mostly())
            .prop_map(|(function, preimage, same)| Condition::Hash(function, preimage, same)),
        1 => (0..40u8, mostly()).prop_map(|(length, same)| Condition::Size(length, same)),
        3 => (0..KEYS, answers()).prop_map(|(key, answer)| Condition::Signature(key, answer)),
        2 => (0..=KEYS, prop::collection::vec(answers(), usize::from(KEYS)), mostly()).prop_map(
            |(required, answers, empty_dummy)| Condition::MultiSignature { required, answers, empty_dummy }
        ),
        1 => (select(vec![CLTV, CSV]), locks()).prop_map(|(function, required)| Condition::Lock(function, required)),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            4 => (any::<bool>(), prop::array::uniform3(inner.clone())).prop_map(|(negated, parts)| {
                Condition::Conditional { negated, parts: Box::new(parts) }
            }),
            4 => prop::array::uniform2(inner.clone()).prop_map(|parts| Condition::Both(Box::new(parts))),
            1 => inner.prop_map(|condition| Condition::Conditional {
                negated: false,
                parts: Box::new([Condition::Known(false), Condition::Returned, condition]),
            }),
        ]
    })
}

/// How the transaction stands to the locks.
pub(crate) fn settings() -> impl Strategy<Value = (u32, u32, u32)> {
    let versions = prop_oneof![4 => Just(2), 1 => Just(1), 1 => select(vec![0, 3, 1 << 31, (1 << 31) | 2])];
    (locks(), locks(), versions)
}

/// A change to a script or to what it is given.
#[derive(Clone, Debug)]
pub(crate) enum Alteration {
    Remove,
    Repeat,
    SwapWithNext,
    Put(Piece),
    /// The same element by a longer push.
    Lengthen,
}

pub(crate) fn alterations() -> impl Strategy<Value = (bool, Index, Alteration)> {
    let piece = prop_oneof![
        6 => select(OURS.to_vec()).prop_map(operation),
        3 => select(OTHERS.to_vec()).prop_map(operation),
        4 => (-1..=17i64).prop_map(number),
        1 => Just(Piece::Push(vec![0x80])),
        1 => Just(Piece::Push(vec![0])),
        1 => (0..KEYS).prop_map(|key| Piece::Push(public(key).to_vec())),
        1 => prop::collection::vec(any::<u8>(), 1..4).prop_map(Piece::Raw),
    ];
    let alteration = prop_oneof![
        2 => Just(Alteration::Remove),
        2 => Just(Alteration::Repeat),
        2 => Just(Alteration::SwapWithNext),
        4 => piece.prop_map(Alteration::Put),
        1 => Just(Alteration::Lengthen),
    ];
    // Is it the script that changes, or what it is given?
    (prop::bool::weighted(0.6), any::<Index>(), alteration)
}

impl Alteration {
    pub(crate) fn apply(&self, pieces: &mut Vec<Piece>, at: &Index) {
        if pieces.is_empty() {
            return;
        }
        let at = at.index(pieces.len());
        match self {
            Self::Remove => drop(pieces.remove(at)),
            Self::Repeat => pieces.insert(at, pieces[at].clone()),
            Self::SwapWithNext if at + 1 < pieces.len() => pieces.swap(at, at + 1),
            Self::SwapWithNext => {}
            Self::Put(piece) => pieces[at] = piece.clone(),
            Self::Lengthen => {
                if let Piece::Push(element) = &pieces[at] {
                    let length = u16::try_from(element.len()).unwrap().to_le_bytes();
                    pieces[at] = Piece::Raw([&[0x4d][..], &length, element].concat());
                }
            }
        }
    }
}

/// How often each came of many comparisons.
pub(crate) type Tally = BTreeMap<Agreement, usize>;

/// Compares the spends that `strategy` draws, always the same ones.
pub(crate) fn compare_many<S: Strategy<Value = (Spend, bool)>>(strategy: &S, cases: u32) -> Tally {
    let config = ProptestConfig {
        cases: ProptestConfig::default().cases.max(cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let tally = RefCell::new(Tally::new());
    let outcome = runner.run(strategy, |(spend, was_altered)| {
        *tally.borrow_mut().entry(spend.compare(was_altered)).or_default() += 1;
        Ok::<(), TestCaseError>(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    tally.into_inner()
}

/// Fails unless each of these came of at least one comparison in `share`.
pub(crate) fn assert_seen(tally: &Tally, share: usize, outcomes: &[Agreement]) {
    let total: usize = tally.values().sum();
    for outcome in outcomes {
        let count = tally.get(outcome).copied().unwrap_or_default();
        assert!(
            count * share >= total,
            "{outcome:?} came {count} times of {total}: {tally:?}"
        );
    }
}

fn spends() -> impl Strategy<Value = (Spend, bool)> {
    let alterations = prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(alterations(), 1..4),
    ];
    (conditions(), settings(), alterations).prop_map(
        |(condition, (lock_time, sequence, version), alterations)| {
            let mut draft = Draft::default();
            draft.write(&condition, true);
            draft.elements.reverse();
            let mut spend = Spend {
                script_sig: draft.elements,
                script_pubkey: draft.script,
                lock_time,
                sequence,
                version,
            };
            for (changes_script, at, alteration) in &alterations {
                let pieces = if *changes_script {
                    &mut spend.script_pubkey
                } else {
                    &mut spend.script_sig
                };
                alteration.apply(pieces, at);
            }
            (spend, !alterations.is_empty())
        },
    )
}

#[test]
fn what_we_accept_bitcoin_accepts() {
    let tally = compare_many(&spends(), 4_000);
    println!("{tally:?}");
    assert_seen(&tally, 6, &[Agreement::Accepted, Agreement::Refused]);
    let rules = [
        "MINIMALDATA",
        "MINIMALIF",
        "NULLFAIL",
        "CLEANSTACK",
        "SIGPUSHONLY",
        "encoding of keys and signatures",
        "unknown opcode",
    ];
    assert_seen(&tally, 3_000, &rules.map(Agreement::Stricter));
    // A comparison that leaves much out says little.
    let left_out = tally.get(&Agreement::LeftOut).copied().unwrap_or_default();
    assert!(left_out * 10 < tally.values().sum());
}
