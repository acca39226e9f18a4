//! `camelid_core::dispute`, through the chain and directly.

use crate::escrow::Engaged;
use crate::job::{delivery_key, opening};
use crate::model::manifest;
use camelid_core::dispute::{BadDelivery, BadDeliveryError, Promise};
use camelid_core::escrow::Outcome;
use camelid_core::job::SignedDelivery;
use camelid_core::keys::DecryptionProof;
use camelid_core::tx::ActionKind;
use core::hint::black_box;

/// Evidence against a good delivery, which shows nothing, and against garbage, which slashes.
pub fn probe() {
    let mut engaged = Engaged::new();
    let good = evidence(&engaged, engaged.delivery(&opening().to_bytes()));
    assert_eq!(judge(&engaged, &good), Err(BadDeliveryError::DeliveryGood));

    let garbage = evidence(&engaged, engaged.delivery(black_box(b"no opening")));
    assert_eq!(judge(&engaged, &garbage), Ok(()));
    engaged.act(ActionKind::BadDelivery(Box::new(garbage)));
    assert_eq!(
        engaged.record().state.outcome(),
        Some(Outcome::SlashedBadDelivery)
    );
}

fn evidence(engaged: &Engaged, delivery: SignedDelivery) -> BadDelivery {
    let context = engaged.seal_context();
    let hash = delivery.ciphertext_hash();
    BadDelivery {
        proof: DecryptionProof::create(&context, &delivery_key(), &delivery.ephemeral, &hash),
        delivery,
        manifest: Some(Box::new(manifest())),
    }
}

fn judge(engaged: &Engaged, evidence: &BadDelivery) -> Result<(), BadDeliveryError> {
    let record = engaged.record();
    let engagement = record.state.engagement().expect("the job is engaged");
    evidence.judge(&Promise {
        genesis: &engaged.workshop.genesis(),
        terms: &record.terms,
        node_key: &engagement.node_key,
        payout: &engagement.payout,
        context: &engaged.seal_context(),
    })
}
