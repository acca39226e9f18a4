//! Reading claims from a file, line by line.

use super::claim::Claim;
use super::record::{ClaimRecord, FinishName, SCHEMA};
use crate::exit::Failure;
use crate::model::{encode, encode_continuation, parse_hash};
use camelid_core::model::{Finish, LanguageModel as _, MAX_PROMPT_TOKENS, MAX_TOKENS, Sampling, TokenId};
use camelid_core::primitives::{Hash256, JobId};
use camelid_inference_ggml::Engine;
use camelid_sim::scenario::LoadError;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longest line: a claim with as many tokens as there can be takes 100 kB without its texts.
const MAX_LINE_BYTES: u64 = 1 << 20;
/// Most claims of one file.
const MAX_CLAIMS: usize = 1_000_000;
/// Faults that are listed before reading stops.
const MAX_FAULTS: usize = 20;
/// Longest id.
const MAX_ID_BYTES: usize = 256;

/// Claims about `model`, in the order of the file.
///
/// # Errors
/// [`Failure::Load`] with the first faults, each with its line.
pub fn read_claims(path: &Path, model: &Engine) -> Result<Vec<Claim>, Failure> {
    let mut claims = Vec::new();
    let mut faults = Vec::new();
    let mut ids = BTreeMap::new();
    for line in Lines::open(path)? {
        let (number, line) = line?;
        let claim = parse(&line)
            .and_then(|record| resolve(record, model))
            .and_then(|claim| match ids.insert(claim.id.clone(), number) {
                None => Ok(claim),
                Some(first) => Err(Fault::new(
                    format!("line {first} has the id {:?} too", claim.id),
                    "give each claim an id of its own",
                )),
            });
        match claim {
            Ok(claim) => claims.push(claim),
            Err(fault) => faults.push(fault.at(path, number)),
        }
        if faults.len() == MAX_FAULTS {
            break;
        }
    }
    if !faults.is_empty() {
        return Err(Failure::Load(faults));
    }
    if claims.is_empty() {
        let hint = "`camelid rastic generate` writes claims, one JSON object a line";
        return Err(Failure::load(path, "holds no claim", hint));
    }
    Ok(claims)
}

/// The root of the model that the claim called `id` is about.
///
/// # Errors
/// [`Failure::Load`]: there is no such claim, or it cannot be read.
pub fn model_of(path: &Path, id: &str) -> Result<Hash256, Failure> {
    for line in Lines::open(path)? {
        let (number, line) = line?;
        let record = parse(&line).map_err(|fault| Failure::Load(vec![fault.at(path, number)]))?;
        if record.id == id {
            return hash(&record.model, "model").map_err(|fault| Failure::Load(vec![fault.at(path, number)]));
        }
    }
    Err(no_claim(path, id))
}

/// There is no claim called `id`.
pub fn no_claim(path: &Path, id: &str) -> Failure {
    let hint = "give --id the `id` of one of its lines";
    Failure::load(path, format!("has no claim with the id {id:?}"), hint)
}

/// What is wrong with a claim, and what to do about it.
#[derive(Debug)]
struct Fault {
    message: String,
    hint: String,
}

impl Fault {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    fn at(self, path: &Path, line: usize) -> LoadError {
        LoadError::of_file(&format!("{}:{line}", path.display()), self.message, self.hint)
    }
}

/// Lines that are not blank, with their numbers from 1.
pub struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    number: usize,
}

impl Lines {
    /// Of the file `path`, or of standard input when it is `-`.
    ///
    /// # Errors
    /// [`Failure::Load`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let reader: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(path).map_err(|error| {
                Failure::load(
                    path,
                    format!("cannot be read: {error}"),
                    "name a file that exists",
                )
            })?;
            Box::new(BufReader::new(file))
        };
        Ok(Self {
            name: path.display().to_string(),
            reader,
            number: 0,
        })
    }

    fn read(&mut self) -> Result<Option<String>, Failure> {
        self.number += 1;
        let at = |name: &str, number: usize, message: String, hint: &str| {
            Failure::Load(vec![LoadError::of_file(
                &format!("{name}:{number}"),
                message,
                hint,
            )])
        };
        let mut line = String::new();
        let mut bounded = (&mut self.reader).take(MAX_LINE_BYTES + 1);
        let read = bounded.read_line(&mut line).map_err(|error| {
            let hint = "the file has to be UTF-8 text, one entry a line";
            at(&self.name, self.number, format!("cannot be read: {error}"), hint)
        })?;
        if read as u64 > MAX_LINE_BYTES {
            let message = format!("the line is longer than {MAX_LINE_BYTES} bytes");
            return Err(at(&self.name, self.number, message, "cut it into shorter ones"));
        }
        if self.number > MAX_CLAIMS {
            let message = format!("more than {MAX_CLAIMS} lines");
            return Err(at(&self.name, self.number, message, "split the file"));
        }
        Ok((read > 0).then_some(line))
    }
}

