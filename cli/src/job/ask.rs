//! `camelid ask`.

use super::args::AskArgs;
use super::order::{Order, place, text_of};
use super::phase::{passed, words};
use crate::exit::{Exit, Failure};
use crate::rpc::{CallError, Client};
use crate::sim::{print_json, stop_on_interrupt};
use serde_json::{Value, json};
use std::io::{Write as _, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two looks at the job.
const PAUSE: Duration = Duration::from_millis(200);
/// A node may be restarted meanwhile, for so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// How it came out for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The check found nothing wrong.
    Verified,
    /// The node does not check.
    Unchecked,
    /// The output is not the model's, or does not open.
    Bad,
    /// Nobody can tell.
    Undecided,
    /// There is no output, and there will be none.
    Nothing,
}

/// Asks a model of the network.
///
/// # Errors
/// [`Failure`].
pub fn ask(args: &AskArgs) -> Result<Exit, Failure> {
    let client = Client::new(&args.order.node)?;
    let order = place(&args.order, &client)?;
    let stop = stop_on_interrupt("stopping")?;
    let mut watch = Watch {
        client: &client,
        job: &order.job,
        told: None,
        claimed: false,
        json: args.order.json,
        began: Instant::now(),
    };
    match watch.until_it_ends(&stop)? {
        Some((ending, job)) => conclude(args, &client, &order, ending, job),
        None => {
            eprintln!(
                "camelid: the job goes on; `camelid job show {}` says how",
                order.job
            );
            Ok(Exit::Interrupted)
        }
    }
}

/// Tells what happens to a job.
struct Watch<'a> {
    client: &'a Client,
    job: &'a str,
    /// The last phase that was told.
    told: Option<&'static str>,
    /// It was told of a claim.
    claimed: bool,
    json: bool,
    began: Instant,
}

impl Watch<'_> {
    /// Waits for the end, or for `stop`.
    fn until_it_ends(&mut self, stop: &AtomicBool) -> Result<Option<(Ending, Value)>, Failure> {
        let mut answered = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            match self.client.call("jobshow", &json!({"job": self.job})) {
                Ok(job) => {
                    answered = Instant::now();
                    for phase in passed(self.told, &job) {
                        self.told = Some(phase);
                        self.tell(phase, &words(phase, &job), &job)?;
                    }
                    self.tell_claim(&job)?;
                    if let Some(ending) = ending(&job) {
                        return Ok(Some((ending, job)));
                    }
                }
                Err(CallError::Unreachable(_)) if answered.elapsed() < PATIENCE => {}
                // The node gave it up: it was not mined in time.
                Err(CallError::Node(error)) if error.is_not_found() => {
                    return Ok(Some((Ending::Nothing, Value::Null)));
                }
                Err(error) => return Err(error.into()),
            }
            sleep(PAUSE);
        }
        Ok(None)
    }

    fn tell_claim(&mut self, job: &Value) -> Result<(), Failure> {
        let words = match job["state"].as_str() {
            Some("withheld") => "this node claims that the worker withholds its output",
            Some("round1" | "round2") if job["dispute"]["origin"] == "claim" => {
                "this node claims that the output is not the model's, and a committee will judge it"
            }
            _ => return Ok(()),
        };
        if !std::mem::replace(&mut self.claimed, true) {
            self.tell("claimed", words, job)?;
        }
        Ok(())
    }

    fn tell(&self, phase: &str, words: &str, job: &Value) -> Result<(), Failure> {
        let seconds = (self.began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        let height = job["tip"].as_u64();
        if self.json {
            return print_json(&json!({
                "schema": "camelid.job.phase.v1", "job": self.job, "phase": phase, "words": words,
                "height": height, "seconds": seconds,
            }));
        }
        let height = height.map_or_else(String::new, |height| height.to_string());
        eprintln!("{seconds:5.1} s  block {height:<5} {phase:<9}  {words}");
        Ok(())
    }
}

/// How a job came out, once that is clear. A claim is waited for until it is mined: it is part of the deal.
fn ending(job: &Value) -> Option<Ending> {
    let outcome = job["outcome"].as_str();
    let is_claimed = outcome.is_some() || job["dispute"]["origin"] == "claim";
    match (job["check"]["verdict"].as_str(), job["delivery"].as_str()) {
        (Some("valid"), _) => Some(Ending::Verified),
        (Some("invalid"), _) => is_claimed.then_some(Ending::Bad),
        (Some(_), _) => Some(Ending::Undecided),
        (None, Some("bad")) => outcome.map(|_| Ending::Bad),
        (None, Some(_)) => (job["checks"] == false).then_some(Ending::Unchecked),
        (None, None) => outcome.map(|_| Ending::Nothing),
    }
}

fn conclude(
    args: &AskArgs,
    client: &Client,
    order: &Order,
    ending: Ending,
    mut job: Value,
) -> Result<Exit, Failure> {
    let is_good = matches!(ending, Ending::Verified | Ending::Unchecked);
    let text = text_of(&order.engine, &job).filter(|_| is_good || args.show_unverified);
    if args.order.json {
        if job.is_null() {
            job = json!({"job": order.job});
        }
        job["schema"] = "camelid.job.v1".into();
        job["prompt_tokens"] = order.prompt_tokens.into();
        job["verified"] = (ending == Ending::Verified).into();
        job["text"] = text.into();
        if !is_good && let Some(fields) = job.as_object_mut() {
            // Without the text its tokens would be the text.
            fields.retain(|name, _| name != "output" || args.show_unverified);
        }
        print_json(&job)?;
    } else if let Some(text) = text {
        let mut out = stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()?;
    }
    match ending {
        Ending::Verified => return Ok(Exit::Success),
        Ending::Unchecked => {
            eprintln!("camelid: this node does not check outputs");
            return Ok(Exit::Success);
        }
        Ending::Bad => eprintln!("camelid: the output is not what was paid for"),
        Ending::Undecided => eprintln!("camelid: the check could not tell whether the output is the model's"),
        Ending::Nothing => eprintln!("camelid: there is no output"),
    }
    match client.call("jobwhy", &json!({"job": order.job})) {
        Ok(why) => eprintln!("{}", why["why"].as_str().unwrap_or_default()),
        Err(_) => eprintln!("The job was not mined before its deadline came too near."),
    }
    Ok(Exit::Negative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_ends_for_whoever_asked_when_nothing_more_can_be_learnt() {
        let cases = [
            (json!({"phase": "mined"}), None),
            (json!({"delivery": "good", "checks": true}), None),
            (
                json!({"delivery": "good", "checks": false}),
                Some(Ending::Unchecked),
            ),
            (
                json!({"delivery": "good", "check": {"verdict": "valid"}}),
                Some(Ending::Verified),
            ),
            (
                json!({"delivery": "good", "check": {"verdict": "inconclusive"}}),
                Some(Ending::Undecided),
            ),
            // Not before the claim is on the chain.
            (json!({"delivery": "good", "check": {"verdict": "invalid"}}), None),
            (
                json!({"delivery": "good", "check": {"verdict": "invalid"}, "dispute": {"origin": "claim"}}),
                Some(Ending::Bad),
            ),
            (json!({"delivery": "bad"}), None),
            (
                json!({"delivery": "bad", "outcome": "slashed-bad-delivery"}),
                Some(Ending::Bad),
            ),
            (json!({"outcome": "refunded"}), Some(Ending::Nothing)),
            (json!({"outcome": "slashed-withheld"}), Some(Ending::Nothing)),
        ];
        for (job, expected) in cases {
            assert_eq!(ending(&job), expected, "{job}");
        }
    }
}
