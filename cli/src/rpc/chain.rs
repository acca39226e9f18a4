//! Methods about the chain.

use super::arguments::{Arguments, Kind, Parameter, hex, missing};
use super::block::{big, block_json, confirmations, header_json};
use super::error::RpcError;
use super::method::{Action, Answer, Group, Method};
use super::service::View;
use super::transaction::transaction_json;
use camelid_core::block::Block;
use camelid_core::primitives::{BlockHash, Height, Txid, encode};
use camelid_core::tx::Transaction;
use serde_json::{Value, json};
use std::sync::Arc;

/// Blocks below the tip in which a transaction is looked for unless its block is named: there is no index.
const SEARCHED_BLOCKS: usize = 100;

const HEIGHT: Kind = Kind::Number(u32::MAX as u64);

/// The methods.
pub const METHODS: Group = Group {
    name: "Chain",
    methods: &[
        Method {
            name: "getblockchaininfo",
            parameters: &[],
            help: "Where the chain stands.",
            action: Action::Look(info),
        },
        Method {
            name: "getblockcount",
            parameters: &[],
            help: "Height of the tip.",
            action: Action::Look(|view, _| Ok(view.node.chain().height().0.into())),
        },
        Method {
            name: "getbestblockhash",
            parameters: &[],
            help: "Hash of the tip.",
            action: Action::Look(|view, _| Ok(view.node.chain().tip().to_string().into())),
        },
        Method {
            name: "getblockhash",
            parameters: &[Parameter::required(
                "height",
                HEIGHT,
                "A height of the best chain.",
            )],
            help: "Hash of the block at a height.",
            action: Action::Look(block_hash),
        },
        Method {
            name: "getblock",
            parameters: &[
                Parameter::required("blockhash", Kind::BlockHash, "The block's hash."),
                Parameter::optional(
                    "verbosity",
                    Kind::Number(2),
                    "0: its encoding; 1, unless given: with transaction ids; 2: with transactions.",
                ),
            ],
            help: "A block.",
            action: Action::Look(block),
        },
        Method {
            name: "getblockheader",
            parameters: &[
                Parameter::required("blockhash", Kind::BlockHash, "The block's hash."),
                Parameter::optional("verbose", Kind::Flag, "false: the 80 bytes; true unless given."),
            ],
            help: "A block's header.",
            action: Action::Look(header),
        },
        Method {
            name: "getrawtransaction",
            parameters: &[
                Parameter::required("txid", Kind::Hash, "The transaction's id."),
                Parameter::optional("verbose", Kind::Flag, "true: taken apart; false unless given."),
                Parameter::optional("blockhash", Kind::BlockHash, "The block to look into."),
            ],
            help: "A transaction of the mempool, of the block that is named, or of the last 100.",
            action: Action::Look(raw_transaction),
        },
    ],
};

fn info(view: &View<'_>, _: &Arguments) -> Answer {
    let chain = view.node.chain();
    let (headers, ledger) = (chain.headers(), chain.ledger());
    let tip = chain.tip();
    let header = headers.header(&tip);
    let best = headers.height(&headers.best()).unwrap_or_default();
    let totals = ledger.totals();
    Ok(json!({
        "genesis": headers.genesis().to_string(),
        "blocks": chain.height().0,
        "headers": best.0,
        "bestblockhash": tip.to_string(),
        "bits": header.map(|header| format!("{:08x}", header.bits.0)),
        "time": header.map(|header| header.time.0),
        "mediantime": ledger.median_time_past().0,
        "initialblockdownload": best > chain.height(),
        "chainwork": headers.work(&tip).map(|work| big(work.to_le_bytes())),
        "issued": totals.issued.to_string(),
        "burned": totals.burned.to_string(),
        "auditfund": totals.audit_fund.to_string(),
        "jobs": ledger.job_count(),
        "openjobs": ledger.unclosed_jobs().count(),
        "ledgerdigest": ledger.digest().to_string(),
    }))
}

