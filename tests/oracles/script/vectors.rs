//! The rows of Bitcoin Core's `script_tests.json` that use only our opcodes: 269 of 1,222. Left out are 768 with
//! other opcodes, 114 of segregated witness and Taproot, 46 about the encoding of signatures and keys and 25 of BIP 16.
//!
//! `core-vectors/script_tests.jsonl` is an extract with one row a line, as Core writes them:
//! `script_sig`, `script_pubkey`, flags, expected error, comments. `tools/script-tests` makes it anew.

use crate::stricter_rule;
use camelid_core::script::{
    LOCK_TIME_THRESHOLD, Opcode, Script, ScriptBuilder, ScriptError, SpendContext, evaluate,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Core's spend: version 1, no lock time, a final sequence; and no signature in these rows is good.
struct CoresSpend;

impl SpendContext for CoresSpend {
    fn check_signature(&self, _: &[u8; 33], _: &[u8; 64]) -> bool {
        false
    }
    fn lock_time(&self) -> u32 {
        0
    }
    fn sequence(&self) -> u32 {
        u32::MAX
    }
    fn transaction_version(&self) -> u32 {
        1
    }
}

struct Row {
    script_sig: String,
    script_pubkey: String,
    flags: String,
    expected: String,
}

/// Why a row says nothing about us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unusable {
    /// Segregated witness and Taproot.
    Witness,
    /// A script within a script (BIP 16).
    ScriptHash,
    /// An opcode that we do not have.
    Opcode,
    /// About how signatures and keys are written: DER, the byte that says what is signed, prefixes.
    Encoding,
    /// A script of more bytes than ours may have.
    TooLong,
}

/// A row, `None` for a line of comment, or why it is of no use.
fn read_row(line: &Value) -> Option<Result<Row, Unusable>> {
    let columns = line.as_array().unwrap();
    if columns.len() == 1 {
        return None;
    }
    if columns[0].is_array() {
        return Some(Err(Unusable::Witness));
    }
    let [script_sig, script_pubkey, flags, expected] =
        [0, 1, 2, 3].map(|column| columns[column].as_str().unwrap().to_owned());
    let row = Row {
        script_sig,
        script_pubkey,
        flags,
        expected,
    };
    Some(row.usable().map_or(Ok(row), Err))
}

impl Row {
    fn has_flag(&self, flag: &str) -> bool {
        self.flags.split(',').any(|name| name == flag)
    }

    fn usable(&self) -> Option<Unusable> {
        let scripts = [&self.script_sig, &self.script_pubkey].map(|source| assemble(source));
        let [Some(script_sig), Some(script_pubkey)] = &scripts else {
            return Some(Unusable::Opcode);
        };
        if [script_sig, script_pubkey]
            .into_iter()
            .any(|script| uses_other_opcodes(script))
        {
            return Some(Unusable::Opcode);
        }
        if self.has_flag("P2SH")
            && matches!(script_pubkey[..], [0xa9, 20, .., 0x87] if script_pubkey.len() == 23)
        {
            return Some(Unusable::ScriptHash);
        }
        if self.has_flag("WITNESS") && is_witness_program(script_pubkey) {
            return Some(Unusable::Witness);
        }
        if pushes(script_sig).any(|element| element.len() > 8 && element[0] == 0x30)
            || matches!(&self.expected[..], "SIG_DER" | "SIG_HASHTYPE" | "PUBKEYTYPE")
        {
            return Some(Unusable::Encoding);
        }
        let too_long = [script_sig, script_pubkey]
            .into_iter()
            .any(|script| Script::from_bytes(script.clone()).is_none());
        too_long.then_some(Unusable::TooLong)
    }
}

