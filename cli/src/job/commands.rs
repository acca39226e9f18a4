//! `camelid job …`.

use super::args::{ListArgs, OneArgs, Scope, ShowArgs, SubmitArgs};
use super::order::{place, text_of};
use crate::exit::{Exit, Failure};
use crate::model;
use crate::query::{plain, print_record};
use crate::rpc::Client;
use crate::sim::new_table;
use serde_json::{Value, json};
use std::io::{Write as _, stdout};

/// Opens a job.
///
/// # Errors
/// [`Failure`].
pub fn submit(args: &SubmitArgs) -> Result<Exit, Failure> {
    let client = Client::new(&args.order.node)?;
    let order = place(&args.order, &client)?;
    if args.order.json {
        let record = json!({"job": order.job, "prompt_tokens": order.prompt_tokens});
        print_record("camelid.job.submitted.v1", record)?;
    } else {
        writeln!(stdout().lock(), "{}", order.job)?;
    }
    Ok(Exit::Success)
}

fn call(args: &OneArgs, method: &str) -> Result<Value, Failure> {
    Ok(Client::new(&args.node)?.call(method, &json!({"job": args.job}))?)
}

/// Says what is known of a job.
///
/// # Errors
/// [`Failure`].
pub fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let job = call(&args.one, "jobshow")?;
    if args.one.json {
        print_record("camelid.job.v1", job)?;
        return Ok(Exit::Success);
    }
    let terms = &job["terms"];
    let coins = |value: &Value| format!("{} coins", plain(value));
    let mut facts = vec![
        ("job", plain(&job["job"])),
        ("state", plain(&job["state"])),
        ("outcome", plain(&job["outcome"])),
        ("worker", plain(&job["node"])),
        ("model", plain(&terms["model"])),
        ("reward", coins(&terms["reward"])),
        ("stake", coins(&terms["stake"])),
        ("deadline", format!("block {}", plain(&terms["deadline"]))),
    ];
    if job["own"] == true {
        facts.push(("phase", plain(&job["phase"])));
        facts.push(("check", check(&job)));
    }
    let mut out = stdout().lock();
    for (name, fact) in facts {
        writeln!(out, "{name:<12}{fact}")?;
    }
    if let Some(text) = text(args, &job)? {
        writeln!(out, "\n{text}")?;
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn check(job: &Value) -> String {
    match job["check"]["verdict"].as_str() {
        Some("invalid") => format!(
            "invalid at token {}: {}",
            job["check"]["token"],
            plain(&job["check"]["reason"])
        ),
        Some("valid") => "valid".into(),
        Some(_) => format!("inconclusive: {}", plain(&job["check"]["reason"])),
        None => "-".into(),
    }
}

/// The text, if there is one that may be shown.
fn text(args: &ShowArgs, job: &Value) -> Result<Option<String>, Failure> {
    let is_valid = job["check"]["verdict"] == "valid";
    if job["output"].is_null() || !(is_valid || args.show_unverified) {
        return Ok(None);
    }
    let engine = model::open(&args.model)?;
    use camelid_core::model::LanguageModel as _;
    let known = engine.manifest().id().to_string();
    match job["terms"]["model"] == known {
        true => Ok(text_of(&engine, job)),
        false => {
            eprintln!("camelid: the output is of another model; name it with --model to see the text");
            Ok(None)
        }
    }
}

/// Lists jobs.
///
/// # Errors
/// [`Failure`].
pub fn list(args: &ListArgs, color: bool) -> Result<Exit, Failure> {
    let scope = match args.scope {
        Scope::Own => "own",
        Scope::Open => "open",
        Scope::All => "all",
    };
    let jobs = Client::new(&args.node)?.call("joblist", &json!({"scope": scope, "count": args.count}))?;
    let jobs = jobs.as_array().map_or(&[][..], Vec::as_slice);
    if args.json {
        for job in jobs {
            print_record("camelid.job.line.v1", job.clone())?;
        }
        print_record("camelid.job.list.v1", json!({"jobs": jobs.len()}))?;
        return Ok(Exit::Success);
    }
    let mut table = new_table(&["job", "state", "outcome", "since block", "reward"], color);
    for job in jobs {
        table.add_row(["job", "state", "outcome", "height", "reward"].map(|column| plain(&job[column])));
    }
    writeln!(stdout().lock(), "{}", table.trim_fmt())?;
    Ok(Exit::Success)
}

/// Explains what became of a job.
///
/// # Errors
/// [`Failure`].
pub fn why(args: &OneArgs) -> Result<Exit, Failure> {
    let why = call(args, "jobwhy")?;
    if args.json {
        print_record("camelid.job.why.v1", why)?;
        return Ok(Exit::Success);
    }
    let mut out = stdout().lock();
    writeln!(out, "{}", plain(&why["why"]))?;
    let evidence = why["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    if !evidence.is_empty() {
        writeln!(out, "\nOn the chain:")?;
    }
    for step in evidence {
        let (height, txid) = (plain(&step["height"]), plain(&step["txid"]));
        writeln!(out, "  block {height:<6} {txid:.16}…  {}", plain(&step["words"]))?;
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// Objects to an output.
///
/// # Errors
/// [`Failure`].
pub fn dispute(args: &OneArgs) -> Result<Exit, Failure> {
    let claim = call(args, "jobdispute")?;
    if args.json {
        print_record("camelid.job.dispute.v1", claim)?;
    } else {
        eprintln!(
            "The claim is on its way; `camelid job why {}` says what becomes of it.",
            args.job
        );
    }
    Ok(Exit::Success)
}
