//! The checker role: tells neighbours whether an output is the model's, for a fee
//! (`docs/src/protocol.md`, "Outsourced checks"; paper, 2.5.3).

use super::base::Base;
use super::config::CheckerConfig;
use super::payments::{Payments, Side};
use super::record::{CheckAccount, KEPT_ANSWERS, Record};
use crate::keys::NodeId;
use crate::model::{InferenceResult, NumericsProfile};
use crate::primitives::{Amount, BoundedVec, Hash256};
use crate::process::{Event, Output, Outputs, RequestId};
use crate::rastic::matches;
use crate::wire::{CheckRefusal, CheckRequest, Matches, Message};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use borsh::BorshSerialize;

/// Checks that run at a time for one client.
const RUNNING_PER_CLIENT: usize = 4;
/// Checks that run at a time.
const RUNNING: usize = 16;

/// Accounts and running checks of this checker.
pub(super) struct Checker {
    config: CheckerConfig,
    payments: Payments,
    accounts: BTreeMap<NodeId, CheckAccount>,
    running: BTreeMap<RequestId, Running>,
}

/// A check that the model works on.
struct Running {
    client: NodeId,
    id: Hash256,
    request: CheckRequest,
}

impl Checker {
    pub(super) fn new(config: CheckerConfig, base: &Base) -> Self {
        Self {
            config,
            payments: Payments::new(base.id(), Side::Payee, &base.chain),
            accounts: BTreeMap::new(),
            running: BTreeMap::new(),
        }
    }

    pub(super) fn restore(&mut self, account: CheckAccount) {
        self.accounts.insert(account.client, account);
    }

    /// Counts what clients have paid.
    pub(super) fn drive(&mut self, base: &Base) {
        self.payments.follow(&base.chain);
    }

    /// A neighbour asks.
    pub(super) fn handle_request(
        &mut self,
        base: &mut Base,
        from: NodeId,
        request: CheckRequest,
        out: &mut Outputs,
    ) -> Result<(), String> {
        if !base.peers.contains(&from) {
            return Err("a check for somebody who is no neighbour".into());
        }
        let id = request.id();
        if let Some(matches) = self.answer(&from, &id) {
            let reply = Message::CheckReply { request: id, matches };
            base.send(from, &reply, out);
            return Ok(());
        }
        if self.running_for(&from).any(|running| running.id == id) {
            return Ok(());
        }
        match self.admit(base, &from, &request)? {
            Some(reason) => refuse(base, from, id, reason, out),
            None => self.start(base, from, id, request, out),
        }
        Ok(())
    }

    fn answer(&self, client: &NodeId, id: &Hash256) -> Option<Matches> {
        let answers = &self.accounts.get(client)?.answers;
        let (_, matches) = answers.iter().find(|(request, _)| request == id)?;
        Some(matches.clone())
    }

    fn running_for<'a>(&'a self, client: &'a NodeId) -> impl Iterator<Item = &'a Running> {
        self.running
            .values()
            .filter(move |running| running.client == *client)
    }

    /// Why the request is not served, if it is not; an error if no honest client sends it. All of it is
    /// decided before the model is bothered.
    fn admit(
        &self,
        base: &Base,
        client: &NodeId,
        request: &CheckRequest,
    ) -> Result<Option<CheckRefusal>, String> {
        let Some(manifest) = base.manifest(&request.model) else {
            return Ok(Some(CheckRefusal::Model));
        };
        request.check(manifest).map_err(|error| error.to_string())?;
        let price = self.config.fee_per_token.checked_mul(request.tokens());
        Ok(if price.is_none_or(|price| request.fee < price) {
            Some(CheckRefusal::Fee)
        } else if !self.has_credit(client, request.fee) {
            Some(CheckRefusal::Credit)
        } else if self.running.len() >= RUNNING || self.running_for(client).count() >= RUNNING_PER_CLIENT {
            Some(CheckRefusal::Busy)
        } else {
            None
        })
    }

