//! `camelid_core::escrow`, through the chain.

use crate::job::{opening, terms};
use crate::workshop::{CLIENT, Coin, WORKER, Workshop, coin_of, key, script_of, spend};
use camelid_core::escrow::{JobRecord, Outcome};
use camelid_core::job::SignedDelivery;
use camelid_core::keys::{SealContext, seal};
use camelid_core::primitives::{Amount, JobId, encode};
use camelid_core::tx::{Action, ActionKind, ClaimKind, Lock, Transaction, TxOut};
use core::hint::black_box;

/// A job whose Engage is mined.
pub struct Engaged {
    pub workshop: Workshop,
    pub job: JobId,
    /// What the worker has left.
    change: Coin,
}

impl Engaged {
    pub fn new() -> Self {
        Self::on(Workshop::new())
    }

    /// A job on this chain.
    pub fn on(mut workshop: Workshop) -> Self {
        let open = open_job(&workshop);
        workshop.extend(std::slice::from_ref(&open));
        let engage = engage(&workshop, &open);
        workshop.extend(std::slice::from_ref(&engage));
        Self {
            workshop,
            job: engage.job_id.expect("Engage names its job"),
            change: coin_of(&engage, 1, WORKER),
        }
    }

    pub fn record(&self) -> JobRecord {
        let record = self.workshop.chain.ledger().job(&self.job);
        record.expect("the job is on the ledger").into_owned()
    }

    /// What a delivery is bound to.
    pub fn seal_context(&self) -> SealContext {
        let record = self.record();
        let engagement = record.state.engagement().expect("the job is engaged");
        record.seal_context(&self.workshop.genesis(), engagement)
    }

    /// The worker's signed delivery of `plaintext`.
    pub fn delivery(&self, plaintext: &[u8]) -> SignedDelivery {
        let (context, worker) = (self.seal_context(), key(WORKER));
        let ephemeral = worker.derive_key("probe/ephemeral", &encode(&context));
        let sealed = seal(&context, &ephemeral, plaintext).expect("the delivery key is on the curve");
        SignedDelivery::sign(&context, sealed.ephemeral, sealed.ciphertext, &worker)
            .expect("a short plaintext")
    }

    /// Mines a step that needs no money.
    pub fn act(&mut self, kind: ActionKind) {
        let action = Action {
            seq: self.record().seq,
            kind,
        };
        let step = spend(
            &self.workshop.genesis(),
            &[],
            Vec::new(),
            Some((Some(self.job), action)),
        );
        self.workshop.extend(&[step]);
    }

    /// Mines a claim by the client, whose deposit the worker's change pays (anybody's coin would do).
    pub fn claim(&mut self, kind: ClaimKind, deposit: Amount) {
        let (genesis, seq) = (self.workshop.genesis(), self.record().seq);
        let kind = ActionKind::claim(
            kind,
            &genesis,
            (&self.job, seq),
            &self.change.outpoint,
            &key(CLIENT),
        );
        let outputs = vec![TxOut {
            value: deposit,
            lock: Lock::Deposit,
        }];
        let claim = spend(
            &genesis,
            std::slice::from_ref(&self.change),
            outputs,
            Some((Some(self.job), Action { seq, kind })),
        );
        self.workshop.extend(&[claim]);
    }

    fn claim_withheld(&mut self) {
        let max_tokens = self.record().terms.max_tokens;
        let deposit = self.workshop.params.jobs.withheld_deposit(max_tokens);
        self.claim(ClaimKind::Withheld, deposit);
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.record().state.outcome()
    }
}

/// The OpenJob of the client.
pub fn open_job(workshop: &Workshop) -> Transaction {
    let (genesis, coin) = (workshop.genesis(), workshop.coin(CLIENT));
    let terms = terms(&workshop.params, workshop.chain.height().plus(1));
    let job = terms.job_id(&genesis, &coin.outpoint);
    let escrow = TxOut {
        value: terms.escrow_value().expect("small amounts"),
        lock: Lock::Escrow,
    };
    let change = coin.output.value.checked_sub(escrow.value);
    let change = TxOut::to_script(change.expect("100 coins are enough"), script_of(CLIENT));
    let kind = ActionKind::OpenJob(Box::new(terms));
    let action = Action { seq: 0, kind };
    spend(&genesis, &[coin], vec![escrow, change], Some((Some(job), action)))
}

fn engage(workshop: &Workshop, open: &Transaction) -> Transaction {
    let (genesis, stake) = (workshop.genesis(), workshop.coin(WORKER));
    let job = open.job_id.expect("OpenJob names its job");
    let record = workshop.chain.ledger().job(&job).expect("OpenJob is mined");
    let (node_key, payout) = (key(WORKER).public_key(), script_of(WORKER));
    let bond = TxOut {
        value: record.terms.bond_value().expect("small amounts"),
        lock: Lock::Bond,
    };
    let change = stake.output.value.checked_sub(record.terms.stake);
    let change = TxOut::to_script(change.expect("100 coins are enough"), payout.clone());
    let kind = ActionKind::Engage {
        commitment: opening().commitment(&genesis, &job, &node_key, &payout),
        node_key,
        payout,
    };
    let action = Action {
        seq: record.seq,
        kind,
    };
    let coins = [coin_of(open, 0, CLIENT), stake];
    spend(&genesis, &coins, vec![bond, change], Some((Some(job), action)))
}

/// The lives of three jobs: settled by time; claimed, answered and settled; claimed and slashed.
pub fn probe() {
    let mut settled = Engaged::new();
    settled.workshop.extend_until_settleable(&settled.job);
    settled.act(ActionKind::Settle);
    assert_eq!(settled.outcome(), Some(Outcome::Settled));

    let mut answered = Engaged::new();
    for _ in 0..answered.workshop.params.jobs.burial {
        answered.workshop.extend(&[]);
    }
    answered.claim_withheld();
    answered.act(ActionKind::Deliver(Box::new(
        answered.delivery(&opening().to_bytes()),
    )));
    answered.workshop.extend_until_settleable(&answered.job);
    answered.act(ActionKind::Settle);
    assert_eq!(answered.outcome(), Some(Outcome::Settled));

    let mut silent = Engaged::new();
    for _ in 0..silent.workshop.params.jobs.burial {
        silent.workshop.extend(&[]);
    }
    silent.claim_withheld();
    silent.workshop.extend_until_settleable(&silent.job);
    silent.act(ActionKind::Settle);
    assert_eq!(silent.outcome(), Some(Outcome::SlashedWithheld));
    black_box(silent.workshop.chain.ledger().digest());
}
