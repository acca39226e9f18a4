//! `camelid demo`: a whole network in one process, in which a worker cheats and is caught.

mod args;
mod balances;
mod cast;
mod director;
mod phase;
mod record;
mod stage;
mod story;
mod words;

pub use args::DemoArgs;

use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};
use crate::live::{Supervisor, stop_on_signals};
use crate::model;
use crate::sim::print_json;
use balances::Balances;
use director::{Director, Ending};
use phase::Teller;
use record::SummaryRecord;
use stage::Stage;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// Events of all nodes that may wait to be told.
const EVENT_CAPACITY: usize = 8_192;

/// Plays the demo and says how it ended.
///
/// # Errors
/// [`Failure`] when it could not be played.
pub fn demo(args: &DemoArgs, color: ColorWhen) -> Result<Exit, Failure> {
    let engine = Arc::new(model::open(&args.model)?);
    let runtime = tokio::runtime::Runtime::new().map_err(system)?;
    let teller = Teller::new(args.json, Instant::now());
    runtime.block_on(async {
        let mut supervisor = Supervisor::default();
        stop_on_signals(supervisor.stop(), "stopping").map_err(system)?;
        let (events, told) = mpsc::channel(EVENT_CAPACITY);
        let stage = Arc::new(Stage::new(engine, events));
        let client = stage.raise(&mut supervisor)?;
        teller.introduce(&stage)?;
        let stop = supervisor.stop();
        let mut director = Director::new(stage.clone(), client, told, &teller);
        let play = async {
            let ending = director.play(&stop).await;
            stop.request();
            ending
        };
        let (ended, ending) = tokio::join!(supervisor.run(), play);
        ended.map_err(system)?;
        conclude(args, color, &teller, &ending?)
    })
}

fn conclude(args: &DemoArgs, color: ColorWhen, teller: &Teller, ending: &Ending) -> Result<Exit, Failure> {
    let Ending::Played {
        honest_settled,
        cheater_slashed,
        balances,
        height,
    } = ending
    else {
        return Ok(Exit::Interrupted);
    };
    let summary = SummaryRecord::new(*honest_settled, *cheater_slashed, *height, teller.seconds());
    match args.json {
        true => {
            balances.print_json()?;
            print_json(&summary)?;
        }
        false => Balances::print(balances, color.on_stdout())?,
    }
    if *honest_settled && *cheater_slashed {
        return Ok(Exit::Success);
    }
    eprintln!("camelid: the demo did not end as it should: {}", summary.words());
    Ok(Exit::Negative)
}

fn system(error: impl std::fmt::Display) -> Failure {
    Failure::System(error.to_string())
}
