//! Guards that are not about time: deposits, signatures, keys and evidence.

use super::support::*;
use super::*;
use camelid_core::dispute::BadDeliveryError;
use camelid_core::keys::{PublicKey, SealContext};
use camelid_core::model::Finish;
use camelid_core::primitives::BoundedVec;

#[test]
fn a_withheld_claim_needs_the_exact_deposit_and_the_clients_signature() {
    let params = Params::mainnet();
    let record = record(State::Engaged, job_terms(&params));
    let required = params.jobs.withheld_deposit(record.terms.max_tokens);
    assert_eq!(required, units(200 * (4 * 8 + 600)));
    let claim = withheld_claim;
    let by_client = withheld_signature(&record, CLIENT);
    let at = after(10, 600);
    for given in [
        units(required.units() - 1),
        units(required.units() + 1),
        Amount::ZERO,
    ] {
        let refused = apply(&params, &record, &claim(by_client, given), at);
        assert_eq!(refused, Err(JobError::Deposit { given, required }));
    }
    for signer in [NODE, STRANGER] {
        let signature = withheld_signature(&record, signer);
        let refused = apply(&params, &record, &claim(signature, required), at);
        assert_eq!(refused, Err(JobError::Signature("client")));
    }
    // A claim signed for the record before this one.
    let earlier = JobRecord {
        seq: record.seq - 1,
        ..record.clone()
    };
    let signature = withheld_signature(&earlier, CLIENT);
    let refused = apply(&params, &record, &claim(signature, required), at);
    assert_eq!(refused, Err(JobError::Signature("client")));
    assert!(apply(&params, &record, &claim(by_client, required), at).is_ok());
}

#[test]
fn a_delivery_needs_the_nodes_signature_for_this_bond_and_the_size_of_the_job() {
    let params = Params::mainnet();
    let record = record(State::Engaged, job_terms(&params));
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let elsewhere = SealContext {
        bond_index: 1,
        ..context.clone()
    };
    let refusal =
        |delivery: &SignedDelivery| apply(&params, &record, &Event::Deliver(delivery), after(1, 60));
    for signer in [CLIENT, STRANGER] {
        let foreign = delivery(&context, &good().to_bytes(), signer);
        assert_eq!(refusal(&foreign), Err(JobError::Signature("node")));
    }
    let foreign = delivery(&elsewhere, &good().to_bytes(), NODE);
    assert_eq!(refusal(&foreign), Err(JobError::Signature("node")));

    let cap = 4 * record.terms.max_tokens as usize + 53;
    let sized = |length: usize| {
        let ephemeral = secret(STRANGER).public_key();
        SignedDelivery::sign(&context, ephemeral, vec![0; length], &secret(NODE)).unwrap()
    };
    assert_eq!(
        refusal(&sized(cap + 1)),
        Err(JobError::CiphertextTooLong { length: cap + 1, cap })
    );
    // The ledger takes any signed bytes that fit: whether they open is for BadDelivery.
    assert!(refusal(&sized(cap)).is_ok());
    // One above the cap can be no delivery, so having signed it is enough to be slashed for.
    let too_long = evidence(&context, &sized(cap + 1));
    assert!(apply(&params, &record, &Event::BadDelivery(&too_long), after(1, 60)).is_ok());
}

/// 33 bytes that travel as a key but are no point of the curve.
fn off_curve_key() -> PublicKey {
    (0u8..=255)
        .filter_map(|byte| {
            let mut bytes = [byte; 33];
            bytes[0] = 2;
            PublicKey::from_bytes(bytes)
        })
        .find(|key| !key.is_on_curve())
        .unwrap()
}

#[test]
fn engage_needs_a_node_key_on_the_curve() {
    let params = Params::mainnet();
    let event = Event::Engage {
        commitment: Commitment([0; 32]),
        node_key: off_curve_key(),
        payout: &script_of(NODE),
        bond: BOND,
    };
    let refused = apply(
        &params,
        &record(State::Open, job_terms(&params)),
        &event,
        after(1, 60),
    );
    assert_eq!(refused, Err(JobError::NodeKeyOffCurve));
}

