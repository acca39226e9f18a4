//! Who does what when: the client's orders, the cheat's cue, and the end.

use super::balances::Balances;
use super::cast::{CHEAT, CLIENT, MAX_TOKENS, ORDERS, Order};
use super::phase::Teller;
use super::stage::{Stage, Told};
use super::story::{Story, View};
use crate::exit::Failure;
use crate::live::Stop;
use crate::model::{Template, encode};
use camelid_core::escrow::{History, Outcome};
use camelid_core::model::{LanguageModel as _, Sampling};
use camelid_core::primitives::{Amount, BoundedVec, COIN};
use camelid_core::process::{Command, Event, JobRequest};
use camelid_core::rastic::Spec;
use camelid_io::DriverHandle;
use camelid_sim::strategy::Actor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// The demo is given up after this long.
const PATIENCE: Duration = Duration::from_secs(150);

/// How the demo ended.
pub enum Ending {
    /// Somebody asked it to.
    Interrupted,
    /// By itself, or because its time was up.
    Played {
        /// The first job settled.
        honest_settled: bool,
        /// The worker of the second was slashed.
        cheater_slashed: bool,
        /// Who owns what.
        balances: Balances,
        /// Blocks.
        height: u32,
    },
}

/// Watches the nodes and gives the client its orders.
pub struct Director<'a> {
    stage: Arc<Stage>,
    client: DriverHandle<Actor>,
    events: mpsc::Receiver<Told>,
    story: Story<'a>,
    ordered: usize,
    cheat_height: Option<u32>,
    cued: bool,
}

impl<'a> Director<'a> {
    /// Of the nodes on `stage`, among them `client`, that `events` come from.
    pub fn new(
        stage: Arc<Stage>,
        client: DriverHandle<Actor>,
        events: mpsc::Receiver<Told>,
        teller: &'a Teller,
    ) -> Self {
        Self {
            story: Story::new(stage.clone(), client.clone(), teller),
            stage,
            client,
            events,
            ordered: 0,
            cheat_height: None,
            cued: false,
        }
    }

    /// Plays it to the end.
    ///
    /// # Errors
    /// [`Failure`] when nothing can be printed, or the client is gone.
    pub async fn play(&mut self, stop: &Stop) -> Result<Ending, Failure> {
        let end = Instant::now() + PATIENCE;
        while !self.story.is_over() {
            let event = tokio::select! {
                () = stop.requested() => return Ok(Ending::Interrupted),
                event = timeout_at(end, self.events.recv()) => event,
            };
            let Ok(Some((party, event))) = event else { break };
            if party == CHEAT
                && let Event::TipChanged { height, .. } = event
            {
                self.cheat_height = Some(height.0);
            }
            let tip_moved = party == CLIENT && matches!(event, Event::TipChanged { .. });
            self.story.tell(party, event).await?;
            if tip_moved {
                self.look_around().await?;
            }
        }
        self.conclude().await
    }

    /// At each block: what the ledger shows, and whose turn it is.
    async fn look_around(&mut self) -> Result<(), Failure> {
        let jobs = self.story.jobs();
        let view = self
            .client
            .inspect(move |actor| View::of(actor.node(), &jobs))
            .await
            .map_err(gone)?;
        self.story.tell_seats(&view)?;
        let first_is_checked = self.story.is_checked(0);
        if first_is_checked && !self.cued {
            self.stage.cue.notify_one();
            self.cued = true;
        }
        let turn = match self.ordered {
            0 => true,
            1 => {
                let cheat_is_here = self.cheat_height.is_some_and(|height| height + 1 >= view.height);
                let least = self.stage.params().committee.min_eligible as usize;
                cheat_is_here && view.tickets >= least
            }
            _ => false,
        };
        if let (true, Some(order)) = (turn, ORDERS.get(self.ordered)) {
            let command = Command::OpenJob(Box::new(self.request(order)?));
            self.client.command(command).await.map_err(gone)?;
            self.ordered += 1;
        }
        Ok(())
    }

    fn request(&self, order: &Order) -> Result<JobRequest, Failure> {
        let engine = &self.stage.engine;
        let prompt = encode(engine, order.prompt, Template::Raw).map_err(Failure::System)?;
        let amount = |units| Amount::from_units(units).unwrap_or(Amount::MAX);
        Ok(JobRequest {
            prompt: BoundedVec::from_vec(prompt).unwrap_or_default(),
            max_tokens: MAX_TOKENS,
            seed: 0,
            sampling: Sampling {
                temperature_milli: 700,
                top_k: 40,
                top_p_milli: 1_000,
            },
            model: engine.manifest().id(),
            spec: Spec::V2,
            samples: 0,
            reward: amount(order.half_coins * COIN / 2),
            stake: None,
            engage_fee: amount(COIN / 1_000),
            deadline_blocks: 60,
            private: false,
        })
    }

    async fn conclude(&self) -> Result<Ending, Failure> {
        let stage = self.stage.clone();
        let look = move |actor: &Actor| {
            let ledger = actor.node().chain().ledger();
            (Balances::on(ledger, &stage.cast), ledger.height().0)
        };
        let (balances, height) = self.client.inspect(look).await.map_err(gone)?;
        Ok(Ending::Played {
            honest_settled: self.story.outcome(0) == Some(Outcome::Settled),
            cheater_slashed: self.story.outcome(1) == Some(Outcome::SlashedInvalid),
            balances,
            height,
        })
    }
}

impl View {
    fn of(node: &camelid_core::node::Node, jobs: &[camelid_core::primitives::JobId]) -> Self {
        let ledger = node.chain().ledger();
        let next = ledger.next_moment(camelid_core::primitives::Timestamp(
            ledger.median_time_past().0.saturating_add(1),
        ));
        let seats = jobs.iter().map(|job| {
            let standing = ledger.job(job).map(|record| record.at(&ledger.clock(next)));
            let dispute = standing
                .as_ref()
                .and_then(|standing| standing.record.state.dispute());
            let seats = dispute.map_or(&[][..], |dispute| dispute.current_seats());
            seats.iter().map(|seat| seat.key.key_hash()).collect()
        });
        Self {
            height: ledger.height().0,
            tickets: ledger.tickets().len(),
            seats: seats.collect(),
        }
    }
}

fn gone(error: camelid_io::DriverStopped) -> Failure {
    Failure::System(format!("the client: {error}"))
}
