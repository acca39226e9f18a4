//! What our own rules invite: jobs paid twice, windows played to the second, stakes and escrows that are
//! not where they are said to be.

use crate::support::*;
use crate::ways::{Attack, CONFLICT, assert_says, must_pass, next_block, pool_refusal};
use camelid_core::block::Block;
use camelid_core::chain::Submission;
use camelid_core::escrow::{Closing, JobState, Outcome};
use camelid_core::job::Terms;
use camelid_core::primitives::{Height, JobId, Timestamp};
use camelid_core::tx::{ActionKind, OutPoint, Transaction};
use std::sync::Arc;

/// Where the first transaction of an attack stands: there is one block before it.
const FIRST: Height = Height(2);

/// Opens a job with coin `index` of the client in the first block of an attack.
fn open_with(index: u32, change: impl Fn(&mut Terms)) -> Transaction {
    let workshop = Workshop::new(1);
    let mut terms = terms(&workshop.params, FIRST);
    change(&mut terms);
    open_job(&workshop.genesis(), &workshop.fund(CLIENT, index), &terms)
}

/// Engages the job with coin `index` of the node.
fn engage_with(open: &Transaction, index: u32) -> Transaction {
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    engaging(&genesis, open, &workshop.fund(NODE, index), &opening(&[5, END])).signed(&genesis)
}

/// A job that is opened and engaged in the first two blocks of an attack.
struct Engaged {
    job: JobId,
    open: Vec<Transaction>,
    engage: Vec<Transaction>,
}

fn engaged(index: u32) -> Engaged {
    let open = open_with(index, |_| {});
    Engaged {
        job: open.job_id.unwrap(),
        engage: vec![engage_with(&open, index)],
        open: vec![open],
    }
}

impl Engaged {
    /// A chain on which it stands engaged.
    fn workshop(&self, map_seed: u64) -> Workshop {
        let mut workshop = Workshop::new(map_seed);
        for transactions in [&[][..], &self.open, &self.engage] {
            workshop.extend(transactions);
        }
        workshop
    }

    fn settle(&self) -> Transaction {
        bare(self.job, 2, ActionKind::Settle)
    }

    /// The height of the first block that may settle it, a minute for each block.
    fn settles_at(&self) -> Height {
        let mut workshop = self.workshop(1);
        workshop.extend_until_settleable(&self.job);
        workshop.chain.height().plus(1)
    }

    /// Blocks of an attack until the next one is at `height`.
    fn before(&self, height: Height) -> Vec<&[Transaction]> {
        let mut blocks: Vec<&[Transaction]> = vec![&self.open, &self.engage];
        blocks.resize(height.0 as usize - FIRST.0 as usize, &[]);
        blocks
    }

    fn withheld(&self, fund: u32) -> Transaction {
        let workshop = Workshop::new(1);
        let deposit = workshop.params.jobs.withheld_deposit(8);
        withheld(
            &workshop.genesis(),
            self.job,
            2,
            deposit,
            &workshop.fund(CLIENT, fund),
        )
    }
}

#[test]
fn one_job_paid_twice() {
    let job = engaged(0);
    let at = job.settles_at();
    let before = job.before(at);
    let twice = [job.settle(), job.settle()];
    Attack::by_with_pool_reasons(&before, &twice, "the job is at 3", &["already known"]).must_fail();
    let settled = [job.settle()];
    let after = [before, vec![&settled]].concat();
    Attack::by(&after, &settled, "the job is at 3").must_fail();
    let next = bare(job.job, 3, ActionKind::Settle);
    Attack::by(&after, &[next], "Settle is not possible in state Closed").must_fail();
}

