//! Applying one transaction: spending, creating, and acting on a job.

use super::ledger::{Coin, Created};
use super::view::View;
use crate::escrow::{Closing, Effects, Event, Facts, JobError, JobRecord, JobState, Moment, transition};
use crate::job::{Terms, TermsError};
use crate::keys::{Signature, SignatureCheck, Verifier};
use crate::primitives::{Amount, Height, JobId, Txid};
use crate::script::{ScriptError, evaluate};
use crate::tx::{
    Action, ActionKind, Lock, NO_EXPIRY, OutPoint, SpendSignatures, Transaction, TxOut, signature_hash,
};
use alloc::collections::BTreeSet;

/// Lock times below this are heights, others are seconds (Bitcoin's `LOCKTIME_THRESHOLD`).
const LOCK_TIME_THRESHOLD: u32 = 500_000_000;

/// Why a transaction is invalid here and now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// The version is neither 1 nor 2, or 1 with an action.
    #[error("version {0} is unknown or does not allow the action")]
    Version(u32),
    /// A job id without an action, or an action without a job id.
    #[error("job id and action must come together")]
    JobIdWithoutAction,
    /// The job id is not the one that terms and first input give.
    #[error("the job id is not that of the terms")]
    WrongJobId,
    /// It has no inputs, and its action does not allow that.
    #[error("no inputs")]
    NoInputs,
    /// It has no outputs and no action.
    #[error("no outputs")]
    NoOutputs,
    /// It spends an output twice.
    #[error("{0} is spent twice")]
    DuplicateInput(OutPoint),
    /// A coinbase where none may stand.
    #[error("a coinbase outside the first place of a block")]
    Coinbase,
    /// Its lock time has not been reached.
    #[error("locked until {0}")]
    Locked(u32),
    /// An input's relative lock time has not been reached.
    #[error("input {0} is locked for longer")]
    RelativelyLocked(u32),
    /// It spends an output that does not exist, or no longer.
    #[error("{0} does not exist or is spent")]
    MissingCoin(OutPoint),
    /// It spends an output that is not yet mature.
    #[error("{outpoint} may be spent from height {spendable_from}")]
    Immature {
        /// The output.
        outpoint: OutPoint,
        /// The first height at which it may be spent.
        spendable_from: Height,
    },
    /// It spends an output that only the job ledger moves.
    #[error("{0} belongs to the job ledger")]
    NativeInput(OutPoint),
    /// It creates a native output that its action does not ask for.
    #[error("output {0} has a native lock that the action does not ask for")]
    NativeOutput(u32),
    /// Output 0 is not the native output that the action asks for.
    #[error("output 0 must be {kind} of {value}")]
    WrongNativeOutput {
        /// Its lock.
        kind: &'static str,
        /// Its value.
        value: Amount,
    },
    /// A script is not satisfied.
    #[error("input {index}: {error}")]
    Script {
        /// Which input.
        index: u32,
        /// Why.
        error: ScriptError,
    },
    /// The client's signature for the escrow is missing or wrong.
    #[error("the client has not signed for the escrow")]
    EscrowSignature,
    /// Its outputs exceed its inputs.
    #[error("outputs exceed inputs")]
    Overspent,
    /// Engage pays out more than the node's inputs less the stake: it would eat into the escrow.
    #[error("the node's change exceeds its inputs less the stake")]
    EngageChange,
    /// An amount overflows.
    #[error("amounts overflow")]
    Overflow,
    /// The job exists already.
    #[error("the job exists already")]
    JobExists,
    /// The job does not exist.
    #[error("no such job")]
    NoSuchJob,
    /// The record has moved on.
    #[error("the action names record {given}, the job is at {current}")]
    WrongSeq {
        /// The sequence number named.
        given: u32,
        /// The record's.
        current: u32,
    },
    /// The terms are not acceptable.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The job's state machine refuses.
    #[error(transparent)]
    Job(#[from] JobError),
}

type Result<T> = core::result::Result<T, TransactionError>;

/// Applies `transaction` to `view` at `moment` and returns its fee. On an error the view is to be
/// thrown away: it may hold part of the changes.
///
/// # Errors
/// [`TransactionError`] names the rule that is broken.
pub fn apply_transaction(
    view: &mut View<'_>,
    transaction: &Transaction,
    moment: Moment,
    verifier: &dyn Verifier,
) -> Result<Amount> {
    check_shape(transaction)?;
    check_lock_time(transaction, moment)?;
    let txid = transaction.txid();
    let mut application = Application {
        view,
        transaction,
        txid,
        moment,
        verifier,
        spent: Amount::ZERO,
    };
    application.spend_inputs()?;
    let created = application.create_outputs()?;
    let released = application.act()?;
    // Outputs are paid for by inputs alone: what an action releases is a fee.
    let left = application
        .spent
        .checked_sub(created)
        .ok_or(TransactionError::Overspent)?;
    left.checked_add(released).ok_or(TransactionError::Overflow)
}

