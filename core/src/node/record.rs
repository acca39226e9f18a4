//! What a node makes durable before it lets anybody rely on it.

use crate::block::Block;
use crate::chain::{Connected, Flush};
use crate::committee::Ballot;
use crate::job::{Offer, Opening, SignedDelivery};
use crate::keys::NodeId;
use crate::model::PromptTokens;
use crate::peers::SavedPeers;
use crate::primitives::{Amount, BoundedVec, Hash256, JobId};
use crate::process::RequestId;
use crate::rastic::Verdict;
use crate::tx::{OutPoint, Transaction};
use crate::wire::Matches;
use alloc::boxed::Box;
use alloc::sync::Arc;
use borsh::io::{Read, Write};
use borsh::{BorshDeserialize, BorshSerialize};

/// A durable record. The newest record of a job replaces older ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A block that was taken in.
    Block(Arc<Block>),
    /// A job of the client role.
    ClientJob(Box<ClientJob>),
    /// A job of the worker role.
    WorkerJob(Box<WorkerJob>),
    /// A ballot of the verifier role.
    Vote(Box<CastVote>),
    /// The operator wants all bonds of the verifier role back.
    Unbonding,
    /// What the checker role has charged a client. The newest replaces older ones.
    CheckAccount(Box<CheckAccount>),
    /// What the client role owes a checker. The newest replaces older ones.
    CheckDebt(Box<CheckDebt>),
    /// Addresses, anchors and bans. The newest replaces older ones; losing it costs only time.
    Peers(Box<SavedPeers>),
    /// What a block changes, which took all checks to find out.
    Connected(Box<Connected>),
    /// What the ledger has become since the last flush. [`Input::Flushed`](crate::process::Input::Flushed) answers.
    Flush(Box<Flush>),
    /// The operator objects to the output of a job of the client role.
    Objection(JobId),
    /// Nobody will ask for what was recorded about something any more.
    Forget(Matter),
}

/// Something that records are about until it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Matter {
    /// A job of the client role, and the objection to it.
    ClientJob(JobId),
    /// A job of the worker role.
    WorkerJob(JobId),
    /// A ballot of the verifier role, by round and ticket.
    Vote(Hash256, OutPoint),
}

/// A client's side of a job.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClientJob {
    /// Terms and prompt.
    pub offer: Offer,
    /// The signed OpenJob.
    pub open: Transaction,
    /// The Engage that the client signed.
    pub engage: Option<Transaction>,
    /// The first delivery that the engaged node signed.
    pub received: Option<Received>,
    /// The check that is running (not durable: a new one is started after a crash).
    #[borsh(skip)]
    pub checking: Option<RequestId>,
}

/// A delivery and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Received {
    /// The bond it was made for: a reorganisation may put another node's Engage in its place.
    pub bond: OutPoint,
    /// The delivery, good or bad.
    pub delivery: SignedDelivery,
    /// What it opened to, if it is good.
    pub opening: Option<Opening>,
    /// What RASTiC says of the output.
    pub verdict: Option<Verdict>,
}

/// A worker's side of a job.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WorkerJob {
    /// The job.
    pub job: JobId,
    /// The rendered prompt's token ids: evidence in a dispute.
    pub prompt: PromptTokens,
    /// The salt of the prompt's hash.
    pub prompt_salt: [u8; 32],
    /// Output and salt. Losing them after Engage would cost the stake.
    pub opening: Opening,
    /// The half-signed Engage.
    pub engage: Transaction,
    /// The signed delivery, once made; every copy must be the same.
    pub delivery: Option<SignedDelivery>,
    /// The client has it.
    pub received: bool,
}

/// A ballot that a seat stands by: once its commitment is out, only this ballot opens it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CastVote {
    /// The round, see [`round_id`](crate::committee::round_id).
    pub round: Hash256,
    /// The seat's ticket.
    pub ticket: OutPoint,
    /// The ballot.
    pub ballot: Ballot,
    /// The salt of its commitment.
    pub salt: [u8; 32],
}

/// Answers that a checker keeps for each client, in case the client asks again.
pub const KEPT_ANSWERS: usize = 4;

/// Answers that a client remembers to have counted, for each checker.
pub const COUNTED_ANSWERS: usize = 32;

/// A checker's side of its dealings with a client.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CheckAccount {
    /// The client.
    pub client: NodeId,
    /// All fees so far; what was paid is read from the chain.
    pub charged: Amount,
    /// The last answers and the requests they are for, oldest first. One that is asked for again is
    /// not charged again.
    pub answers: BoundedVec<(Hash256, Matches), KEPT_ANSWERS>,
}

/// A client's side of its dealings with a checker.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CheckDebt {
    /// The checker.
    pub checker: NodeId,
    /// All fees so far; what was paid is read from the chain.
    pub owed: Amount,
    /// The last requests whose fees are in it, oldest first.
    pub counted: BoundedVec<Hash256, COUNTED_ANSWERS>,
}

// `Arc` in front of the block keeps records cheap to pass on; its encoding is the block's.
impl BorshSerialize for Record {
    fn serialize<W: Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        match self {
            Self::Block(block) => (0u8, &**block).serialize(writer),
            Self::ClientJob(job) => (1u8, job).serialize(writer),
            Self::WorkerJob(job) => (2u8, job).serialize(writer),
            Self::Vote(vote) => (3u8, vote).serialize(writer),
            Self::CheckAccount(account) => (4u8, account).serialize(writer),
            Self::CheckDebt(debt) => (5u8, debt).serialize(writer),
            Self::Unbonding => 6u8.serialize(writer),
            Self::Peers(peers) => (7u8, peers).serialize(writer),
            Self::Connected(connected) => (8u8, connected).serialize(writer),
            Self::Flush(flush) => (9u8, flush).serialize(writer),
            Self::Objection(job) => (10u8, job).serialize(writer),
            Self::Forget(matter) => (11u8, matter).serialize(writer),
        }
    }
}

impl BorshDeserialize for Record {
    fn deserialize_reader<R: Read>(reader: &mut R) -> borsh::io::Result<Self> {
        match u8::deserialize_reader(reader)? {
            0 => Block::deserialize_reader(reader).map(|block| Self::Block(Arc::new(block))),
            1 => Box::deserialize_reader(reader).map(Self::ClientJob),
            2 => Box::deserialize_reader(reader).map(Self::WorkerJob),
            3 => Box::deserialize_reader(reader).map(Self::Vote),
            4 => Box::deserialize_reader(reader).map(Self::CheckAccount),
            5 => Box::deserialize_reader(reader).map(Self::CheckDebt),
            6 => Ok(Self::Unbonding),
            7 => Box::deserialize_reader(reader).map(Self::Peers),
            8 => Box::deserialize_reader(reader).map(Self::Connected),
            9 => Box::deserialize_reader(reader).map(Self::Flush),
            10 => JobId::deserialize_reader(reader).map(Self::Objection),
            11 => Matter::deserialize_reader(reader).map(Self::Forget),
            _ => Err(borsh::io::Error::new(
                borsh::io::ErrorKind::InvalidData,
                "unknown kind of record",
            )),
        }
    }
}