#[test]
fn a_dispute_in_the_last_block_of_its_window_and_one_after() {
    let job = engaged(0);
    let closes = job.settles_at();
    let last = Height(closes.0 - 1);
    must_pass(&job.before(last), &[job.withheld(1)]);
    Attack::by(&job.before(last), &[job.settle()], "it is too early for Settle").must_fail();
    let late = [job.withheld(1)];
    Attack::by(&job.before(closes), &late, "the window for Withheld is closed").must_fail();
    must_pass(&job.before(closes), &[job.settle()]);
    // Both in the block that closes the window: there is no order that lets the claim in.
    let (settle, claim) = (job.settle(), job.withheld(1));
    let settled_first = [settle.clone(), claim.clone()];
    Attack::by_block_of(&job.before(closes), &settled_first, "the job is at 3").must_fail();
    let claimed_first = [claim, settle];
    let reason = "the window for Withheld is closed";
    Attack::by_block_of(&job.before(closes), &claimed_first, reason).must_fail();
}

/// Mines a block at `time`, which must become the tip.
fn mine_at(workshop: &mut Workshop, time: u32, transactions: &[Transaction]) -> Arc<Block> {
    let block = next_block(workshop, Timestamp(time), coins(50), transactions);
    match workshop.submit(&block).unwrap() {
        Submission::Moved(change) => assert_eq!(change.invalid, []),
        other => panic!("the tip did not move: {other:?}"),
    }
    block
}

/// The blocks are there, and only the clock is missing: median time past decides, to the second.
#[test]
fn a_settlement_one_second_before_and_at_the_moment_its_window_closes() {
    let job = engaged(0);
    let mut workshop = job.workshop(1);
    let record = workshop.ledger().job(&job.job).unwrap();
    let (since, challenge) = (record.since, workshop.params.jobs.challenge);
    let closes = since.mtp.0 + challenge * workshop.params.spacing_s;
    let mut time = workshop.next_time().0;
    let mut slow = job.workshop(2);
    while workshop.chain.height() < since.height.plus(challenge) {
        let block = mine_at(&mut workshop, time, &[]);
        slow.submit(&block).unwrap();
        time += 1;
    }
    assert!(time < closes - 100);
    // Six of the last eleven times decide the median: their least is the median itself.
    for time in closes - 1..closes + 5 {
        mine_at(&mut workshop, time, &[]);
    }
    assert_eq!(workshop.ledger().median_time_past().0, closes - 1);
    let settle = [job.settle()];
    let early = workshop.block(&settle);
    assert_says(&workshop.refusal_of(&early), "it is too early for Settle");
    let refusal = pool_refusal(&workshop, &settle).unwrap();
    assert_says(&refusal.to_string(), "it is too early for Settle");
    let claim = job.withheld(1);
    assert_eq!(workshop.refusal_or_none(std::slice::from_ref(&claim)), None);

    // One block more moves the median by a second.
    mine_at(&mut workshop, closes + 5, &[]);
    assert_eq!(workshop.ledger().median_time_past().0, closes);
    assert_eq!(pool_refusal(&workshop, &settle), None);
    assert_says(&workshop.refusal(&[claim]), "the window for Withheld is closed");
    mine_at(&mut workshop, closes + 6, &settle);
    let record = workshop.ledger().job(&job.job).unwrap();
    assert_eq!(record.state, JobState::Closed(Outcome::Settled));

    // A longer branch has slower clocks: what was done there is too early again, though it is higher.
    while workshop.chain.tip() != slow.chain.tip() {
        time += 1;
        let block = mine_at(&mut slow, time, &[]);
        workshop.submit(&block).unwrap();
    }
    let record = workshop.ledger().job(&job.job).unwrap();
    assert!(matches!(record.state, JobState::Engaged(_)));
    let block = next_block(&slow, Timestamp(time + 1), coins(50), &settle);
    assert_says(&workshop.refusal_of(&block), "it is too early for Settle");
    assert_conserved(workshop.ledger());
}

