//! Absolute and relative lock times, against the words of BIP 65 and BIP 112.

use crate::support::{Spend, hash160, key, lock_times, sign};
use camelid_core::script::{
    LOCK_TIME_THRESHOLD, Opcode, Script, ScriptBuilder, ScriptError, StandardScript, key_hash_script_sig,
};
use proptest::prelude::{prop_assert_eq, proptest};

/// Spendable by anyone once the lock-time `operation` lets `required` pass.
fn locked(required: i64, operation: Opcode) -> Script {
    ScriptBuilder::new()
        .push_number(required)
        .operations(&[operation, Opcode::Drop])
        .push_number(1)
        .build()
        .unwrap()
}

#[test]
fn each_rule_of_lock_times_has_its_own_reason() {
    use ScriptError as E;
    let absolute = |required| locked(required, Opcode::CheckLockTimeVerify);
    let relative = |required| locked(required, Opcode::CheckSequenceVerify);
    let threshold = i64::from(LOCK_TIME_THRESHOLD);
    let seconds = 1 << 22;
    let examples = [
        (absolute(100), Spend::new(100, 0, 1), Ok(())),
        (absolute(101), Spend::new(100, 0, 1), Err(E::LockTimeNotReached)),
        (absolute(-1), Spend::new(100, 0, 1), Err(E::NegativeLockTime)),
        (
            absolute(100),
            Spend::new(LOCK_TIME_THRESHOLD, 0, 1),
            Err(E::LockTimeKindMismatch),
        ),
        (
            absolute(threshold),
            Spend::new(100, 0, 1),
            Err(E::LockTimeKindMismatch),
        ),
        (absolute(threshold), Spend::new(LOCK_TIME_THRESHOLD, 0, 1), Ok(())),
        (absolute(100), Spend::new(100, u32::MAX, 1), Err(E::FinalSequence)),
        (absolute(1 << 39), Spend::new(100, 0, 1), Err(E::NumberTooLong)),
        (relative(10), Spend::new(0, 10, 2), Ok(())),
        (relative(11), Spend::new(0, 10, 2), Err(E::LockTimeNotReached)),
        (relative(-1), Spend::new(0, 10, 2), Err(E::NegativeLockTime)),
        (relative(10), Spend::new(0, 10, 1), Err(E::VersionTooLow)),
        (
            relative(10),
            Spend::new(0, 1 << 31 | 10, 2),
            Err(E::RelativeLockDisabled),
        ),
        (
            relative(10),
            Spend::new(0, 1 << 22 | 10, 2),
            Err(E::LockTimeKindMismatch),
        ),
        (
            relative(seconds | 10),
            Spend::new(0, 10, 2),
            Err(E::LockTimeKindMismatch),
        ),
        (relative(seconds | 10), Spend::new(0, 1 << 22 | 10, 2), Ok(())),
        // Switched off in the script: nothing is compared.
        (relative(1 << 31 | 99), Spend::new(0, 1 << 31, 1), Ok(())),
    ];
    for (script, spend, expected) in examples {
        assert_eq!(spend.run(&Script::empty(), &script), expected, "{script:?}");
    }
}

proptest! {
    #[test]
    fn absolute_lock_times_follow_bip_65(required in lock_times(), actual in lock_times(), sequence in lock_times()) {
        let script = StandardScript::TimeLock { lock_time: required, key_hash: hash160(&key(1)) };
        let result = Spend::new(actual, sequence, 1)
            .run(&key_hash_script_sig(&sign(&key(1)), &key(1)), &script.compile().unwrap());
        let same_kind = (required >= 500_000_000) == (actual >= 500_000_000);
        prop_assert_eq!(result.is_ok(), same_kind && required <= actual && sequence != u32::MAX);
    }

    #[test]
    fn relative_lock_times_follow_bip_112(required in lock_times(), sequence in lock_times(), version in 0..4_u32) {
        let script = locked(i64::from(required), Opcode::CheckSequenceVerify);
        let bit = |number: u32, index: u32| number >> index & 1;
        let binds = version >= 2 && bit(sequence, 31) == 0 && bit(required, 22) == bit(sequence, 22);
        let expected = bit(required, 31) == 1 || binds && required % 65_536 <= sequence % 65_536;
        prop_assert_eq!(Spend::new(0, sequence, version).run(&Script::empty(), &script).is_ok(), expected);
    }
}
