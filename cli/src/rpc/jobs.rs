//! Methods about jobs.

use super::arguments::{Arguments, Kind, Parameter, clean, missing};
use super::error::RpcError;
use super::job::Job;
use super::method::{Action, Answer, Answering, Group, Method};
use super::reason;
use super::service::{Service, View};
use crate::decimal::coins;
use camelid_core::model::{MAX_TOKENS, PromptTokens, Sampling};
use camelid_core::primitives::{Amount, JobId, ModelId};
use camelid_core::process::{Command, Event, JobRequest};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const JOB: &[Parameter] = &[Parameter::required("job", Kind::Hash, "The job.")];
const SMALL: Kind = Kind::Number(u32::MAX as u64);
/// Most entries of a list.
const MAX_LISTED: u64 = 1_000;
/// What a client pays for Engage unless it says something else, in coins.
const ENGAGE_FEE: &str = "0.001";
/// Blocks that a job waits for a worker unless its client says something else; more where the network asks for more.
const DEADLINE_BLOCKS: u32 = 60;

/// The methods.
pub const METHODS: Group = Group {
    name: "Jobs",
    methods: &[
        Method {
            name: "jobsubmit",
            parameters: &[
                Parameter::required("prompt", Kind::Numbers, "The rendered prompt's token ids."),
                Parameter::required("reward", Kind::Amount, "What the worker is paid."),
                Parameter::optional(
                    "model",
                    Kind::Hash,
                    "The model's id; the node's only one unless given.",
                ),
                Parameter::optional(
                    "max_tokens",
                    Kind::Number(MAX_TOKENS as u64),
                    "Token limit; 128 unless given.",
                ),
                Parameter::optional(
                    "seed",
                    Kind::Number(u64::MAX),
                    "Seed of the sampling noise; 0 unless given.",
                ),
                Parameter::optional(
                    "temperature_milli",
                    SMALL,
                    "Temperature in thousandths; 0 unless given: the best token.",
                ),
                Parameter::optional(
                    "top_k",
                    SMALL,
                    "Draw from the best so many tokens; 0 unless given: from all.",
                ),
                Parameter::optional(
                    "top_p_milli",
                    SMALL,
                    "Draw from the best tokens of this probability; 1000 unless given: from all.",
                ),
                Parameter::optional("spec", Kind::Text, "How the output is judged; v2 unless given."),
                Parameter::optional("samples", SMALL, "Samples for v1-repaired."),
                Parameter::optional(
                    "stake",
                    Kind::Amount,
                    "What the worker stakes; the least allowed unless given.",
                ),
                Parameter::optional(
                    "engage_fee",
                    Kind::Amount,
                    "For the miner of Engage; 0.001 unless given.",
                ),
                Parameter::optional(
                    "deadline_blocks",
                    SMALL,
                    "Blocks until a worker must be engaged; 60 unless given.",
                ),
                Parameter::optional("private", Kind::Flag, "true: never audited."),
            ],
            help: "Opens a job (client role); its id.",
            action: Action::Act(submit),
        },
        Method {
            name: "jobshow",
            parameters: JOB,
            help: "What is known of a job; of an own one its phase, output and check, too.",
            action: Action::Look(show),
        },
        Method {
            name: "joblist",
            parameters: &[
                Parameter::optional(
                    "scope",
                    Kind::Text,
                    "own, unless given; open: not closed on the ledger; all.",
                ),
                Parameter::optional("count", Kind::Number(MAX_LISTED), "How many; 100 unless given."),
            ],
            help: "Jobs, the newest first.",
            action: Action::Look(list),
        },
        Method {
            name: "jobwhy",
            parameters: JOB,
            help: "Why a job was or was not paid, slashed or refunded, in words, with the evidence of the chain.",
            action: Action::Look(why),
        },
        Method {
            name: "jobdispute",
            parameters: JOB,
            help: "Claims that the output of an own job is not the model's, whatever the own check says. A deposit is locked; it is lost if a committee finds the output good.",
            action: Action::Act(dispute),
        },
    ],
};

fn job_id(arguments: &Arguments) -> Result<JobId, RpcError> {
    arguments.hash("job").map(JobId).ok_or_else(|| missing("job"))
}

fn unknown() -> RpcError {
    RpcError::not_found("no block of the best chain opens this job, and it is none of this node's")
}

fn show(view: &View<'_>, arguments: &Arguments) -> Answer {
    Ok(Job::find(view, job_id(arguments)?).ok_or_else(unknown)?.json())
}

fn why(view: &View<'_>, arguments: &Arguments) -> Answer {
    let job = Job::find(view, job_id(arguments)?).ok_or_else(unknown)?;
    Ok(reason::explain(view, &job))
}

