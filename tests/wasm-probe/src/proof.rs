//! `camelid_core::proof`.

use crate::escrow::{Engaged, open_job};
use crate::workshop::{LATE, Workshop};
use camelid_core::primitives::{decode, encode};
use camelid_core::proof::{JobProof, MAX_PROOF_BYTES, ProofError, TransactionProof};
use core::hint::black_box;

/// An Engage and what it made of its job, shown to whoever has the headers alone.
pub fn probe() {
    let engaged = Engaged::new();
    let chain = &engaged.workshop.chain;
    let mut client = Workshop::new().chain;
    for header in chain.headers_after(&client.locator(), 10) {
        assert_eq!(client.submit_header(&header, LATE), Ok(true));
    }

    let proof = JobProof::create(chain, &engaged.job).expect("the job is on the ledger");
    let read: JobProof = decode(black_box(&encode(&proof)), MAX_PROOF_BYTES).expect("it was just encoded");
    let included = read.verify(client.headers()).expect("an honest proof");
    assert_eq!((included.height, included.confirmations), (chain.height(), 1));
    assert_eq!(read.status, engaged.record().status());

    let block = chain.block(&chain.tip()).expect("the tip has a body");
    let mut proof = TransactionProof::create(&block, 1).expect("the block has an Engage");
    assert_eq!(proof.verify(client.headers()), Ok(included));
    proof.transaction = open_job(&engaged.workshop);
    assert_eq!(proof.verify(client.headers()), Err(ProofError::Transaction));
}
