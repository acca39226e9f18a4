//! Blocks as JSON.

use super::arguments::hex;
use super::service::View;
use super::transaction;
use camelid_core::block::{Block, BlockHeader};
use camelid_core::escrow::History as _;
use camelid_core::primitives::{BlockHash, Height, encode};
use serde_json::{Value, json};

/// A number of 256 bits, given in little-endian bytes, with the highest digits first.
pub fn big(mut bytes: [u8; 32]) -> String {
    bytes.reverse();
    hex(&bytes)
}

/// Blocks from `hash` up to the tip, that one counted; -1 when it is not on the best chain.
pub fn confirmations(view: &View<'_>, hash: &BlockHash, height: Height) -> i64 {
    let chain = view.node.chain();
    match chain.active().get(height.0 as usize) == Some(hash) {
        true => i64::from(chain.height().since(height)) + 1,
        false => -1,
    }
}

/// The header of a block that is known.
pub fn header_json(view: &View<'_>, hash: &BlockHash, header: &BlockHeader) -> Value {
    let chain = view.node.chain();
    let headers = chain.headers();
    let height = headers.height(hash).unwrap_or_default();
    let confirmations = confirmations(view, hash, height);
    let is_active = confirmations > 0;
    let next = chain.active().get(height.0 as usize + 1).filter(|_| is_active);
    let median = chain.ledger().median_time_past_at(height).filter(|_| is_active);
    json!({
        "hash": hash.to_string(),
        "confirmations": confirmations,
        "height": height.0,
        "version": header.version,
        "merkleroot": header.merkle_root.to_string(),
        "time": header.time.0,
        "mediantime": median.map(|median| median.0),
        "nonce": header.nonce,
        "bits": format!("{:08x}", header.bits.0),
        "target": header.bits.target().ok().map(|target| big(target.to_le_bytes())),
        "chainwork": headers.work(hash).map(|work| big(work.to_le_bytes())),
        "previousblockhash": (height > Height(0)).then(|| header.previous.to_string()),
        "nextblockhash": next.map(ToString::to_string),
    })
}

/// A block: its header, and the ids of its transactions or all of them.
pub fn block_json(view: &View<'_>, hash: &BlockHash, block: &Block, in_full: bool) -> Value {
    let mut json = header_json(view, hash, &block.header);
    let transactions = block.transactions.iter().map(|transaction| match in_full {
        true => transaction::transaction_json(transaction),
        false => transaction.txid().to_string().into(),
    });
    json["tx"] = transactions.collect();
    json["nTx"] = block.transactions.len().into();
    json["size"] = encode(block).len().into();
    json
}
