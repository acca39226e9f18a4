//! From signatures to `script_sig`s.

use super::{Partial, PartialError};
use camelid_core::keys::{PublicKey, Signature};
use camelid_core::script::{
    Script, ScriptBuilder, StandardScript, key_hash_script_sig, multi_sig_script_sig,
};
use camelid_core::tx::{Lock, Transaction};

impl Partial {
    /// The transaction with all its `script_sig`s.
    ///
    /// # Errors
    /// [`PartialError::Incomplete`] and [`PartialError::Unsupported`].
    pub fn finalise(&self) -> Result<Transaction, PartialError> {
        let mut inputs = self.transaction.inputs.clone();
        for (index, (input, output)) in inputs.as_mut_slice().iter_mut().zip(&self.spent).enumerate() {
            let form = Form::of(&output.lock).ok_or(PartialError::Unsupported(index))?;
            let signatures: Vec<_> = self.signatures_for(index).collect();
            input.script_sig = form.satisfy(&signatures).ok_or(PartialError::Incomplete(index))?;
        }
        Ok(Transaction {
            inputs,
            ..self.transaction.clone()
        })
    }

    /// Signatures that each input has, and needs; `None` for a form that is not supported.
    pub(super) fn progress(&self, index: usize) -> Option<(usize, usize)> {
        let needed = Form::of(&self.spent.get(index)?.lock)?.needed();
        Some((self.signatures_for(index).count().min(needed), needed))
    }
}

/// How an output is spent.
enum Form {
    Escrow,
    OneKey,
    MultiSig { required: usize, keys: Vec<[u8; 33]> },
}

impl Form {
    fn of(lock: &Lock) -> Option<Self> {
        match lock {
            Lock::Escrow => Some(Self::Escrow),
            Lock::Script(script) => match StandardScript::parse(script)? {
                StandardScript::KeyHash(_) | StandardScript::TimeLock { .. } => Some(Self::OneKey),
                StandardScript::MultiSig { required, keys } => Some(Self::MultiSig {
                    required: required.into(),
                    keys,
                }),
                _ => None,
            },
            _ => None,
        }
    }

    fn needed(&self) -> usize {
        match self {
            Self::Escrow | Self::OneKey => 1,
            Self::MultiSig { required, .. } => *required,
        }
    }

    /// The `script_sig`, if these signatures suffice.
    fn satisfy(&self, signatures: &[(&PublicKey, &Signature)]) -> Option<Script> {
        match self {
            Self::Escrow => {
                let (_, signature) = signatures.first()?;
                ScriptBuilder::new().push(&signature.0).build()
            }
            Self::OneKey => {
                let (key, signature) = signatures.first()?;
                Some(key_hash_script_sig(&signature.0, key.as_bytes()))
            }
            Self::MultiSig { required, keys } => {
                // In the order of the keys, the first that are there.
                let of_key = |key: &[u8; 33]| {
                    let found = signatures.iter().find(|(signer, _)| signer.as_bytes() == key);
                    found.map(|(_, signature)| signature.0)
                };
                let chosen: Vec<[u8; 64]> = keys.iter().filter_map(of_key).take(*required).collect();
                (chosen.len() == *required)
                    .then(|| multi_sig_script_sig(&chosen))
                    .flatten()
            }
        }
    }
}
