//! The bonds of a verifier: registered once the models have proved themselves, and taken back.

use super::super::base::Base;
use super::super::config::VerifierConfig;
use crate::committee::{MAX_MODELS, Registration, Ticket};
use crate::escrow::History;
use crate::model::InferenceResult;
use crate::primitives::{BoundedVec, ModelId, Time, Wtxid};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::rastic::score_root;
use crate::tx::{Action, ActionKind, Lock, TxOut};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Keeps as many tickets as the operator wants.
pub(super) struct Tickets {
    config: VerifierConfig,
    /// Golden tasks that are running.
    testing: BTreeMap<RequestId, ModelId>,
    /// Models that were tested: whether this machine computes their golden scores.
    tested: BTreeMap<ModelId, bool>,
    /// Registrations that wait in the mempool.
    pending: Vec<Wtxid>,
}

impl Tickets {
    pub(super) fn new(config: VerifierConfig) -> Self {
        Self {
            config,
            testing: BTreeMap::new(),
            tested: BTreeMap::new(),
            pending: Vec::new(),
        }
    }

    /// Holds no tickets from now on.
    pub(super) fn leave(&mut self) {
        self.config.tickets = 0;
    }

    pub(super) fn drive(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        let own = own_tickets(base);
        let serving = own.iter().filter(|ticket| ticket.retired.is_none()).count();
        self.test_models(base, out);
        self.pending.retain(|wtxid| base.mempool.get(wtxid).is_some());
        if serving + self.pending.len() < self.config.tickets && self.testing.is_empty() {
            self.register(base, now, out);
        }
        for ticket in &own {
            self.take_back(base, now, ticket, out);
        }
    }

    /// Runs the golden task of each model, once.
    fn test_models(&mut self, base: &mut Base, out: &mut Outputs) {
        if self.config.tickets == 0 {
            return;
        }
        for manifest in base.config.models.clone() {
            let model = manifest.id();
            let begun =
                self.tested.contains_key(&model) || self.testing.values().any(|other| *other == model);
            if begun {
                continue;
            }
            let request = base.next_request();
            self.testing.insert(request, model);
            out.push(Output::Infer {
                request,
                task: Box::new(manifest.golden_task()),
            });
        }
    }

    /// The scores of a golden task; true if it was asked from here. A machine that computes others
    /// than an exact profile promises would vote against honest nodes, so it does not register for
    /// that model.
    pub(super) fn handle_inferred(
        &mut self,
        base: &Base,
        request: RequestId,
        result: &InferenceResult,
    ) -> bool {
        let Some(model) = self.testing.remove(&request) else {
            return false;
        };
        let passed = match (base.manifest(&model), result) {
            (Some(manifest), InferenceResult::Predicted { predictions }) => {
                !manifest.profile.exact || score_root(predictions) == manifest.golden
            }
            _ => false,
        };
        self.tested.insert(model, passed);
        true
    }

    fn register(&mut self, base: &mut Base, now: Time, out: &mut Outputs) {
        let passed = self.tested.iter().filter(|(_, passed)| **passed);
        let models: Vec<ModelId> = passed.map(|(model, _)| *model).take(MAX_MODELS).collect();
        let Some(models) = BoundedVec::from_vec(models).filter(|models| !models.is_empty()) else {
            return;
        };
        let key = base.config.key.public_key();
        let registration = Box::new(Registration { key, models });
        let bond = TxOut {
            value: base.chain.params().committee.verifier_bond,
            lock: Lock::Ticket,
        };
        let act = |_: &_| {
            let kind = ActionKind::Register(registration.clone());
            (None, Action { seq: 0, kind })
        };
        let (key, ledger) = (&base.config.key, base.chain.ledger());
        let Some(transaction) = base.purse.pay(key, ledger, &base.mempool, Some(&bond), act) else {
            return;
        };
        let wtxid = transaction.wtxid();
        if base.submit(now, transaction, out).is_ok() {
            self.pending.push(wtxid);
            out.event(Event::TicketRegistered);
        }
    }

    /// Unbonds what is jailed or no longer wanted, and collects what has waited long enough.
    fn take_back(&self, base: &mut Base, now: Time, ticket: &Ticket, out: &mut Outputs) {
        let ledger = base.chain.ledger();
        let clock = ledger.clock(ledger.next_moment(base.block_time(now)));
        let unwanted = ticket.retired.is_some() || self.config.tickets == 0;
        let kind = match ticket.unbonding {
            Some(since) => clock
                .closed(&since, clock.params.committee.unbonding)
                .map(|_| ActionKind::Withdraw { ticket: ticket.id }),
            None => unwanted.then(|| ActionKind::Unbond {
                ticket: ticket.id,
                signature: ticket.sign_unbond(ledger.genesis(), &base.config.key),
            }),
        };
        if let Some(kind) = kind {
            base.submit_bare(now, None, ticket.seq, kind, out);
        }
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        (
            &self.testing,
            &self.tested,
            &self.pending,
            self.config.tickets as u64,
        )
    }
}

fn own_tickets(base: &Base) -> Vec<Ticket> {
    let own = base.config.key.public_key();
    let tickets = base.chain.ledger().tickets().values();
    tickets
        .filter(|ticket| ticket.registration.key == own)
        .cloned()
        .collect()
}
