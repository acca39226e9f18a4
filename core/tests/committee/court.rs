//! A chain with verifiers, and one engaged job that a committee is to judge.

use super::support::*;
use camelid_core::block::Block;
use camelid_core::committee::{Ballot, Finding, Models, Registration, Ticket, ballot_commitment, vote_check};
use camelid_core::escrow::{Dispute, History as _, JobRecord, Phase, Seat, Stage, Standing};
use camelid_core::keys::Signature;
use camelid_core::params::{CommitteeParams, Params};
use camelid_core::primitives::{Amount, Hash256, JobId};
use camelid_core::tx::{Action, ActionKind, ClaimKind, Lock, OutPoint, Transaction, TxOut};
use std::sync::Arc;

/// Keys of the verifiers: this and those that follow.
pub const VERIFIER: u8 = 20;
/// How many verifiers there are, each with one ticket.
pub const VERIFIERS: u8 = 12;
/// Seat pay of the job, in units: half of its reward of one coin.
pub const PAY: u64 = 50_000_000;
/// Audit fee of the job, in units.
pub const AUDIT_FEE: u64 = 11_000_000;
pub const SALT: [u8; 32] = [9; 32];

pub const VALID: Ballot = Ballot {
    finding: Finding::Valid,
    score_root: Hash256([1; 32]),
};
pub const INVALID: Ballot = Ballot {
    finding: Finding::Invalid { position: 2 },
    score_root: Hash256([2; 32]),
};

pub struct Court {
    pub workshop: Workshop,
    /// All blocks after the genesis block.
    pub blocks: Vec<Arc<Block>>,
    /// What the verifiers have left after their bond.
    pub change: Vec<Fund>,
    pub job: JobId,
    /// Client's and node's coins for deposits.
    purse: [u32; 2],
}

/// The simulator's network with audits of `audit_permille` jobs and a short way out for verifiers.
pub fn network_with(audit_permille: u32) -> Arc<Params> {
    let network = (*network()).clone();
    Arc::new(Params {
        committee: CommitteeParams {
            audit_permille,
            unbonding: 40,
            ..network.committee
        },
        ..network
    })
}

/// A chain of these blocks and nothing else.
pub fn replay(params: &Arc<Params>, blocks: &[Arc<Block>]) -> Workshop {
    let mut workshop = Workshop {
        params: params.clone(),
        chain: new_chain(params, 77),
    };
    for block in blocks {
        workshop.submit(block).unwrap();
    }
    assert_eq!(workshop.chain.height().0 as usize, blocks.len());
    workshop
}

pub fn registration(owner: u8) -> Registration {
    Registration {
        key: secret(owner).public_key(),
        models: Models::from_vec(vec![manifest().id()]).unwrap(),
    }
}

/// Registers with a bond of `bond` out of `fund`; the rest goes back, less a fee.
pub fn register(workshop: &Workshop, fund: &Fund, registration: Registration, bond: Amount) -> Transaction {
    let left = fund.output.value.checked_sub(bond).unwrap();
    let change = pay_to(fund.owner, left.checked_sub(units(10_000)).unwrap());
    let bond = TxOut {
        value: bond,
        lock: Lock::Ticket,
    };
    let kind = ActionKind::Register(Box::new(registration));
    let funds = std::slice::from_ref(fund);
    let transaction = Transaction {
        version: 2,
        action: Some(Action { seq: 0, kind }),
        ..unsigned(funds, vec![bond, change], None)
    };
    sign(&workshop.genesis(), transaction, funds)
}

/// A step of a ticket, without inputs and outputs.
pub fn ticket_step(seq: u32, kind: ActionKind) -> Transaction {
    Transaction {
        version: 2,
        action: Some(Action { seq, kind }),
        ..unsigned(&[], Vec::new(), None)
    }
}

impl Court {
    /// Verifiers have registered, and the job is engaged.
    pub fn new(audit_permille: u32) -> Self {
        Self::on(&network_with(audit_permille))
    }

