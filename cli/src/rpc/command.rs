//! `camelid rpc`.

use super::client::{Client, NodeArgs};
use super::method::find;
use crate::exit::{Exit, Failure};
use clap::Args;
use serde_json::{Map, Value};
use std::io::{Write as _, stdout};

/// `camelid rpc`
#[derive(Debug, Args)]
#[command(after_help = "\
`camelid rpc help` lists the methods. Text is printed as it is, everything else as JSON.

Exit codes: 0 done; 2 wrong usage, also of a method; 6 no node answers; 7 it does not let this program in, or its \
coins do not suffice; 1 any other error.")]
pub struct RpcArgs {
    #[command(flatten)]
    pub node: NodeArgs,
    /// The method.
    #[arg(value_name = "METHOD")]
    pub method: String,
    /// Its parameters, by name; those without a name count from the first.
    #[arg(value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
}

/// Calls a method of a running node.
///
/// # Errors
/// [`Failure`].
pub fn rpc(args: &RpcArgs) -> Result<Exit, Failure> {
    let params = params(&args.method, &args.parameters)?;
    let result = Client::new(&args.node)?.call(&args.method, &params.into())?;
    let mut out = stdout().lock();
    match &result {
        Value::String(text) => writeln!(out, "{text}")?,
        other => {
            serde_json::to_writer_pretty(&mut out, other).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// Names and values. What the table of this program does not know, a newer node may.
fn params(method: &str, given: &[String]) -> Result<Map<String, Value>, Failure> {
    let known = find(method).map_or(&[][..], |method| method.parameters);
    let mut params = Map::new();
    for (index, text) in given.iter().enumerate() {
        let named = text
            .split_once('=')
            .filter(|(name, _)| known.is_empty() || known.iter().any(|parameter| parameter.name == *name));
        let (name, value) = match (named, known.get(index)) {
            (Some(named), _) => named,
            (None, Some(parameter)) => (parameter.name, text.as_str()),
            (None, None) => {
                return Err(Failure::Usage(format!(
                    "{text:?}: write NAME=VALUE; see `camelid rpc help command={method}`"
                )));
            }
        };
        let kind = known.iter().find(|parameter| parameter.name == name);
        let value = kind.map_or_else(|| value.into(), |parameter| parameter.kind.value(value));
        params.insert(name.to_owned(), value);
    }
    Ok(params)
}
