//! What a holder of coins needs beside the protocol: words to write down, keys derived from them, a
//! file that keeps them, the choice of coins for a payment, and transactions that several people sign.
//!
//! Nothing here talks to a network. Whoever uses it brings the coins, as a node or a file lists them,
//! and takes signed transactions away (`docs/src/wallet.md`).
//!
//! Reading order: [`mnemonic`] and [`derivation`], [`keystore`]; [`coin`], [`selection`] and
//! [`payment`]; [`partial`].
#![forbid(unsafe_code)]

pub mod coin;
pub mod derivation;
pub mod keystore;
pub mod mnemonic;
pub mod partial;
pub mod payment;
pub mod selection;