/// What can be seen without the ledger.
fn check_shape(transaction: &Transaction) -> Result<()> {
    let action = transaction.action.as_ref();
    if !(transaction.version == 2 || transaction.version == 1 && action.is_none()) {
        return Err(TransactionError::Version(transaction.version));
    }
    if action.is_some() != transaction.job_id.is_some() {
        return Err(TransactionError::JobIdWithoutAction);
    }
    if transaction.is_coinbase() {
        return Err(TransactionError::Coinbase);
    }
    let kind = action.map(|action| &action.kind);
    let may_lack_inputs = matches!(
        kind,
        Some(ActionKind::Settle | ActionKind::Deliver(_) | ActionKind::BadDelivery(_))
    );
    // Without inputs there is nothing to pay outputs with, not even empty ones.
    if transaction.inputs.is_empty() && !(may_lack_inputs && transaction.outputs.is_empty()) {
        return Err(TransactionError::NoInputs);
    }
    if transaction.outputs.is_empty() && action.is_none() {
        return Err(TransactionError::NoOutputs);
    }
    let mut seen = BTreeSet::new();
    match transaction
        .inputs
        .iter()
        .find(|input| !seen.insert(input.previous))
    {
        Some(twice) => Err(TransactionError::DuplicateInput(twice.previous)),
        None => Ok(()),
    }
}

/// Lock times count blocks or compare with the median time past of the parent (BIP 113).
fn check_lock_time(transaction: &Transaction, moment: Moment) -> Result<()> {
    let lock_time = transaction.lock_time;
    let reached = if lock_time < LOCK_TIME_THRESHOLD {
        moment.height.0 > lock_time
    } else {
        moment.mtp_before.0 > lock_time
    };
    let ignored = transaction.inputs.iter().all(|input| input.sequence == NO_EXPIRY);
    if lock_time == 0 || reached || ignored {
        Ok(())
    } else {
        Err(TransactionError::Locked(lock_time))
    }
}

/// One transaction on its way into a view.
struct Application<'v, 'l, 't> {
    view: &'v mut View<'l>,
    transaction: &'t Transaction,
    txid: Txid,
    moment: Moment,
    verifier: &'t dyn Verifier,
    /// Sum of the inputs spent so far.
    spent: Amount,
}

impl<'t> Application<'_, '_, 't> {
    fn spend_inputs(&mut self) -> Result<()> {
        for (index, input) in (0..).zip(self.transaction.inputs.iter()) {
            let outpoint = input.previous;
            let coin = self
                .view
                .coin(&outpoint)
                .ok_or(TransactionError::MissingCoin(outpoint))?
                .clone();
            if self.moment.height < coin.spendable_from {
                return Err(TransactionError::Immature {
                    outpoint,
                    spendable_from: coin.spendable_from,
                });
            }
            self.check_relative_lock(index, &coin)?;
            self.authorise(index, &coin.output)?;
            self.spent = self
                .spent
                .checked_add(coin.output.value)
                .ok_or(TransactionError::Overflow)?;
            self.view.set_coin(outpoint, None);
        }
        Ok(())
    }

    /// Relative lock times (BIP 68): blocks since the coin's block, or units of 512 seconds of median
    /// time past, for transactions of version 2 and later.
    fn check_relative_lock(&self, index: u32, coin: &Coin) -> Result<()> {
        const DISABLED: u32 = 1 << 31;
        const SECONDS: u32 = 1 << 22;
        let sequence = self
            .transaction
            .inputs
            .get(index as usize)
            .map_or(NO_EXPIRY, |input| input.sequence);
        if self.transaction.version < 2 || sequence & DISABLED != 0 {
            return Ok(());
        }
        let count = sequence & 0xffff;
        let reached = if sequence & SECONDS == 0 {
            self.moment.height >= coin.created.height.plus(count)
        } else {
            u64::from(self.moment.mtp_before.0) >= coin.created.mtp_before.plus_seconds(u64::from(count) << 9)
        };
        if reached {
            Ok(())
        } else {
            Err(TransactionError::RelativelyLocked(index))
        }
    }

    /// A coin that this transaction creates, spendable from `spendable_from`.
    fn coin(&self, output: TxOut, spendable_from: Height) -> Coin {
        Coin {
            output,
            created: Created::at(self.moment),
            spendable_from,
        }
    }

