//! What a job goes through, as its client sees it.

use crate::rpc::PHASES;
use serde_json::Value;

/// Phases between two looks at a job, oldest first: those after `before` up to the one that it is in.
pub fn passed(before: Option<&str>, job: &Value) -> &'static [&'static str] {
    let place = |phase: &str| PHASES.iter().position(|known| *known == phase);
    let now = job["phase"].as_str().and_then(place).map_or(0, |place| place + 1);
    let first = before.and_then(place).map_or(0, |place| place + 1);
    PHASES.get(first..now).unwrap_or_default()
}

/// A phase in words; `job` is what the node says of the job.
pub fn words(phase: &str, job: &Value) -> String {
    let field = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let stake = field(&job["terms"]["stake"]);
    match phase {
        "opened" => format!(
            "job {}, for {} coins",
            field(&job["job"]),
            field(&job["terms"]["reward"])
        ),
        "mined" => format!(
            "a worker must engage before block {}",
            field(&job["terms"]["deadline"])
        ),
        "accepted" => "a worker works on it".into(),
        "generated" => "the worker has committed itself to an output".into(),
        "engaged" => match &job["engaged_at"] {
            Value::Null => "the worker's stake is locked".into(),
            height => format!(
                "worker {}, whose stake of {stake} coins is locked since block {height}",
                field(&job["node"])
            ),
        },
        "buried" => "deep enough for the worker to deliver".into(),
        "delivered" => match job["output"]["tokens"].as_array() {
            Some(tokens) => format!("{} tokens", tokens.len()),
            None => "it does not open to what the worker had committed to".into(),
        },
        _ => match job["check"]["verdict"].as_str() {
            Some("valid") => "every token is the model's".into(),
            Some("invalid") => format!(
                "token {} is wrong: {}",
                job["check"]["token"],
                field(&job["check"]["reason"])
            ),
            _ => format!("nobody can tell: {}", field(&job["check"]["reason"])),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn phases_that_were_passed_unseen_are_told_too() {
        let job = |phase: &str| json!({"phase": phase});
        assert_eq!(passed(None, &job("mined")), ["opened", "mined"]);
        assert_eq!(
            passed(Some("mined"), &job("engaged")),
            ["accepted", "generated", "engaged"]
        );
        assert_eq!(passed(Some("engaged"), &job("engaged")), [""; 0]);
        // A reorganisation can take a phase back; it is not told twice.
        assert_eq!(passed(Some("engaged"), &job("mined")), [""; 0]);
        assert_eq!(passed(None, &json!({})), [""; 0]);
    }

    #[test]
    fn every_phase_has_words() {
        for phase in PHASES {
            assert!(!words(phase, &json!({})).is_empty());
        }
    }
}