impl Iterator for Lines {
    type Item = Result<(usize, String), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read() {
                Ok(None) => return None,
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => return Some(Ok((self.number, line.trim_end_matches(['\r', '\n']).into()))),
                Err(failure) => return Some(Err(failure)),
            }
        }
    }
}

fn parse(line: &str) -> Result<ClaimRecord, Fault> {
    // A list of the fields' values would pass for a claim otherwise.
    if !line.trim_start().starts_with('{') {
        return Err(Fault::new(
            "is no JSON object",
            "a claim is one JSON object on one line",
        ));
    }
    let record: ClaimRecord = serde_json::from_str(line).map_err(|error| {
        let hint = match error.classify() {
            serde_json::error::Category::Data => "docs/src/claims.md lists the fields of camelid.claim.v1",
            _ => "a claim is one JSON object on one line",
        };
        Fault::new(
            format!("column {}: {}", error.column(), without_place(&error)),
            hint,
        )
    })?;
    if record.schema != SCHEMA {
        let message = format!("the schema is {:?}", record.schema);
        return Err(Fault::new(message, format!("this program reads {SCHEMA:?}")));
    }
    Ok(record)
}

/// The message without ` at line 1 column 7`: the line is that of the file.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].into(),
        None => message,
    }
}

fn resolve(record: ClaimRecord, model: &Engine) -> Result<Claim, Fault> {
    if record.id.is_empty() || record.id.len() > MAX_ID_BYTES {
        return Err(Fault::new(
            "the id is empty or too long",
            format!("use 1 to {MAX_ID_BYTES} bytes"),
        ));
    }
    let root = hash(&record.model, "model")?;
    check_model(root, model)?;
    let sampling = sampling(&record)?;
    let prompt = prompt(&record, model)?;
    let output = output(&record, model)?;
    let claim = Claim {
        model: root,
        profile: record.profile,
        job: JobId(hash(&record.job, "job")?.0),
        text: record.prompt,
        template: record.template,
        prompt,
        output,
        seed: record.seed,
        sampling,
        max_tokens: record.max_tokens,
        label: record.label,
        id: record.id,
    };
    check_lengths(&claim, model)?;
    check_finish(&claim, record.finish, model)?;
    Ok(claim)
}

/// 64 hexadecimal digits.
fn hash(text: &str, field: &str) -> Result<Hash256, Fault> {
    parse_hash(text).ok_or_else(|| {
        let message = format!("`{field}` is {text:?}");
        Fault::new(message, "it has to be 64 hexadecimal digits")
    })
}

fn check_model(claimed: Hash256, model: &Engine) -> Result<(), Fault> {
    let root = model.manifest().chunk_root;
    if claimed == root {
        return Ok(());
    }
    Err(Fault::new(
        format!("the claim is about the model {claimed:.8}…, and --model is {root:.8}…"),
        format!("check it with --model {claimed}, after `camelid model add FILE` if it is not at hand"),
    ))
}

fn sampling(record: &ClaimRecord) -> Result<Sampling, Fault> {
    let sampling = Sampling {
        temperature_milli: record.temperature_milli,
        top_k: record.top_k,
        top_p_milli: record.top_p_milli,
    };
    check_sampling(&sampling).map_err(|(message, hint)| Fault::new(message, hint))?;
    Ok(sampling)
}

