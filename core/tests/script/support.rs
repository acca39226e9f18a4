//! A spend to judge, and scripts written in words.

use camelid_core::primitives::sha256;
use camelid_core::script::{LOCK_TIME_THRESHOLD, Script, ScriptError, SpendContext, evaluate};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use ripemd::{Digest as _, Ripemd160};
use std::cell::Cell;

/// A spend in a world where a key signs by hashing itself, once per half of the signature.
pub(crate) struct Spend {
    lock_time: u32,
    sequence: u32,
    version: u32,
    pub(crate) checks: Cell<u32>,
}

impl Spend {
    pub(crate) const fn new(lock_time: u32, sequence: u32, version: u32) -> Self {
        Self {
            lock_time,
            sequence,
            version,
            checks: Cell::new(0),
        }
    }

    pub(crate) fn run(&self, script_sig: &Script, script_pubkey: &Script) -> Result<(), ScriptError> {
        evaluate(script_sig, script_pubkey, self)
    }
}

impl SpendContext for Spend {
    fn check_signature(&self, public_key: &[u8; 33], signature: &[u8; 64]) -> bool {
        self.checks.set(self.checks.get() + 1);
        *signature == sign(public_key)
    }
    fn lock_time(&self) -> u32 {
        self.lock_time
    }
    fn sequence(&self) -> u32 {
        self.sequence
    }
    fn transaction_version(&self) -> u32 {
        self.version
    }
}

/// For scripts without lock times.
pub(crate) fn spend_now() -> Spend {
    Spend::new(0, 0, 2)
}

pub(crate) fn sign(key: &[u8; 33]) -> [u8; 64] {
    let first = sha256(key).0;
    let second = sha256(&first).0;
    [first, second].concat().try_into().unwrap()
}

pub(crate) fn key(seed: u8) -> [u8; 33] {
    let mut key = [seed; 33];
    key[0] = 2;
    key
}

pub(crate) fn hash160(bytes: &[u8]) -> [u8; 20] {
    Ripemd160::digest(sha256(bytes).0).into()
}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn raw(bytes: &[u8]) -> Script {
    Script::from_bytes(bytes.to_vec()).unwrap()
}

/// Assembles Bitcoin's names with a table written down independently of the crate's own:
/// a name, a number from -1 to 16, `KEYn`, `SIGn`, or raw bytes as `0x..` (pushes spelled out).
pub(crate) fn asm(source: &str) -> Script {
    const NAMES: [(&str, u8); 19] = [
        ("IF", 0x63),
        ("NOTIF", 0x64),
        ("ELSE", 0x67),
        ("ENDIF", 0x68),
        ("VERIFY", 0x69),
        ("RETURN", 0x6a),
        ("DROP", 0x75),
        ("DUP", 0x76),
        ("SIZE", 0x82),
        ("EQUAL", 0x87),
        ("EQUALVERIFY", 0x88),
        ("SHA256", 0xa8),
        ("HASH160", 0xa9),
        ("CHECKSIG", 0xac),
        ("CHECKSIGVERIFY", 0xad),
        ("CHECKMULTISIG", 0xae),
        ("CHECKMULTISIGVERIFY", 0xaf),
        ("CLTV", 0xb1),
        ("CSV", 0xb2),
    ];
    let mut bytes = Vec::new();
    for word in source.split_whitespace() {
        if let Some((_, byte)) = NAMES.iter().find(|(name, _)| *name == word) {
            bytes.push(*byte);
        } else if let Some(digits) = word.strip_prefix("0x") {
            bytes.extend(hex(digits));
        } else if let Some(seed) = word.strip_prefix("KEY") {
            bytes.push(33);
            bytes.extend(key(seed.parse().unwrap()));
        } else if let Some(seed) = word.strip_prefix("SIG") {
            bytes.push(64);
            bytes.extend(sign(&key(seed.parse().unwrap())));
        } else {
            let number: i8 = word.parse().unwrap();
            bytes.push(match number {
                0 => 0,
                -1 => 0x4f,
                1..=16 => 0x50 + number.unsigned_abs(),
                _ => panic!("no opcode pushes {number}"),
            });
        }
    }
    raw(&bytes)
}

pub(crate) fn run(script_sig: &str, script_pubkey: &str) -> Result<(), ScriptError> {
    spend_now().run(&asm(script_sig), &asm(script_pubkey))
}

pub(crate) fn filled(length: usize) -> Vec<u8> {
    vec![0xaa; length]
}

/// Any 32-bit number, often one near where the rules change.
pub(crate) fn lock_times() -> BoxedStrategy<u32> {
    let edge = prop_oneof![
        Just(0),
        Just(LOCK_TIME_THRESHOLD),
        Just(1 << 31),
        Just(1 << 22),
        Just(u32::MAX)
    ];
    prop_oneof![
        any::<u32>(),
        0..70_000_u32,
        (edge, -2..=2_i32).prop_map(|(edge, offset)| edge.wrapping_add_signed(offset)),
    ]
    .boxed()
}