    fn authorise(&self, index: u32, spent: &TxOut) -> Result<()> {
        let Some(input) = self.transaction.inputs.get(index as usize) else {
            return Ok(());
        };
        match &spent.lock {
            Lock::Script(script) => {
                let genesis = self.view.ledger().genesis();
                let context =
                    SpendSignatures::new(genesis, self.transaction, &self.txid, index, spent, self.verifier);
                evaluate(&input.script_sig, script, &context)
                    .map_err(|error| TransactionError::Script { index, error })
            }
            Lock::Escrow if index == 0 => self.authorise_escrow(input.previous, spent),
            Lock::Escrow | Lock::Bond | Lock::Deposit => Err(TransactionError::NativeInput(input.previous)),
        }
    }

    /// An escrow moves only by the Engage of its own job, signed by the client.
    fn authorise_escrow(&self, outpoint: OutPoint, spent: &TxOut) -> Result<()> {
        let engages = matches!(self.kind(), Some(ActionKind::Engage { .. }));
        let record = self.transaction.job_id.as_ref().and_then(|id| self.view.job(id));
        let record = record.filter(|record| engages && record.escrow == outpoint);
        let record = record.ok_or(TransactionError::NativeInput(outpoint))?;
        let signature = self
            .transaction
            .inputs
            .first()
            .and_then(|input| pushed_signature(&input.script_sig));
        let check = signature.map(|signature| SignatureCheck {
            key: record.terms.client_key,
            digest: signature_hash(self.view.ledger().genesis(), &self.txid, 0, spent),
            signature,
        });
        match check {
            Some(check) if self.verifier.verify(&check) => Ok(()),
            _ => Err(TransactionError::EscrowSignature),
        }
    }

    /// Creates every output and returns the sum. Native outputs stand at index 0 and only where the
    /// action asks for one.
    fn create_outputs(&mut self) -> Result<Amount> {
        let mut sum = Amount::ZERO;
        for (index, output) in (0..).zip(self.transaction.outputs.iter()) {
            let native = !matches!(output.lock, Lock::Script(_));
            let asked_for = matches!(
                self.kind(),
                Some(ActionKind::OpenJob(_) | ActionKind::Engage { .. } | ActionKind::Withheld { .. })
            );
            if native && !(index == 0 && asked_for) {
                return Err(TransactionError::NativeOutput(index));
            }
            sum = sum.checked_add(output.value).ok_or(TransactionError::Overflow)?;
            let coin = self.coin(output.clone(), Height(0));
            self.view.set_coin(self.output(index), Some(coin));
        }
        Ok(sum)
    }

    /// Applies the action; returns money that it releases towards the fee.
    fn act(&mut self) -> Result<Amount> {
        let (Some(Action { seq, kind }), Some(id)) = (&self.transaction.action, self.transaction.job_id)
        else {
            return Ok(Amount::ZERO);
        };
        if let ActionKind::OpenJob(terms) = kind {
            return self.open_job(id, *seq, terms);
        }
        let record = self.view.job(&id).ok_or(TransactionError::NoSuchJob)?.clone();
        if record.seq != *seq {
            return Err(TransactionError::WrongSeq {
                given: *seq,
                current: record.seq,
            });
        }
        let event = self.event(kind, &record)?;
        let ledger = self.view.ledger();
        let facts = Facts {
            params: ledger.params(),
            genesis: ledger.genesis(),
            moment: self.moment,
            verifier: self.verifier,
        };
        let effects = transition(&record, &event, &facts)?;
        self.commit(effects)
    }

    fn open_job(&mut self, id: JobId, seq: u32, terms: &Terms) -> Result<Amount> {
        let first_input = self
            .transaction
            .inputs
            .first()
            .ok_or(TransactionError::NoInputs)?
            .previous;
        let ledger = self.view.ledger();
        if id != terms.job_id(ledger.genesis(), &first_input) {
            return Err(TransactionError::WrongJobId);
        }
        if seq != 0 {
            return Err(TransactionError::WrongSeq {
                given: seq,
                current: 0,
            });
        }
        if self.view.job(&id).is_some() {
            return Err(TransactionError::JobExists);
        }
        terms.check(ledger.params(), self.moment.height, self.moment.mtp_before)?;
        self.require_output_0(
            &Lock::Escrow,
            terms.escrow_value().ok_or(TransactionError::Overflow)?,
        )?;
        self.view.set_job(JobRecord {
            id,
            terms: terms.clone(),
            escrow: self.output(0),
            seq: 1,
            since: self.moment.opens(),
            state: JobState::Open,
        });
        Ok(Amount::ZERO)
    }

