//! Transactions that several people sign.
#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::escrow::{JobRecord, JobState};
use camelid_core::job::Terms;
use camelid_core::keys::PublicKey;
use camelid_core::model::Sampling;
use camelid_core::primitives::{
    Amount, BlockHash, BoundedVec, COIN, Commitment, Hash256, Height, ModelId, Time, Timestamp,
};
use camelid_core::rastic::Spec;
use camelid_core::script::{Script, StandardScript};
use camelid_core::tx::{Action, ActionKind, Lock, NO_EXPIRY, OutPoint, Transaction, TxIn, TxOut};
use camelid_wallet::partial::engage::{EngageError, NodeSide, View};
use camelid_wallet::partial::{Partial, PartialError};
use proptest::prelude::*;
use std::sync::Arc;
use support::*;

const CLIENT: u8 = 1;
const NODE: u8 = 2;
const STRANGER: u8 = 3;

fn transaction(inputs: &[OutPoint], outputs: Vec<TxOut>) -> Transaction {
    let inputs = inputs.iter().map(|previous| TxIn {
        previous: *previous,
        script_sig: Script::empty(),
        sequence: NO_EXPIRY,
    });
    Transaction {
        version: 1,
        inputs: BoundedVec::from_vec(inputs.collect()).unwrap(),
        outputs: BoundedVec::from_vec(outputs).unwrap(),
        lock_time: 0,
        job_id: None,
        action: None,
    }
}

fn public(owner: u8) -> PublicKey {
    secret(owner).public_key()
}

/// A 2-of-3, a key hash and a key hash with a lock time that is over, spent together.
fn shared() -> (World, Partial) {
    let keys = [4, 5, 6].map(|owner| *public(owner).as_bytes()).to_vec();
    let multi = StandardScript::MultiSig { required: 2, keys };
    let timed = StandardScript::TimeLock {
        lock_time: 0,
        key_hash: public(CLIENT).key_hash().0,
    };
    let outputs = [multi, timed].map(|form| TxOut::to_script(units(COIN), form.compile().unwrap()));
    let world = World::new(&[&outputs[..], &[pay_to(STRANGER, COIN)]].concat());
    let inputs: Vec<OutPoint> = world.coins.iter().map(|coin| coin.outpoint).collect();
    let mut spending = transaction(&inputs, vec![pay_to(NODE, 3 * COIN - 5_000)]);
    // A lock time is looked at where a sequence is not final.
    for input in spending.inputs.as_mut_slice() {
        input.sequence = NO_EXPIRY - 1;
    }
    let spent = world
        .coins
        .iter()
        .map(camelid_wallet::coin::Coin::output)
        .collect();
    let partial = Partial::new(world.genesis(), spending, spent, None).unwrap();
    (world, partial)
}

#[test]
fn signatures_come_together_in_any_order() {
    let (world, unsigned) = shared();
    let known = known(&world.coins);
    let signed_by = |owner: u8| {
        let mut partial = unsigned.clone();
        assert_eq!(partial.sign(&secret(owner), &known), Ok(1));
        // By post.
        Partial::parse(&partial.to_base64()).unwrap()
    };
    let signers = [
        [6, CLIENT, STRANGER, 4],
        [STRANGER, 5, 4, CLIENT],
        [4, 5, 6, CLIENT],
    ];
    for order in signers {
        let mut all = unsigned.clone();
        for owner in order {
            assert!(!all.inspect().is_complete);
            all.combine(&signed_by(owner)).unwrap();
        }
        if order == [4, 5, 6, CLIENT] {
            assert_eq!(all.inspect().inputs[0].signatures, Some((2, 2)));
            assert_eq!(all.finalise(), Err(PartialError::Incomplete(2)));
            all.combine(&signed_by(STRANGER)).unwrap();
        }
        let summary = all.inspect();
        assert!(summary.is_complete);
        assert_eq!(summary.fee, Some(units(5_000)));
        let transaction = all.finalise().unwrap();
        assert_eq!(transaction.txid(), summary.txid);
        assert_eq!(world.fee_of(&transaction), Ok(units(5_000)));
    }
    // A key that has no say signs nothing.
    assert_eq!(unsigned.clone().sign(&secret(9), &known), Ok(0));
}