/// The bytes of a script in Core's notation; `None` if it names an opcode that we do not have.
fn assemble(source: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in source.split_whitespace() {
        if let Some(digits) = word.strip_prefix("0x") {
            let digit = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            bytes.extend((0..digits.len()).step_by(2).map(digit));
        } else if let Ok(number) = word.parse::<i64>() {
            bytes.extend(
                ScriptBuilder::new()
                    .push_number(number)
                    .build()
                    .unwrap()
                    .as_bytes(),
            );
        } else if let Some(text) = word.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            bytes.extend(push_of(text.as_bytes()));
        } else {
            let name = word.strip_prefix("OP_").unwrap_or(word);
            let named = |opcode: &&Opcode| opcode.name() == name;
            bytes.push(Opcode::ALL.iter().find(named)?.to_byte());
        }
    }
    Some(bytes)
}

/// Core's push, which may be longer than an element of ours.
fn push_of(element: &[u8]) -> Vec<u8> {
    match ScriptBuilder::new().push(element).build() {
        Some(script) => script.as_bytes().to_vec(),
        None => {
            let length = u16::try_from(element.len()).unwrap().to_le_bytes();
            [&[0x4d][..], &length, element].concat()
        }
    }
}

/// Each opcode and what it pushes, as far as the script can be read.
fn steps(script: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = script;
    std::iter::from_fn(move || {
        let (opcode, after) = rest.split_first()?;
        let (width, length) = match opcode {
            1..=75 => (0_usize, usize::from(*opcode)),
            0x4c => (1, usize::from(*after.first()?)),
            0x4d => (
                2,
                usize::from(u16::from_le_bytes(after.get(..2)?.try_into().ok()?)),
            ),
            0x4e => (4, u32::from_le_bytes(after.get(..4)?.try_into().ok()?) as usize),
            _ => (0, 0),
        };
        let element = after.get(width..width.checked_add(length)?)?;
        rest = &after[width + length..];
        Some((*opcode, element))
    })
}

fn pushes(script: &[u8]) -> impl Iterator<Item = &[u8]> {
    steps(script).map(|(_, element)| element)
}

fn uses_other_opcodes(script: &[u8]) -> bool {
    steps(script).any(|(opcode, _)| opcode > 0x60 && Opcode::from_byte(opcode).is_none() || opcode == 0x50)
}

fn is_witness_program(script: &[u8]) -> bool {
    matches!(script, [0 | 0x51..=0x60, length @ 2..=40, program @ ..] if program.len() == usize::from(*length))
}

/// Core's names for the rule that we see broken.
fn cores_names(error: ScriptError) -> &'static [&'static str] {
    use ScriptError as E;
    match error {
        E::TruncatedPush => &["BAD_OPCODE"],
        E::UnknownOpcode(_) => &["BAD_OPCODE", "DISABLED_OPCODE"],
        E::ElementTooLong => &["PUSH_SIZE"],
        E::NonMinimalPush => &["MINIMALDATA"],
        E::NonMinimalNumber | E::NumberTooLong => &["SCRIPTNUM"],
        E::NotPushOnly(_) => &["SIG_PUSHONLY"],
        E::StackUnderflow => &["INVALID_STACK_OPERATION"],
        E::StackTooDeep => &["STACK_SIZE"],
        E::TooManyOperations => &["OP_COUNT"],
        E::UnbalancedConditional => &["UNBALANCED_CONDITIONAL"],
        E::NonMinimalCondition => &["MINIMALIF"],
        E::Returned => &["OP_RETURN"],
        E::VerifyFailed(Opcode::EqualVerify) => &["EQUALVERIFY"],
        E::VerifyFailed(_) => &["VERIFY"],
        E::KeyCountOutOfRange => &["PUBKEY_COUNT"],
        E::SignatureCountOutOfRange => &["SIG_COUNT"],
        E::KeyLength => &["PUBKEYTYPE"],
        E::SignatureLength => &[],
        E::InvalidSignature => &["NULLFAIL"],
        E::DummyNotEmpty => &["SIG_NULLDUMMY"],
        E::NegativeLockTime => &["NEGATIVE_LOCKTIME"],
        E::LockTimeKindMismatch
        | E::LockTimeNotReached
        | E::FinalSequence
        | E::VersionTooLow
        | E::RelativeLockDisabled => &["UNSATISFIED_LOCKTIME"],
        E::EndedFalse => &["EVAL_FALSE"],
        E::UncleanStack => &["CLEANSTACK"],
    }
}