fn list(view: &View<'_>, arguments: &Arguments) -> Answer {
    let ledger = view.node.chain().ledger();
    let count = arguments.small("count").unwrap_or(100) as usize;
    let scope = arguments.text("scope").unwrap_or_else(|| "own".into());
    let ids: Vec<JobId> = match scope.as_str() {
        "own" => view.node.client_jobs().map(|own| own.offer.job).collect(),
        "open" => ledger.unclosed_jobs().map(|record| record.id).collect(),
        "all" => {
            let unmined = view.node.client_jobs().map(|own| own.offer.job);
            let unmined = unmined.filter(|job| ledger.job(job).is_none());
            let mut newest: BTreeSet<_> = BTreeSet::new();
            ledger.each_job(|record| {
                newest.insert((record.terms.created, record.terms.deadline, record.id));
                if newest.len() > count {
                    newest.pop_first();
                }
            });
            unmined.chain(newest.into_iter().map(|(_, _, id)| id)).collect()
        }
        other => {
            let message = format!("scope: own, open or all is wanted, not {}", clean(other));
            return Err(RpcError::new(RpcError::PARAMETERS, message));
        }
    };
    let mut jobs: Vec<Job<'_>> = ids.into_iter().filter_map(|id| Job::find(view, id)).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.terms().map(|terms| (terms.created, terms.deadline))));
    Ok(jobs.iter().take(count).map(Job::summary).collect())
}

fn submit(service: &Service, arguments: Arguments) -> Answering<'_> {
    Box::pin(async move {
        let model = match arguments.hash("model") {
            Some(model) => ModelId(model),
            None => only_model(service).await?,
        };
        let request = request(&arguments, model)?;
        let events = service.ask(Command::OpenJob(Box::new(request))).await?;
        let outcome = events.iter().find_map(|event| match event {
            Event::JobOffered { offer } => Some(Ok(json!({"job": offer.job.to_string()}))),
            Event::JobRefused { reason } => Some(Err(RpcError::new(RpcError::REJECTED, reason))),
            _ => None,
        });
        outcome.unwrap_or_else(|| Err(RpcError::new(RpcError::INTERNAL, "the node said nothing")))
    })
}

/// The id of the model that the node knows, if it knows one.
async fn only_model(service: &Service) -> Result<ModelId, RpcError> {
    let models = service.look(|view| {
        let models = view
            .node
            .config()
            .models
            .iter()
            .map(|manifest| Value::from(manifest.id().0.to_vec()));
        Ok(models.collect())
    });
    let models: Vec<[u8; 32]> =
        serde_json::from_value(models.await?).map_err(|error| RpcError::new(RpcError::INTERNAL, error))?;
    match models.as_slice() {
        [model] => Ok(ModelId(*model)),
        models => {
            let message = format!("the node knows {} models: name one", models.len());
            Err(RpcError::new(RpcError::RANGE, message))
        }
    }
}

fn request(arguments: &Arguments, model: ModelId) -> Result<JobRequest, RpcError> {
    let range = |message: String| RpcError::new(RpcError::RANGE, message);
    let prompt = arguments.numbers("prompt").ok_or_else(|| missing("prompt"))?;
    let prompt = PromptTokens::from_vec(prompt).ok_or_else(|| range("the prompt is too long".into()))?;
    let spec = match arguments.text("spec") {
        Some(name) => name.parse().map_err(|error| range(format!("spec: {error}")))?,
        None => camelid_core::rastic::Spec::V2,
    };
    let sampling = Sampling {
        temperature_milli: arguments.small("temperature_milli").unwrap_or(0),
        top_k: arguments.small("top_k").unwrap_or(0),
        top_p_milli: arguments.small("top_p_milli").unwrap_or(1_000),
    };
    sampling.check().map_err(|error| range(error.to_string()))?;
    let fee = || coins(ENGAGE_FEE).unwrap_or(Amount::ZERO);
    Ok(JobRequest {
        prompt,
        max_tokens: arguments.small("max_tokens").unwrap_or(128),
        seed: arguments.number("seed").unwrap_or(0),
        sampling,
        model,
        spec,
        samples: arguments.small("samples").unwrap_or(0),
        reward: arguments.amount("reward").ok_or_else(|| missing("reward"))?,
        stake: arguments.amount("stake"),
        engage_fee: arguments.amount("engage_fee").unwrap_or_else(fee),
        deadline_blocks: arguments.small("deadline_blocks").unwrap_or(DEADLINE_BLOCKS),
        private: arguments.flag("private").unwrap_or(false),
    })
}

fn dispute(service: &Service, arguments: Arguments) -> Answering<'_> {
    Box::pin(async move {
        let job = job_id(&arguments)?;
        let events = service.ask(Command::Dispute { job }).await?;
        let outcome = events.iter().find_map(|event| match event {
            Event::Claimed { kind, .. } => Some(Ok(json!({"job": job.to_string(), "claim": kind.name()}))),
            Event::CommandRefused { reason } => Some(Err(RpcError::new(RpcError::MISC, reason))),
            _ => None,
        });
        outcome.unwrap_or_else(|| Err(RpcError::new(RpcError::INTERNAL, "the node said nothing")))
    })
}
