//! Scripts that made other nodes pay out, or disagree.

use crate::support::*;
use crate::ways::{Attack, assert_says, must_pass, pool_refusal};
use camelid_core::keys::EcdsaVerifier;
use camelid_core::mempool::Mempool;
use camelid_core::script::{
    MAX_ELEMENT_BYTES, MAX_SCRIPT_BYTES, Opcode, Script, ScriptBuilder, StandardScript, multi_sig_script_sig,
};
use camelid_core::tx::{Transaction, TxOut, signature_hash};
use std::sync::Arc;

/// Makes an output that `script` locks.
fn lock(script: &Script) -> Transaction {
    let workshop = Workshop::new(1);
    let outputs = vec![TxOut::to_script(coins(10), script.clone())];
    payment(&workshop.genesis(), &[workshop.fund(CLIENT, 0)], outputs)
}

/// Spends output 0 of `parent` with this `script_sig`.
fn unlock(parent: &Transaction, script_sig: Script) -> Transaction {
    let fund = fund_of(parent, 0, STRANGER);
    let mut transaction = unsigned(&[fund], vec![pay_to(STRANGER, coins(9))], None);
    transaction.inputs.as_mut_slice()[0].script_sig = script_sig;
    transaction
}

/// Spends output 0 of `parent`, which has `elements` pushed by a function of signatures: what key `n`
/// signs.
fn unlock_signed(
    parent: &Transaction,
    script_sig: impl Fn(&dyn Fn(u8) -> [u8; 64]) -> Script,
) -> Transaction {
    let unsigned = unlock(parent, Script::empty());
    let genesis = Workshop::new(1).genesis();
    let digest = signature_hash(&genesis, &unsigned.txid(), 0, &parent.outputs[0]);
    unlock(parent, script_sig(&|owner| secret(owner).sign(&digest).0))
}

fn raw(bytes: &[u8]) -> Script {
    Script::from_bytes(bytes.to_vec()).unwrap()
}

fn key(owner: u8) -> [u8; 33] {
    *secret(owner).public_key().as_bytes()
}

/// `required` of `keys`, also where no standard form allows it.
fn multi_sig(required: i64, keys: &[u8], count: i64) -> Script {
    let start = ScriptBuilder::new().push_number(required);
    keys.iter()
        .fold(start, |builder, owner| builder.push(&key(*owner)))
        .push_number(count)
        .operation(Opcode::CheckMultiSig)
        .build()
        .unwrap()
}

/// Bitcoin once ran `script_sig` and `script_pubkey` as one script, and RETURN ended it with what was on
/// the stack: anybody could spend anything (CVE-2010-5141).
#[test]
fn a_script_sig_that_returns_early() {
    let parent = lock(&script_of(CLIENT));
    let before = [parent.clone()];
    for (script_sig, reason) in [
        (&[0x51, 0x6a][..], "script_sig holds the operation RETURN"),
        (
            &[0x51, 0x51, 0x63, 0x6a, 0x68],
            "script_sig holds the operation IF",
        ),
        (&[0x51], "EQUALVERIFY found false"),
        (&[], "not enough elements"),
        (&[0x51, 0x51, 0x87], "script_sig holds the operation EQUAL"),
    ] {
        Attack::by(&[&before], &[unlock(&parent, raw(script_sig))], reason).must_fail();
    }
}

/// A push, or a branch, that begins in `script_sig` and would end in `script_pubkey`.
#[test]
fn a_script_sig_that_runs_on_into_the_script_pubkey() {
    let parent = lock(&script_of(CLIENT));
    let before = [parent.clone()];
    let length = u8::try_from(script_of(CLIENT).as_bytes().len()).unwrap();
    for (script_sig, reason) in [
        (&[0x51, length][..], "the script ends inside a push"),
        (&[0x51, 0x4c, length], "the script ends inside a push"),
        (&[0x51, 0x4d, length, 0], "the script ends inside a push"),
        (&[0x51, 0x00, 0x63], "script_sig holds the operation IF"),
    ] {
        Attack::by(&[&before], &[unlock(&parent, raw(script_sig))], reason).must_fail();
    }
}

/// What one node skips another might read: here nobody skips.
#[test]
fn an_unknown_opcode_in_a_branch_that_is_not_taken() {
    for opcode in [0x50, 0x61, 0x65, 0x7e, 0xb0, 0xba, 0xff] {
        let skipped = raw(&[0x00, 0x63, opcode, 0x68, 0x51]);
        let parent = lock(&skipped);
        let spend = [unlock(&parent, Script::empty())];
        Attack::by(&[std::slice::from_ref(&parent)], &spend, "unknown opcode").must_fail();
        // Nobody relays the output in the first place, but a block may make it.
        let refusal = pool_refusal(&Workshop::new(1), &[parent]).unwrap();
        assert_says(&refusal.to_string(), "not standard");
    }
    let known = lock(&raw(&[0x00, 0x63, 0x6a, 0x68, 0x51]));
    must_pass(
        &[std::slice::from_ref(&known)],
        &[unlock(&known, Script::empty())],
    );
}

#[test]
fn multisig_of_none_of_some_keys_is_open_to_anyone() {
    for keys in [&[][..], &[CLIENT], &[CLIENT, NODE]] {
        let parent = lock(&multi_sig(0, keys, i64::try_from(keys.len()).unwrap()));
        let open = multi_sig_script_sig(&[]).unwrap();
        must_pass(&[std::slice::from_ref(&parent)], &[unlock(&parent, open)]);
        // It is nobody's standard form.
        assert!(pool_refusal(&Workshop::new(1), &[parent]).is_some());
    }
}

