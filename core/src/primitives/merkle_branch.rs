//! The way from a leaf up to the root, without positions.

use super::bounded::BoundedVec;
use super::hash::Hash256;
use super::merkle::{MerkleTree, leaf_hash, node_hash};
use borsh::{BorshDeserialize, BorshSerialize};

/// A sibling on the way up, and its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Sibling {
    /// It stands to the left.
    Left(Hash256),
    /// It stands to the right.
    Right(Hash256),
}

/// Shows that a leaf is in the tree under a root, and whether it is the first.
///
/// [`MerkleProof`](super::MerkleProof) says in addition where it is and among how many. A root does
/// not fix the number of leaves, so two such proofs may differ in it alone; a leaf at one place has one
/// branch, and a branch with a bit changed is none.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MerkleBranch {
    /// The siblings, lowest first.
    pub siblings: BoundedVec<Sibling, 64>,
}

impl MerkleBranch {
    /// The root that the branch leads to from `leaf`.
    pub fn root_from(&self, leaf: &[u8]) -> Hash256 {
        let up = |hash, sibling: &Sibling| match sibling {
            Sibling::Left(left) => node_hash(left, &hash),
            Sibling::Right(right) => node_hash(&hash, right),
        };
        self.siblings.iter().fold(leaf_hash(leaf), up)
    }

    /// True when it leads up from the first leaf.
    pub fn is_first(&self) -> bool {
        self.siblings
            .iter()
            .all(|sibling| matches!(sibling, Sibling::Right(_)))
    }
}

impl MerkleTree {
    /// The branch of leaf `index`, or `None` when there is no such leaf.
    pub fn branch(&self, index: usize) -> Option<MerkleBranch> {
        let siblings = BoundedVec::from_vec(self.siblings(index)?)?;
        Some(MerkleBranch { siblings })
    }
}
