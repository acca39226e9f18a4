//! `camelid_core::job`.

use crate::model::{END, manifest};
use crate::workshop::{CLIENT, Workshop, key, script_of, units};
use camelid_core::job::{JobPool, Offer, Opening, PoolState, Terms, prompt_hash};
use camelid_core::keys::SecretKey;
use camelid_core::model::{Finish, PromptTokens, Sampling, Tokens};
use camelid_core::params::Params;
use camelid_core::primitives::{COIN, Height, decode, encode};
use camelid_core::rastic::Spec;
use core::hint::black_box;

const PROMPT: [u32; 2] = [5, 6];

/// The key that the output is sealed to.
pub fn delivery_key() -> SecretKey {
    key(CLIENT).derive_key("probe/delivery", &[])
}

/// Terms for a job that is opened at `height`.
pub fn terms(params: &Params, height: Height) -> Terms {
    let reward = units(COIN);
    Terms {
        prompt_hash: prompt_hash(black_box(&[1; 32]), &PROMPT),
        seed: 1,
        sampling: Sampling::GREEDY,
        max_tokens: 8,
        model: manifest().id(),
        exact: true,
        spec: Spec::V2,
        samples: 0,
        deadline: height.plus(params.jobs.min_deadline),
        reward,
        audit_fee: params.jobs.audit_fee(reward, false),
        engage_fee: units(10_000),
        stake: params.jobs.min_stake(reward).expect("a small reward"),
        client_key: key(CLIENT).public_key(),
        delivery_key: delivery_key().public_key(),
        refund: script_of(CLIENT),
        private: false,
        created: params.genesis_time,
        contact: key(CLIENT).node_id(),
    }
}

/// What the node commits to.
pub fn opening() -> Opening {
    Opening {
        finish: Finish::EndToken,
        output: Tokens::from_vec(black_box(vec![9, 8, END])).expect("three tokens fit"),
        salt: black_box([4; 32]),
    }
}

/// Terms checked, an offer pooled, an opening committed to.
pub fn probe() {
    let workshop = Workshop::new();
    let (params, genesis) = (&workshop.params, workshop.genesis());
    let terms = terms(params, Height(1));
    assert_eq!(terms.check(params, Height(1), params.genesis_time), Ok(()));
    let job = terms.job_id(&genesis, &workshop.coin(CLIENT).outpoint);
    let (client, script) = (key(CLIENT), script_of(CLIENT));
    black_box(opening().commitment(&genesis, &job, &client.public_key(), &script));

    let offer = Offer {
        job,
        terms,
        prompt: PromptTokens::from_vec(PROMPT.to_vec()).expect("two tokens fit"),
        prompt_salt: [1; 32],
    };
    let offer: Offer = decode(black_box(&encode(&offer)), 1 << 16).expect("it was just encoded");
    let mut pool = JobPool::new(black_box(1));
    assert!(pool.insert(offer, true));
    pool.accept(&job, client.node_id());
    assert!(matches!(pool.state(&job), Some(PoolState::Accepted { .. })));
    pool.complete(&job);
    black_box(pool.iter().count());
    pool.remove(&job);
}
