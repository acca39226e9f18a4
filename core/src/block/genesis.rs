//! The first block, computed from the parameters.

use super::coinbase::coinbase_with;
use super::header::BlockHeader;
use super::types::Block;
use crate::params::Params;
use crate::primitives::{BlockHash, BoundedVec, Hash256, Height};
use crate::script::Script;
use crate::tx::TxOut;
use alloc::vec::Vec;

/// The genesis block of a network. Its coinbase pays the allocations and carries the hash of all
/// parameters, so its hash names the network. It needs no proof of work.
pub fn genesis_block(params: &Params) -> Block {
    let mut script_sig = Vec::from([32]);
    script_sig.extend(params.hash().0);
    let outputs = params
        .allocations
        .iter()
        .map(|entry| TxOut::to_script(entry.amount, entry.script.clone()))
        .collect();
    // 33 bytes fit in a script, and there are fewer allocations than a transaction has outputs.
    let coinbase = Script::from_bytes(script_sig)
        .and_then(|script_sig| coinbase_with(Height(0), script_sig, outputs))
        .and_then(|coinbase| BoundedVec::from_vec(Vec::from([coinbase])));
    let mut block = Block {
        header: BlockHeader {
            version: 1,
            previous: BlockHash([0; 32]),
            merkle_root: Hash256([0; 32]),
            time: params.genesis_time,
            bits: params.genesis_bits,
            nonce: 0,
        },
        transactions: coinbase.unwrap_or_default(),
    };
    block.header.merkle_root = block.merkle_root();
    block
}
