//! From a prompt to a job.

use super::args::OrderArgs;
use crate::exit::Failure;
use crate::model::{self, Template};
use crate::rpc::Client;
use camelid_core::model::{LanguageModel as _, Sampling, TokenId};
use camelid_inference_ggml::Engine;
use serde_json::{Value, json};

/// A job that a node has taken in.
pub struct Order {
    /// The job.
    pub job: String,
    /// Tokens of its prompt.
    pub prompt_tokens: usize,
    /// The model.
    pub engine: Engine,
}

/// Opens the job that is wanted.
///
/// # Errors
/// [`Failure`].
pub fn place(args: &OrderArgs, client: &Client) -> Result<Order, Failure> {
    let sampling = Sampling {
        temperature_milli: args.temperature_milli,
        top_k: args.top_k,
        top_p_milli: args.top_p_milli,
    };
    sampling
        .check()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    // Before anything is loaded: is there a node?
    client.call("getblockcount", &Value::Null)?;
    let engine = model::open(&args.model)?;
    let prompt = tokens(args, &engine)?;
    let seed = args.seed.map_or_else(random_seed, Ok)?;
    let answer = client.call(
        "jobsubmit",
        &json!({
            "prompt": prompt,
            "reward": args.reward.to_string(),
            "model": engine.manifest().id().to_string(),
            "max_tokens": args.max_tokens,
            "seed": seed,
            "temperature_milli": args.temperature_milli,
            "top_k": args.top_k,
            "top_p_milli": args.top_p_milli,
            "stake": args.stake.map(|stake| stake.to_string()),
            "deadline_blocks": args.deadline_blocks,
            "private": args.private,
        }),
    )?;
    let job = answer["job"].as_str();
    let job = job.ok_or_else(|| Failure::System("the node does not say which job it is".into()))?;
    Ok(Order {
        job: job.to_owned(),
        prompt_tokens: prompt.len(),
        engine,
    })
}

fn tokens(args: &OrderArgs, engine: &Engine) -> Result<Vec<TokenId>, Failure> {
    let encode = |template| model::encode(engine, &args.prompt, template);
    let tokens = match args.template {
        Some(template) => encode(template),
        None => encode(Template::Chat).or_else(|_| encode(Template::Raw)),
    };
    tokens.map_err(Failure::Usage)
}

fn random_seed() -> Result<u64, Failure> {
    getrandom::u64().map_err(|error| Failure::System(format!("the system gave no random number: {error}")))
}

/// The tokens of an output as the node gives it.
pub fn output_tokens(job: &Value) -> Option<Vec<TokenId>> {
    let tokens = job["output"]["tokens"].as_array()?;
    let token = |token: &Value| token.as_u64().and_then(|token| TokenId::try_from(token).ok());
    tokens.iter().map(token).collect()
}

/// The text of an output, without what a terminal would obey.
pub fn text_of(engine: &Engine, job: &Value) -> Option<String> {
    let text = model::decode(engine, &output_tokens(job)?);
    Some(
        text.chars()
            .filter(|letter| *letter == '\n' || *letter == '\t' || !letter.is_control())
            .collect(),
    )
}
