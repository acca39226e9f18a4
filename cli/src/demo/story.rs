//! From the events of all nodes to the phases of the jobs.

use super::cast::{CLIENT, ORDERS};
use super::phase::{Phase, Teller};
use super::stage::Stage;
use super::words::{coins, list, one_line};
use crate::exit::Failure;
use crate::model::{decode, pieces};
use camelid_core::committee::Finding;
use camelid_core::escrow::Outcome;
use camelid_core::job::Offer;
use camelid_core::keys::NodeId;
use camelid_core::model::{Draw, LanguageModel as _, TokenId};
use camelid_core::node::Record;
use camelid_core::primitives::JobId;
use camelid_core::process::Event;
use camelid_core::rastic::Verdict;
use camelid_core::tx::ClaimKind;
use camelid_io::{DriverHandle, Storage as _};
use camelid_sim::strategy::Actor;
use std::sync::Arc;

/// What the client's ledger shows.
pub struct View {
    /// Its height.
    pub height: u32,
    /// Tickets of verifiers.
    pub tickets: usize,
    /// Who sits in judgement of each job.
    pub seats: Vec<Vec<NodeId>>,
}

/// A job, as far as it has been told.
struct Job {
    offer: Offer,
    worker: Option<usize>,
    is_checked: bool,
    seats: usize,
    outcome: Option<Outcome>,
}

/// The jobs so far.
pub struct Story<'a> {
    stage: Arc<Stage>,
    client: DriverHandle<Actor>,
    teller: &'a Teller,
    height: u32,
    jobs: Vec<Job>,
}

impl<'a> Story<'a> {
    /// In which nothing has happened.
    pub fn new(stage: Arc<Stage>, client: DriverHandle<Actor>, teller: &'a Teller) -> Self {
        Self {
            stage,
            client,
            teller,
            height: 0,
            jobs: Vec::new(),
        }
    }

    /// The jobs that have been opened, in order.
    pub fn jobs(&self) -> Vec<JobId> {
        self.jobs.iter().map(|job| job.offer.job).collect()
    }

    /// True when the client has checked the output of job `index`.
    pub fn is_checked(&self, index: usize) -> bool {
        self.jobs.get(index).is_some_and(|job| job.is_checked)
    }

    /// How job `index` ended, if it has.
    pub fn outcome(&self, index: usize) -> Option<Outcome> {
        self.jobs.get(index).and_then(|job| job.outcome)
    }

    /// True when all jobs have ended.
    pub fn is_over(&self) -> bool {
        (0..ORDERS.len()).all(|index| self.outcome(index).is_some())
    }