/// The node is paid, spends its reward and its stake, and then a longer branch has the job slashed: what
/// the node spent never was. When the first branch overtakes, it is paid again, once.
#[test]
fn a_verdict_reorganised_away_after_its_stake_was_spent() {
    let job = engaged(0);
    let mut subject = job.workshop(1);
    let genesis = subject.genesis();
    let fork = subject.chain.height();
    subject.extend_until_settleable(&job.job);
    subject.extend(&[job.settle()]);
    let outpoint = Closing::outpoint(&job.job, 0);
    let payout = subject.ledger().coin(&outpoint).unwrap().output.clone();
    assert_eq!(payout.lock, pay_to(NODE, payout.value).lock);
    let fund = Fund {
        outpoint,
        output: payout.clone(),
        owner: NODE,
    };
    let spent = payment(&genesis, &[fund], vec![pay_to(STRANGER, payout.value)]);
    subject.extend(std::slice::from_ref(&spent));
    let paid_digest = subject.ledger().digest();

    let mut other = job.workshop(2);
    assert_eq!(other.chain.height(), fork);
    let record = other.ledger().job(&job.job).unwrap();
    let context = record.seal_context(&genesis, record.state.engagement().unwrap());
    let wrong = evidence(&context, &delivery(&context, b"garbage", NODE));
    let slash = bare(job.job, 2, ActionKind::BadDelivery(Box::new(wrong)));
    let mut branch = vec![other.extend(&[slash])];
    while other.chain.height() <= subject.chain.height() {
        branch.push(other.extend(&[]));
    }
    for block in &branch {
        subject.submit(block).unwrap();
    }
    assert_eq!(subject.ledger().digest(), other.ledger().digest());
    let record = subject.ledger().job(&job.job).unwrap();
    assert_eq!(record.state, JobState::Closed(Outcome::SlashedBadDelivery));
    let lost = OutPoint {
        txid: spent.txid(),
        index: 0,
    };
    assert!(subject.ledger().coin(&lost).is_none());
    // The outpoint is the same, what lies there is the client's: the node's signature does not move it.
    let compensation = subject.ledger().coin(&outpoint).unwrap().output.clone();
    assert_eq!(compensation.lock, pay_to(CLIENT, compensation.value).lock);
    let reason = "input 0: EQUALVERIFY found false";
    assert_says(&subject.refusal(std::slice::from_ref(&spent)), reason);
    let refusal = pool_refusal(&subject, std::slice::from_ref(&spent)).unwrap();
    assert_says(&refusal.to_string(), reason);
    assert_conserved(subject.ledger());

    // And back again.
    let mut first = job.workshop(3);
    first.extend_until_settleable(&job.job);
    for transactions in [vec![job.settle()], vec![spent]] {
        first.extend(&transactions);
    }
    assert_eq!(first.ledger().digest(), paid_digest);
    while subject.chain.tip() != first.chain.tip() {
        let block = first.extend(&[]);
        subject.submit(&block).unwrap();
    }
    assert_eq!(subject.ledger().digest(), first.ledger().digest());
    assert!(subject.ledger().coin(&lost).is_some());
    assert_conserved(subject.ledger());
}

#[test]
fn one_stake_in_two_jobs() {
    let opens = [open_with(0, |_| {}), open_with(1, |_| {})];
    let engages = [engage_with(&opens[0], 0), engage_with(&opens[1], 0)];
    let reason = "does not exist or is spent";
    Attack::by_with_pool_reasons(&[&opens], &engages, reason, CONFLICT).must_fail();
    Attack::by(&[&opens, &engages[..1]], &engages[1..], reason).must_fail();
    must_pass(&[&opens], &[engage_with(&opens[0], 0), engage_with(&opens[1], 1)]);
}

/// The client opens another job with the same coin where the node's Engage meets it: in the block before
/// or in the same one.
#[test]
fn an_escrow_replaced_at_the_height_of_the_engage() {
    let (promised, other) = (open_with(0, |_| {}), open_with(0, |terms| terms.seed = 2));
    assert_ne!(promised.job_id, other.job_id);
    let engage = [engage_with(&promised, 0)];
    let reason = "does not exist or is spent";
    Attack::by(&[std::slice::from_ref(&other)], &engage, reason).must_fail();
    let together = [other, engage[0].clone()];
    Attack::by_block_of(&[], &together, reason).must_fail();
    // Half of one job and half of another: the escrow that is there, for the job that was promised.
    let opens = [promised, open_with(1, |_| {})];
    let workshop = Workshop::new(1);
    let genesis = workshop.genesis();
    let mut mixed = engaging(&genesis, &opens[0], &workshop.fund(NODE, 0), &opening(&[5, END]));
    mixed.funds[0] = fund_of(&opens[1], 0, CLIENT);
    let mixed = [mixed.signed(&genesis)];
    Attack::by(&[&opens], &mixed, "belongs to the job ledger").must_fail();
}

