//! A line of a file of claims.

use super::claim::Claim;
use super::label::Label;
use crate::model::{Template, decode};
use camelid_core::model::{Finish, LanguageModel as _, TokenId};
use camelid_inference_ggml::Engine;
use serde::{Deserialize, Serialize};

/// The schema's name.
pub const SCHEMA: &str = "camelid.claim.v1";

/// `camelid.claim.v1`. Scripts depend on the keys and their order; new keys go to the end.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRecord {
    #[serde(default = "schema")]
    pub schema: String,
    pub id: String,
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    pub job: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<Vec<TokenId>>,
    #[serde(default)]
    pub template: Template,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<Vec<TokenId>>,
    pub seed: u64,
    pub temperature_milli: u32,
    #[serde(default)]
    pub top_k: u32,
    #[serde(default = "whole")]
    pub top_p_milli: u32,
    pub max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<FinishName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// Why an output ends, as files say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishName {
    /// With an end token.
    End,
    /// At the limit.
    Limit,
}

impl From<Finish> for FinishName {
    fn from(finish: Finish) -> Self {
        match finish {
            Finish::EndToken => Self::End,
            Finish::Limit => Self::Limit,
        }
    }
}

impl ClaimRecord {
    /// The line that says `claim`, texts beside tokens.
    pub fn new(claim: &Claim, model: &Engine) -> Self {
        Self {
            schema: schema(),
            id: claim.id.clone(),
            model: claim.model.to_string(),
            profile: claim.profile.clone(),
            job: claim.job.to_string(),
            prompt: claim.text.clone(),
            prompt_tokens: Some(claim.prompt.clone()),
            template: claim.template,
            output: Some(decode(model, &claim.output)),
            output_tokens: Some(claim.output.clone()),
            seed: claim.seed,
            temperature_milli: claim.sampling.temperature_milli,
            top_k: claim.sampling.top_k,
            top_p_milli: claim.sampling.top_p_milli,
            max_tokens: claim.max_tokens,
            finish: claim.finish(model.manifest()).map(FinishName::from),
            label: claim.label.clone(),
        }
    }
}

fn schema() -> String {
    SCHEMA.into()
}

fn whole() -> u32 {
    1000
}
