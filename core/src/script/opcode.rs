//! The bytes of the language, with Bitcoin's values.

use core::fmt;

/// Pushes the empty element, which is also the number 0 and false.
pub const OP_0: u8 = 0x00;
/// Bytes 1 to 75 push as many of the bytes that follow.
pub const OP_PUSHBYTES_75: u8 = 0x4b;
/// The next byte is the length of the element that follows.
pub const OP_PUSHDATA1: u8 = 0x4c;
/// The next two bytes (little endian) are the length of the element that follows.
pub const OP_PUSHDATA2: u8 = 0x4d;
/// The next four bytes (little endian) are the length. Never the shortest push of an element that we allow.
pub const OP_PUSHDATA4: u8 = 0x4e;
/// Pushes the number -1.
pub const OP_1NEGATE: u8 = 0x4f;
/// Pushes the number 1, which is also true.
pub const OP_1: u8 = 0x51;
/// Pushes the number 16; the numbers between are the bytes between.
pub const OP_16: u8 = 0x60;

/// The opcode of the one shortest push of `element`.
pub(super) fn shortest_push(element: &[u8]) -> u8 {
    match (element, u8::try_from(element.len())) {
        ([], _) => OP_0,
        ([0x81], _) => OP_1NEGATE,
        ([number @ 1..=16], _) => OP_1 - 1 + number,
        (_, Ok(length @ ..=OP_PUSHBYTES_75)) => length,
        (_, Ok(_)) => OP_PUSHDATA1,
        (_, Err(_)) if element.len() <= usize::from(u16::MAX) => OP_PUSHDATA2,
        (_, Err(_)) => OP_PUSHDATA4,
    }
}

macro_rules! opcodes {
    ($($(#[$doc:meta])* $name:ident = $byte:literal $text:literal,)+) => {
        /// An operation: everything that does not push a constant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Opcode {
            $($(#[$doc])* $name = $byte,)+
        }

        impl Opcode {
            /// Every operation, in byte order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The operation that `byte` stands for.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The byte that stands for the operation.
            pub const fn to_byte(self) -> u8 {
                self as u8
            }

            /// Bitcoin's name for the operation, without the `OP_`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

opcodes! {
    /// Takes a condition; what follows runs if it is true.
    If = 0x63 "IF",
    /// Takes a condition; what follows runs if it is false.
    NotIf = 0x64 "NOTIF",
    /// Turns the innermost condition round.
    Else = 0x67 "ELSE",
    /// Ends the innermost condition.
    EndIf = 0x68 "ENDIF",
    /// Takes an element and fails unless it is true.
    Verify = 0x69 "VERIFY",
    /// Fails.
    Return = 0x6a "RETURN",
    /// Takes an element away.
    Drop = 0x75 "DROP",
    /// Puts a copy of the top element on top.
    Dup = 0x76 "DUP",
    /// Puts the length of the top element on top.
    Size = 0x82 "SIZE",
    /// Takes two elements, puts whether they are the same bytes.
    Equal = 0x87 "EQUAL",
    /// EQUAL, then VERIFY.
    EqualVerify = 0x88 "EQUALVERIFY",
    /// Takes an element, puts its SHA-256.
    Sha256 = 0xa8 "SHA256",
    /// Takes an element, puts the RIPEMD-160 of its SHA-256.
    Hash160 = 0xa9 "HASH160",
    /// Takes a key and a signature, puts whether the signature is valid.
    CheckSig = 0xac "CHECKSIG",
    /// CHECKSIG, then VERIFY.
    CheckSigVerify = 0xad "CHECKSIGVERIFY",
    /// Takes n, n keys, m, m signatures and one unused element; puts whether the signatures are
    /// valid for m of the keys in the keys' order.
    CheckMultiSig = 0xae "CHECKMULTISIG",
    /// CHECKMULTISIG, then VERIFY.
    CheckMultiSigVerify = 0xaf "CHECKMULTISIGVERIFY",
    /// Fails unless the transaction is locked until the height or time on top, which stays (BIP 65).
    CheckLockTimeVerify = 0xb1 "CHECKLOCKTIMEVERIFY",
    /// Fails unless the input is locked for the age on top, which stays (BIP 112).
    CheckSequenceVerify = 0xb2 "CHECKSEQUENCEVERIFY",
}

impl Opcode {
    /// Whether the operation opens, turns round or ends a branch, rather than being in one.
    pub const fn is_conditional(self) -> bool {
        matches!(self, Self::If | Self::NotIf | Self::Else | Self::EndIf)
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
