//! Words, seeds and keys, against the vectors of the BIPs and against the `bitcoin` crate.
#![allow(clippy::unwrap_used)]

use bitcoin::bip32::{DerivationPath, Xpriv};
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Address, CompressedPublicKey, NetworkKind};
use camelid_wallet::derivation::{Account, Branch, COIN_TYPE, DerivationError, GAP_LIMIT, KeyPlace};
use camelid_wallet::mnemonic::{Mnemonic, MnemonicError};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::str::FromStr;

const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn place(branch: Branch, index: u32) -> KeyPlace {
    KeyPlace { branch, index }
}

/// BIP 39's vectors (passphrase TREZOR): entropy, words, seed.
#[test]
fn words_and_seeds_are_those_of_bip_39() {
    let vectors = [
        (
            [0x00; 16].to_vec(),
            ABANDON,
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        ),
        (
            [0x7f; 16].to_vec(),
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
        ),
        (
            [0xff; 32].to_vec(),
            "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
            "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad",
        ),
    ];
    for (entropy, words, seed) in vectors {
        let mnemonic = Mnemonic::from_entropy(&entropy).unwrap();
        assert_eq!(*mnemonic.words(), words);
        assert_eq!(hex(&mnemonic.seed("TREZOR")[..]), seed);
        assert_eq!(*Mnemonic::parse(words).unwrap().entropy(), entropy);
    }
}

#[test]
fn words_may_be_written_carelessly_and_mistakes_are_named() {
    let spaced = format!("  {}\n", ABANDON.to_uppercase().replace(' ', " \t "));
    assert_eq!(Mnemonic::parse(&spaced), Mnemonic::parse(ABANDON));
    let refusal = |words: &str| Mnemonic::parse(words).unwrap_err();
    assert_eq!(refusal("abandon about"), MnemonicError::WordCount(2));
    assert_eq!(refusal(""), MnemonicError::WordCount(0));
    let mistyped = ABANDON.replacen("abandon abandon", "abandon camelid", 1);
    assert_eq!(refusal(&mistyped), MnemonicError::UnknownWord(1));
    assert!(!refusal(&mistyped).to_string().contains("camelid"));
    let swapped = ABANDON.replace("about", "zoo");
    assert_eq!(refusal(&swapped), MnemonicError::Checksum);
    assert_eq!(
        format!("{:?}", Mnemonic::parse(ABANDON).unwrap()),
        "Mnemonic(12 words)"
    );
}

#[test]
fn fresh_words_differ() {
    for words in [12, 15, 18, 21, 24] {
        let fresh: BTreeSet<String> = (0..4)
            .map(|_| Mnemonic::generate(words).unwrap().words().to_string())
            .collect();
        assert_eq!(fresh.len(), 4);
        assert!(fresh.iter().all(|fresh| fresh.split(' ').count() == words));
    }
    assert_eq!(Mnemonic::generate(13), Err(MnemonicError::WordCount(13)));
}

/// A widely published address: BIP 44 on Bitcoin's coin type, for the words above.
#[test]
fn an_address_of_bip_44_is_the_published_one() {
    let seed = Mnemonic::parse(ABANDON).unwrap().seed("");
    let account = Account::of_coin(&seed, 0).unwrap();
    let first = account.key_hash(place(Branch::Receive, 0)).unwrap();
    assert_eq!(first.to_string(), "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA");
    let ours = Account::new(&seed)
        .unwrap()
        .key_hash(place(Branch::Receive, 0))
        .unwrap();
    assert_ne!(ours, first);
    assert_eq!(COIN_TYPE, 1_128_353_100);
}

/// The address that the `bitcoin` crate derives.
fn oracle_address(seed: &[u8; 64], coin_type: u32, branch: Branch, index: u32) -> String {
    let chain = match branch {
        Branch::Receive => 0,
        Branch::Change => 1,
    };
    let path = DerivationPath::from_str(&format!("m/44'/{coin_type}'/0'/{chain}/{index}")).unwrap();
    let secp = Secp256k1::new();
    let master = Xpriv::new_master(NetworkKind::Main, seed).unwrap();
    let key = master.derive_priv(&secp, &path).unwrap();
    let public = CompressedPublicKey(key.private_key.public_key(&secp));
    Address::p2pkh(public, NetworkKind::Main).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn addresses_are_those_of_the_bitcoin_crate(
        seed in prop::array::uniform32(any::<u8>()),
        coin_type in prop_oneof![Just(0), Just(COIN_TYPE), 0..1_u32 << 31],
        change: bool,
        index in prop_oneof![0_u32..50, (1_u32 << 31) - 3..1_u32 << 31],
    ) {
        let mut whole = [7; 64];
        whole[..32].copy_from_slice(&seed);
        let branch = if change { Branch::Change } else { Branch::Receive };
        let account = Account::of_coin(&whole, coin_type).unwrap();
        let ours = account.key_hash(place(branch, index)).unwrap().to_string();
        prop_assert_eq!(ours, oracle_address(&whole, coin_type, branch, index));
    }

    /// An address is found if none of the gaps before it is as long as the limit.
    #[test]
    fn a_scan_stops_at_the_gap_limit(used in prop::collection::btree_set(0_u32..90, 0..8)) {
        let account = Account::new(&[3; 64]).unwrap();
        let hashes: BTreeSet<_> = (used.iter())
            .map(|index| account.key_hash(place(Branch::Change, *index)).unwrap())
            .collect();
        let mut reach = 0;
        for index in &used {
            if *index < reach + GAP_LIMIT {
                reach = index + 1;
            }
        }
        prop_assert_eq!(account.used(Branch::Change, |hash| hashes.contains(hash)), Ok(reach));
        prop_assert_eq!(account.used(Branch::Receive, |hash| hashes.contains(hash)), Ok(0));
    }
}

#[test]
fn hardened_indices_are_no_addresses() {
    let account = Account::new(&[3; 64]).unwrap();
    let index = 1 << 31;
    let refused = Err(DerivationError::Index(index));
    assert_eq!(account.key_hash(place(Branch::Receive, index)), refused);
    assert_eq!(format!("{account:?}"), "Account(..)");
}