fn block_hash(view: &View<'_>, arguments: &Arguments) -> Answer {
    let height = arguments.small("height").ok_or_else(|| missing("height"))?;
    let hash = view.node.chain().active().get(height as usize);
    let hash = hash.ok_or_else(|| RpcError::new(RpcError::RANGE, "the chain is not that high"))?;
    Ok(hash.to_string().into())
}

/// The block that `name` names.
fn named_block(
    view: &View<'_>,
    arguments: &Arguments,
    name: &str,
) -> Result<(BlockHash, Arc<Block>), RpcError> {
    let hash = arguments.block_hash(name).ok_or_else(|| missing(name))?;
    let chain = view.node.chain();
    let block = chain.block(&hash).ok_or_else(|| {
        RpcError::not_found(match chain.headers().header(&hash) {
            Some(_) => "the block has not been downloaded, or is invalid",
            None => "there is no such block here",
        })
    })?;
    Ok((hash, block))
}

fn block(view: &View<'_>, arguments: &Arguments) -> Answer {
    let (hash, block) = named_block(view, arguments, "blockhash")?;
    Ok(match arguments.number("verbosity").unwrap_or(1) {
        0 => hex(&encode(&*block)).into(),
        verbosity => block_json(view, &hash, &block, verbosity > 1),
    })
}

fn header(view: &View<'_>, arguments: &Arguments) -> Answer {
    let hash = arguments
        .block_hash("blockhash")
        .ok_or_else(|| missing("blockhash"))?;
    let header = view.node.chain().headers().header(&hash);
    let header = header.ok_or_else(|| RpcError::not_found("there is no such block here"))?;
    Ok(match arguments.flag("verbose").unwrap_or(true) {
        true => header_json(view, &hash, header),
        false => hex(&encode(header)).into(),
    })
}

fn raw_transaction(view: &View<'_>, arguments: &Arguments) -> Answer {
    let txid = Txid(arguments.hash("txid").ok_or_else(|| missing("txid"))?);
    let is_verbose = arguments.flag("verbose").unwrap_or(false);
    let raw = |transaction: &Transaction| Value::from(hex(&encode(transaction)));
    if arguments.block_hash("blockhash").is_some() {
        let (hash, block) = named_block(view, arguments, "blockhash")?;
        let found = in_block(&block, &txid).ok_or_else(|| RpcError::not_found("it is not in that block"))?;
        return Ok(if is_verbose {
            mined_json(view, &hash, &block, found)
        } else {
            raw(found)
        });
    }
    if let Some(found) = view.node.mempool().by_txid(&txid) {
        return Ok(if is_verbose {
            transaction_json(found)
        } else {
            raw(found)
        });
    }
    let chain = view.node.chain();
    let recent = chain.active().iter().rev().take(SEARCHED_BLOCKS);
    for (hash, block) in recent.filter_map(|hash| Some((hash, chain.block(hash)?))) {
        if let Some(found) = in_block(&block, &txid) {
            return Ok(match is_verbose {
                true => mined_json(view, hash, &block, found),
                false => raw(found),
            });
        }
    }
    let message =
        format!("it is neither in the mempool nor in the last {SEARCHED_BLOCKS} blocks: name its block");
    Err(RpcError::not_found(message))
}

fn in_block<'a>(block: &'a Block, txid: &Txid) -> Option<&'a Transaction> {
    block
        .transactions
        .iter()
        .find(|transaction| transaction.txid() == *txid)
}

fn mined_json(view: &View<'_>, hash: &BlockHash, block: &Block, transaction: &Transaction) -> Value {
    let height = view.node.chain().headers().height(hash).unwrap_or(Height(0));
    let mut json = transaction_json(transaction);
    json["blockhash"] = hash.to_string().into();
    json["height"] = height.0.into();
    json["confirmations"] = confirmations(view, hash, height).into();
    json["blocktime"] = block.header.time.0.into();
    json
}
