//! Payments, and payments that replace others.

use crate::coin::{Coin, EMPTY_BYTES, FeeRate, INPUT_BYTES, output_bytes};
use crate::selection::{MAX_INPUTS, NotEnough, Selection, Target, select};
use camelid_core::primitives::{Amount, BoundedVec, Stream};
use camelid_core::script::{Script, is_standard};
use camelid_core::tx::{Lock, NO_EXPIRY, Transaction, TxIn, TxOut};
use std::cmp::Reverse;

/// What a payment costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What is paid now.
    pub fee_rate: FeeRate,
    /// What waiting would let one pay.
    pub long_term_rate: FeeRate,
    /// What nodes ask for at least, and for a replacement once more.
    pub relay_rate: FeeRate,
}

impl Policy {
    /// `fee_rate` now, 2 units a byte at another time, and the relay rate of nodes, 1 unit a byte.
    pub fn at(fee_rate: FeeRate) -> Self {
        let per_byte = |units| FeeRate::per_byte(units).unwrap_or(FeeRate::MAX);
        Self {
            fee_rate,
            long_term_rate: per_byte(2),
            relay_rate: per_byte(1),
        }
    }

    /// The least value of an output: three times what creating and spending it costs at the relay rate
    /// (the factor of Bitcoin's rule). Less is *dust*.
    pub fn dust_limit(&self, output: &TxOut) -> u64 {
        self.relay_rate.fee(3 * (output_bytes(output) + INPUT_BYTES))
    }
}

/// Why there is no payment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// Nobody is paid.
    #[error("nobody is paid")]
    NoPayments,
    /// More payments than a transaction has room for that nodes relay.
    #[error("the payments have {0} bytes, a transaction has room for {MAX_PAYMENT_BYTES}: pay in several")]
    TooMany(u64),
    /// An output that nodes do not relay; which, from 0.
    #[error("payment {} is to a script that nodes do not relay", .0 + 1)]
    NotStandard(usize),
    /// An output that is worth less than spending it costs.
    #[error("payment {} of {value} is less than {limit} and would not be relayed", .index + 1)]
    Dust {
        /// Which, from 0.
        index: usize,
        /// Its value.
        value: Amount,
        /// The least.
        limit: Amount,
    },
    /// The payments come to more than all coins that there can be.
    #[error("the payments add up to more coins than there are")]
    Overflow,
    /// The coins do not suffice.
    #[error("not enough coins: {needed} is needed with fees, {available} can be spent")]
    NotEnough {
        /// What the coins bring, less the fees for spending them.
        available: Amount,
        /// Payments, and fees for the rest of the transaction.
        needed: Amount,
    },
    /// The transaction to be replaced does not spend the coins that were given.
    #[error("the coins are not those that the transaction spends")]
    WrongCoins,
}

/// Most bytes of payments, some 700 of them: with [`MAX_INPUTS`] inputs and change they stay below
/// the 100,000 bytes of a transaction that nodes relay.
pub const MAX_PAYMENT_BYTES: u64 = 28_000;

/// A transaction that is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Without any `script_sig`.
    pub transaction: Transaction,
    /// What its inputs spend, in their order.
    pub coins: Vec<Coin>,
    /// Which output is change.
    pub change: Option<usize>,
    /// What it pays to the miner.
    pub fee: Amount,
}

