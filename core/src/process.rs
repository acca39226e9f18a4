//! The one way into the core and the one way out.

use crate::block::BlockHeader;
use crate::committee::Finding;
use crate::escrow::Outcome;
use crate::job::Offer;
use crate::keys::{KeyHash, NodeId};
use crate::mempool::FeeRate;
use crate::model::{InferenceResult, InferenceTask, PromptTokens, Sampling};
use crate::node::Record;
use crate::primitives::{Amount, BlockHash, Digest, Height, JobId, ModelId, Time, Timestamp, Txid};
use crate::rastic::{Spec, Verdict};
use crate::tx::{ClaimKind, Transaction};
use crate::wire::{CheckRefusal, NetAddress, Packet};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// A [`Node`](crate::node::Node), and everything that imitates one.
///
/// The driver calls [`handle`](Process::handle) with one input at a time and carries out the
/// outputs in order. Time never goes back from call to call. The same inputs at the same times give
/// the same outputs and digests, on every machine.
pub trait Process {
    /// Handles one input at `now` and appends what is to be done to `out`.
    fn handle(&mut self, now: Time, input: Input, out: &mut Outputs);

    /// Fingerprint of the whole state.
    fn digest(&self) -> Digest;
}

/// What can happen to a node.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Input {
    /// The node begins to run; the first input, once, also after a recovery.
    Start,
    /// A packet from a peer. Any bytes.
    Message {
        /// The peer, as the transport knows it.
        from: NodeId,
        /// What it sent.
        packet: Packet,
    },
    /// A timer that was set has come due.
    TimerFired(Timer),
    /// An inference task is done.
    Inferred {
        /// The request that it answers.
        request: RequestId,
        /// Its result.
        result: InferenceResult,
    },
    /// The miner found a nonce for a template.
    Mined {
        /// The solved header.
        header: BlockHeader,
    },
    /// The operator asks for something.
    Command(Command),
    /// Something happened to a connection. A transport whose peers are fixed never says so.
    Connection(ConnectionEvent),
    /// A [`Record::Flush`] is durable, and the node's [`Store`](crate::chain::Store) shows it and all earlier records.
    Flushed,
}

/// What can happen to the connections of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ConnectionEvent {
    /// A peer is connected; it has proved that it holds the key of its id.
    Opened {
        /// The peer.
        peer: NodeId,
        /// The other end of the connection. Of an inbound one, where the peer sends from.
        address: NetAddress,
        /// Who opened it.
        direction: Direction,
    },
    /// A connection has ended, whoever ended it.
    Closed {
        /// The peer.
        peer: NodeId,
    },
    /// Nobody to talk to was found at an address that the node asked for.
    Failed {
        /// The address.
        address: NetAddress,
    },
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Direction {
    /// The peer.
    Inbound,
    /// This node.
    Outbound,
}

/// What a node wants done.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Output {
    /// Make a record durable. A barrier: nothing later in this batch, or in later batches, may leave
    /// the machine before it is.
    Persist(Box<Record>),
    /// Send a packet to a peer; it may get lost.
    Send {
        /// The peer.
        to: NodeId,
        /// What to send.
        packet: Packet,
    },
    /// Fire `timer` at `at`; replaces an earlier setting of the same timer.
    SetTimer {
        /// Which timer.
        timer: Timer,
        /// When.
        at: Time,
    },
    /// Run the model and answer with [`Input::Inferred`].
    Infer {
        /// Names the answer.
        request: RequestId,
        /// What to run.
        task: Box<InferenceTask>,
    },
    /// Mine this header from now on, instead of the one before, and answer with [`Input::Mined`].
    Mine {
        /// A header whose nonce (and, forwards, time) may be varied.
        template: BlockHeader,
    },
    /// Something that observers may want to know.
    Event(Event),
    /// Connect to whoever listens at an address; a [`ConnectionEvent`] tells what came of it.
    Connect {
        /// The address.
        address: NetAddress,
    },
    /// End the connection with a peer.
    Disconnect {
        /// The peer.
        peer: NodeId,
    },
}

/// Timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Timer {
    /// Repeats what may have been lost and asks peers for news.
    Maintenance,
    /// Makes a block template of what has come in since the last one.
    Template,
    /// Looks after connections. Only in an open network.
    Connections,
    /// Looks after blocks that were asked for.
    Downloads,
}

