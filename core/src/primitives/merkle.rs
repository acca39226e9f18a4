//! The one Merkle tree of the project: RFC 6962, section 2.1.
//!
//! Leaves and inner nodes are hashed with different prefixes and an odd node is carried up, not
//! doubled, so a list of leaves has one root only (no CVE-2012-2459) and no inner node can pass for
//! a leaf.

use super::bounded::BoundedVec;
use super::hash::Hash256;
use super::merkle_branch::Sibling;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use sha2::{Digest as _, Sha256};

/// Hash of a leaf's bytes: `SHA-256(0x00 ‖ leaf)`.
pub(super) fn leaf_hash(leaf: &[u8]) -> Hash256 {
    Hash256(
        Sha256::new()
            .chain_update([0])
            .chain_update(leaf)
            .finalize()
            .into(),
    )
}

/// Hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
pub(super) fn node_hash(left: &Hash256, right: &Hash256) -> Hash256 {
    Hash256(
        Sha256::new()
            .chain_update([1])
            .chain_update(left)
            .chain_update(right)
            .finalize()
            .into(),
    )
}

/// The leaf hashes of a list, from which root and proofs are computed.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    leaves: Vec<Hash256>,
}

impl MerkleTree {
    /// The tree over `leaves`, each given by its bytes.
    pub fn new<B: AsRef<[u8]>>(leaves: impl IntoIterator<Item = B>) -> Self {
        Self {
            leaves: leaves.into_iter().map(|leaf| leaf_hash(leaf.as_ref())).collect(),
        }
    }

    /// The root. Of an empty list: SHA-256 of nothing, as RFC 6962 says.
    pub fn root(&self) -> Hash256 {
        subtree_root(&self.leaves)
    }

    /// The proof that leaf `index` is in the tree, or `None` when there is no such leaf.
    pub fn proof(&self, index: usize) -> Option<MerkleProof> {
        let path = self.siblings(index)?.into_iter().map(|sibling| match sibling {
            Sibling::Left(hash) | Sibling::Right(hash) => hash,
        });
        Some(MerkleProof {
            index: index as u64,
            leaves: self.leaves.len() as u64,
            path: BoundedVec::from_vec(path.collect())?,
        })
    }

    /// The siblings on the way up from leaf `index`, lowest first.
    pub(super) fn siblings(&self, index: usize) -> Option<Vec<Sibling>> {
        let mut siblings = Vec::new();
        let (mut leaves, mut index) = (&self.leaves[..], index);
        if index >= leaves.len() {
            return None;
        }
        while leaves.len() > 1 {
            let middle = split_point(leaves.len());
            let (left, right) = leaves.split_at(middle);
            if index < middle {
                siblings.push(Sibling::Right(subtree_root(right)));
                leaves = left;
            } else {
                siblings.push(Sibling::Left(subtree_root(left)));
                (leaves, index) = (right, index - middle);
            }
        }
        siblings.reverse();
        Some(siblings)
    }
}

fn subtree_root(leaves: &[Hash256]) -> Hash256 {
    match leaves {
        [] => Hash256(Sha256::digest([]).into()),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split_point(leaves.len()));
            node_hash(&subtree_root(left), &subtree_root(right))
        }
    }
}

/// The largest power of two smaller than `count` (which is at least 2).
fn split_point(count: usize) -> usize {
    count.div_ceil(2).next_power_of_two()
}

/// An audit path (RFC 6962, section 2.1.1), from the leaf up.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MerkleProof {
    /// Position of the leaf, from 0.
    pub index: u64,
    /// Number of leaves in the tree.
    pub leaves: u64,
    /// Sibling hashes, lowest first.
    pub path: BoundedVec<Hash256, 64>,
}

impl MerkleProof {
    /// True when `leaf` stands at `self.index` in the tree of `self.leaves` leaves with this `root`.
    pub fn verifies(&self, leaf: &[u8], root: &Hash256) -> bool {
        if self.index >= self.leaves {
            return false;
        }
        // RFC 9162, section 2.1.3.2: walk up from the leaf, `last` being the last node of the level.
        let (mut node, mut last) = (self.index, self.leaves - 1);
        let mut hash = leaf_hash(leaf);
        for sibling in self.path.iter() {
            if last == 0 {
                return false;
            }
            if node % 2 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                while node % 2 == 0 && node != 0 {
                    node /= 2;
                    last /= 2;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node /= 2;
            last /= 2;
        }
        last == 0 && hash == *root
    }
}
