//! One spend, written down for both interpreters.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey as OracleKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{Sequence, Witness};
use camelid_core::keys::{EcdsaVerifier, SecretKey};
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Hash256, Txid, sha256};
use camelid_core::script::{Script, ScriptBuilder, ScriptError, evaluate};
use camelid_core::tx::{OutPoint, SpendSignatures, Transaction, TxIn, TxOut, signature_hash};

/// Keys that sign, by number.
pub(crate) const KEYS: u8 = 4;

/// A piece of a script.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// These bytes as they are.
    Raw(Vec<u8>),
    /// The shortest push of these bytes.
    Push(Vec<u8>),
    /// A push of the key's signature over the spend: over our digest, compact, for us; over
    /// Bitcoin's, DER and with the byte that says "all", for Bitcoin. A forged one is over another.
    Signature { key: u8, forged: bool },
}

/// A transaction with one input, and the script that it spends.
#[derive(Clone, Debug)]
pub(crate) struct Spend {
    pub(crate) script_sig: Vec<Piece>,
    pub(crate) script_pubkey: Vec<Piece>,
    pub(crate) lock_time: u32,
    pub(crate) sequence: u32,
    pub(crate) version: u32,
}

pub(crate) fn operation(byte: u8) -> Piece {
    Piece::Raw(vec![byte])
}

pub(crate) fn number(number: i64) -> Piece {
    let push = ScriptBuilder::new().push_number(number).build().unwrap();
    Piece::Raw(push.as_bytes().to_vec())
}

pub(crate) fn secret(key: u8) -> SecretKey {
    SecretKey::from_bytes([key + 1; 32]).unwrap()
}

pub(crate) fn public(key: u8) -> [u8; 33] {
    *secret(key).public_key().as_bytes()
}

/// The shortest push, which is the same bytes in both worlds.
fn pushed(element: &[u8]) -> Vec<u8> {
    ScriptBuilder::new()
        .push(element)
        .build()
        .unwrap()
        .as_bytes()
        .to_vec()
}

fn assemble(pieces: &[Piece], sign: impl Fn(u8, bool) -> Vec<u8>) -> Vec<u8> {
    let bytes = pieces.iter().flat_map(|piece| match piece {
        Piece::Raw(bytes) => bytes.clone(),
        Piece::Push(element) => pushed(element),
        Piece::Signature { key, forged } => pushed(&sign(*key, *forged)),
    });
    bytes.collect()
}

impl Spend {
    /// The script that is spent: it holds no signatures, so it is the same bytes for both.
    pub(crate) fn script_pubkey(&self) -> Vec<u8> {
        assemble(&self.script_pubkey, |_, _| {
            unreachable!("a signature that is spent")
        })
    }

    /// Our verdict, or `None` where a script is too long to be one of ours.
    pub(crate) fn ours(&self) -> Option<Result<(), ScriptError>> {
        let script_pubkey = Script::from_bytes(self.script_pubkey())?;
        let genesis = BlockHash([7; 32]);
        let spent = TxOut::to_script(Amount::from_units(1_000).unwrap(), script_pubkey.clone());
        let input = TxIn {
            previous: OutPoint {
                txid: Txid([5; 32]),
                index: 0,
            },
            script_sig: Script::empty(),
            sequence: self.sequence,
        };
        let transaction = Transaction {
            version: self.version,
            inputs: BoundedVec::from_vec(vec![input]).unwrap(),
            outputs: BoundedVec::new(),
            lock_time: self.lock_time,
            job_id: None,
            action: None,
        };
        let txid = transaction.txid();
        let digest = signature_hash(&genesis, &txid, 0, &spent);
        let script_sig = Script::from_bytes(assemble(&self.script_sig, |key, forged| {
            let digest = if forged { sha256(&digest.0) } else { digest };
            secret(key).sign(&digest).0.to_vec()
        }))?;
        let context = SpendSignatures::new(&genesis, &transaction, &txid, 0, &spent, &EcdsaVerifier);
        Some(evaluate(&script_sig, &script_pubkey, &context))
    }