/// Names an inference request of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct RequestId(pub u64);

/// What an operator can ask for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Command {
    /// Open a job (client role).
    OpenJob(Box<JobRequest>),
    /// Ask for all verifier bonds back, and register no more (verifier role).
    Unbond,
    /// Pay somebody with the node's own coins.
    Pay(Payment),
    /// Take a finished transaction in and pass it on.
    Submit(Box<Transaction>),
    /// Object to the output of a job, whatever the node's own check says of it (client role).
    Dispute {
        /// The job.
        job: JobId,
    },
}

/// A payment as the operator wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Payment {
    /// Who is paid.
    pub to: KeyHash,
    /// How much, beside the fee.
    pub amount: Amount,
    /// The fee; `None` for what would have been mined lately.
    pub fee_rate: Option<FeeRate>,
}

/// A job as its client wants it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobRequest {
    /// The rendered prompt's token ids, at least one.
    pub prompt: PromptTokens,
    /// Token limit `T`.
    pub max_tokens: u32,
    /// Seed of the sampling noise.
    pub seed: u64,
    /// Sampling rule.
    pub sampling: Sampling,
    /// The model.
    pub model: ModelId,
    /// How the output is judged.
    pub spec: Spec,
    /// Interior samples for `V1Repaired`.
    pub samples: u32,
    /// Reward `r`.
    pub reward: Amount,
    /// Stake `S`; `None` asks for the least that the network allows.
    pub stake: Option<Amount>,
    /// Engage fee `f`.
    pub engage_fee: Amount,
    /// Blocks from now to the deadline.
    pub deadline_blocks: u32,
    /// Private jobs are never audited.
    pub private: bool,
}

/// Things that observers may want to know. Nothing in the protocol depends on them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Event {
    /// The best chain's tip moved.
    TipChanged {
        /// The new tip.
        tip: BlockHash,
        /// Its height.
        height: Height,
        /// Blocks taken back on the way.
        disconnected: u32,
    },
    /// A client published a job.
    JobOffered {
        /// The offer.
        offer: Box<Offer>,
    },
    /// A client could not open a job, or gave it up before it was mined.
    JobRefused {
        /// Why.
        reason: String,
    },
    /// A node said that it works on a job.
    JobAccepted {
        /// The job.
        job: JobId,
    },
    /// A node has an output and sent its half-signed Engage.
    OutputCommitted {
        /// The job.
        job: JobId,
    },
    /// A client signed an Engage.
    EngageSigned {
        /// The job.
        job: JobId,
    },
    /// A node sent its delivery.
    DeliverySent {
        /// The job.
        job: JobId,
    },
    /// A client opened a delivery.
    DeliveryOpened {
        /// The job.
        job: JobId,
    },
    /// A client got a delivery that does not open to its commitment.
    DeliveryBad {
        /// The job.
        job: JobId,
    },
    /// A client checked an output with RASTiC.
    Judged {
        /// The job.
        job: JobId,
        /// The specification.
        spec: Spec,
        /// The verdict.
        verdict: Verdict,
    },
    /// A party filed a claim.
    Claimed {
        /// The job.
        job: JobId,
        /// What it objects to.
        kind: ClaimKind,
    },
    /// A party sent evidence to the seats of a committee.
    EvidenceSent {
        /// The job.
        job: JobId,
    },
    /// A verifier locked a bond.
    TicketRegistered,
    /// A seat committed to a ballot.
    VoteCommitted {
        /// The job.
        job: JobId,
        /// What it says.
        finding: Finding,
    },
    /// A seat revealed its ballot.
    VoteRevealed {
        /// The job.
        job: JobId,
        /// What it says.
        finding: Finding,
    },
    /// A job's record on this node's best chain changed.
    JobChanged {
        /// The job.
        job: JobId,
        /// Its state now; empty if a reorganisation removed the job.
        state: String,
        /// How it ended, if it has.
        outcome: Option<Outcome>,
    },
    /// A client asked neighbours about an output.
    CheckRequested {
        /// The job.
        job: JobId,
    },
    /// A checker answered a client, and charged it.
    CheckReplied {
        /// The job.
        job: JobId,
    },
    /// A checker refused a client.
    CheckRefused {
        /// Why.
        reason: CheckRefusal,
    },
    /// A checker passed an error that the client had planted.
    CanaryFailed {
        /// The checker.
        checker: NodeId,
    },
    /// A client paid its checkers.
    ChecksPaid {
        /// How much in all.
        amount: Amount,
    },
    /// Something from a peer or the operator was refused.
    Rejected {
        /// Who sent it; the node itself for its own.
        from: NodeId,
        /// Why.
        reason: String,
    },
    /// A transaction that the operator asked for is in the mempool.
    TransactionSubmitted {
        /// The transaction.
        txid: Txid,
    },
    /// A command of the operator's was not carried out. ([`JobRefused`](Self::JobRefused) says so of a job.)
    CommandRefused {
        /// Why.
        reason: String,
    },
    /// A node is not wanted for a while: for what it did, or still since before a restart.
    Banned {
        /// The node.
        peer: NodeId,
        /// The end of it.
        until: Timestamp,
    },
    /// A flush of the ledger is durable.
    LedgerFlushed,
}

