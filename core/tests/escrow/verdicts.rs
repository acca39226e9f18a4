//! "Payouts on closing" for disputes, over all that bears on them, against the table in plain numbers.

use super::oracle;
use super::past::Past;
use super::support::*;
use super::world::{self, ballot};
use super::*;
use camelid_core::committee::{Ballot, Decision, Finding, Ticket};
use camelid_core::escrow::{Appeal, Closing, Dispute, Origin, Party, Seat, Vote};
use camelid_core::script::key_hash_script;
use proptest::prelude::*;
use std::sync::OnceLock;

/// Seats of the two rounds on the network of these tests.
const SEATS: [usize; 2] = [3, 5];
/// Who pays and is paid is told apart by script.
const REFUND: u8 = CLIENT;

/// The tickets behind the seats of both rounds, in order.
fn ticket(number: usize) -> &'static Ticket {
    static TICKETS: OnceLock<Vec<Ticket>> = OnceLock::new();
    &TICKETS.get_or_init(|| (0..8).map(world::ticket).collect())[number]
}

/// The network of these tests.
fn params() -> &'static Params {
    static PARAMS: OnceLock<Params> = OnceLock::new();
    PARAMS.get_or_init(Params::simnet)
}

/// A dispute at its end.
#[derive(Clone, Debug)]
struct Case {
    reward: u64,
    extra_stake: u64,
    private: bool,
    exact: bool,
    audit: bool,
    appeal: bool,
    fund: u64,
    first: Vec<Option<Ballot>>,
    second: Vec<Option<Ballot>>,
}

/// What a seat says: nothing, that there was no evidence, or one of few things that may agree or not.
fn vote() -> impl Strategy<Value = Option<Ballot>> {
    let invalid = |position, root| ballot(Finding::Invalid { position }, root);
    prop::sample::select(vec![
        None,
        Some(ballot(Finding::Valid, 1)),
        Some(ballot(Finding::Valid, 1)),
        Some(ballot(Finding::Valid, 2)),
        Some(invalid(2, 1)),
        Some(invalid(2, 1)),
        Some(invalid(3, 1)),
        Some(invalid(2, 2)),
        Some(ballot(Finding::NoEvidence, 0)),
        Some(ballot(Finding::Undecided, 1)),
    ])
}

fn case() -> impl Strategy<Value = Case> {
    let votes = |seats| prop::collection::vec(vote(), seats);
    let money = (0u64..=150_000_000, 0u64..=200_000_000);
    // From nothing to more than all seats can ask for.
    let fund = prop_oneof![Just(0), 0u64..1_000_000, 0u64..1_000_000_000];
    let kinds = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (money, fund, kinds, votes(SEATS[0]), votes(SEATS[1])).prop_map(
        |((reward, extra_stake), fund, (private, exact, audit, appeal), first, second)| Case {
            reward,
            extra_stake,
            private: private && !audit,
            exact,
            audit,
            appeal,
            fund,
            first,
            second,
        },
    )
}

impl Case {
    /// p, a, S.
    fn prices(&self) -> (u64, u64, u64) {
        let pay = 100_000.max(self.reward.div_ceil(2));
        let audit_fee = if self.private {
            0
        } else {
            (220 * pay).div_ceil(1000)
        };
        (pay, audit_fee, 64 * pay + self.extra_stake)
    }

    fn decision_of(&self, votes: &[Option<Ballot>]) -> Decision {
        let ballots: Vec<Ballot> = votes.iter().flatten().copied().collect();
        let seats = u32::try_from(votes.len()).unwrap();
        oracle::decision(&ballots, seats, self.audit, self.exact)
    }

    /// Who may appeal against round 1, if anybody.
    fn appellant(&self) -> Option<Party> {
        match self.decision_of(&self.first) {
            Decision::Upheld => Some(Party::Node),
            _ if self.audit => None,
            _ => Some(Party::Client),
        }
    }

    /// Who did appeal.
    fn appealed(&self) -> Option<Party> {
        self.appellant().filter(|_| self.appeal)
    }

    /// The votes that decide, and the decision: round 2's, or round 1's if that is inconclusive.
    fn deciding(&self) -> (&[Option<Ballot>], Decision) {
        let second = self.decision_of(&self.second);
        if self.appealed().is_some() && second != Decision::Inconclusive {
            (&self.second, second)
        } else {
            (&self.first, self.decision_of(&self.first))
        }
    }

