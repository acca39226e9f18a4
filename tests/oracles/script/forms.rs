//! The standard forms, spent in every way that they allow, and altered a little.

use crate::conditions::{alterations, assert_seen, compare_many, settings};
use crate::spend::{Agreement, KEYS, Piece, Spend, number, public};
use bitcoin::hashes::{Hash as _, hash160, sha256};
use camelid_core::script::{Instruction, StandardScript};
use proptest::prelude::*;

fn key_hash(key: u8) -> [u8; 20] {
    hash160::Hash::hash(&public(key)).to_byte_array()
}

fn signed(key: u8) -> Piece {
    Piece::Signature { key, forged: false }
}

/// A form and what spends it, if the locks allow.
fn forms() -> impl Strategy<Value = (StandardScript, Vec<Piece>)> {
    let shown = |key: u8| Piece::Push(public(key).to_vec());
    let lock_times = || prop_oneof![0..20u32, 499_999_990..500_000_010u32];
    let key_hash_form = (0..KEYS).prop_map(move |key| {
        let form = StandardScript::KeyHash(key_hash(key));
        (form, vec![signed(key), shown(key)])
    });
    let time_lock = (0..KEYS, lock_times()).prop_map(move |(key, lock_time)| {
        let key_hash = key_hash(key);
        let form = StandardScript::TimeLock { lock_time, key_hash };
        (form, vec![signed(key), shown(key)])
    });
    let multi_sig = prop::sample::subsequence(vec![0, 1, 2, 3], 1..=4).prop_map(|signers| {
        let form = StandardScript::MultiSig {
            required: u8::try_from(signers.len()).unwrap(),
            keys: (0..KEYS).map(public).collect(),
        };
        let dummy = Piece::Push(vec![]);
        (
            form,
            [dummy]
                .into_iter()
                .chain(signers.into_iter().map(signed))
                .collect(),
        )
    });
    let hash_time_lock =
        (any::<bool>(), any::<[u8; 32]>(), lock_times()).prop_map(move |(claims, secret, lock_time)| {
            let form = StandardScript::HashTimeLock {
                hash: sha256::Hash::hash(&secret).to_byte_array(),
                recipient: key_hash(0),
                refund: key_hash(1),
                lock_time,
            };
            let elements = if claims {
                vec![signed(0), shown(0), Piece::Push(secret.to_vec()), number(1)]
            } else {
                vec![signed(1), shown(1), number(0)]
            };
            (form, elements)
        });
    let channel = (any::<bool>(), lock_times()).prop_map(|(closes, lock_time)| {
        let form = StandardScript::Channel {
            payer: public(0),
            payee: public(1),
            lock_time,
        };
        let elements = if closes {
            vec![signed(0), signed(1), number(1)]
        } else {
            vec![signed(0), number(0)]
        };
        (form, elements)
    });
    prop_oneof![key_hash_form, time_lock, multi_sig, hash_time_lock, channel]
}

/// The script of a form in pieces that can be altered one by one.
fn pieces(form: &StandardScript) -> Vec<Piece> {
    let script = form.compile().unwrap();
    let instructions = script
        .instructions()
        .map(|instruction| match instruction.unwrap() {
            Instruction::Push(element) => Piece::Push(element.to_vec()),
            Instruction::Operation(opcode) => Piece::Raw(vec![opcode.to_byte()]),
        });
    instructions.collect()
}

fn spends(most_alterations: usize) -> impl Strategy<Value = (Spend, bool)> {
    let alterations = prop::collection::vec(alterations(), 0..=most_alterations);
    (forms(), settings(), alterations).prop_map(|((form, script_sig), settings, alterations)| {
        let (lock_time, sequence, version) = settings;
        let mut spend = Spend {
            script_sig,
            script_pubkey: pieces(&form),
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
    })
}

#[test]
fn bitcoin_judges_the_standard_forms_as_we_do() {
    let tally = compare_many(&spends(0), 1_000);
    assert_seen(&tally, 4, &[Agreement::Accepted, Agreement::Refused]);
    assert_eq!(tally.len(), 2, "{tally:?}");
}

#[test]
fn altered_standard_forms_fail_for_bitcoin_or_by_a_stricter_rule() {
    let tally = compare_many(&spends(3), 3_000);
    println!("{tally:?}");
    assert_seen(&tally, 10, &[Agreement::Accepted, Agreement::Refused]);
    let rules = ["MINIMALDATA", "CLEANSTACK", "MINIMALIF", "unknown opcode"];
    assert_seen(&tally, 1_000, &rules.map(Agreement::Stricter));
}