    /// May `client` owe `more`, on top of what it owes and of what is running for it?
    fn has_credit(&self, client: &NodeId, more: Amount) -> bool {
        let charged = self.accounts.get(client).map(|account| account.charged);
        let running = self.running_for(client).map(|running| running.request.fee);
        let total = Amount::checked_sum(charged.into_iter().chain(running).chain([more]));
        let limit = self.payments.sum(client).checked_add(self.config.credit);
        total.is_some_and(|total| total <= limit.unwrap_or(Amount::MAX))
    }

    fn start(
        &mut self,
        base: &mut Base,
        client: NodeId,
        id: Hash256,
        request: CheckRequest,
        out: &mut Outputs,
    ) {
        let task = Box::new(request.task());
        let running = Running { client, id, request };
        let request = base.next_request();
        self.running.insert(request, running);
        out.push(Output::Infer { request, task });
    }

    /// The model's answer: charge the client and tell it.
    pub(super) fn handle_inferred(
        &mut self,
        base: &mut Base,
        request: RequestId,
        result: &InferenceResult,
        out: &mut Outputs,
    ) {
        let Some(Running { client, id, request }) = self.running.remove(&request) else {
            return;
        };
        let profile = base.manifest(&request.model).map(|manifest| &manifest.profile);
        let Some(matches) = profile.and_then(|profile| compare(profile, &request, result)) else {
            refuse(base, client, id, CheckRefusal::Undecided, out);
            return;
        };
        self.charge(client, request.fee, id, &matches, out);
        base.send(client, &Message::CheckReply { request: id, matches }, out);
        out.event(Event::CheckReplied { job: request.job });
    }

    /// Durable before the answer leaves: a crash must not make checks free.
    fn charge(&mut self, client: NodeId, fee: Amount, id: Hash256, matches: &Matches, out: &mut Outputs) {
        let account = self.accounts.entry(client).or_insert_with(|| CheckAccount {
            client,
            charged: Amount::ZERO,
            answers: BoundedVec::new(),
        });
        // `has_credit` has added the same up.
        account.charged = account.charged.checked_add(fee).unwrap_or(Amount::MAX);
        let surplus = (account.answers.len() + 1).saturating_sub(KEPT_ANSWERS);
        let kept = account.answers.iter().skip(surplus).cloned();
        let answers = kept.chain([(id, matches.clone())]).collect();
        account.answers = BoundedVec::from_vec(answers).unwrap_or_default();
        let record = Record::CheckAccount(Box::new(account.clone()));
        out.push(Output::Persist(Box::new(record)));
    }

    pub(super) fn state(&self) -> impl BorshSerialize {
        let accounts: Vec<_> = self.accounts.values().collect();
        let running: Vec<_> = self
            .running
            .iter()
            .map(|(request, running)| (request, running.client, running.id))
            .collect();
        (accounts, running, self.payments.state())
    }
}

/// Tells a client that it gets no answer.
pub(super) fn refuse(
    base: &mut Base,
    client: NodeId,
    request: Hash256,
    reason: CheckRefusal,
    out: &mut Outputs,
) {
    base.send(client, &Message::CheckRefused { request, reason }, out);
    out.event(Event::CheckRefused { reason });
}

/// Yes or no for each position; `None` if the model did not run or leaves one of them open.
fn compare(profile: &NumericsProfile, request: &CheckRequest, result: &InferenceResult) -> Option<Matches> {
    let InferenceResult::Predicted { predictions } = result else {
        return None;
    };
    if predictions.len() != request.positions.len() {
        return None;
    }
    let (prompt, output) = (&request.prompt, &request.output);
    let claimed = |position: u32| {
        let position = usize::try_from(position).ok()?;
        match position.checked_sub(prompt.len()) {
            None => prompt.get(position),
            Some(index) => output.get(index),
        }
        .copied()
    };
    let answers = request.positions.iter().zip(predictions.iter());
    let answers: Option<Vec<bool>> = answers
        .map(|(&position, prediction)| matches(profile, claimed(position)?, prediction))
        .collect();
    BoundedVec::from_vec(answers?)
}
