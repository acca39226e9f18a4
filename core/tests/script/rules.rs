//! Each rule by an example that breaks it, and by one that does not.

use crate::support::{asm, filled, raw, run, spend_now};
use camelid_core::primitives::{decode, encode};
use camelid_core::script::{
    MAX_ELEMENT_BYTES, MAX_OPERATIONS, MAX_SCRIPT_BYTES, MAX_STACK_DEPTH, Opcode, Script, ScriptBuilder,
    ScriptError,
};

#[test]
fn each_rule_refuses_with_its_own_reason() {
    use ScriptError as E;
    let examples: &[(&str, &str, ScriptError)] = &[
        // Reading.
        ("", "0x02aa", E::TruncatedPush),
        ("0x05aa", "1", E::TruncatedPush),
        ("", "0x4c", E::TruncatedPush),
        ("", "0x4d05", E::TruncatedPush),
        ("", "0x4effffffff", E::TruncatedPush),
        ("", "0x0105 DROP 1", E::NonMinimalPush),
        ("0x0181", "DROP 1", E::NonMinimalPush),
        ("0x4c01aa", "DROP 1", E::NonMinimalPush),
        ("", "0x4d0100aa DROP 1", E::NonMinimalPush),
        ("", "0x4e01000000aa DROP 1", E::NonMinimalPush),
        ("", "0 IF 0x0105 DROP ENDIF 1", E::NonMinimalPush),
        ("", "1 0xff", E::UnknownOpcode(0xff)),
        ("", "1 0x61", E::UnknownOpcode(0x61)),
        ("", "0 IF 0x93 ENDIF 1", E::UnknownOpcode(0x93)),
        ("0x50", "1", E::UnknownOpcode(0x50)),
        ("1 DUP", "", E::NotPushOnly(Opcode::Dup)),
        // The stack.
        ("", "DUP", E::StackUnderflow),
        ("", "DROP 1", E::StackUnderflow),
        ("", "1 EQUAL", E::StackUnderflow),
        ("", "IF 1 ENDIF", E::StackUnderflow),
        ("", "0 0 CHECKMULTISIG", E::StackUnderflow),
        ("", "9 CHECKMULTISIG", E::StackUnderflow),
        ("", "CLTV", E::StackUnderflow),
        // Conditionals.
        ("", "1 IF 1", E::UnbalancedConditional),
        ("", "1 ELSE", E::UnbalancedConditional),
        ("", "1 ENDIF", E::UnbalancedConditional),
        ("2", "IF 1 ELSE 1 ENDIF", E::NonMinimalCondition),
        ("0x0100", "NOTIF 1 ENDIF", E::NonMinimalCondition),
        // Verdicts.
        ("", "1 RETURN", E::Returned),
        ("0", "VERIFY 1", E::VerifyFailed(Opcode::Verify)),
        ("1 2", "EQUALVERIFY 1", E::VerifyFailed(Opcode::EqualVerify)),
        (
            "0 KEY1",
            "CHECKSIGVERIFY 1",
            E::VerifyFailed(Opcode::CheckSigVerify),
        ),
        (
            "0 0",
            "1 KEY1 1 CHECKMULTISIGVERIFY 1",
            E::VerifyFailed(Opcode::CheckMultiSigVerify),
        ),
        ("", "", E::EndedFalse),
        ("1", "0", E::EndedFalse),
        ("", "0x0180", E::EndedFalse),
        ("", "0x020080", E::EndedFalse),
        ("1", "1", E::UncleanStack),
        // Signatures.
        ("SIG1", "1 CHECKSIG", E::KeyLength),
        ("0", "0 CHECKSIG", E::KeyLength),
        ("1", "KEY1 CHECKSIG", E::SignatureLength),
        ("SIG2", "KEY1 CHECKSIG", E::InvalidSignature),
        ("1 SIG1", "1 KEY1 1 CHECKMULTISIG", E::DummyNotEmpty),
        ("0 SIG2 SIG1", "2 KEY1 KEY2 2 CHECKMULTISIG", E::InvalidSignature),
        ("0 SIG1 0", "2 KEY1 KEY2 2 CHECKMULTISIG", E::InvalidSignature),
        ("0", "0 0x0111 CHECKMULTISIG", E::KeyCountOutOfRange),
        ("0", "0 -1 CHECKMULTISIG", E::KeyCountOutOfRange),
        ("0", "2 KEY1 1 CHECKMULTISIG", E::SignatureCountOutOfRange),
        ("0", "-1 KEY1 1 CHECKMULTISIG", E::SignatureCountOutOfRange),
        // Numbers.
        ("0", "0 0x050100000001 CHECKMULTISIG", E::NumberTooLong),
        ("0", "0 0x0100 CHECKMULTISIG", E::NonMinimalNumber),
    ];
    for (script_sig, script_pubkey, error) in examples {
        assert_eq!(
            run(script_sig, script_pubkey),
            Err(*error),
            "{script_sig} | {script_pubkey}"
        );
    }
}

