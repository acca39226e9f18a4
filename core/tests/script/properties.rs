//! What holds for any script.

use crate::support::{Spend, asm, key, lock_times, raw, run, sign, spend_now};
use camelid_core::primitives::{decode, encode};
use camelid_core::script::{
    Instruction, MAX_SCRIPT_BYTES, Opcode, Script, ScriptBuilder, ScriptError, StandardScript,
    multi_sig_script_sig,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{select, subsequence};

/// A conditional expression: leaves one boolean on the stack.
#[derive(Clone, Debug)]
enum Expression {
    Constant(bool),
    Conditional {
        negated: bool,
        parts: Box<[Expression; 3]>,
    },
}

impl Expression {
    fn value(&self) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Conditional { negated, parts } => {
                let [condition, then, otherwise] = parts.as_ref();
                if condition.value() == *negated {
                    otherwise.value()
                } else {
                    then.value()
                }
            }
        }
    }

    fn source(&self) -> String {
        match self {
            Self::Constant(value) => u8::from(*value).to_string(),
            Self::Conditional { negated, parts } => {
                let [condition, then, otherwise] = parts.each_ref().map(Self::source);
                let operation = if *negated { "NOTIF" } else { "IF" };
                format!("{condition} {operation} {then} ELSE {otherwise} ENDIF")
            }
        }
    }
}

fn expressions() -> impl Strategy<Value = Expression> {
    any::<bool>()
        .prop_map(Expression::Constant)
        .prop_recursive(5, 120, 3, |inner| {
            (any::<bool>(), proptest::array::uniform3(inner)).prop_map(|(negated, parts)| {
                Expression::Conditional {
                    negated,
                    parts: Box::new(parts),
                }
            })
        })
}

/// Bytes that are more like scripts than chance makes them: whole instructions, some of them broken.
fn script_like() -> impl Strategy<Value = Script> {
    let operation = select(Opcode::ALL).prop_map(|opcode| vec![opcode.to_byte()]);
    let small_number = prop_oneof![Just(0_u8), 0x4f..=0x60_u8].prop_map(|byte| vec![byte]);
    let seed = 1..4_u8;
    let pushed_key = seed
        .clone()
        .prop_map(|seed| asm(&format!("KEY{seed}")).as_bytes().to_vec());
    let signature = seed.prop_map(|seed| asm(&format!("SIG{seed}")).as_bytes().to_vec());
    let element = vec(any::<u8>(), 0..6).prop_map(|element| {
        ScriptBuilder::new()
            .push(&element)
            .build()
            .unwrap()
            .as_bytes()
            .to_vec()
    });
    let noise = vec(any::<u8>(), 1..3);
    let piece = prop_oneof![
        8 => operation, 8 => small_number, 3 => pushed_key, 3 => signature, 2 => element, 1 => noise
    ];
    vec(piece, 0..15).prop_map(|pieces| raw(&pieces.concat()))
}

fn any_bytes() -> impl Strategy<Value = Script> {
    vec(any::<u8>(), 0..=MAX_SCRIPT_BYTES).prop_map(|bytes| raw(&bytes))
}

proptest! {
    #[test]
    fn conditionals_choose_as_their_expression_does(expression in expressions()) {
        let source = expression.source();
        let expected = if expression.value() { Ok(()) } else { Err(ScriptError::EndedFalse) };
        prop_assert_eq!(run("", &source), expected);
    }

    #[test]
    fn any_bytes_end_within_their_count_of_signature_checks(
        script_sig in prop_oneof![script_like(), any_bytes()],
        script_pubkey in prop_oneof![4 => script_like(), 1 => any_bytes()],
        lock_time in lock_times(),
        sequence in lock_times(),
    ) {
        let spend = Spend::new(lock_time, sequence, 2);
        let _verdict = spend.run(&script_sig, &script_pubkey);
        prop_assert!(spend.checks.get() <= script_pubkey.signature_operations());
        let _no_panic = (format!("{script_pubkey:?}"), StandardScript::parse(&script_pubkey));
    }

    #[test]
    fn instructions_write_back_as_the_bytes_they_were_read_from(script in prop_oneof![script_like(), any_bytes()]) {
        let mut builder = ScriptBuilder::new();
        for instruction in script.instructions() {
            builder = match instruction {
                Ok(Instruction::Push(element)) => builder.push(element),
                Ok(Instruction::Operation(opcode)) => builder.operation(opcode),
                Err(_) => break,
            };
        }
        let is_whole = script.instructions().all(|instruction| instruction.is_ok());
        let rewritten = builder.build().unwrap();
        prop_assert!(script.as_bytes().starts_with(rewritten.as_bytes()));
        prop_assert_eq!(is_whole, rewritten == script);
    }

    #[test]
    fn scripts_have_one_encoding(script in any_bytes()) {
        let bytes = encode(&script);
        prop_assert_eq!(bytes.len(), 4 + script.as_bytes().len());
        prop_assert_eq!(decode::<Script>(&bytes, bytes.len()), Ok(script));
    }

    #[test]
    fn multi_signatures_must_keep_the_order_of_keys(
        signers in subsequence((1..=16_u8).collect::<Vec<_>>(), 1..=15),
        swap in any::<(usize, usize)>(),
    ) {
        let form = StandardScript::MultiSig {
            required: u8::try_from(signers.len()).unwrap(),
            keys: (1..=16).map(key).collect(),
        };
        let script = form.compile().unwrap();
        let mut signatures: Vec<_> = signers.iter().map(|seed| sign(&key(*seed))).collect();
        let in_order = multi_sig_script_sig(&signatures).unwrap();
        prop_assert_eq!(spend_now().run(&in_order, &script), Ok(()));

        signatures.swap(swap.0 % signers.len(), swap.1 % signers.len());
        let swapped = multi_sig_script_sig(&signatures).unwrap();
        let expected = if swapped == in_order { Ok(()) } else { Err(ScriptError::InvalidSignature) };
        prop_assert_eq!(spend_now().run(&swapped, &script), expected);
    }
}
