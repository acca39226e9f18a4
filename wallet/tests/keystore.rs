//! The encrypted file.
#![allow(clippy::unwrap_used)]

use camelid_wallet::keystore::{Cost, FileError, KeystoreError, Secrets, create, open, read, replace, seal};
use camelid_wallet::mnemonic::Mnemonic;
use std::fs;

const PASSWORD: &[u8] = b"correct horse";
/// Cheap, for tests.
const CHEAP: Cost = Cost {
    memory_kib: 16,
    passes: 1,
    lanes: 2,
};
/// Where the numbers of the header are.
const VERSION_AT: usize = 8;
const COST_AT: usize = 10;

fn secrets() -> Secrets {
    Secrets {
        mnemonic: Mnemonic::from_entropy(&[9; 32]).unwrap(),
        receive: 3,
        change: 70_000,
    }
}

fn sealed() -> Vec<u8> {
    seal(&secrets(), PASSWORD, CHEAP).unwrap()
}

#[test]
fn a_sealed_wallet_opens_again_for_any_words_and_password() {
    for entropy in [16, 20, 24, 28, 32] {
        for password in [&b""[..], PASSWORD, "пароль".as_bytes(), &[b'x'; 10_000]] {
            let secrets = Secrets {
                mnemonic: Mnemonic::from_entropy(&vec![5; entropy]).unwrap(),
                ..secrets()
            };
            let bytes = seal(&secrets, password, CHEAP).unwrap();
            assert_eq!(open(&bytes, password), Ok(secrets));
        }
    }
}

#[test]
fn the_recommended_cost_works() {
    let bytes = seal(&secrets(), PASSWORD, Cost::RECOMMENDED).unwrap();
    assert_eq!(open(&bytes, PASSWORD), Ok(secrets()));
}

#[test]
fn nothing_secret_is_readable_and_no_two_files_are_alike() {
    let (one, two) = (sealed(), sealed());
    assert_eq!(one.len(), two.len());
    let equal = one.iter().zip(&two).filter(|(a, b)| a == b).count();
    // Magic, version and cost, and now and then a byte by chance.
    assert!(equal < 22 + 20, "{equal} bytes are equal");
    assert!(!one.windows(4).any(|window| window == [9; 4]));
}

#[test]
fn another_password_does_not_open_it() {
    let bytes = sealed();
    for password in [&b"correct horse "[..], b"Correct horse", b""] {
        assert_eq!(open(&bytes, password), Err(KeystoreError::WrongPassword));
    }
}

/// Every byte is authenticated; a header that asks for more than is allowed is refused at once.
#[test]
fn a_file_with_any_byte_changed_does_not_open() {
    let bytes = sealed();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            assert!(open(&changed, PASSWORD).is_err(), "byte {at}");
        }
    }
    for length in 0..bytes.len() {
        assert!(open(&bytes[..length], PASSWORD).is_err());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(open(&longer, PASSWORD), Err(KeystoreError::WrongPassword));
    longer.resize(1 << 20, 0);
    assert_eq!(open(&longer, PASSWORD), Err(KeystoreError::Length));
}

#[test]
fn other_formats_are_named() {
    let mut bytes = sealed();
    let mut with_version = |version: u16| {
        bytes[VERSION_AT..COST_AT].copy_from_slice(&version.to_le_bytes());
        open(&bytes, PASSWORD).unwrap_err()
    };
    assert_eq!(with_version(0), KeystoreError::TooOld { found: 0, oldest: 1 });
    assert_eq!(with_version(2), KeystoreError::TooNew { found: 2, newest: 1 });
    assert!(with_version(2).to_string().contains("use a newer one"));
    assert_eq!(
        open(b"{\"crypto\": {}}", PASSWORD),
        Err(KeystoreError::NotAKeystore)
    );
    assert_eq!(open(b"", PASSWORD), Err(KeystoreError::NotAKeystore));
}

/// If these were not refused before memory is taken, this test would take all of it.
#[test]
fn a_hostile_cost_takes_neither_memory_nor_time() {
    let most = Cost::MOST;
    let hostile = [
        [most.memory_kib + 1, 1, 1],
        [u32::MAX, 1, 1],
        [16, most.passes + 1, 1],
        [16, u32::MAX, 1],
        [1024, 1, most.lanes + 1],
        [u32::MAX, u32::MAX, u32::MAX],
        [0, 1, 1],
        [16, 0, 1],
        [16, 1, 0],
        // Less than eight blocks a lane.
        [16, 1, 3],
    ];
    for numbers in hostile {
        let mut bytes = sealed();
        for (index, number) in numbers.into_iter().enumerate() {
            let at = COST_AT + 4 * index;
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let [memory_kib, passes, lanes] = numbers;
        let cost = Cost {
            memory_kib,
            passes,
            lanes,
        };
        assert_eq!(open(&bytes, PASSWORD), Err(KeystoreError::Cost(cost)));
        assert_eq!(seal(&secrets(), PASSWORD, cost), Err(KeystoreError::Cost(cost)));
    }
}

#[test]
fn a_file_is_private_and_never_overwritten_by_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wallet");
    create(&path, b"one").unwrap();
    assert_eq!(read(&path).unwrap(), b"one");
    let refused = create(&path, b"two");
    assert!(matches!(refused, Err(FileError::Exists(at)) if at == path));
    assert_eq!(read(&path).unwrap(), b"one");
    replace(&path, b"three").unwrap();
    assert_eq!(read(&path).unwrap(), b"three");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // No draft is left behind.
    let names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["wallet"]);
}

#[test]
fn what_cannot_be_written_or_read_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("wallet");
    assert!(matches!(create(&path, b"x"), Err(FileError::Write { .. })));
    assert!(matches!(replace(&path, b"x"), Err(FileError::Write { .. })));
    assert!(matches!(read(&path), Err(FileError::Read { .. })));
    // A file without end is not read to its end.
    if cfg!(unix) {
        let zeros = read(std::path::Path::new("/dev/zero")).unwrap();
        assert_eq!(open(&zeros, PASSWORD), Err(KeystoreError::NotAKeystore));
    }
}
