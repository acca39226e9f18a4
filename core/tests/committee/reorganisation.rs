//! Long reorganisations in the middle of disputes.

use super::court::*;
use super::support::*;
use camelid_core::escrow::{JobState, Phase};
use camelid_core::primitives::JobId;
use camelid_core::tx::ClaimKind;

/// A branch of `length` blocks with a dispute at its start that nobody ever settles, one in the middle that is
/// appealed, and one at its end whose votes are being cast.
fn disputed_branch(court: &mut Court, length: u32) -> [JobId; 3] {
    let end = court.workshop.chain.height().plus(length);
    let first = court.job;
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID), Some(VALID), None]);
    let left = |court: &Court| end.since(court.workshop.chain.height());
    court.extend_by(left(court) / 2);
    court.engage();
    let second = court.job;
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.vote(&[Some(INVALID); 3]);
    court.advance_to(Phase::Appeal);
    court.file(ClaimKind::Appeal, NODE, 15);
    court.extend_by(left(court) - 8);
    court.engage();
    let third = court.job;
    court.file(ClaimKind::Invalid, CLIENT, 7);
    court.advance_to(Phase::Commit);
    let seat = court.seats().remove(0);
    let commit = court.commit(&seat, &INVALID);
    court.extend(&[commit]);
    court.extend_by(left(court));
    assert_eq!(court.workshop.chain.height(), end);
    [first, second, third]
}

/// Away from the branch by one that has nothing but empty blocks, and back to it.
fn reorganise(length: u32) {
    let mut court = Court::new(0);
    let params = court.workshop.params.clone();
    let fork = court.blocks.len();
    let jobs = disputed_branch(&mut court, length);
    let state =
        |workshop: &Workshop, job: &JobId| workshop.ledger().job(job).map(|record| record.state.clone());
    for job in &jobs {
        let state = state(&court.workshop, job).unwrap();
        assert!(matches!(state, JobState::Disputed(_)), "{state:?}");
    }
    let digest = court.workshop.ledger().digest();

    let mut other = replay(&params, &court.blocks[..fork]);
    let mut subject = replay(&params, &court.blocks);
    assert_eq!(subject.ledger().digest(), digest);
    for _ in 0..=length {
        // It claims less than the blocks of the first branch, and so is another.
        let block = mine(other.ledger(), other.next_time(), coins(1), &[]);
        other.submit(&block).unwrap();
        subject.submit(&block).unwrap();
    }
    assert_eq!(subject.chain.tip(), other.chain.tip());
    assert_eq!(subject.ledger().digest(), other.ledger().digest());
    let [first, second, third] = jobs.each_ref().map(|job| state(&subject, job));
    assert!(matches!(first, Some(JobState::Engaged(_))));
    assert_eq!((second, third), (None, None));
    assert_conserved(subject.ledger());

    court.extend_by(2);
    for block in &court.blocks[court.blocks.len() - 2..] {
        subject.submit(block).unwrap();
    }
    assert_eq!(subject.chain.tip(), court.workshop.chain.tip());
    assert_eq!(subject.ledger().digest(), court.workshop.ledger().digest());
    assert_conserved(subject.ledger());
    // The disputes go on where they were.
    let seat = court.seats().remove(1);
    let commit = court.commit(&seat, &INVALID);
    let block = court.workshop.block(&[commit]);
    subject.submit(&block).unwrap();
    assert_eq!(subject.chain.tip(), block.header.hash());
}

#[test]
fn a_reorganisation_of_500_blocks_with_open_disputes() {
    reorganise(500);
}
