//! Applying one transaction: spending and creating. What its action does is in `action`.

use super::ledger::{Coin, Created};
use super::view::View;
use crate::escrow::{JobError, Moment};
use crate::job::TermsError;
use crate::keys::{Signature, SignatureCheck, Verifier};
use crate::primitives::{Amount, Height, Txid};
use crate::script::{ScriptError, evaluate};
use crate::tx::{ActionKind, Lock, NO_EXPIRY, OutPoint, SpendSignatures, Transaction, TxOut, signature_hash};
use alloc::collections::BTreeSet;

/// Lock times below this are heights, others are seconds (Bitcoin's `LOCKTIME_THRESHOLD`).
const LOCK_TIME_THRESHOLD: u32 = 500_000_000;

/// Why a transaction is invalid here and now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// The version is neither 1 nor 2, or 1 with an action.
    #[error("version {0} is unknown or does not allow the action")]
    Version(u32),
    /// A job id without an action on a job, or such an action without a job id.
    #[error("a job id and an action on a job must come together")]
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
    /// The ticket does not exist.
    #[error("no such ticket")]
    NoSuchTicket,
    /// The registration's key is not a point, or it names no model.
    #[error("the registration names no model, or a key off the curve")]
    Registration,
    /// The ticket's bond cannot be withdrawn now, or is being withdrawn already.
    #[error("the ticket does not allow {0} now")]
    Ticket(&'static str),
    /// The holder of the ticket has not signed.
    #[error("the ticket's holder has not signed")]
    TicketSignature,
    /// The job's state machine refuses.
    #[error(transparent)]
    Job(#[from] JobError),
}

pub(super) type Result<T> = core::result::Result<T, TransactionError>;

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
    if action.is_some_and(|action| action.kind.concerns_job()) != transaction.job_id.is_some() {
        return Err(TransactionError::JobIdWithoutAction);
    }
    if transaction.is_coinbase() {
        return Err(TransactionError::Coinbase);
    }
    let may_lack_inputs = action.is_some_and(|action| action.kind.is_bare());
    // Without inputs there is nothing to pay outputs with, not even empty ones, and no sequence that
    // gives a lock time a meaning: there is one form of such a transaction.
    let is_plain = transaction.outputs.is_empty() && transaction.lock_time == 0;
    if transaction.inputs.is_empty() && !(may_lack_inputs && is_plain) {
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
pub(super) struct Application<'v, 'l, 't> {
    pub(super) view: &'v mut View<'l>,
    pub(super) transaction: &'t Transaction,
    pub(super) txid: Txid,
    pub(super) moment: Moment,
    pub(super) verifier: &'t dyn Verifier,
    /// Sum of the inputs spent so far.
    pub(super) spent: Amount,
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
            // No block is before the genesis block: its coins count from its own time.
            let genesis_time = self.view.ledger().params().genesis_time;
            let since = coin.created.mtp_before.max(genesis_time);
            u64::from(self.moment.mtp_before.0) >= since.plus_seconds(u64::from(count) << 9)
        };
        if reached {
            Ok(())
        } else {
            Err(TransactionError::RelativelyLocked(index))
        }
    }

    /// A coin that this transaction creates, spendable from `spendable_from`.
    pub(super) fn coin(&self, output: TxOut, spendable_from: Height) -> Coin {
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
            _ => Err(TransactionError::NativeInput(input.previous)),
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
            let asked_for = self.kind().is_some_and(|kind| !kind.is_bare());
            if native && !(index == 0 && asked_for) {
                return Err(TransactionError::NativeOutput(index));
            }
            sum = sum.checked_add(output.value).ok_or(TransactionError::Overflow)?;
            let coin = self.coin(output.clone(), Height(0));
            self.view.set_coin(self.output(index), Some(coin));
        }
        Ok(sum)
    }

    pub(super) fn kind(&self) -> Option<&'t ActionKind> {
        self.transaction.action.as_ref().map(|action| &action.kind)
    }

    pub(super) fn output(&self, index: u32) -> OutPoint {
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