/// What an input spends is a claim until the signer has looked at its own coins.
#[test]
fn nobody_signs_for_a_coin_that_is_not_what_is_claimed() {
    let (world, honest) = shared();
    let mut coins = world.coins.clone();
    coins[2].value = units(2 * COIN);
    let outpoint = coins[2].outpoint;
    let lying = Partial::new(
        world.genesis(),
        honest.transaction().clone(),
        coins.iter().map(camelid_wallet::coin::Coin::output).collect(),
        None,
    );
    let mut lying = lying.unwrap();
    let refused = Err(PartialError::UnknownCoin(outpoint));
    assert_eq!(lying.sign(&secret(STRANGER), known(&world.coins)), refused);
    assert_eq!(lying.sign(&secret(STRANGER), known(&[])), refused);
    assert_eq!(lying.inspect().inputs[2].signatures, Some((0, 1)));
    assert_eq!(lying.clone().combine(&honest), Err(PartialError::Different));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (world, partial) = shared();
    let (genesis, spending) = (world.genesis(), partial.transaction().clone());
    let count = PartialError::SpentCount { inputs: 3, spent: 1 };
    assert_eq!(
        Partial::new(genesis, spending.clone(), vec![pay_to(1, 1)], None),
        Err(count)
    );
    let mut signed = spending;
    signed.inputs.as_mut_slice()[1].script_sig = Script::from_bytes(vec![1, 1]).unwrap();
    let spent = partial.spent().to_vec();
    assert_eq!(
        Partial::new(genesis, signed, spent, None),
        Err(PartialError::ScriptSig(1))
    );
    assert_eq!(Partial::parse("camelid"), Err(PartialError::NotAPartial));
    assert_eq!(Partial::parse(""), Err(PartialError::NotAPartial));
    let mut bytes = partial.to_bytes();
    bytes[4] = 2;
    assert_eq!(Partial::from_bytes(&bytes), Err(PartialError::Version(2)));
}

