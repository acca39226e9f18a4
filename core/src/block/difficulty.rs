//! The target that the next block must meet.

use super::header::BlockHeader;
use super::target::CompactTarget;
use crate::params::Params;

/// The target of a block that extends `_parent`: the genesis target, for ever. A rule that follows
/// the network's hash power takes this function's place (`docs/src/protocol.md`, "Not yet built").
pub fn required_bits(params: &Params, _parent: &BlockHeader) -> CompactTarget {
    params.genesis_bits
}