    /// The same on another network.
    pub fn on(params: &Arc<Params>) -> Self {
        let workshop = replay(params, &[]);
        let mut court = Self {
            workshop,
            blocks: Vec::new(),
            change: Vec::new(),
            job: JobId([0; 32]),
            purse: [0, 0],
        };
        court.register_all();
        court.extend_by(params.committee.ticket_maturity);
        court.engage();
        court
    }

    fn register_all(&mut self) {
        let genesis = self.workshop.genesis();
        let funds = [self.workshop.fund(STRANGER, 0), self.workshop.fund(STRANGER, 1)];
        let outputs = (0..VERIFIERS).map(|number| pay_to(VERIFIER + number, coins(12)));
        let spread = payment(&genesis, &funds, outputs.collect());
        self.extend(std::slice::from_ref(&spread));
        let bond = self.workshop.params.committee.verifier_bond;
        let registrations: Vec<Transaction> = (0..VERIFIERS)
            .map(|number| {
                let owner = VERIFIER + number;
                let fund = fund_of(&spread, u32::from(number), owner);
                register(&self.workshop, &fund, registration(owner), bond)
            })
            .collect();
        self.extend(&registrations);
        self.change = (VERIFIER..)
            .zip(&registrations)
            .map(|(owner, tx)| fund_of(tx, 1, owner))
            .collect();
    }

    /// Opens a job and engages in it; it is the one that everything is about from now on.
    pub fn engage(&mut self) {
        let [client, node] = self.purse;
        self.purse = [client + 1, node + 1];
        let genesis = self.workshop.genesis();
        let terms = terms(&self.workshop.params, self.workshop.chain.height().plus(1));
        let open = open_job(&genesis, &self.workshop.fund(CLIENT, client), &terms);
        self.extend(std::slice::from_ref(&open));
        let engaging = engaging(
            &genesis,
            &open,
            &self.workshop.fund(NODE, node),
            &opening(&[5, END]),
        );
        self.extend(&[engaging.signed(&genesis)]);
        self.job = engaging.job;
    }

    // --- Blocks ---

    pub fn extend(&mut self, transactions: &[Transaction]) {
        let block = self.workshop.extend(transactions);
        self.blocks.push(block);
        assert_conserved(self.workshop.ledger());
    }