#[test]
fn both_texts_are_read_however_they_were_wrapped() {
    let (world, mut partial) = shared();
    partial.sign(&secret(5), known(&world.coins)).unwrap();
    for text in [
        partial.to_hex(),
        partial.to_base64(),
        partial.to_hex().to_uppercase(),
    ] {
        let wrapped: Vec<String> = text
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        assert_eq!(
            Partial::parse(&format!(" {}\r\n", wrapped.join("\r\n"))).as_ref(),
            Ok(&partial)
        );
    }
    assert!(partial.to_base64().starts_with("Q1BTV"));
    assert!(partial.to_hex().starts_with("43505354"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is read has only valid signatures, and is written as it was read.
    #[test]
    fn no_bytes_smuggle_a_signature_in(at: prop::sample::Index, flip in 1_u8.., cut: prop::sample::Index) {
        let (world, mut partial) = shared();
        for owner in [4, 6, CLIENT, STRANGER] {
            partial.sign(&secret(owner), known(&world.coins)).unwrap();
        }
        let bytes = partial.to_bytes();
        let mut changed = bytes.clone();
        *at.get_mut(&mut changed) ^= flip;
        // Every input is signed, so all that a partial says is.
        prop_assert!(Partial::from_bytes(&changed).is_err());
        prop_assert!(Partial::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Partial::from_bytes(&bytes);
        let _ = Partial::from_bytes(&[&b"CPST\x01"[..], &bytes[..]].concat());
        let _ = Partial::parse(&String::from_utf8_lossy(&bytes));
    }
}

// --- Engage ---

fn terms() -> Terms {
    let params = camelid_core::params::Params::simnet();
    let reward = units(COIN);
    Terms {
        prompt_hash: Hash256([1; 32]),
        seed: 1,
        sampling: Sampling::GREEDY,
        max_tokens: 8,
        model: ModelId([2; 32]),
        exact: true,
        spec: Spec::V2,
        samples: 0,
        deadline: Height(1).plus(params.jobs.min_deadline),
        reward,
        audit_fee: params.jobs.audit_fee(reward, false),
        engage_fee: units(10_000),
        stake: params.jobs.min_stake(reward).unwrap(),
        client_key: public(CLIENT),
        delivery_key: public(7),
        refund: script_of(CLIENT),
        private: false,
        created: params.genesis_time,
        contact: public(CLIENT).key_hash(),
    }
}

/// A chain with an open job, and the Engage that an honest node makes for it.
struct Job {
    world: World,
    record: JobRecord,
    unsigned: Partial,
}

const NODE_COIN: u64 = 100 * COIN;

impl Job {
    fn new() -> Self {
        let mut world = World::new(&[pay_to(CLIENT, 10 * COIN), pay_to(NODE, NODE_COIN)]);
        let (genesis, terms) = (world.genesis(), terms());
        let coin = world.coins[0].outpoint;
        let escrow = TxOut {
            value: terms.escrow_value().unwrap(),
            lock: Lock::Escrow,
        };
        let change = units(10 * COIN).checked_sub(escrow.value).unwrap();
        let job = terms.job_id(&genesis, &coin);
        let opening = Transaction {
            version: 2,
            job_id: Some(job),
            action: Some(Action {
                seq: 0,
                kind: ActionKind::OpenJob(Box::new(terms)),
            }),
            ..transaction(&[coin], vec![escrow, TxOut::to_script(change, script_of(CLIENT))])
        };
        let mut open = Partial::new(genesis, opening, vec![pay_to(CLIENT, 10 * COIN)], None).unwrap();
        open.sign(&secret(CLIENT), known(&world.coins)).unwrap();
        mine(&mut world, open.finalise().unwrap());
        let record = world.chain.ledger().job(&job).unwrap().into_owned();
        let unsigned = engage(&world, &record, |_| {});
        Self {
            world,
            record,
            unsigned,
        }
    }

    fn view<'a>(&'a self, genesis: &'a BlockHash) -> View<'a> {
        View {
            genesis,
            record: &self.record,
            next: Height(2),
        }
    }

    fn sign_as_client(&self, mut partial: Partial) -> Result<Partial, EngageError> {
        let genesis = self.world.genesis();
        partial.sign_engage_as_client(&secret(CLIENT), &self.view(&genesis))?;
        Ok(partial)
    }

    fn sign_as_node(&self, mut partial: Partial) -> Result<Partial, EngageError> {
        let genesis = self.world.genesis();
        let (commitment, node_key, script) = (Commitment([5; 32]), public(NODE), script_of(NODE));
        let side = NodeSide {
            commitment: &commitment,
            node_key: &node_key,
            payout: &script,
            change: &script,
            most_fee: Amount::ZERO,
        };
        let coins = known(&self.world.coins);
        partial.sign_engage_as_node(&[secret(NODE)], &self.view(&genesis), &side, coins)?;
        Ok(partial)
    }
}

fn mine(world: &mut World, transaction: Transaction) {
    use camelid_core::block::{Block, BlockHeader, coinbase};
    use camelid_core::chain::{AppliedBody, Submission};
    let ledger = world.chain.ledger();
    let params = ledger.params().clone();
    let time = Timestamp(params.genesis_time.0 + 60);
    let root = AppliedBody::new(ledger, time, &[&transaction], &camelid_core::keys::EcdsaVerifier)
        .unwrap()
        .records_root();
    let reward = coinbase(Height(1), 0, &root, vec![]).unwrap();
    let mut block = Block {
        header: BlockHeader {
            version: 1,
            previous: world.genesis(),
            merkle_root: no_hash(),
            time,
            bits: params.genesis_bits,
            nonce: 0,
        },
        transactions: BoundedVec::from_vec(vec![reward, transaction]).unwrap(),
    };
    block.header.merkle_root = block.merkle_root();
    while block.header.check_work().is_err() {
        block.header.nonce += 1;
    }
    let moved = world
        .chain
        .submit_block(Arc::new(block), Time(u64::from(u32::MAX) * 1000));
    assert!(matches!(moved, Ok(Submission::Moved(change)) if change.invalid.is_empty()));
}

/// What is changed before anybody signs.
struct Parts {
    genesis: BlockHash,
    transaction: Transaction,
    spent: Vec<TxOut>,
    escrow_key: Option<PublicKey>,
}

impl Parts {
    fn kind(&mut self) -> &mut ActionKind {
        &mut self.transaction.action.as_mut().unwrap().kind
    }

    fn output(&mut self, index: usize) -> &mut TxOut {
        &mut self.transaction.outputs.as_mut_slice()[index]
    }
}

/// The Engage of the node, with a change.
fn engage(world: &World, record: &JobRecord, change: impl FnOnce(&mut Parts)) -> Partial {
    let terms = &record.terms;
    let bond = TxOut {
        value: terms.bond_value().unwrap(),
        lock: Lock::Bond,
    };
    let escrow = TxOut {
        value: terms.escrow_value().unwrap(),
        lock: Lock::Escrow,
    };
    let left = NODE_COIN - terms.stake.units();
    let kind = ActionKind::Engage {
        commitment: Commitment([5; 32]),
        node_key: public(NODE),
        payout: script_of(NODE),
    };
    let mut parts = Parts {
        genesis: world.genesis(),
        transaction: Transaction {
            version: 2,
            job_id: Some(record.id),
            action: Some(Action {
                seq: record.seq,
                kind,
            }),
            ..transaction(
                &[record.escrow, world.coins[1].outpoint],
                vec![bond, pay_to(NODE, left)],
            )
        },
        spent: vec![escrow, pay_to(NODE, NODE_COIN)],
        escrow_key: Some(terms.client_key),
    };
    change(&mut parts);
    Partial::new(parts.genesis, parts.transaction, parts.spent, parts.escrow_key).unwrap()
}

#[test]
fn client_and_node_sign_an_engage_that_the_ledger_takes() {
    let job = Job::new();
    // In either order, each on its own machine.
    let node = job.sign_as_node(job.unsigned.clone()).unwrap();
    let client = job.sign_as_client(job.unsigned.clone()).unwrap();
    for (first, second) in [(&node, &client), (&client, &node)] {
        assert!(matches!(first.finalise(), Err(PartialError::Incomplete(_))));
        let mut both = Partial::parse(&first.to_hex()).unwrap();
        both.combine(&Partial::parse(&second.to_base64()).unwrap())
            .unwrap();
        let summary = both.inspect();
        assert_eq!(summary.action, Some("Engage"));
        assert_eq!(summary.fee, Some(job.record.terms.engage_fee));
        let engage = both.finalise().unwrap();
        assert_eq!(job.world.fee_of(&engage), Ok(job.record.terms.engage_fee));
    }
}

/// Each thing that could cost a side something is seen by that side, or by both.
#[test]
fn nobody_signs_an_engage_that_is_not_what_it_should_be() {
    let job = Job::new();
    let bond = job.record.terms.bond_value().unwrap();
    type Change = fn(&mut Parts);
    let both: Vec<(Change, EngageError)> = vec![
        (|parts| parts.genesis = BlockHash([1; 32]), EngageError::Network),
        (|parts| parts.transaction.job_id = None, EngageError::NotThisJob),
        (|parts| parts.transaction.version = 1, EngageError::NotThisJob),
        (
            |parts| parts.transaction.action.as_mut().unwrap().seq = 2,
            EngageError::NotThisJob,
        ),
        (
            |parts| *parts.kind() = ActionKind::Settle,
            EngageError::NotThisJob,
        ),
        (|parts| parts.transaction.action = None, EngageError::NotThisJob),
        (|parts| parts.transaction.lock_time = 9, EngageError::LockTime),
        (
            |parts| parts.transaction.inputs.as_mut_slice()[1].sequence = 5,
            EngageError::LockTime,
        ),
        (|parts| parts.spent[0].value = units(1), EngageError::Escrow),
        (|parts| parts.spent[0] = pay_to(CLIENT, COIN), EngageError::Escrow),
        (
            |parts| parts.transaction.inputs.as_mut_slice()[0].previous.index = 1,
            EngageError::Escrow,
        ),
        (
            |parts| parts.output(0).lock = Lock::Escrow,
            EngageError::Bond(bond),
        ),
        (
            |parts| parts.output(0).value = parts.output(0).value.checked_sub(units(1)).unwrap(),
            EngageError::Bond(bond),
        ),
        (
            |parts| parts.output(1).value = parts.output(1).value.checked_add(units(1)).unwrap(),
            EngageError::Change,
        ),
        (|parts| parts.spent[1].value = units(1), EngageError::Change),
        (
            |parts| {
                if let ActionKind::Engage { node_key, .. } = parts.kind() {
                    *node_key = (0..).find_map(off_curve).unwrap();
                }
            },
            EngageError::NodeKey,
        ),
    ];
    for (number, (change, error)) in both.into_iter().enumerate() {
        let changed = engage(&job.world, &job.record, change);
        assert_eq!(
            job.sign_as_client(changed.clone()),
            Err(error.clone()),
            "{number}"
        );
        assert_eq!(job.sign_as_node(changed), Err(error), "{number}");
    }
    let node_only: Vec<(Change, EngageError)> = vec![
        (
            |parts| {
                if let ActionKind::Engage { payout, .. } = parts.kind() {
                    *payout = script_of(STRANGER);
                }
            },
            EngageError::NotOurs,
        ),
        (
            |parts| {
                if let ActionKind::Engage { commitment, .. } = parts.kind() {
                    *commitment = Commitment([6; 32]);
                }
            },
            EngageError::NotOurs,
        ),
        (
            |parts| {
                if let ActionKind::Engage { node_key, .. } = parts.kind() {
                    *node_key = public(STRANGER);
                }
            },
            EngageError::NotOurs,
        ),
    ];
    for (change, error) in node_only {
        let changed = engage(&job.world, &job.record, change);
        assert_eq!(job.sign_as_node(changed.clone()), Err(error));
        assert!(job.sign_as_client(changed).is_ok());
    }
    let stolen = engage(&job.world, &job.record, |parts| {
        *parts.output(1) = pay_to(STRANGER, 1);
    });
    assert!(matches!(job.sign_as_node(stolen), Err(EngageError::Loss { .. })));
    // The node is told that its coin is worth more than it is, to make it overpay.
    let inflated = engage(&job.world, &job.record, |parts| {
        parts.spent[1].value = units(NODE_COIN + 1);
    });
    assert!(matches!(
        job.sign_as_node(inflated),
        Err(EngageError::Loss { .. })
    ));
    let swapped = engage(&job.world, &job.record, |parts| {
        parts.spent[1].value = units(NODE_COIN - 1);
        parts.output(1).value = units(NODE_COIN - 1).checked_sub(terms().stake).unwrap();
    });
    let unknown = PartialError::UnknownCoin(job.world.coins[1].outpoint);
    assert_eq!(job.sign_as_node(swapped), Err(unknown.into()));
}

/// 0x02 and an x that no point has.
fn off_curve(number: u8) -> Option<PublicKey> {
    let mut bytes = [number; 33];
    bytes[0] = 2;
    PublicKey::from_bytes(bytes).filter(|key| !key.is_on_curve())
}

#[test]
fn an_engage_comes_in_time_for_an_open_job_and_from_its_client() {
    let job = Job::new();
    let genesis = job.world.genesis();
    let mut partial = job.unsigned.clone();
    let late = View {
        next: job.record.terms.deadline,
        ..job.view(&genesis)
    };
    let deadline = job.record.terms.deadline.0;
    let refused = Err(EngageError::Late {
        deadline,
        next: deadline,
    });
    assert_eq!(partial.sign_engage_as_client(&secret(CLIENT), &late), refused);
    let closed = JobRecord {
        state: JobState::Closed(camelid_core::escrow::Outcome::Refunded),
        ..job.record.clone()
    };
    let closed = View {
        record: &closed,
        ..job.view(&genesis)
    };
    assert_eq!(
        partial.sign_engage_as_client(&secret(CLIENT), &closed),
        Err(EngageError::NotOpen)
    );
    let view = job.view(&genesis);
    assert_eq!(
        partial.sign_engage_as_client(&secret(NODE), &view),
        Err(EngageError::WrongKey)
    );
    // Somebody else's key in the client's place would only make it useless.
    let mut foreign = engage(&job.world, &job.record, |parts| {
        parts.escrow_key = Some(public(STRANGER));
    });
    assert_eq!(
        foreign.sign_engage_as_client(&secret(CLIENT), &view),
        Err(EngageError::WrongKey)
    );
    assert_eq!(partial, job.unsigned);
}

/// The client's coins are not the node's stake: the client signs for the escrow and nothing else, even
/// with the key that could.
#[test]
fn the_client_signs_for_the_escrow_alone() {
    let job = Job::new();
    let own = job.world.coins[0].clone();
    let theft = engage(&job.world, &job.record, |parts| {
        let inputs = [parts.transaction.inputs[0].previous, own.outpoint];
        parts.transaction.inputs = transaction(&inputs, vec![]).inputs;
        parts.spent[1] = pay_to(CLIENT, NODE_COIN);
    });
    let signed = job.sign_as_client(theft).unwrap();
    let signatures: Vec<_> = signed
        .inspect()
        .inputs
        .iter()
        .map(|input| input.signatures)
        .collect();
    assert_eq!(signatures, [Some((1, 1)), Some((0, 1))]);
}