#[test]
fn limits_hold_to_the_unit() {
    let push = |length| ScriptBuilder::new().push(&filled(length)).build();
    assert!(push(MAX_ELEMENT_BYTES).is_some());
    assert!(push(MAX_ELEMENT_BYTES + 1).is_none());

    let push_521 = [&[0x4d, 0x09, 0x02], filled(521).as_slice()].concat();
    assert_eq!(
        spend_now().run(&Script::empty(), &raw(&push_521)),
        Err(ScriptError::ElementTooLong)
    );
    let push_520 = [&[0x4d, 0x08, 0x02], filled(520).as_slice()].concat();
    assert_eq!(spend_now().run(&Script::empty(), &raw(&push_520)), Ok(()));

    assert!(Script::from_bytes(filled(MAX_SCRIPT_BYTES)).is_some());
    assert!(Script::from_bytes(filled(MAX_SCRIPT_BYTES + 1)).is_none());
    let too_long = encode(&filled(MAX_SCRIPT_BYTES + 1));
    assert!(decode::<Script>(&too_long, too_long.len()).is_err());

    let deep = |depth: usize| spend_now().run(&raw(&vec![0x51; depth]), &raw(&vec![0x75; depth - 1]));
    assert_eq!(deep(MAX_STACK_DEPTH), Ok(()));
    assert_eq!(deep(MAX_STACK_DEPTH + 1), Err(ScriptError::StackTooDeep));

    let operations = |count: usize| run("1", &"DUP DROP ".repeat(count / 2));
    assert_eq!(operations(MAX_OPERATIONS - 1), Ok(()));
    assert_eq!(
        operations(MAX_OPERATIONS + 1),
        Err(ScriptError::TooManyOperations)
    );
    // Those that do not run count, and so do the keys of a CHECKMULTISIG that does.
    let skipped = |count: usize| run("", &format!("0 IF {} ENDIF 1", "DUP ".repeat(count)));
    assert_eq!(skipped(MAX_OPERATIONS - 2), Ok(()));
    assert_eq!(skipped(MAX_OPERATIONS - 1), Err(ScriptError::TooManyOperations));
    let listing = |dups: usize| {
        let filler = "DUP DROP ".repeat(dups / 2);
        run("", &format!("1 {filler} DROP 0 0 KEY1 KEY2 2 CHECKMULTISIG"))
    };
    assert_eq!(listing(MAX_OPERATIONS - 5), Ok(()));
    assert_eq!(listing(MAX_OPERATIONS - 3), Err(ScriptError::TooManyOperations));

    let keys = "KEY1 ".repeat(16);
    assert_eq!(run("0", &format!("0 {keys} 16 CHECKMULTISIG")), Ok(()));
    assert_eq!(
        run("0", &format!("0 {keys} KEY1 0x0111 CHECKMULTISIG")),
        Err(ScriptError::KeyCountOutOfRange)
    );
}

#[test]
fn operations_compute_what_they_say() {
    let examples = [
        ("", "1"),
        ("-1", ""),
        ("", "0x0100 SIZE 1 EQUALVERIFY DROP 0 SIZE EQUAL"),
        ("2", "DUP EQUAL"),
        ("1 2", "EQUAL 0 EQUAL"),
        ("", "1 IF 1 ELSE RETURN ENDIF"),
        ("", "0 NOTIF 1 ELSE RETURN ENDIF"),
        ("", "1 NOTIF RETURN ELSE 1 ENDIF"),
        // As in Bitcoin, every further ELSE turns the branch round again.
        ("", "1 IF 1 ELSE RETURN ELSE 1 EQUAL ELSE RETURN ENDIF"),
        ("", "0 IF 1 IF RETURN ELSE RETURN ENDIF ELSE 1 ENDIF"),
        // SHA-256 of "abc" (FIPS 180-2) and Bitcoin's hash of the curve's generator.
        (
            "0x03616263",
            "SHA256 0x20ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad EQUAL",
        ),
        (
            "0x210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "HASH160 0x14751e76e8199196d454941c45d1b3a323f1433bd6 EQUAL",
        ),
        ("SIG1", "KEY1 CHECKSIG"),
        ("0", "KEY1 CHECKSIG 0 EQUAL"),
        ("SIG1", "KEY1 CHECKSIGVERIFY 1"),
        ("0 SIG1 SIG3", "2 KEY1 KEY2 KEY3 3 CHECKMULTISIG"),
        ("0 SIG1 SIG3", "2 KEY1 KEY2 KEY3 3 CHECKMULTISIGVERIFY 1"),
        ("0 0 0", "2 KEY1 KEY2 KEY3 3 CHECKMULTISIG 0 EQUAL"),
        ("0", "0 0 CHECKMULTISIG"),
    ];
    for (script_sig, script_pubkey) in examples {
        assert_eq!(
            run(script_sig, script_pubkey),
            Ok(()),
            "{script_sig} | {script_pubkey}"
        );
    }
}

#[test]
fn opcodes_have_bitcoins_bytes_and_names() {
    for opcode in Opcode::ALL {
        let name = match opcode {
            Opcode::CheckLockTimeVerify => "CLTV",
            Opcode::CheckSequenceVerify => "CSV",
            other => other.name(),
        };
        assert_eq!(asm(name).as_bytes(), [opcode.to_byte()]);
        assert_eq!(Opcode::from_byte(opcode.to_byte()), Some(*opcode));
    }
    let disassembly = format!("{:?}", asm("0 16 -1 0x02abcd DUP CLTV 0xff"));
    assert_eq!(
        disassembly,
        "[0 16 -1 <abcd> DUP CHECKLOCKTIMEVERIFY (unknown opcode 0xff)]"
    );
}

#[test]
fn signature_operations_are_counted_before_they_run() {
    let counts = [
        ("", 0),
        ("0x14acacacacacacacacacacacacacacacacacacacac", 0),
        ("CHECKSIG CHECKSIGVERIFY", 2),
        ("2 KEY1 KEY2 KEY3 3 CHECKMULTISIG", 3),
        ("1 IF 16 ELSE 1 ENDIF CHECKMULTISIGVERIFY", 16),
        ("0 CHECKMULTISIG", 0),
        ("0x0111 CHECKMULTISIG", 16),
        ("CHECKMULTISIG", 16),
        ("0 IF CHECKSIG ENDIF CHECKSIG 0xff CHECKSIG", 2),
    ];
    for (script, count) in counts {
        assert_eq!(asm(script).signature_operations(), count, "{script}");
    }
}
