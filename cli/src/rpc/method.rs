//! What a method is.

use super::arguments::{Arguments, Parameter};
use super::error::RpcError;
use super::service::{Service, View};
use super::{chain, control, jobs, mempool, network, wallet};
use serde_json::Value;
use std::pin::Pin;

/// What a method answers.
pub type Answer = Result<Value, RpcError>;

/// An answer that takes its time.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// How a method finds its answer.
#[derive(Clone, Copy)]
pub enum Action {
    /// By a look at the node between two of its steps. It must be quick.
    Look(fn(&View<'_>, &Arguments) -> Answer),
    /// By asking the node for something.
    Act(for<'a> fn(&'a Service, Arguments) -> Answering<'a>),
}

/// A method.
#[derive(Clone, Copy)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it takes, in order.
    pub parameters: &'static [Parameter],
    /// What it answers.
    pub help: &'static str,
    /// How.
    pub action: Action,
}

/// Methods that belong together.
pub struct Group {
    /// What they are about.
    pub name: &'static str,
    /// The methods.
    pub methods: &'static [Method],
}

/// All methods.
pub const GROUPS: &[Group] = &[
    chain::METHODS,
    mempool::METHODS,
    network::METHODS,
    wallet::METHODS,
    jobs::METHODS,
    control::METHODS,
];

/// The method called `name`.
pub fn find(name: &str) -> Option<&'static Method> {
    let methods = GROUPS.iter().flat_map(|group| group.methods);
    methods.into_iter().find(|method| method.name == name)
}

impl Method {
    /// Its name and parameters, those that can be left out in brackets.
    pub fn usage(&self) -> String {
        let parameters = self.parameters.iter().map(|parameter| match parameter.required {
            true => format!(" {}", parameter.name),
            false => format!(" [{}]", parameter.name),
        });
        parameters.fold(self.name.to_owned(), |usage, parameter| usage + &parameter)
    }
}