/// Are the parameters in range, and do they go together? If not, what is wrong and what to do.
///
/// # Errors
/// Both in words.
pub fn check_sampling(sampling: &Sampling) -> Result<(), (String, &'static str)> {
    sampling
        .check()
        .map_err(|error| (error.to_string(), "write a number in that range"))?;
    if sampling.is_greedy() && (sampling.top_k, sampling.top_p_milli) != (0, 1000) {
        let message = "temperature_milli 0 always takes the best token, and top_k or top_p_milli say what to \
                       draw from";
        let hint = "leave out top_k and top_p_milli, or give a temperature";
        return Err((message.into(), hint));
    }
    Ok(())
}

/// Token ids win over text.
fn prompt(record: &ClaimRecord, model: &Engine) -> Result<Vec<TokenId>, Fault> {
    let tokens = match (&record.prompt_tokens, &record.prompt) {
        (Some(tokens), _) => tokens.clone(),
        (None, Some(text)) => encode(model, text, record.template)
            .map_err(|message| Fault::new(message, "give token ids, or another template"))?,
        (None, None) => {
            let hint = "give `prompt_tokens` or `prompt`";
            return Err(Fault::new("there is no prompt", hint));
        }
    };
    let vocabulary = model.manifest().vocabulary;
    if let Some((index, token)) = tokens.iter().enumerate().find(|(_, token)| **token >= vocabulary) {
        return Err(Fault::new(
            format!(
                "prompt_tokens[{index}] is {token}, and the model's ids end at {}",
                vocabulary - 1
            ),
            "these are ids of another vocabulary: check against the model they belong to",
        ));
    }
    if tokens.is_empty() {
        return Err(Fault::new(
            "the prompt has no token",
            "a model continues at least one token",
        ));
    }
    Ok(tokens)
}

/// Ids outside the vocabulary are left to the checks: they condemn the claim. Text has no end token, so a
/// claim that says it ends is given one.
fn output(record: &ClaimRecord, model: &Engine) -> Result<Vec<TokenId>, Fault> {
    if let Some(tokens) = &record.output_tokens {
        return Ok(tokens.clone());
    }
    let Some(text) = &record.output else {
        let hint = "give `output_tokens` or `output`";
        return Err(Fault::new("there is no output", hint));
    };
    let mut tokens =
        encode_continuation(model, text).map_err(|message| Fault::new(message, "give token ids"))?;
    if record.finish == Some(FinishName::End) {
        tokens.extend(model.manifest().end_tokens.first());
    }
    Ok(tokens)
}

fn check_lengths(claim: &Claim, model: &Engine) -> Result<(), Fault> {
    let context = model.manifest().context as usize;
    let (prompt, output) = (claim.prompt.len(), claim.output.len());
    if !(1..=MAX_TOKENS).contains(&(claim.max_tokens as usize)) {
        return Err(Fault::new(
            format!("max_tokens is {}", claim.max_tokens),
            format!("use 1 to {MAX_TOKENS}"),
        ));
    }
    for (what, length, most) in [
        ("prompt", prompt, MAX_PROMPT_TOKENS),
        ("output", output, MAX_TOKENS),
    ] {
        if length > most {
            return Err(Fault::new(
                format!("the {what} has {length} tokens"),
                format!("the protocol knows {what}s of at most {most} tokens"),
            ));
        }
    }
    if prompt + output > context {
        return Err(Fault::new(
            format!(
                "prompt and output have {prompt} + {output} tokens, and the model's context holds {context}"
            ),
            "the model cannot have written this: check against the model that did",
        ));
    }
    Ok(())
}

/// Where tokens and limit say why the output ends, the claim must not say otherwise. An output that ends for
/// no reason is left to the checks.
fn check_finish(claim: &Claim, said: Option<FinishName>, model: &Engine) -> Result<(), Fault> {
    let derived = claim.finish(model.manifest());
    match (said, derived) {
        (Some(said), Some(derived)) if said != derived.into() => {
            let is = match derived {
                Finish::EndToken => "its last token is an end token: \"end\"",
                Finish::Limit => "it has max_tokens tokens and no end token: \"limit\"",
            };
            Err(Fault::new(
                format!("`finish` contradicts the output, for {is}"),
                "leave `finish` out: it follows from the output",
            ))
        }
        _ => Ok(()),
    }
}