/// A delivery of `opening` by a node that committed to it, judged with its manifest.
fn judged(commitment: Commitment, plaintext: &[u8]) -> Result<Effects, JobError> {
    let params = Params::mainnet();
    let record = record_for(State::Delivered, job_terms(&params), commitment);
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let evidence = evidence(&context, &delivery(&context, plaintext, NODE));
    apply(&params, &record, &Event::BadDelivery(&evidence), after(1, 60))
}

#[test]
fn only_a_bad_delivery_is_bad() {
    let committed = |opening: &Opening| judged(commitment_to(opening), &opening.to_bytes());
    let innocent = Err(JobError::BadDelivery(BadDeliveryError::DeliveryGood));
    assert_eq!(committed(&good()), innocent);
    let full = Opening {
        finish: Finish::Limit,
        ..opening(&[1, 2, 3, 4, 5, 6, 7, 8])
    };
    assert_eq!(committed(&full), innocent);

    let guilty: [Opening; 6] = [
        opening(&[]),
        // One token above the limit, its end token included.
        opening(&[1, 2, 3, 4, 5, 6, 7, 8, END]),
        // Stops for no reason.
        opening(&[5, 9]),
        // The finish that it does not have.
        Opening {
            finish: Finish::Limit,
            ..good()
        },
        Opening {
            finish: Finish::EndToken,
            ..full.clone()
        },
        Opening {
            finish: Finish::Limit,
            ..opening(&[5, 9])
        },
    ];
    for opening in guilty {
        assert!(committed(&opening).is_ok(), "{opening:?}");
    }
    // Well formed, but not what was committed to.
    assert!(judged(commitment_to(&good()), &full.to_bytes()).is_ok());
    assert!(judged(commitment_to(&good()), &[]).is_ok());
    let mut trailing = good().to_bytes();
    trailing.push(0);
    assert!(judged(commitment_to(&good()), &trailing).is_ok());
}

#[test]
fn evidence_must_be_complete_and_about_this_job() {
    let params = Params::mainnet();
    let stopped = opening(&[5, 9]);
    let record = record_for(State::Engaged, job_terms(&params), commitment_to(&stopped));
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let full = evidence(&context, &delivery(&context, &stopped.to_bytes(), NODE));
    let judge = |evidence: &BadDelivery| {
        let event = Event::BadDelivery(evidence);
        apply(&params, &record, &event, after(1, 60)).map(|_| ())
    };
    assert_eq!(judge(&full), Ok(()));

    let mut evidence = full.clone();
    evidence.manifest = None;
    assert_eq!(judge(&evidence), Err(BadDeliveryError::DeliveryGood.into()));
    let mut other = manifest();
    other.end_tokens = BoundedVec::new();
    evidence.manifest = Some(Box::new(other));
    assert_eq!(judge(&evidence), Err(BadDeliveryError::WrongManifest.into()));

    let mut evidence = full.clone();
    evidence.proof = None;
    assert_eq!(judge(&evidence), Err(BadDeliveryError::ProofMissing.into()));
    let mut evidence = full.clone();
    evidence.proof.as_mut().unwrap().response[31] ^= 1;
    assert_eq!(judge(&evidence), Err(BadDeliveryError::ProofInvalid.into()));
    let mut evidence = full;
    evidence.delivery.ciphertext.as_mut_slice()[0] ^= 1;
    assert_eq!(judge(&evidence), Err(JobError::Signature("node")));
}

#[test]
fn an_ephemeral_key_off_the_curve_needs_no_proof() {
    let params = Params::mainnet();
    let record = record(State::Engaged, job_terms(&params));
    let context = record.seal_context(&GENESIS, record.state.engagement().unwrap());
    let signed = SignedDelivery::sign(&context, off_curve_key(), vec![1, 2, 3], &secret(NODE)).unwrap();
    let evidence = BadDelivery {
        delivery: signed,
        proof: None,
        manifest: None,
    };
    assert!(apply(&params, &record, &Event::BadDelivery(&evidence), after(1, 60)).is_ok());
}