    /// Every seat by number, with its vote; those of round 2 follow those of round 1.
    fn votes(&self) -> Vec<Option<Ballot>> {
        let second = self.second.iter().filter(|_| self.appealed().is_some());
        self.first.iter().chain(second).copied().collect()
    }

    /// Numbers of the seats that are paid: the side that decided; of an exact model only those who
    /// agree with what most of that side said.
    fn paid(&self) -> Vec<usize> {
        let (votes, decision) = self.deciding();
        let on_side = |ballot: &Ballot| match (decision, ballot.finding) {
            (Decision::Upheld, Finding::Invalid { .. }) | (Decision::Rejected, Finding::Valid) => true,
            (Decision::Inconclusive, Finding::Valid | Finding::Invalid { .. }) => true,
            (Decision::Upheld, Finding::NoEvidence) => self.audit,
            (Decision::Rejected, Finding::NoEvidence) => !self.audit,
            _ => false,
        };
        let judged = |ballot: &Ballot| on_side(ballot) && ballot.finding != Finding::NoEvidence;
        let said: Vec<Ballot> = votes.iter().flatten().copied().filter(judged).collect();
        let count = |wanted: &Ballot| said.iter().filter(|ballot| *ballot == wanted).count();
        let most = said.iter().map(count).max().unwrap_or(0);
        // Of several that are equally many the least, by finding and then by root.
        let winner = said
            .iter()
            .filter(|ballot| count(ballot) == most)
            .min_by_key(|ballot| (ballot.finding, ballot.score_root));
        let strict = self.exact && decision != Decision::Inconclusive;
        let agrees = |ballot: &Ballot| match ballot.finding {
            Finding::NoEvidence => true,
            _ => !strict || winner.is_none_or(|winner| winner == ballot),
        };
        let votes = self.votes();
        let numbered = votes.iter().enumerate();
        let paid = numbered.filter(|(_, vote)| vote.is_some_and(|vote| on_side(&vote) && agrees(&vote)));
        paid.map(|(number, _)| number).collect()
    }

    fn record(&self) -> JobRecord {
        let (_, audit_fee, stake) = self.prices();
        let terms = Terms {
            reward: units(self.reward),
            audit_fee: units(audit_fee),
            stake: units(stake),
            private: self.private,
            exact: self.exact,
            refund: script_of(REFUND),
            ..job_terms(params())
        };
        let seats = |votes: &[Option<Ballot>], from: usize| -> Vec<Seat> {
            let seat = |(number, vote): (usize, &Option<Ballot>)| {
                let ticket = ticket(from + number);
                Seat {
                    ticket: ticket.id,
                    key: ticket.registration.key,
                    vote: match vote {
                        Some(ballot) => Vote::Revealed(*ballot),
                        // Silent from the start, or after a commitment.
                        None if number % 2 == 0 => Vote::None,
                        None => Vote::Committed(camelid_core::primitives::Hash256([1; 32])),
                    },
                }
            };
            votes.iter().enumerate().map(seat).collect()
        };
        let origin = match self.audit {
            true => Origin::Audit,
            false => Origin::Claim { deposit: DEPOSIT },
        };
        let appeal = self.appealed().map(|by| Appeal {
            by,
            deposit: outpoint(0x16),
            seats: seats(&self.second, SEATS[0]),
        });
        let dispute = Dispute {
            seats: seats(&self.first, 0),
            appeal,
            ..Dispute::new(engagement(commitment_to(&good())), origin)
        };
        JobRecord {
            state: JobState::Disputed(Box::new(dispute)),
            ..record(State::Engaged, terms)
        }
    }

    /// Settles the dispute long after its last window.
    fn settle(&self) -> Effects {
        let past = Past::new((0..1_000).map(|height| (height, height * 60)).collect());
        let mut record = self.record();
        record.since = past.moment(SINCE.height.0).opens();
        let moment = past.moment(SINCE.height.0 + 200);
        let facts = (
            &*network(),
            &EcdsaVerifier as &dyn camelid_core::keys::Verifier,
            units(self.fund),
        );
        past.apply(facts, &record, &Event::Settle, moment).unwrap()
    }
}

/// What the table gives to whom.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ends {
    client: u64,
    node: u64,
    /// By number of the seat.
    seats: Vec<(usize, u64)>,
    to_fund: u64,
    from_fund: u64,
    burned: u64,
}

