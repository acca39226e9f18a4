//! Scripts against Bitcoin's own interpreter and its own vectors.
//!
//! What we accept, Bitcoin accepts. What it accepts and we refuse, we refuse for one of the
//! [stricter rules](stricter_rule), which Bitcoin has as policy, as an option, or not at all.
#![allow(clippy::unwrap_used)] // in helpers too a panic is the test's failure
#![allow(clippy::print_stdout)] // what came of a comparison, for who asks with --nocapture

mod conditions;
mod forms;
mod spend;
mod vectors;

use camelid_core::script::ScriptError;

/// The name of the rule by which we refuse what Bitcoin's consensus accepts, if `error` is one.
fn stricter_rule(error: ScriptError) -> Option<&'static str> {
    use ScriptError as E;
    Some(match error {
        E::NonMinimalPush | E::NonMinimalNumber => "MINIMALDATA",
        E::NonMinimalCondition => "MINIMALIF",
        E::InvalidSignature => "NULLFAIL",
        E::UncleanStack => "CLEANSTACK",
        E::NotPushOnly(_) => "SIGPUSHONLY",
        E::KeyLength | E::SignatureLength => "encoding of keys and signatures",
        E::StackTooDeep | E::KeyCountOutOfRange => "limits",
        E::UnknownOpcode(_) => "unknown opcode",
        _ => return None,
    })
}