#[test]
fn multisig_of_more_signatures_than_keys() {
    let parent = lock(&multi_sig(2, &[CLIENT], 1));
    let spend = unlock_signed(&parent, |sign| {
        multi_sig_script_sig(&[sign(CLIENT), sign(CLIENT)]).unwrap()
    });
    let reason = "the number of signatures is negative or above the number of keys";
    Attack::by(&[&[parent]], &[spend], reason).must_fail();
}

#[test]
fn multisig_of_seventeen_keys() {
    let keys: Vec<u8> = (1..=17).collect();
    let parent = lock(&multi_sig(1, &keys, 17));
    let spend = unlock_signed(&parent, |sign| multi_sig_script_sig(&[sign(1)]).unwrap());
    Attack::by(&[&[parent]], &[spend], "the number of keys is not in 0..=16").must_fail();
    let parent = lock(&multi_sig(1, &keys[..16], 16));
    let spend = unlock_signed(&parent, |sign| multi_sig_script_sig(&[sign(1)]).unwrap());
    must_pass(&[&[parent]], &[spend]);
}

/// The element that CHECKMULTISIG takes for no reason was malleable: anybody could change an id (BIP 147).
#[test]
fn multisig_with_a_dummy_that_is_not_empty() {
    let parent = lock(&multi_sig(1, &[CLIENT, NODE], 2));
    for dummy in [&[1][..], &[0], &[0x80], &[7; 64]] {
        let spend = unlock_signed(&parent, |sign| {
            ScriptBuilder::new()
                .push(dummy)
                .push(&sign(CLIENT))
                .build()
                .unwrap()
        });
        let before = std::slice::from_ref(&parent);
        Attack::by(
            &[before],
            &[spend],
            "unused element of CHECKMULTISIG is not empty",
        )
        .must_fail();
    }
}

#[test]
fn multisig_with_signatures_out_of_the_keys_order() {
    let parent = lock(&multi_sig(2, &[CLIENT, NODE, STRANGER], 3));
    let spend = |first, second| {
        unlock_signed(&parent, |sign| {
            multi_sig_script_sig(&[sign(first), sign(second)]).unwrap()
        })
    };
    let before = std::slice::from_ref(&parent);
    for (first, second) in [
        (NODE, CLIENT),
        (STRANGER, NODE),
        (CLIENT, CLIENT),
        (CLIENT, MINER),
    ] {
        let reason = "a signature that is not empty failed its check";
        Attack::by(&[before], &[spend(first, second)], reason).must_fail();
    }
    for (first, second) in [(CLIENT, NODE), (NODE, STRANGER), (CLIENT, STRANGER)] {
        must_pass(&[before], &[spend(first, second)]);
    }
}

/// A signature is for its place: of another input, another output's script, or another network it is
/// worth nothing.
#[test]
fn a_signature_of_another_input() {
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let funds = [workshop.fund(CLIENT, 0), workshop.fund(CLIENT, 1)];
    let mut swapped = payment(&genesis, &funds, vec![pay_to(NODE, coins(199))]);
    let [first, second] = [0, 1].map(|index| swapped.inputs[index].script_sig.clone());
    swapped.inputs.as_mut_slice()[0].script_sig = second;
    swapped.inputs.as_mut_slice()[1].script_sig = first;
    let reason = "a signature that is not empty failed its check";
    Attack::by(&[], &[swapped], reason).must_fail();
    let elsewhere = camelid_core::primitives::BlockHash([7; 32]);
    let foreign = payment(&elsewhere, &funds, vec![pay_to(NODE, coins(199))]);
    Attack::by(&[], &[foreign], reason).must_fail();
}

/// Both scripts as long as they may be.
#[test]
fn the_largest_script_and_the_largest_script_sig() {
    let rest = MAX_SCRIPT_BYTES - (3 + MAX_ELEMENT_BYTES) - 3;
    let script_sig = ScriptBuilder::new()
        .push(&[7; MAX_ELEMENT_BYTES])
        .push(&vec![8; rest]);
    let script_sig = script_sig.build().unwrap();
    let script = ScriptBuilder::new()
        .push(&[5; MAX_ELEMENT_BYTES])
        .operation(Opcode::Drop)
        .push(&vec![6; rest - 3])
        .operations(&[Opcode::Drop, Opcode::Drop])
        .build()
        .unwrap();
    assert_eq!(
        [script_sig.as_bytes().len(), script.as_bytes().len()],
        [MAX_SCRIPT_BYTES; 2]
    );
    let parent = lock(&script);
    must_pass(&[std::slice::from_ref(&parent)], &[unlock(&parent, script_sig)]);
    // One more byte can be neither built nor read: `limits_hold_to_the_unit`.
}

/// The longest spend that is relayed: 15 signatures for 16 keys.
#[test]
fn the_largest_standard_spend() {
    let keys: Vec<u8> = (1..=16).collect();
    let form = StandardScript::MultiSig {
        required: 15,
        keys: keys.iter().map(|owner| key(*owner)).collect(),
    };
    let parent = lock(&form.compile().unwrap());
    let spend = unlock_signed(&parent, |sign| {
        let signatures: Vec<_> = keys[1..].iter().map(|owner| sign(*owner)).collect();
        multi_sig_script_sig(&signatures).unwrap()
    });
    must_pass(&[std::slice::from_ref(&parent)], std::slice::from_ref(&spend));
    let workshop = Workshop::new(1);
    let mut pool = Mempool::default();
    for transaction in [parent, spend] {
        let time = workshop.next_time();
        let accepted = pool.accept(Arc::new(transaction), workshop.ledger(), time, &EcdsaVerifier);
        assert_eq!(accepted, Ok(()));
    }
}
