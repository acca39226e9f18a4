//! From the bytes of a request to those of an answer.

use super::arguments::{Arguments, clean};
use super::error::RpcError;
use super::method::{Action, Answer, find};
use super::service::Service;
use serde_json::{Map, Value, json};

/// The answer to the request in `body`.
pub async fn answer(service: &Service, body: &[u8]) -> Value {
    let (id, answer) = match read(body) {
        Ok(request) => {
            let answer = call(service, &request.method, request.params.as_ref()).await;
            (request.id, answer)
        }
        Err((id, error)) => (id, Err(error)),
    };
    match answer {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
    }
}

/// Calls a method.
///
/// # Errors
/// There is none, its parameters are wrong, or what it says itself.
async fn call(service: &Service, method: &str, params: Option<&Value>) -> Answer {
    let unknown = || {
        let message = format!("there is no method {}: see help", clean(method));
        RpcError::new(RpcError::METHOD, message)
    };
    let method = find(method).ok_or_else(unknown)?;
    let arguments = Arguments::read(method.parameters, params)?;
    match method.action {
        Action::Look(look) => service.look(move |view| look(view, &arguments)).await,
        Action::Act(act) => act(service, arguments).await,
    }
}

struct Request {
    id: Value,
    method: String,
    params: Option<Value>,
}

/// Reads a request; of one that is wrong, as much of its id as can be told.
fn read(body: &[u8]) -> Result<Request, (Value, RpcError)> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| (Value::Null, RpcError::new(RpcError::PARSE, error)))?;
    let mut request = match value {
        Value::Object(request) => request,
        Value::Array(_) => {
            return Err(refuse(
                Value::Null,
                "batches are not served: send one request at a time",
            ));
        }
        _ => return Err(refuse(Value::Null, "a request is an object")),
    };
    let id = match request.remove("id") {
        Some(id @ (Value::String(_) | Value::Number(_) | Value::Null)) => id,
        Some(_) => return Err(refuse(Value::Null, "id is a string, a number or null")),
        None => return Err(refuse(Value::Null, "id is missing: notifications are not served")),
    };
    let read = read_call(&mut request);
    let (method, params) = read.map_err(|message| refuse(id.clone(), message))?;
    Ok(Request { id, method, params })
}

fn read_call(request: &mut Map<String, Value>) -> Result<(String, Option<Value>), &'static str> {
    if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err("jsonrpc is \"2.0\"");
    }
    match request.remove("method") {
        Some(Value::String(method)) => Ok((method, request.remove("params"))),
        _ => Err("method is a string"),
    }
}

fn refuse(id: Value, message: &str) -> (Value, RpcError) {
    (id, RpcError::new(RpcError::REQUEST, message))
}