    /// The state machine's event for this action, after the checks on inputs and outputs that the
    /// state machine does not see.
    fn event(&self, kind: &'t ActionKind, record: &JobRecord) -> Result<Event<'t>> {
        Ok(match kind {
            ActionKind::Engage {
                commitment,
                node_key,
                payout,
            } => {
                self.check_engage(record)?;
                Event::Engage {
                    commitment: *commitment,
                    node_key: *node_key,
                    payout,
                    bond: self.output(0),
                }
            }
            ActionKind::Withheld { signature } => {
                let jobs = &self.view.ledger().params().jobs;
                let amount = jobs.withheld_deposit(record.terms.max_tokens);
                self.require_output_0(&Lock::Deposit, amount)?;
                let first_input = self
                    .transaction
                    .inputs
                    .first()
                    .ok_or(TransactionError::NoInputs)?
                    .previous;
                Event::Withheld {
                    signature: *signature,
                    first_input,
                    deposit: self.output(0),
                    amount,
                }
            }
            ActionKind::Deliver(delivery) => Event::Deliver(delivery),
            ActionKind::BadDelivery(evidence) => Event::BadDelivery(evidence),
            ActionKind::Settle => Event::Settle,
            ActionKind::OpenJob(_) => return Err(TransactionError::JobExists),
        })
    }

    /// Input 0 is the escrow, output 0 the bond, and the other outputs take no more than the other
    /// inputs less the stake: the engage fee goes to the miner.
    fn check_engage(&self, record: &JobRecord) -> Result<()> {
        if self.transaction.inputs.first().map(|input| input.previous) != Some(record.escrow) {
            return Err(TransactionError::MissingCoin(record.escrow));
        }
        let terms = &record.terms;
        self.require_output_0(&Lock::Bond, terms.bond_value().ok_or(TransactionError::Overflow)?)?;
        let change = self.transaction.outputs.iter().skip(1).map(|output| output.value);
        let change = Amount::checked_sum(change).ok_or(TransactionError::Overflow)?;
        let escrow = terms.escrow_value().ok_or(TransactionError::Overflow)?;
        let least = Amount::checked_sum([escrow, terms.stake, change]).ok_or(TransactionError::Overflow)?;
        if least > self.spent {
            Err(TransactionError::EngageChange)
        } else {
            Ok(())
        }
    }

    fn require_output_0(&self, lock: &Lock, value: Amount) -> Result<()> {
        match self.transaction.outputs.first() {
            Some(output) if output.lock == *lock && output.value == value => Ok(()),
            _ => Err(TransactionError::WrongNativeOutput {
                kind: lock_name(lock),
                value,
            }),
        }
    }

    /// Writes what a transition decided.
    ///
    /// # Panics
    /// When a closing does not hand out exactly what it releases: the ledger would be broken.
    fn commit(&mut self, effects: Effects) -> Result<Amount> {
        let mut released = Amount::ZERO;
        for outpoint in effects.released {
            let coin = self
                .view
                .coin(&outpoint)
                .ok_or(TransactionError::MissingCoin(outpoint))?;
            released = released
                .checked_add(coin.output.value)
                .ok_or(TransactionError::Overflow)?;
            self.view.set_coin(outpoint, None);
        }
        let id = effects.record.id;
        self.view.set_job(effects.record);
        let Some(closing) = effects.closing else {
            return Ok(released);
        };
        assert_eq!(
            closing.total(),
            Some(released),
            "job {id}: payouts must equal what was locked"
        );
        self.pay_out(&id, &closing)?;
        Ok(Amount::ZERO)
    }

    fn pay_out(&mut self, id: &JobId, closing: &Closing) -> Result<()> {
        let maturity = self.view.ledger().params().maturity;
        let disputed = closing.outcome.is_slash();
        let spendable_from = if disputed {
            self.moment.height.plus(maturity)
        } else {
            Height(0)
        };
        for (index, payout) in (0..).zip(&closing.payouts) {
            let output = TxOut::to_script(payout.amount, payout.script.clone());
            let coin = self.coin(output, spendable_from);
            self.view.set_coin(Closing::outpoint(id, index), Some(coin));
        }
        let totals = self.view.totals_mut();
        totals.audit_fund = totals
            .audit_fund
            .checked_add(closing.to_fund)
            .ok_or(TransactionError::Overflow)?;
        totals.burned = totals
            .burned
            .checked_add(closing.burned)
            .ok_or(TransactionError::Overflow)?;
        Ok(())
    }

    fn kind(&self) -> Option<&'t ActionKind> {
        self.transaction.action.as_ref().map(|action| &action.kind)
    }

    fn output(&self, index: u32) -> OutPoint {
        OutPoint {
            txid: self.txid,
            index,
        }
    }
}

/// The one 64-byte push of an escrow's `script_sig`.
fn pushed_signature(script_sig: &crate::script::Script) -> Option<Signature> {
    match script_sig.as_bytes() {
        [64, signature @ ..] => signature.try_into().ok().map(Signature),
        _ => None,
    }
}

fn lock_name(lock: &Lock) -> &'static str {
    match lock {
        Lock::Script(_) => "a script",
        Lock::Escrow => "an escrow",
        Lock::Bond => "a bond",
        Lock::Deposit => "a deposit",
    }
}
