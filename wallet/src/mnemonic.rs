//! The words that a wallet can be made again from (BIP 39).

use std::fmt;
use zeroize::Zeroizing;

/// Why words are no mnemonic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// There are not 12, 15, 18, 21 or 24 of them.
    #[error("{0} words: a mnemonic has 12, 15, 18, 21 or 24")]
    WordCount(usize),
    /// A word is not on the list. Which one is told by its place, since the word may be a secret.
    #[error("word {} is not on the English list of BIP 39", .0 + 1)]
    UnknownWord(usize),
    /// The words are all on the list, and do not belong together.
    #[error("the checksum does not match: a word is wrong, or in the wrong place")]
    Checksum,
    /// Entropy that is not of 16, 20, 24, 28 or 32 bytes.
    #[error("{0} bytes of entropy: use 16, 20, 24, 28 or 32")]
    Entropy(usize),
    /// The operating system gave no randomness.
    #[error("the operating system gave no random bytes: {0}")]
    Randomness(getrandom::Error),
}

/// A mnemonic in English words. It is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Mnemonic(bip39::Mnemonic);

impl Mnemonic {
    /// Fresh words from the operating system's randomness; `words` is 12, 15, 18, 21 or 24.
    ///
    /// # Errors
    /// [`MnemonicError::WordCount`] and [`MnemonicError::Randomness`].
    pub fn generate(words: usize) -> Result<Self, MnemonicError> {
        if !matches!(words, 12 | 15 | 18 | 21 | 24) {
            return Err(MnemonicError::WordCount(words));
        }
        // 11 bits a word, of which every 33rd is checksum.
        let mut entropy = Zeroizing::new([0; 32]);
        let entropy = &mut entropy[..words / 3 * 4];
        getrandom::fill(entropy).map_err(MnemonicError::Randomness)?;
        Self::from_entropy(entropy)
    }

    /// The words that stand for `entropy`.
    ///
    /// # Errors
    /// [`MnemonicError::Entropy`].
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, MnemonicError> {
        bip39::Mnemonic::from_entropy(entropy)
            .map(Self)
            .map_err(|_| MnemonicError::Entropy(entropy.len()))
    }

    /// Reads words that are separated by any white space, in upper or lower case.
    ///
    /// # Errors
    /// Which word is wrong, or that they do not belong together.
    pub fn parse(words: &str) -> Result<Self, MnemonicError> {
        let words = Zeroizing::new(words.trim().to_lowercase());
        bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &words)
            .map(Self)
            .map_err(|error| match error {
                bip39::Error::BadWordCount(count) => MnemonicError::WordCount(count),
                bip39::Error::UnknownWord(index) => MnemonicError::UnknownWord(index),
                _ => MnemonicError::Checksum,
            })
    }

    /// The words, with a space between two.
    pub fn words(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string())
    }

    /// What the words stand for: 16 to 32 bytes.
    pub fn entropy(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_entropy())
    }

    /// The seed of all keys: PBKDF2 over the words, with `passphrase` (empty for none) as part of the
    /// salt. Every passphrase gives a wallet; nothing says which is the right one.
    pub fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_seed(passphrase))
    }
}

impl fmt::Debug for Mnemonic {
    /// How many words, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mnemonic({} words)", self.0.word_count())
    }
}