    /// Tells of an event at `party`, if it is one of those that matter.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be printed.
    pub async fn tell(&mut self, party: usize, event: Event) -> Result<(), Failure> {
        match event {
            Event::TipChanged { height, .. } if party == CLIENT => self.height = height.0,
            Event::JobOffered { offer } if party == CLIENT => self.open(*offer)?,
            Event::JobRefused { reason } => eprintln!("camelid: the client cannot open the job: {reason}"),
            Event::JobAccepted { job } => {
                if let Some(index) = self.index(&job) {
                    self.jobs[index].worker = Some(party);
                    self.say(index, "accepted", party, "begins to generate".into(), None)?;
                }
            }
            Event::OutputCommitted { job } => self.generated(party, &job)?,
            Event::JobChanged { job, state, outcome } if party == CLIENT => {
                self.changed(&job, &state, outcome)?;
            }
            Event::DeliveryOpened { job } => self.delivered(&job).await?,
            Event::Judged { job, verdict, .. } if party == CLIENT => self.checked(&job, verdict).await?,
            Event::Claimed {
                job,
                kind: ClaimKind::Invalid,
            } => self.claimed(&job)?,
            Event::VoteCommitted { job, .. } => {
                self.voted(party, &job, "vote", "casts a sealed ballot".into())?;
            }
            Event::VoteRevealed { job, finding } => {
                let words = format!("opens its ballot: {}", self.finding(&job, finding));
                self.voted(party, &job, "ballot", words)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Tells who has been drawn since the last block.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be printed.
    pub fn tell_seats(&mut self, view: &View) -> Result<(), Failure> {
        for (index, seats) in view.seats.iter().enumerate() {
            if seats.len() <= self.jobs[index].seats {
                continue;
            }
            self.jobs[index].seats = seats.len();
            let stage = self.stage.clone();
            let names: Vec<&str> = seats.iter().map(|id| stage.name_of(id)).collect();
            let words = format!("is the beacon: it draws {}", list(&names));
            let block = format!("block {}", view.height);
            self.say_as(index, "seats", &block, words, None)?;
        }
        Ok(())
    }

    fn open(&mut self, offer: Offer) -> Result<(), Failure> {
        let terms = &offer.terms;
        let words = format!(
            "pays {} for up to {} tokens and wants a stake of {} for them. The prompt:",
            coins(terms.reward),
            terms.max_tokens,
            coins(terms.stake)
        );
        let prompt = ORDERS.get(self.jobs.len()).map(|order| order.prompt.to_string());
        self.jobs.push(Job {
            offer,
            worker: None,
            is_checked: false,
            seats: 0,
            outcome: None,
        });
        self.say(self.jobs.len() - 1, "opened", CLIENT, words, prompt)
    }

    fn generated(&self, party: usize, job: &JobId) -> Result<(), Failure> {
        let Some(index) = self.index(job) else {
            return Ok(());
        };
        let words = match self.stage.cast[party].strategy {
            None => "has an output and commits to its hash",
            Some(_) => "has an output, swaps a token in it, and commits to the hash of that",
        };
        self.say(index, "generated", party, words.into(), None)
    }

    fn changed(&mut self, job: &JobId, state: &str, outcome: Option<Outcome>) -> Result<(), Failure> {
        let Some(index) = self.index(job) else {
            return Ok(());
        };
        let Job { offer, worker, .. } = &self.jobs[index];
        let (Some(worker), stake) = (*worker, coins(offer.terms.stake)) else {
            return Ok(());
        };
        let (is_news, reward) = (self.jobs[index].outcome.is_none(), coins(offer.terms.reward));
        match outcome {
            None if state == "Engaged" => {
                let words =
                    format!("and the client are bound: its {stake} and the client's {reward} are locked");
                self.say(index, "engaged", worker, words, None)
            }
            Some(outcome) if is_news => {
                self.jobs[index].outcome = Some(outcome);
                let (phase, words) = ending(outcome, &reward, &stake);
                self.say(index, phase, worker, words, None)
            }
            _ => Ok(()),
        }
    }

    async fn delivered(&self, job: &JobId) -> Result<(), Failure> {
        let Some(index) = self.index(job) else {
            return Ok(());
        };
        let output = self.output(job).await;
        let text = one_line(&decode(&self.stage.engine, &output));
        let words = format!("decrypts the output, {} tokens:", output.len());
        self.say(index, "delivered", CLIENT, words, Some(text))
    }

    async fn checked(&mut self, job: &JobId, verdict: Verdict) -> Result<(), Failure> {
        let Some(index) = self.index(job) else {
            return Ok(());
        };
        self.jobs[index].is_checked = true;
        let output = self.output(job).await;
        let words = match verdict {
            Verdict::Valid => "has run its own model over the output: every token is the model's".into(),
            Verdict::Inconclusive { reason } => format!("cannot tell: {reason}"),
            Verdict::Invalid { position, reason } => {
                let offer = &self.jobs[index].offer;
                let at = (position as usize).saturating_sub(offer.prompt.len());
                self.difference(offer, &output, at)
                    .unwrap_or_else(|| reason.to_string())
            }
        };
        self.say(index, "checked", CLIENT, words, None)
    }

    /// What the output and the model say at position `at` of the output.
    fn difference(&self, offer: &Offer, output: &[TokenId], at: usize) -> Option<String> {
        let engine = &self.stage.engine;
        let draw = Draw {
            seed: offer.terms.seed,
            job: offer.job,
            sampling: offer.terms.sampling,
        };
        let claimed = *output.get(at)?;
        let prefix = [&offer.prompt[..], output.get(..at)?].concat();
        let written = engine.predict(&draw, &prefix, Some(claimed)).token;
        let texts = pieces(engine, &[claimed]).concat();
        let model = pieces(engine, &[written]).concat();
        Some(format!(
            "has run its own model over the output: token {} is “{}”, and the model writes “{}”",
            at + 1,
            texts.escape_debug(),
            model.escape_debug()
        ))
    }

    fn claimed(&self, job: &JobId) -> Result<(), Failure> {
        let Some(index) = self.index(job) else {
            return Ok(());
        };
        let params = self.stage.params();
        let pay = params.jobs.seat_pay(self.jobs[index].offer.terms.reward);
        let deposit = pay.checked_mul(u64::from(params.committee.claim_deposit_in_seat_pays));
        let words = format!(
            "claims that the output is not the model's, and deposits {}",
            deposit.map(coins).unwrap_or_default()
        );
        self.say(index, "claimed", CLIENT, words, None)
    }

    fn voted(&self, party: usize, job: &JobId, phase: &'static str, words: String) -> Result<(), Failure> {
        let Some(index) = self.index(job) else {
            return Ok(());
        };
        self.say(index, phase, party, words, None)
    }

    fn finding(&self, job: &JobId, finding: Finding) -> String {
        let prompt = self
            .index(job)
            .map_or(0, |index| self.jobs[index].offer.prompt.len());
        match finding {
            Finding::Valid => "the output is the model's".into(),
            Finding::Invalid { position } => {
                let token = (position as usize + 1).saturating_sub(prompt);
                format!("token {token} is not the model's")
            }
            Finding::NoEvidence => "nobody has shown the output".into(),
            Finding::Undecided => "the model cannot tell".into(),
        }
    }

    /// The output as the client got it.
    async fn output(&self, job: &JobId) -> Vec<TokenId> {
        // The event may be ahead of the record; whoever is let in to look is not. A client that is gone
        // has written what it had.
        let _ = self.client.inspect(|_| ()).await;
        let records = self.stage.storages[CLIENT]
            .clone()
            .load()
            .await
            .unwrap_or_default();
        let received = records.into_iter().rev().find_map(|record| match record {
            Record::ClientJob(entry) if entry.offer.job == *job => entry.received,
            _ => None,
        });
        let opening = received.and_then(|received| received.opening);
        opening
            .map(|opening| opening.output.into_vec())
            .unwrap_or_default()
    }

    fn index(&self, job: &JobId) -> Option<usize> {
        self.jobs.iter().position(|other| other.offer.job == *job)
    }

    fn say(
        &self,
        index: usize,
        phase: &'static str,
        party: usize,
        words: String,
        text: Option<String>,
    ) -> Result<(), Failure> {
        self.say_as(index, phase, &self.stage.cast[party].name, words, text)
    }

    fn say_as(
        &self,
        index: usize,
        phase: &'static str,
        node: &str,
        words: String,
        text: Option<String>,
    ) -> Result<(), Failure> {
        let job = index + 1;
        self.teller.tell(
            self.height,
            &Phase {
                job,
                phase,
                node,
                words,
                text,
            },
        )
    }
}

/// A phase and what it means for the worker.
fn ending(outcome: Outcome, reward: &str, stake: &str) -> (&'static str, String) {
    match outcome {
        Outcome::Settled => (
            "settled",
            format!("gets the reward of {reward} and its stake of {stake}: nobody objected in time"),
        ),
        Outcome::SlashedInvalid => (
            "slashed",
            format!("loses its stake of {stake}: the committee found that the output is not the model's"),
        ),
        Outcome::SlashedWithheld | Outcome::SlashedBadDelivery => (
            "slashed",
            format!("loses its stake of {stake}: it did not deliver"),
        ),
        Outcome::Refunded => ("refunded", "was not engaged in time".into()),
        Outcome::Cleared => (
            "cleared",
            format!("keeps its stake of {stake}: the committee found no fault"),
        ),
        Outcome::Inconclusive => (
            "undecided",
            format!("keeps its stake of {stake}: the committee could not tell"),
        ),
    }
}
