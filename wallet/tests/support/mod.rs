//! Wallets with coins on the simulator's network.

// Each test binary uses its own part.
#![allow(dead_code)]

use camelid_core::block::genesis_block;
use camelid_core::chain::{AppliedBody, Chain};
use camelid_core::keys::{EcdsaVerifier, SecretKey};
use camelid_core::params::{Allocation, Params};
use camelid_core::primitives::{Amount, BlockHash, BoundedVec, Hash256, Timestamp, Txid};
use camelid_core::script::{Script, key_hash_script};
use camelid_core::tx::{Lock, OutPoint, Transaction, TxOut};
use camelid_wallet::coin::{Coin, FeeRate};
use camelid_wallet::payment::Policy;
use std::sync::Arc;

pub fn units(units: u64) -> Amount {
    Amount::from_units(units).unwrap()
}

pub fn secret(index: u8) -> SecretKey {
    SecretKey::from_bytes([index; 32]).unwrap()
}

pub fn script_of(owner: u8) -> Script {
    key_hash_script(&secret(owner).public_key().key_hash().0)
}

pub fn pay_to(owner: u8, value: u64) -> TxOut {
    TxOut::to_script(units(value), script_of(owner))
}

pub fn per_byte(units: u64) -> FeeRate {
    FeeRate::per_byte(units).unwrap()
}

pub fn policy(fee_rate: FeeRate) -> Policy {
    Policy::at(fee_rate)
}

/// A coin that is on no chain.
pub fn coin(number: u64, value: u64, owner: u8) -> Coin {
    let mut txid = [0; 32];
    txid[..8].copy_from_slice(&number.to_le_bytes());
    Coin {
        outpoint: OutPoint {
            txid: Txid(txid),
            index: 0,
        },
        value: units(value),
        script: script_of(owner),
    }
}

/// A network on which these have coins from the start, and those coins.
pub struct World {
    pub chain: Chain,
    pub coins: Vec<Coin>,
}

impl World {
    pub fn new(outputs: &[TxOut]) -> Self {
        let allocations = outputs.iter().map(|output| match &output.lock {
            Lock::Script(script) => Allocation {
                script: script.clone(),
                amount: output.value,
            },
            _ => panic!("the genesis block pays to scripts"),
        });
        let params = Arc::new(Params {
            allocations: BoundedVec::from_vec(allocations.collect()).unwrap(),
            ..Params::simnet()
        });
        let txid = genesis_block(&params).transactions[0].txid();
        let coins = (0..).zip(outputs).map(|(index, output)| Coin {
            outpoint: OutPoint { txid, index },
            value: output.value,
            script: match &output.lock {
                Lock::Script(script) => script.clone(),
                _ => Script::empty(),
            },
        });
        Self {
            coins: coins.collect(),
            chain: Chain::new(params, Arc::new(EcdsaVerifier), 1),
        }
    }

    pub fn genesis(&self) -> BlockHash {
        *self.chain.ledger().genesis()
    }

    /// What the chain says of a transaction in the next block: the fee, if it is valid.
    pub fn fee_of(&self, transaction: &Transaction) -> Result<Amount, String> {
        let ledger = self.chain.ledger();
        let time = Timestamp(ledger.median_time_past().0 + 60);
        let subsidy = ledger.params().subsidy_at(ledger.next_moment(time).height);
        let body = AppliedBody::new(ledger, time, &[transaction], &EcdsaVerifier);
        let reward = body
            .and_then(|body| body.reward())
            .map_err(|error| error.to_string())?;
        Ok(reward.checked_sub(subsidy).unwrap())
    }
}

pub fn known(coins: &[Coin]) -> impl Fn(&OutPoint) -> Option<TxOut> {
    move |outpoint| {
        coins
            .iter()
            .find(|coin| coin.outpoint == *outpoint)
            .map(Coin::output)
    }
}

pub fn no_hash() -> Hash256 {
    Hash256([0; 32])
}