    pub fn extend_by(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.extend(&[]);
        }
    }

    /// Mines until the next block is in `phase` of a round.
    pub fn advance_to(&mut self, phase: Phase) {
        for _ in 0..200 {
            if self.standing().stage == Stage::Round(phase) {
                return;
            }
            self.extend(&[]);
        }
        panic!("no {phase:?} in sight: {:?}", self.standing());
    }

    // --- The job ---

    pub fn record(&self) -> JobRecord {
        self.workshop.ledger().job(&self.job).unwrap().into_owned()
    }

    /// Where the job stands in the next block.
    pub fn standing(&self) -> Standing {
        let ledger = self.workshop.ledger();
        let moment = ledger.next_moment(self.workshop.next_time());
        self.record().at(&ledger.clock(moment))
    }

    pub fn dispute(&self) -> Dispute {
        self.standing().record.state.dispute().unwrap().clone()
    }

    pub fn seats(&self) -> Vec<Seat> {
        self.dispute().current_seats().to_vec()
    }

    /// A claim with `seat_pays` of deposit, by `claimant` with a coin of its own.
    pub fn claim(&self, kind: ClaimKind, claimant: u8, seat_pays: u64) -> Transaction {
        let genesis = self.workshop.genesis();
        let fund = self
            .workshop
            .fund(claimant, self.purse[usize::from(claimant != CLIENT)]);
        let seq = self.record().seq;
        let kind = ActionKind::claim(
            kind,
            &genesis,
            (&self.job, seq),
            &fund.outpoint,
            &secret(claimant),
        );
        let deposit = TxOut {
            value: units(seat_pays * PAY),
            lock: Lock::Deposit,
        };
        let change = fund.output.value.checked_sub(deposit.value).unwrap();
        let outputs = vec![
            deposit,
            pay_to(claimant, change.checked_sub(units(10_000)).unwrap()),
        ];
        let funds = std::slice::from_ref(&fund);
        let action = Action { seq, kind };
        sign(
            &genesis,
            unsigned(funds, outputs, Some((self.job, action))),
            funds,
        )
    }

    /// Mines the claim.
    pub fn file(&mut self, kind: ClaimKind, claimant: u8, seat_pays: u64) {
        let claim = self.claim(kind, claimant, seat_pays);
        self.extend(&[claim]);
        self.purse[usize::from(claimant != CLIENT)] += 1;
    }

    pub fn bare(&self, kind: ActionKind) -> Transaction {
        bare(self.job, self.record().seq, kind)
    }

    pub fn settle(&mut self) {
        self.advance_to(Phase::Over);
        let settle = self.bare(ActionKind::Settle);
        self.extend(&[settle]);
    }

    // --- Votes ---

    /// The commitment of `seat` to `ballot`, signed by `signer`.
    pub fn commit_by(&self, signer: u8, seat: &Seat, ballot: &Ballot) -> Transaction {
        let round = self.standing().round.unwrap_or_default();
        let commitment = ballot_commitment(&round, &seat.ticket, ballot, &SALT);
        let holder = (&seat.ticket, seat.key);
        let check = vote_check(&round, holder, &commitment, Signature([0; 64]));
        self.bare(ActionKind::VoteCommit {
            ticket: seat.ticket,
            commitment,
            signature: secret(signer).sign(&check.digest),
        })
    }

    pub fn commit(&self, seat: &Seat, ballot: &Ballot) -> Transaction {
        self.commit_by(owner_of(seat), seat, ballot)
    }

    pub fn reveal(&self, seat: &Seat, ballot: &Ballot, salt: [u8; 32]) -> Transaction {
        self.bare(ActionKind::VoteReveal {
            ticket: seat.ticket,
            ballot: *ballot,
            salt,
        })
    }

    /// All seats of the round vote, in one block each; `None` stays silent.
    pub fn vote(&mut self, ballots: &[Option<Ballot>]) {
        self.advance_to(Phase::Commit);
        let seats = self.seats();
        assert_eq!(seats.len(), ballots.len());
        let cast = |court: &Self, how: &dyn Fn(&Self, &Seat, &Ballot) -> Transaction| -> Vec<Transaction> {
            let said = seats
                .iter()
                .zip(ballots)
                .filter_map(|(seat, ballot)| Some((seat, (*ballot)?)));
            said.map(|(seat, ballot)| how(court, seat, &ballot)).collect()
        };
        let commits = cast(self, &|court, seat, ballot| court.commit(seat, ballot));
        self.extend(&commits);
        self.advance_to(Phase::Reveal);
        let reveals = cast(self, &|court, seat, ballot| court.reveal(seat, ballot, SALT));
        self.extend(&reveals);
    }

    // --- Tickets ---

    pub fn ticket(&self, id: &OutPoint) -> Option<Ticket> {
        self.workshop.ledger().tickets().get(id).cloned()
    }

    pub fn unbond(&self, ticket: &Ticket, signer: u8) -> Transaction {
        let signature = ticket.sign_unbond(&self.workshop.genesis(), &secret(signer));
        let kind = ActionKind::Unbond {
            ticket: ticket.id,
            signature,
        };
        ticket_step(ticket.seq, kind)
    }

    /// Units on outputs that `owner` can spend.
    pub fn paid_to(&self, owner: u8) -> u64 {
        let payouts = (0..32).filter_map(|index| {
            let outpoint = camelid_core::escrow::Closing::outpoint(&self.job, index);
            self.workshop.ledger().coin(&outpoint)
        });
        let script = Lock::Script(script_of(owner));
        let owned = payouts.filter(|coin| coin.output.lock == script);
        owned.map(|coin| coin.output.value.units()).sum()
    }
}

/// The verifier that has this seat.
pub fn owner_of(seat: &Seat) -> u8 {
    let mut owners = VERIFIER..VERIFIER + VERIFIERS;
    owners
        .find(|owner| secret(*owner).public_key() == seat.key)
        .unwrap()
}
