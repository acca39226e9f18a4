//! What the things that happen in a run are called, in scenarios and in reports.

use crate::strategy;
use camelid_core::escrow::Outcome;
use camelid_core::process::Event;

/// A node crashed.
pub const CRASH: &str = "fault:crash";
/// A partition began.
pub const PARTITION: &str = "fault:partition";
/// A node would not open a job.
pub const JOB_REFUSED: &str = "job-refused";

/// All names of [`of_node`].
const OF_NODES: &[&str] = &[
    "tip-extended",
    "reorganised",
    "job-offered",
    JOB_REFUSED,
    "job-accepted",
    "output-committed",
    "engage-signed",
    "delivery-sent",
    "delivery-opened",
    "delivery-bad",
    "judged-valid",
    "judged-invalid",
    "judged-inconclusive",
    "withheld-claimed",
    "invalid-claimed",
    "appealed",
    "evidence-sent",
    "ticket-registered",
    "vote-committed",
    "voted-valid",
    "voted-invalid",
    "voted-no-evidence",
    "voted-undecided",
    "job-open",
    "job-engaged",
    "job-delivered",
    "job-withheld",
    "job-round1",
    "job-round2",
    "job-settled",
    "job-refunded",
    "job-slashed",
    "job-cleared",
    "job-inconclusive",
    "job-undone",
    "check-requested",
    "check-replied",
    "check-refused",
    "credit-exhausted",
    "canary-failed",
    "checks-paid",
    "ledger-flushed",
    "rejected",
];

/// Names of what sets faults off: all but the faults themselves.
pub fn triggers() -> Vec<String> {
    let of_nodes = OF_NODES.iter().map(ToString::to_string);
    of_nodes.chain(strategy::names().map(of_attack)).collect()
}

/// Names of everything that can happen.
pub fn names() -> Vec<String> {
    let faults = [CRASH, PARTITION].map(String::from);
    triggers().into_iter().chain(faults).collect()
}

/// The name of an attack that `strategy` carried out.
pub fn of_attack(strategy: &str) -> String {
    format!("attack:{strategy}")
}

/// The name of what a node reports.
pub fn of_node(event: &Event) -> String {
    match event {
        Event::JobChanged { state, outcome, .. } => of_record(state, *outcome),
        _ => event.name().into(),
    }
}

/// The name of a change of a job's record.
fn of_record(state: &str, outcome: Option<Outcome>) -> String {
    match (state, outcome) {
        (_, Some(Outcome::Settled)) => "job-settled".into(),
        (_, Some(Outcome::Refunded)) => "job-refunded".into(),
        (_, Some(Outcome::Cleared)) => "job-cleared".into(),
        (_, Some(Outcome::Inconclusive)) => "job-inconclusive".into(),
        (_, Some(_)) => "job-slashed".into(),
        ("", None) => "job-undone".into(),
        (state, None) => format!("job-{}", state.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camelid_core::committee::Finding;
    use camelid_core::keys::KeyHash;
    use camelid_core::primitives::{Amount, BlockHash, Height, JobId};
    use camelid_core::rastic::{InconclusiveReason, InvalidReason, Spec, Verdict};
    use camelid_core::tx::ClaimKind;
    use camelid_core::wire::CheckRefusal;
    use std::collections::BTreeSet;

    const JOB: JobId = JobId([7; 32]);

    #[test]
    fn names_are_told_apart() {
        let names = names();
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    fn tip(disconnected: u32) -> Event {
        Event::TipChanged {
            tip: BlockHash([0; 32]),
            height: Height(1),
            disconnected,
        }
    }

    fn judged(verdict: Verdict) -> Event {
        Event::Judged {
            job: JOB,
            spec: Spec::V2,
            verdict,
        }
    }

    fn claimed(kind: ClaimKind) -> Event {
        Event::Claimed { job: JOB, kind }
    }

    fn voted(finding: Finding) -> Event {
        Event::VoteRevealed { job: JOB, finding }
    }

    fn changed(state: &str, outcome: Option<Outcome>) -> Event {
        Event::JobChanged {
            job: JOB,
            state: state.into(),
            outcome,
        }
    }

    /// The names list is that of what nodes say, no more and no less; only a `JobOffered` is laborious
    /// to make, and runs have plenty.
    #[test]
    fn what_nodes_report_is_what_is_listed() {
        let position = 0;
        let closed = |outcome| changed("Closed", Some(outcome));
        let events = [
            tip(0),
            tip(2),
            Event::JobRefused {
                reason: String::new(),
            },
            Event::JobAccepted { job: JOB },
            Event::OutputCommitted { job: JOB },
            Event::EngageSigned { job: JOB },
            Event::DeliverySent { job: JOB },
            Event::DeliveryOpened { job: JOB },
            Event::DeliveryBad { job: JOB },
            judged(Verdict::Valid),
            judged(Verdict::Invalid {
                position,
                reason: InvalidReason::EmptyOutput,
            }),
            judged(Verdict::Inconclusive {
                reason: InconclusiveReason::NotRun,
            }),
            claimed(ClaimKind::Withheld),
            claimed(ClaimKind::Invalid),
            claimed(ClaimKind::Appeal),
            Event::EvidenceSent { job: JOB },
            Event::TicketRegistered,
            Event::VoteCommitted {
                job: JOB,
                finding: Finding::Valid,
            },
            voted(Finding::Valid),
            voted(Finding::Invalid { position }),
            voted(Finding::NoEvidence),
            voted(Finding::Undecided),
            changed("", None),
            changed("Open", None),
            changed("Engaged", None),
            changed("Delivered", None),
            changed("Withheld", None),
            changed("Round1", None),
            changed("Round2", None),
            closed(Outcome::Settled),
            closed(Outcome::Refunded),
            closed(Outcome::SlashedWithheld),
            closed(Outcome::SlashedBadDelivery),
            closed(Outcome::SlashedInvalid),
            closed(Outcome::Cleared),
            closed(Outcome::Inconclusive),
            Event::CheckRequested { job: JOB },
            Event::CheckReplied { job: JOB },
            Event::CheckRefused {
                reason: CheckRefusal::Busy,
            },
            Event::CheckRefused {
                reason: CheckRefusal::Credit,
            },
            Event::CanaryFailed {
                checker: KeyHash([2; 20]),
            },
            Event::ChecksPaid { amount: Amount::ZERO },
            Event::LedgerFlushed,
            Event::Rejected {
                from: KeyHash([2; 20]),
                reason: String::new(),
            },
        ];
        let said: BTreeSet<String> = events.iter().map(of_node).chain(["job-offered".into()]).collect();
        let listed: BTreeSet<String> = OF_NODES.iter().map(ToString::to_string).collect();
        assert_eq!(said, listed);
    }
}
