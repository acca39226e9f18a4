//! Merkle trees against `ct-merkle`, another implementation of RFC 6962.

use camelid_core::primitives::{BoundedVec, Hash256, MerkleProof, MerkleTree};
use ct_merkle::{InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use proptest::prelude::*;
use sha2::Sha256;

fn leaves() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..70)
}

fn oracle_tree(leaves: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    for leaf in leaves {
        tree.push(leaf.clone());
    }
    tree
}

fn oracle_root(root: &Hash256, leaves: u64) -> RootHash<Sha256> {
    RootHash::new(root.0.into(), leaves)
}

proptest! {
    #[test]
    fn roots_agree(leaves in leaves()) {
        let oracle = oracle_tree(&leaves).root();
        prop_assert_eq!(MerkleTree::new(&leaves).root().0, <[u8; 32]>::from(*oracle.as_bytes()));
    }

    #[test]
    fn proofs_agree_and_verify_both_ways(leaves in leaves()) {
        let (tree, oracle) = (MerkleTree::new(&leaves), oracle_tree(&leaves));
        let root = tree.root();
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = tree.proof(index).unwrap();
            let path: Vec<u8> = proof.path.iter().flat_map(|hash| hash.0).collect();
            let oracle_proof = oracle.prove_inclusion(index);
            prop_assert_eq!(&path[..], oracle_proof.as_bytes());
            prop_assert_eq!(tree.branch(index).unwrap().root_from(leaf), root);
            prop_assert!(proof.verifies(leaf, &root));
            let verdict = oracle_root(&root, proof.leaves)
                .verify_inclusion(leaf, proof.index, &InclusionProof::from_bytes(path));
            prop_assert!(verdict.is_ok());
        }
        prop_assert_eq!(tree.proof(leaves.len()), None);
    }

    /// What we accept, `ct-merkle` accepts, and the other way round, whatever is claimed.
    #[test]
    fn verdicts_on_changed_proofs_agree(
        leaves in leaves(),
        which: prop::sample::Index,
        index_change in 0u64..4,
        count_change in 0u64..4,
        path_change in prop::option::of((any::<prop::sample::Index>(), any::<[u8; 32]>())),
        truncate: bool,
    ) {
        prop_assume!(!leaves.is_empty());
        let tree = MerkleTree::new(&leaves);
        let position = which.index(leaves.len());
        let honest = tree.proof(position).unwrap();
        let mut path = honest.path.to_vec();
        if truncate {
            path.pop();
        }
        if let Some((at, hash)) = path_change && !path.is_empty() {
            *at.get_mut(&mut path) = Hash256(hash);
        }
        let proof = MerkleProof {
            index: honest.index ^ index_change,
            leaves: honest.leaves ^ count_change,
            path: BoundedVec::from_vec(path.clone()).unwrap(),
        };
        let oracle_proof = InclusionProof::from_bytes(path.iter().flat_map(|hash| hash.0).collect());
        // The oracle panics on an index outside of the tree.
        let oracle = proof.index < proof.leaves
            && oracle_root(&tree.root(), proof.leaves)
                .verify_inclusion(&leaves[position], proof.index, &oracle_proof)
                .is_ok();
        prop_assert_eq!(proof.verifies(&leaves[position], &tree.root()), oracle);
    }
}
