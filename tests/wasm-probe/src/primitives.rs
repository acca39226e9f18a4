//! `camelid_core::primitives`.

use camelid_core::primitives::{
    Amount, BoundedVec, Hash256, Map, MerkleTree, SetDigest, Stream, Time, decode, encode, sha256, sha256d,
    tagged_hash,
};
use core::hint::black_box;

/// Amounts, hashes, encoding, trees, containers, random streams and time.
pub fn probe() {
    let mut stream = Stream::new(black_box(7), black_box("probe"));
    let bytes = stream.bytes32();
    black_box(stream.range(3, 9));

    black_box(Amount::from_coins(black_box(50)).and_then(|sum| sum.checked_add(Amount::ZERO)));
    black_box((sha256(&bytes), sha256d(&bytes), tagged_hash("probe", &bytes)));

    let list: Option<BoundedVec<u32, 4>> = BoundedVec::from_vec(black_box(vec![1, 2, 3]));
    let encoded = encode(&list);
    black_box(decode::<Option<BoundedVec<u32, 4>>>(black_box(&encoded), 64).is_ok());

    let tree = MerkleTree::new(black_box([bytes.as_slice(), encoded.as_slice(), b"leaf"]));
    let root = tree.root();
    black_box(tree.proof(1).is_some_and(|proof| proof.verifies(&encoded, &root)));

    let mut map: Map<Hash256, u64> = Map::with_seed(black_box(1));
    map.insert(root, 5);
    black_box((map.get(&root), map.sum(|_, &value| value.into())));

    let mut set = SetDigest::default();
    set.insert(black_box(&root));
    black_box((set.digest(), Time(black_box(1_000)).after_ms(1).timestamp()));
}