    /// Whether Bitcoin's consensus accepts, by the rules of `libbitcoinconsensus` that concern us.
    pub(crate) fn theirs(&self) -> bool {
        let script_pubkey = bitcoin::ScriptBuf::from_bytes(self.script_pubkey());
        let mut transaction = bitcoin::Transaction {
            version: Version(self.version.cast_signed()),
            lock_time: LockTime::from_consensus(self.lock_time),
            input: vec![bitcoin::TxIn {
                previous_output: bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array([5; 32]), 0),
                script_sig: bitcoin::ScriptBuf::new(),
                sequence: Sequence(self.sequence),
                witness: Witness::new(),
            }],
            output: vec![bitcoin::TxOut {
                value: bitcoin::Amount::from_sat(900),
                script_pubkey: bitcoin::ScriptBuf::new(),
            }],
        };
        let all = EcdsaSighashType::All.to_u32();
        let digest = SighashCache::new(&transaction).legacy_signature_hash(0, &script_pubkey, all);
        let digest = digest.unwrap().to_byte_array();
        let secp = Secp256k1::new();
        let script_sig = assemble(&self.script_sig, |key, forged| {
            let digest = if forged { sha256(&digest) } else { Hash256(digest) };
            let key = OracleKey::from_slice(&[key + 1; 32]).unwrap();
            let signature = secp.sign_ecdsa(&Message::from_digest(digest.0), &key);
            [&signature.serialize_der()[..], &[1]].concat()
        });
        transaction.input[0].script_sig = bitcoin::ScriptBuf::from_bytes(script_sig);
        let flags = bitcoinconsensus::VERIFY_DERSIG
            | bitcoinconsensus::VERIFY_NULLDUMMY
            | bitcoinconsensus::VERIFY_CHECKLOCKTIMEVERIFY
            | bitcoinconsensus::VERIFY_CHECKSEQUENCEVERIFY;
        let bytes = bitcoin::consensus::serialize(&transaction);
        let verdict =
            bitcoinconsensus::verify_with_flags(script_pubkey.as_bytes(), 1_000, &bytes, None, 0, flags);
        match verdict {
            Ok(()) => true,
            Err(bitcoinconsensus::Error::ERR_SCRIPT) => false,
            Err(error) => panic!("the oracle does not understand the question: {error}"),
        }
    }

    /// Whether a signature is checked for its length: ours and Bitcoin's differ in it.
    fn measures_signatures(&self) -> bool {
        const SIZE: u8 = 0x82;
        let signed = self
            .script_sig
            .iter()
            .any(|piece| matches!(piece, Piece::Signature { .. }));
        let sizes = |pieces: &[Piece]| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Raw(bytes) if bytes.contains(&SIZE)))
        };
        signed && (sizes(&self.script_sig) || sizes(&self.script_pubkey))
    }

    /// What came of the comparison.
    ///
    /// # Panics
    /// When we accept what Bitcoin does not, or refuse what it accepts for no stricter rule.
    pub(crate) fn compare(&self, was_altered: bool) -> Agreement {
        // In a spend that makes sense, nobody measures a signature. In one that was altered, it may be
        // what an operation meets that was to meet something else.
        if was_altered && self.measures_signatures() {
            return Agreement::LeftOut;
        }
        let theirs = self.theirs();
        match (self.ours(), theirs) {
            (Some(Ok(())), true) => Agreement::Accepted,
            (None | Some(Err(_)), false) => Agreement::Refused,
            (Some(Ok(())), false) => panic!("we accept what Bitcoin refuses: {self:?}"),
            (None, true) => Agreement::Stricter("limits"),
            (Some(Err(error)), true) => match crate::stricter_rule(error) {
                Some(rule) => Agreement::Stricter(rule),
                None => panic!("Bitcoin accepts what we refuse with \"{error}\": {self:?}"),
            },
        }
    }
}

/// How two verdicts compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Agreement {
    /// By both.
    Accepted,
    /// By both.
    Refused,
    /// By us alone, for a rule with this name.
    Stricter(&'static str),
    /// The length of a signature matters.
    LeftOut,
}