/// At its deadline an escrow is the client's again: before, only Engage moves it; from then on, only the
/// refund.
#[test]
fn an_escrow_refunded_at_the_height_of_the_engage() {
    let job = engaged(0);
    let deadline = FIRST.plus(Workshop::new(1).params.jobs.min_deadline);
    let refund = [bare(job.job, 1, ActionKind::Settle)];
    let until = |height: Height| {
        let mut blocks: Vec<&[Transaction]> = vec![&job.open];
        blocks.resize(height.0 as usize - FIRST.0 as usize, &[]);
        blocks
    };
    let last = Height(deadline.0 - 1);
    must_pass(&until(last), &job.engage);
    Attack::by(&until(last), &refund, "it is too early for Settle").must_fail();
    Attack::by(&until(deadline), &job.engage, "the deadline has passed").must_fail();
    must_pass(&until(deadline), &refund);
    let both = [refund[0].clone(), job.engage[0].clone()];
    let reason = "does not exist or is spent";
    Attack::by_with_pool_reasons(&until(deadline), &both, reason, CONFLICT).must_fail();
}

#[test]
fn a_job_id_swapped_under_a_valid_signature() {
    let jobs = [engaged(0), engaged(1)];
    let opens = [jobs[0].open[0].clone(), jobs[1].open[0].clone()];
    // An Engage that both parties signed, for the other job.
    let mut engage = jobs[0].engage[0].clone();
    engage.job_id = Some(jobs[1].job);
    Attack::by(&[&opens], &[engage], "belongs to the job ledger").must_fail();
    // An OpenJob.
    let mut open = opens[0].clone();
    open.job_id = Some(jobs[1].job);
    Attack::by_block_of(&[], &[open], "a signature that is not empty failed its check").must_fail();

    // A claim of the client, against another engagement: as it is, and with the inputs signed anew.
    let engages = [jobs[0].engage[0].clone(), jobs[1].engage[0].clone()];
    let mut before: Vec<&[Transaction]> = vec![&opens, &engages];
    before.resize(10, &[]);
    let mut claim = jobs[0].withheld(2);
    must_pass(&before, std::slice::from_ref(&claim));
    claim.job_id = Some(jobs[1].job);
    let reason = "a signature that is not empty failed its check";
    Attack::by_block_of(&before, std::slice::from_ref(&claim), reason).must_fail();
    let workshop = Workshop::new(1);
    let resigned = sign(&workshop.genesis(), claim, &[workshop.fund(CLIENT, 2)]);
    Attack::by_block_of(&before, &[resigned], "the client's signature does not verify").must_fail();
}

/// A node's signed delivery is for one bond: it answers no claim about another job of the same parties.
#[test]
fn a_delivery_for_another_job() {
    let jobs = [engaged(0), engaged(1)];
    let opens = [jobs[0].open[0].clone(), jobs[1].open[0].clone()];
    let engages = [jobs[0].engage[0].clone(), jobs[1].engage[0].clone()];
    let mut workshop = Workshop::new(1);
    for block in [&[][..], &opens, &engages] {
        workshop.extend(block);
    }
    let genesis = workshop.genesis();
    let deliver = |signed_for: usize, sent_to: usize| {
        let record = workshop.ledger().job(&jobs[signed_for].job).unwrap();
        let context = record.seal_context(&genesis, record.state.engagement().unwrap());
        let delivery = delivery(&context, &opening(&[5, END]).to_bytes(), NODE);
        bare(jobs[sent_to].job, 2, ActionKind::Deliver(Box::new(delivery)))
    };
    let swapped = [deliver(0, 1)];
    Attack::by_block_of(
        &[&opens, &engages],
        &swapped,
        "the node's signature does not verify",
    )
    .must_fail();
    must_pass(&[&opens, &engages], &[deliver(0, 0)]);
}
