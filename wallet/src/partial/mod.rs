//! Transactions on their way from one signer to the next.
//!
//! A [`Partial`] is a transaction without `script_sig`s, what its inputs spend, and the signatures so
//! far. It is made by one, signed by each, combined and finalised by anybody; Bitcoin's BIP 174 has the
//! same roles. A signature approves what its own input spends and the whole transaction, so what a
//! partial says of *other* inputs is only a claim: [`Partial::sign`] therefore signs for coins that the
//! signer knows to be so, and [`Summary::fee`] is as true as the coins are known.
//!
//! Client and node sign an Engage with the checks of [`engage`].

pub mod engage;
mod finalise;
mod inspect;
mod text;

pub use inspect::{InputSummary, Summary};

use crate::payment::Plan;
use borsh::{BorshDeserialize, BorshSerialize};
use camelid_core::keys::{PublicKey, SecretKey, Signature};
use camelid_core::primitives::{BlockHash, BoundedVec, DecodeError, Hash256, decode, encode};
use camelid_core::script::StandardScript;
use camelid_core::tx::{Lock, OutPoint, Transaction, TxIn, TxOut, signature_hash};
use std::collections::BTreeMap;

/// First bytes of the encoding.
const MAGIC: [u8; 4] = *b"CPST";
const VERSION: u8 = 1;
/// Largest encoding, in bytes: a transaction, what it spends, and its signatures.
pub const MAX_PARTIAL_BYTES: usize = 4_000_000;
/// Most signatures.
const MAX_SIGNATURES: usize = 16_384;

/// Why a partial cannot be read, signed, combined or finalised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartialError {
    /// The bytes are no partially signed transaction.
    #[error("not a partially signed transaction")]
    NotAPartial,
    /// It was made by another version of the format.
    #[error("format {0} of partially signed transactions is not known to this program")]
    Version(u8),
    /// The bytes are malformed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The transaction has `script_sig`s already.
    #[error("input {0} is signed already, in the transaction itself")]
    ScriptSig(usize),
    /// Inputs and what they spend are not equally many.
    #[error("{spent} spent outputs are given for {inputs} inputs")]
    SpentCount {
        /// Inputs of the transaction.
        inputs: usize,
        /// Outputs given.
        spent: usize,
    },
    /// A signature that is not that of its key, of a key that has no say, or out of order.
    #[error("a signature for input {0} is not valid")]
    Signature(u32),
    /// The signer's own list of coins has another output there, or none.
    #[error("{0} is not what the transaction claims that it is: nothing was signed")]
    UnknownCoin(OutPoint),
    /// Two partials of different transactions.
    #[error("the two are not signatures for the same transaction")]
    Different,
    /// Signatures are missing.
    #[error("input {0} lacks signatures")]
    Incomplete(usize),
    /// Nobody knows how to spend such an output.
    #[error("input {0} spends an output of a form that is not supported")]
    Unsupported(usize),
}

/// A transaction with some of its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    genesis: BlockHash,
    transaction: Transaction,
    spent: Vec<TxOut>,
    escrow_key: Option<PublicKey>,
    signatures: BTreeMap<(u32, PublicKey), Signature>,
}

/// [`Partial`] as it is encoded, behind magic and version.
#[derive(BorshSerialize, BorshDeserialize)]
struct Encoded {
    genesis: BlockHash,
    transaction: Transaction,
    spent: BoundedVec<TxOut, 8192>,
    escrow_key: Option<PublicKey>,
    signatures: BoundedVec<(u32, PublicKey, Signature), MAX_SIGNATURES>,
}

impl Partial {
    /// An unsigned `transaction` on the network `genesis` that spends `spent`, in the order of its
    /// inputs. `escrow_key` is the client's key where an input is an escrow.
    ///
    /// # Errors
    /// [`PartialError::ScriptSig`] and [`PartialError::SpentCount`].
    pub fn new(
        genesis: BlockHash,
        transaction: Transaction,
        spent: Vec<TxOut>,
        escrow_key: Option<PublicKey>,
    ) -> Result<Self, PartialError> {
        if transaction.inputs.len() != spent.len() {
            return Err(PartialError::SpentCount {
                inputs: transaction.inputs.len(),
                spent: spent.len(),
            });
        }
        let is_signed = |input: &TxIn| !input.script_sig.as_bytes().is_empty();
        if let Some(input) = transaction.inputs.iter().position(is_signed) {
            return Err(PartialError::ScriptSig(input));
        }
        Ok(Self {
            genesis,
            transaction,
            spent,
            escrow_key,
            signatures: BTreeMap::new(),
        })
    }

    /// A planned payment, unsigned.
    ///
    /// # Errors
    /// None that a plan gives cause for.
    pub fn of_plan(genesis: BlockHash, plan: &Plan) -> Result<Self, PartialError> {
        let spent = plan.coins.iter().map(crate::coin::Coin::output).collect();
        Self::new(genesis, plan.transaction.clone(), spent, None)
    }

    /// The network.
    pub fn genesis(&self) -> &BlockHash {
        &self.genesis
    }