impl Event {
    /// The event's name in scenarios and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TipChanged { disconnected: 0, .. } => "tip-extended",
            Self::TipChanged { .. } => "reorganised",
            Self::JobOffered { .. } => "job-offered",
            Self::JobRefused { .. } => "job-refused",
            Self::JobAccepted { .. } => "job-accepted",
            Self::OutputCommitted { .. } => "output-committed",
            Self::EngageSigned { .. } => "engage-signed",
            Self::DeliverySent { .. } => "delivery-sent",
            Self::DeliveryOpened { .. } => "delivery-opened",
            Self::DeliveryBad { .. } => "delivery-bad",
            Self::Judged {
                verdict: Verdict::Valid,
                ..
            } => "judged-valid",
            Self::Judged {
                verdict: Verdict::Invalid { .. },
                ..
            } => "judged-invalid",
            Self::Judged {
                verdict: Verdict::Inconclusive { .. },
                ..
            } => "judged-inconclusive",
            Self::Claimed { kind, .. } => match kind {
                ClaimKind::Withheld => "withheld-claimed",
                ClaimKind::Invalid => "invalid-claimed",
                ClaimKind::Appeal => "appealed",
            },
            Self::EvidenceSent { .. } => "evidence-sent",
            Self::TicketRegistered => "ticket-registered",
            Self::VoteCommitted { .. } => "vote-committed",
            Self::VoteRevealed { finding, .. } => match finding {
                Finding::Valid => "voted-valid",
                Finding::Invalid { .. } => "voted-invalid",
                Finding::NoEvidence => "voted-no-evidence",
                Finding::Undecided => "voted-undecided",
            },
            Self::JobChanged { .. } => "job-changed",
            Self::CheckRequested { .. } => "check-requested",
            Self::CheckReplied { .. } => "check-replied",
            Self::CheckRefused {
                reason: CheckRefusal::Credit,
            } => "credit-exhausted",
            Self::CheckRefused { .. } => "check-refused",
            Self::CanaryFailed { .. } => "canary-failed",
            Self::ChecksPaid { .. } => "checks-paid",
            Self::Rejected { .. } => "rejected",
            Self::TransactionSubmitted { .. } => "transaction-submitted",
            Self::CommandRefused { .. } => "command-refused",
            Self::Banned { .. } => "banned",
            Self::LedgerFlushed => "ledger-flushed",
        }
    }
}

/// A batch of outputs, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Outputs(Vec<Output>);

impl Outputs {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends another batch.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Appends an output.
    pub fn push(&mut self, output: Output) {
        self.0.push(output);
    }

    /// Appends outputs.
    pub fn extend(&mut self, outputs: impl IntoIterator<Item = Output>) {
        self.0.extend(outputs);
    }

    /// Appends an event.
    pub fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    /// The outputs so far.
    pub fn as_slice(&self) -> &[Output] {
        &self.0
    }

    /// Takes the outputs, leaving an empty batch.
    pub fn take(&mut self) -> Vec<Output> {
        core::mem::take(&mut self.0)
    }
}

impl From<Vec<Output>> for Outputs {
    fn from(outputs: Vec<Output>) -> Self {
        Self(outputs)
    }
}