/// The flag without which Core does not have the rule, for rules that it has as an option.
fn cores_flag(error: ScriptError) -> Option<&'static str> {
    use ScriptError as E;
    match error {
        E::DummyNotEmpty => Some("NULLDUMMY"),
        E::NegativeLockTime
        | E::LockTimeKindMismatch
        | E::LockTimeNotReached
        | E::FinalSequence
        | E::VersionTooLow
        | E::RelativeLockDisabled => Some("CHECKSEQUENCEVERIFY"),
        E::KeyLength | E::SignatureLength => Some("an encoding of ours"),
        E::StackTooDeep | E::KeyCountOutOfRange => Some("a limit of ours"),
        // Core has MINIMALIF for witnesses alone.
        E::NonMinimalCondition => Some("MINIMALIF in all scripts"),
        other => stricter_rule(other),
    }
}

/// How a row compares: `exact`, or the stricter rule that our verdict names.
fn judge(row: &Row) -> &'static str {
    let [script_sig, script_pubkey] = [&row.script_sig, &row.script_pubkey]
        .map(|source| Script::from_bytes(assemble(source).unwrap()).unwrap());
    let told = format!(
        "{} | {} | {} | {}",
        row.script_sig, row.script_pubkey, row.flags, row.expected
    );
    let Err(error) = evaluate(&script_sig, &script_pubkey, &CoresSpend) else {
        assert_eq!(row.expected, "OK", "we accept {told}");
        return "exact";
    };
    if cores_names(error).contains(&&row.expected[..]) {
        return "exact";
    }
    match cores_flag(error) {
        Some(flag) if !row.has_flag(flag) => flag,
        _ => panic!("we say \"{error}\" of {told}"),
    }
}

fn extract_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracles/script/core-vectors/script_tests.jsonl")
}

#[test]
fn the_stricter_rules_give_cores_verdicts_on_cores_vectors() {
    assert_eq!(LOCK_TIME_THRESHOLD, 500_000_000);
    let extract = std::fs::read_to_string(extract_path()).unwrap();
    let rows = extract.lines().map(|line| {
        let row = read_row(&serde_json::from_str(line).unwrap()).unwrap();
        row.unwrap_or_else(|reason| panic!("{line} is of no use: {reason:?}"))
    });
    let mut tally = BTreeMap::<&str, usize>::new();
    for row in rows {
        *tally.entry(judge(&row)).or_default() += 1;
    }
    let expected = [
        ("exact", 147),
        ("CLEANSTACK", 48),
        ("MINIMALDATA", 36),
        ("MINIMALIF in all scripts", 7),
        ("NULLDUMMY", 4),
        ("SIGPUSHONLY", 26),
        ("an encoding of ours", 1),
    ];
    assert_eq!(expected.iter().map(|(_, rows)| rows).sum::<usize>(), 269);
    assert_eq!(tally, BTreeMap::from(expected));
}

/// Writes the extract from Core's file, whose path is in `SCRIPT_TESTS_JSON`.
#[test]
#[ignore = "tools/script-tests runs it"]
fn extract_rows() {
    let path = std::env::var("SCRIPT_TESTS_JSON").expect("SCRIPT_TESTS_JSON names Core's script_tests.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut extract = String::new();
    let mut left_out = BTreeMap::<Unusable, usize>::new();
    for line in file.as_array().unwrap() {
        match read_row(line) {
            Some(Ok(_)) => extract.push_str(&format!("{line}\n")),
            Some(Err(reason)) => *left_out.entry(reason).or_default() += 1,
            None => {}
        }
    }
    println!(
        "{} rows are of use; left out: {left_out:?}",
        extract.lines().count()
    );
    std::fs::write(extract_path(), extract).unwrap();
}