    /// The transaction, without `script_sig`s.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// What the inputs spend, as is claimed.
    pub fn spent(&self) -> &[TxOut] {
        &self.spent
    }

    /// Signs every input that `key` has a say in, and returns how many those are. `coin` is what the
    /// signer itself knows of an outpoint: where that differs from what the partial claims, nothing is
    /// signed. Escrows are left to [`engage`].
    ///
    /// # Errors
    /// [`PartialError::UnknownCoin`].
    pub fn sign(
        &mut self,
        key: &SecretKey,
        coin: impl Fn(&OutPoint) -> Option<TxOut>,
    ) -> Result<usize, PartialError> {
        let public = key.public_key();
        let ours: Vec<u32> = (0..)
            .zip(&self.spent)
            .filter(|(_, output)| output.lock != Lock::Escrow && self.may_sign(output, &public))
            .map(|(index, _)| index)
            .collect();
        for index in &ours {
            let (input, claimed) = self.input(*index).ok_or(PartialError::Signature(*index))?;
            if coin(&input.previous).as_ref() != Some(claimed) {
                return Err(PartialError::UnknownCoin(input.previous));
            }
        }
        for index in &ours {
            self.sign_input(*index, key);
        }
        Ok(ours.len())
    }

    /// Takes the signatures of `other` in.
    ///
    /// # Errors
    /// [`PartialError::Different`] when it is for another transaction, or claims other coins.
    pub fn combine(&mut self, other: &Self) -> Result<(), PartialError> {
        let stripped = |partial: &Self| Self {
            signatures: BTreeMap::new(),
            ..partial.clone()
        };
        if stripped(self) != stripped(other) {
            return Err(PartialError::Different);
        }
        self.signatures.extend(
            other
                .signatures
                .iter()
                .map(|(place, signature)| (*place, *signature)),
        );
        Ok(())
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let signatures = self
            .signatures
            .iter()
            .map(|((index, key), signature)| (*index, *key, *signature));
        let encoded = Encoded {
            genesis: self.genesis,
            transaction: self.transaction.clone(),
            spent: BoundedVec::from_vec(self.spent.clone()).unwrap_or_default(),
            escrow_key: self.escrow_key,
            signatures: BoundedVec::from_vec(signatures.collect()).unwrap_or_default(),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend(encode(&encoded));
        bytes
    }

    /// Reads an encoding. Every signature in it is verified.
    ///
    /// # Errors
    /// [`PartialError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PartialError> {
        let (version, body) = bytes
            .strip_prefix(&MAGIC)
            .and_then(<[u8]>::split_first)
            .ok_or(PartialError::NotAPartial)?;
        if *version != VERSION {
            return Err(PartialError::Version(*version));
        }
        let encoded: Encoded = decode(body, MAX_PARTIAL_BYTES)?;
        let mut partial = Self::new(
            encoded.genesis,
            encoded.transaction,
            encoded.spent.into_vec(),
            encoded.escrow_key,
        )?;
        let txid = partial.transaction.txid();
        for (index, key, signature) in encoded.signatures.iter().copied() {
            let in_order = partial
                .signatures
                .last_key_value()
                .is_none_or(|(last, _)| *last < (index, key));
            let valid = partial.spent.get(index as usize).is_some_and(|output| {
                let digest = signature_hash(&partial.genesis, &txid, index, output);
                partial.may_sign(output, &key) && key.verify(&digest, &signature)
            });
            if !(in_order && valid) {
                return Err(PartialError::Signature(index));
            }
            partial.signatures.insert((index, key), signature);
        }
        Ok(partial)
    }

    /// True when a signature of `key` counts for `output`.
    fn may_sign(&self, output: &TxOut, key: &PublicKey) -> bool {
        let script = match &output.lock {
            Lock::Script(script) => script,
            Lock::Escrow => return self.escrow_key == Some(*key),
            Lock::Bond | Lock::Deposit | Lock::Ticket => return false,
        };
        match StandardScript::parse(script) {
            Some(StandardScript::KeyHash(hash) | StandardScript::TimeLock { key_hash: hash, .. }) => {
                key.key_hash().0 == hash
            }
            Some(StandardScript::MultiSig { keys, .. }) => keys.contains(key.as_bytes()),
            _ => false,
        }
    }

    fn input(&self, index: u32) -> Option<(&TxIn, &TxOut)> {
        let input = self.transaction.inputs.get(index as usize)?;
        Some((input, self.spent.get(index as usize)?))
    }

    fn digest(&self, index: u32) -> Option<Hash256> {
        let (_, output) = self.input(index)?;
        Some(signature_hash(
            &self.genesis,
            &self.transaction.txid(),
            index,
            output,
        ))
    }

    fn sign_input(&mut self, index: u32, key: &SecretKey) {
        if let Some(digest) = self.digest(index) {
            self.signatures
                .insert((index, key.public_key()), key.sign(&digest));
        }
    }

    /// The signatures for an input, by key.
    fn signatures_for(&self, index: usize) -> impl Iterator<Item = (&PublicKey, &Signature)> {
        let all = self.signatures.iter();
        all.filter(move |((input, _), _)| *input as usize == index)
            .map(|((_, key), signature)| (key, signature))
    }
}