/// Plans a payment from some of `coins`, the rest of which goes to `change`. With change, the fee is
/// exactly that of [`Policy::fee_rate`]; without, what is too little for change is added to it. The same
/// arguments give the same plan; `seed` should be random otherwise, since it hides which output
/// is change.
///
/// # Errors
/// [`PaymentError`].
pub fn plan(
    coins: &[Coin],
    payments: &[TxOut],
    change: &Script,
    policy: &Policy,
    seed: u64,
) -> Result<Plan, PaymentError> {
    let paid = check_payments(payments, policy)?;
    let change = TxOut::to_script(Amount::ZERO, change.clone());
    let target = Target {
        amount: paid.units() + policy.fee_rate.fee(bytes_without_inputs(payments)),
        fee_rate: policy.fee_rate,
        long_term_rate: policy.long_term_rate,
        change_fee: policy.fee_rate.fee(output_bytes(&change)),
        min_change: policy.dust_limit(&change),
    };
    let Selection {
        coins: chosen,
        change: has_change,
        ..
    } = select(coins, &target, seed)?;
    let chosen: Vec<Coin> = chosen
        .iter()
        .filter_map(|index| coins.get(*index).cloned())
        .collect();
    let fee = has_change.map(|_| {
        let bytes = bytes_without_inputs(payments) + output_bytes(&change);
        policy.fee_rate.fee(bytes + INPUT_BYTES * chosen.len() as u64)
    });
    Draft {
        coins: chosen,
        payments,
        change: &change.lock,
        paid,
    }
    .finish(fee, seed)
}

/// Plans a payment that takes the place of `original`, which spends `spent` (in the order of its
/// inputs) and may have change at `change`. It pays the same others the same, from the same coins and as
/// many of `more` as it takes, and a fee by [`Policy::fee_rate`], but at least so much that nodes accept it:
/// more per byte, and in all more by what relaying it costs.
///
/// # Errors
/// [`PaymentError`].
pub fn replace(
    original: &Transaction,
    spent: &[Coin],
    change: &Script,
    more: &[Coin],
    policy: &Policy,
    seed: u64,
) -> Result<Plan, PaymentError> {
    let is_spent = |(input, coin): (&TxIn, &Coin)| input.previous == coin.outpoint;
    if original.inputs.len() != spent.len() || !original.inputs.iter().zip(spent).all(is_spent) {
        return Err(PaymentError::WrongCoins);
    }
    let change_lock = Lock::Script(change.clone());
    let change = TxOut::to_script(Amount::ZERO, change.clone());
    let payments: Vec<TxOut> = (original.outputs.iter())
        .filter(|output| output.lock != change_lock)
        .cloned()
        .collect();
    let paid = check_payments(&payments, policy)?;
    let before = sum_of(spent)?;
    let created = Amount::checked_sum(original.outputs.iter().map(|output| output.value));
    let old_fee = created
        .and_then(|created| before.checked_sub(created))
        .ok_or(PaymentError::WrongCoins)?;
    let old_bytes = bytes_without_inputs(&original.outputs) + INPUT_BYTES * spent.len() as u64;
    let fee_for = |bytes: u64| replacement_fee(policy, (old_fee.units(), old_bytes), bytes);

    let mut draft = Draft {
        coins: spent.to_vec(),
        payments: &payments,
        change: &change_lock,
        paid,
    };
    let mut more: Vec<&Coin> = more.iter().filter(|coin| !spent.contains(coin)).collect();
    more.sort_by_key(|coin| (Reverse(coin.value), coin.outpoint));
    let mut more = more.into_iter();
    loop {
        let bytes = bytes_without_inputs(&payments) + INPUT_BYTES * draft.coins.len() as u64;
        let left = sum_of(&draft.coins)?.checked_sub(paid).map_or(0, Amount::units);
        let with_change = fee_for(bytes + output_bytes(&change));
        if left >= with_change.saturating_add(policy.dust_limit(&change)) {
            return draft.finish(Some(with_change), seed);
        }
        if left >= fee_for(bytes) {
            return draft.finish(None, seed);
        }
        match more.next() {
            Some(coin) if draft.coins.len() < MAX_INPUTS => draft.coins.push(coin.clone()),
            _ => {
                return Err(PaymentError::NotEnough {
                    available: amount(sum_of(&draft.coins)?.units()),
                    needed: amount(paid.units().saturating_add(fee_for(bytes))),
                });
            }
        }
    }
}

