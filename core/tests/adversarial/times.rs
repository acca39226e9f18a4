//! Versions, lock times and what lies between a height and a time.

use crate::support::*;
use crate::ways::{Attack, must_pass};
use camelid_core::script::{LOCK_TIME_THRESHOLD, Opcode, Script, ScriptBuilder};
use camelid_core::tx::{Transaction, TxOut};

fn paying(version: u32, lock_time: u32, sequence: u32) -> Transaction {
    let workshop = Workshop::new(1);
    let funds = [workshop.fund(CLIENT, 0)];
    let mut transaction = unsigned(&funds, vec![pay_to(CLIENT, coins(99))], None);
    transaction.version = version;
    transaction.lock_time = lock_time;
    transaction.inputs.as_mut_slice()[0].sequence = sequence;
    sign(&workshop.genesis(), transaction, &funds)
}

/// In Bitcoin a version is a signed number in one place and an unsigned one in another: one with the top
/// bit has a relative lock time by the second and none by the first.
#[test]
fn a_version_with_the_top_bit_and_a_relative_lock() {
    for version in [0, 3, 1 << 31, (1 << 31) | 1, (1 << 31) | 2, u32::MAX] {
        // Neither with a lock that holds nor without one.
        for sequence in [1_000, 0, u32::MAX] {
            let transaction = [paying(version, 0, sequence)];
            Attack::by(&[], &transaction, "is unknown or does not allow the action").must_fail();
        }
    }
    // 1,000 blocks bind in version 2 alone.
    Attack::by(&[], &[paying(2, 0, 1_000)], "input 0 is locked for longer").must_fail();
    must_pass(&[], &[paying(1, 0, 1_000)]);
    must_pass(&[], &[paying(2, 0, (1 << 31) | 1_000)]);
    // The largest locks of both kinds.
    for sequence in [0xffff, 0x0040_ffff] {
        Attack::by(&[], &[paying(2, 0, sequence)], "input 0 is locked for longer").must_fail();
    }
}

/// 499,999,999 is a height, for some nine centuries from now; 500,000,000 is a second of 1985.
#[test]
fn lock_times_on_both_sides_of_the_threshold() {
    assert_eq!(LOCK_TIME_THRESHOLD, 500_000_000);
    Attack::by(&[], &[paying(1, 499_999_999, 0)], "locked until 499999999").must_fail();
    must_pass(&[], &[paying(1, 500_000_000, 0)]);
    Attack::by(&[], &[paying(1, u32::MAX, 0)], "locked until 4294967295").must_fail();
    // A final sequence switches the lock off.
    must_pass(&[], &[paying(1, 499_999_999, u32::MAX)]);
}

/// The same edge seen by a script: a height does not open a lock on time, nor the reverse.
#[test]
fn script_lock_times_on_both_sides_of_the_threshold() {
    let script = |required: u32| -> Script {
        ScriptBuilder::new()
            .push_number(i64::from(required))
            .operations(&[Opcode::CheckLockTimeVerify, Opcode::Drop])
            .push_number(1)
            .build()
            .unwrap()
    };
    let spend = |required: u32, lock_time: u32| {
        let workshop = Workshop::new(1);
        let outputs = vec![TxOut::to_script(coins(10), script(required))];
        let parent = payment(&workshop.genesis(), &[workshop.fund(CLIENT, 0)], outputs);
        let mut transaction = unsigned(
            &[fund_of(&parent, 0, CLIENT)],
            vec![pay_to(CLIENT, coins(9))],
            None,
        );
        transaction.lock_time = lock_time;
        transaction.inputs.as_mut_slice()[0].sequence = 0;
        ([parent], [transaction])
    };
    for (required, lock_time, reason) in [
        (499_999_999, 500_000_000, "differ in kind"),
        (500_000_000, 1, "differ in kind"),
        (500_000_001, 500_000_000, "ends before the script's"),
        (499_999_999, 499_999_999, "locked until 499999999"),
    ] {
        let (parent, spend) = spend(required, lock_time);
        Attack::by(&[&parent], &spend, reason).must_fail();
    }
    for (required, lock_time) in [(500_000_000, 500_000_000), (500_000_000, 500_000_001), (1, 2)] {
        let (parent, spend) = spend(required, lock_time);
        must_pass(&[&parent], &spend);
    }
}