/// The table "Payouts on closing".
fn table(case: &Case) -> (Outcome, Ends) {
    let (p, a, s) = case.prices();
    let r = case.reward;
    let claim = if case.audit { 0 } else { 7 * p };
    let appeal_of = |party| if case.appealed() == Some(party) { 15 * p } else { 0 };
    let (client, node) = (claim + appeal_of(Party::Client), appeal_of(Party::Node));
    let paid = case.paid();
    let n = paid.len() as u64;
    let (_, decision) = case.deciding();
    let share = |pool: u64| pool.checked_div(n).map_or(0, |share| p.min(share));
    let seats = |each: u64| {
        paid.iter()
            .filter(|_| each > 0)
            .map(|seat| (*seat, each))
            .collect()
    };
    match (decision, case.audit) {
        (Decision::Upheld, audit) => {
            let bounty = if audit { 0 } else { p };
            let ends = Ends {
                client: r + a + bounty + client,
                seats: seats(p),
                burned: s - bounty + node - n * p,
                ..Ends::default()
            };
            (Outcome::SlashedInvalid, ends)
        }
        (_, true) => {
            let each = share(case.fund + a);
            let ends = Ends {
                node: r + s + node,
                seats: seats(each),
                to_fund: a,
                from_fund: n * each,
                ..Ends::default()
            };
            let rejected = decision == Decision::Rejected;
            (
                if rejected {
                    Outcome::Cleared
                } else {
                    Outcome::Inconclusive
                },
                ends,
            )
        }
        (decision, false) => {
            let each = share(client);
            let left = client - n * each;
            let rejected = decision == Decision::Rejected;
            let ends = Ends {
                client: if rejected { 0 } else { left },
                node: r + s + node,
                seats: seats(each),
                to_fund: a,
                burned: if rejected { left } else { 0 },
                ..Ends::default()
            };
            (
                if rejected {
                    Outcome::Cleared
                } else {
                    Outcome::Inconclusive
                },
                ends,
            )
        }
    }
}

/// What a closing gives to whom.
fn ends(closing: &Closing) -> Ends {
    let mut ends = Ends {
        to_fund: closing.to_fund.units(),
        from_fund: closing.from_fund.units(),
        burned: closing.burned.units(),
        ..Ends::default()
    };
    for payout in &closing.payouts {
        let amount = payout.amount.units();
        assert_ne!(amount, 0, "an empty output");
        if payout.script == script_of(REFUND) {
            ends.client += amount;
        } else if payout.script == script_of(NODE) {
            ends.node += amount;
        } else {
            let script = |number| key_hash_script(&ticket(number).registration.key.key_hash().0);
            let seat = (0..8).find(|number| script(*number) == payout.script);
            ends.seats.push((seat.expect("a stranger is paid"), amount));
        }
    }
    ends.seats.sort_unstable();
    ends
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn disputes_pay_out_as_the_table_says(case in case()) {
        let effects = case.settle();
        let closing = effects.closing.as_ref().unwrap();
        let (outcome, expected) = table(&case);
        prop_assert_eq!(closing.outcome, outcome);
        prop_assert_eq!(ends(closing), expected);

        // What was locked is what is handed out.
        let (p, a, s) = case.prices();
        let claim = if case.audit { 0 } else { 7 * p };
        let appeal = if case.appealed().is_some() { 15 * p } else { 0 };
        prop_assert_eq!(closing.total(), Some(units(case.reward + a + s + claim + appeal)));

        // Whoever was silent, in either round, is fined; nobody else.
        let votes = case.votes();
        let silent = (0..).zip(&votes).filter(|(_, vote)| vote.is_none());
        let silent: Vec<OutPoint> = silent.map(|(number, _)| ticket(number).id).collect();
        prop_assert_eq!(&effects.jailed, &silent);
        prop_assert_eq!(effects.fine, units(4 * p));
    }
}

/// The generator reaches every row of the table, in both rounds.
#[test]
fn the_cases_cover_the_table() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut rows = std::collections::BTreeSet::new();
    for _ in 0..3_000 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let (_, decision) = case.deciding();
        let appealed = case.appealed().map(|party| party == Party::Node);
        rows.insert((decision, case.audit, appealed, case.exact));
    }
    // A claim ends in any way without an appeal and with the client's; after the node's, which is
    // against Upheld, it cannot end without a decision. Audits know no appeal by the client.
    let (claims, audits) = (3 + 3 + 2, 3 + 2);
    assert_eq!(rows.len(), 2 * (claims + audits));
}