/// The least fee of a replacement of `bytes` bytes for a transaction with fee and size `old`.
fn replacement_fee(policy: &Policy, old: (u64, u64), bytes: u64) -> u64 {
    let (old_fee, old_bytes) = old;
    let same_rate = u128::from(old_fee) * u128::from(bytes) / u128::from(old_bytes.max(1));
    let higher_rate = u64::try_from(same_rate).unwrap_or(u64::MAX).saturating_add(1);
    let relayed = old_fee.saturating_add(policy.relay_rate.fee(bytes));
    policy.fee_rate.fee(bytes).max(relayed).max(higher_rate)
}

/// Coins and payments before it is known what is left.
struct Draft<'a> {
    coins: Vec<Coin>,
    payments: &'a [TxOut],
    change: &'a Lock,
    paid: Amount,
}

impl Draft<'_> {
    /// The transaction with a fee of `fee`, and the rest as change; with all of the rest as the fee where
    /// `fee` is `None`.
    fn finish(self, fee: Option<u64>, seed: u64) -> Result<Plan, PaymentError> {
        let left = sum_of(&self.coins)?
            .checked_sub(self.paid)
            .ok_or(PaymentError::Overflow)?;
        let fee = fee.map_or(left, amount);
        let rest = left.checked_sub(fee).ok_or(PaymentError::Overflow)?;
        let mut outputs = self.payments.to_vec();
        let change = (!rest.is_zero()).then(|| {
            let places = outputs.len() as u64 + 1;
            let place = Stream::new(seed, "place of change").below(places);
            let place = usize::try_from(place).unwrap_or(0);
            let output = TxOut {
                value: rest,
                lock: self.change.clone(),
            };
            outputs.insert(place, output);
            place
        });
        Ok(Plan {
            transaction: unsigned(&self.coins, outputs)?,
            coins: self.coins,
            change,
            fee,
        })
    }
}

fn unsigned(coins: &[Coin], outputs: Vec<TxOut>) -> Result<Transaction, PaymentError> {
    let bytes = outputs.iter().map(output_bytes).sum();
    let inputs = coins.iter().map(|coin| TxIn {
        previous: coin.outpoint,
        script_sig: Script::empty(),
        sequence: NO_EXPIRY,
    });
    let inputs = BoundedVec::from_vec(inputs.collect());
    let (inputs, outputs) = inputs
        .zip(BoundedVec::from_vec(outputs))
        .ok_or(PaymentError::TooMany(bytes))?;
    Ok(Transaction {
        version: 1,
        inputs,
        outputs,
        lock_time: 0,
        job_id: None,
        action: None,
    })
}

/// The sum of payments that nodes relay.
fn check_payments(payments: &[TxOut], policy: &Policy) -> Result<Amount, PaymentError> {
    if payments.is_empty() {
        return Err(PaymentError::NoPayments);
    }
    let bytes = payments.iter().map(output_bytes).sum();
    if bytes > MAX_PAYMENT_BYTES {
        return Err(PaymentError::TooMany(bytes));
    }
    for (index, payment) in payments.iter().enumerate() {
        if !matches!(&payment.lock, Lock::Script(script) if is_standard(script)) {
            return Err(PaymentError::NotStandard(index));
        }
        let limit = amount(policy.dust_limit(payment));
        if payment.value < limit {
            let value = payment.value;
            return Err(PaymentError::Dust { index, value, limit });
        }
    }
    let sum = Amount::checked_sum(payments.iter().map(|payment| payment.value));
    sum.ok_or(PaymentError::Overflow)
}

fn bytes_without_inputs(outputs: &[TxOut]) -> u64 {
    EMPTY_BYTES + outputs.iter().map(output_bytes).sum::<u64>()
}

fn sum_of(coins: &[Coin]) -> Result<Amount, PaymentError> {
    Amount::checked_sum(coins.iter().map(|coin| coin.value)).ok_or(PaymentError::Overflow)
}

/// `units` as an amount; the largest where there are not so many.
fn amount(units: u64) -> Amount {
    Amount::from_units(units).unwrap_or(Amount::MAX)
}

impl From<NotEnough> for PaymentError {
    fn from(error: NotEnough) -> Self {
        Self::NotEnough {
            available: amount(error.available),
            needed: amount(error.needed),
        }
    }
}
