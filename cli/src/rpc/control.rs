//! Methods about the server itself.

use super::arguments::{Arguments, Kind, Parameter, clean};
use super::error::RpcError;
use super::method::{Action, Answer, Answering, GROUPS, Group, Method, find};
use super::service::{Service, View};
use serde_json::json;
use std::fmt::Write as _;

/// The methods.
pub const METHODS: Group = Group {
    name: "Control",
    methods: &[
        Method {
            name: "help",
            parameters: &[Parameter::optional(
                "command",
                Kind::Text,
                "The method to explain.",
            )],
            help: "All methods, or one with its parameters, as text.",
            action: Action::Look(help),
        },
        Method {
            name: "stop",
            parameters: &[],
            help: "Makes the node stop, once it is done with what it is at.",
            action: Action::Act(stop),
        },
        Method {
            name: "uptime",
            parameters: &[],
            help: "Seconds since the node was started.",
            action: Action::Act(uptime),
        },
    ],
};

fn help(_: &View<'_>, arguments: &Arguments) -> Answer {
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(name) = arguments.text("command") {
        let unknown = || RpcError::new(RpcError::METHOD, format!("there is no method {}", clean(&name)));
        let method = find(&name).ok_or_else(unknown)?;
        let _ = writeln!(text, "{}\n\n{}", method.usage(), method.help);
        for parameter in method.parameters {
            let _ = write!(
                text,
                "\n{}: {}. {}",
                parameter.name,
                parameter.kind.words(),
                parameter.help
            );
        }
        return Ok(text.trim_end().into());
    }
    for group in GROUPS {
        let _ = writeln!(text, "== {} ==", group.name);
        for method in group.methods {
            let _ = writeln!(text, "{}", method.usage());
        }
        text.push('\n');
    }
    Ok(text.trim_end().into())
}

fn stop(service: &Service, _: Arguments) -> Answering<'_> {
    service.stop();
    Box::pin(async { Ok("the node is stopping".into()) })
}

fn uptime(service: &Service, _: Arguments) -> Answering<'_> {
    Box::pin(async { Ok(json!(service.uptime_s())) })
}
