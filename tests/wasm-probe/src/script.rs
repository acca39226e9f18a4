//! `camelid_core::script`.

use crate::workshop::{CLIENT, WORKER, key};
use camelid_core::primitives::sha256;
use camelid_core::script::{
    Script, ScriptBuilder, SpendContext, StandardScript, channel_close_script_sig, channel_refund_script_sig,
    evaluate, hash_time_lock_claim_script_sig, hash_time_lock_refund_script_sig, key_hash_script_sig,
    multi_sig_script_sig,
};
use core::hint::black_box;

const LOCK_TIME: u32 = 500;

/// A spend at [`LOCK_TIME`] in which every signature is good.
struct Spend;

impl SpendContext for Spend {
    fn check_signature(&self, _: &[u8; 33], signature: &[u8; 64]) -> bool {
        *signature == black_box([7; 64])
    }
    fn lock_time(&self) -> u32 {
        black_box(LOCK_TIME)
    }
    fn sequence(&self) -> u32 {
        black_box(0)
    }
    fn transaction_version(&self) -> u32 {
        black_box(2)
    }
}

/// Each standard form: compiled, parsed and spent in every way; and a script that fails.
pub fn probe() {
    let [ours, theirs] = [CLIENT, WORKER].map(|owner| key(owner).public_key());
    let hash = ours.key_hash().0;
    let (signature, secret) = ([7; 64], [9; 32]);
    let key_hash_sig = key_hash_script_sig(&signature, ours.as_bytes());

    let time_lock = StandardScript::TimeLock {
        lock_time: LOCK_TIME,
        key_hash: hash,
    };
    for form in [StandardScript::KeyHash(hash), time_lock] {
        check(form, std::slice::from_ref(&key_hash_sig));
    }
    check(
        StandardScript::MultiSig {
            required: 2,
            keys: vec![*ours.as_bytes(), *theirs.as_bytes()],
        },
        &[multi_sig_script_sig(&[signature; 2]).expect("two signatures fit")],
    );
    check(
        StandardScript::HashTimeLock {
            hash: sha256(&secret).0,
            recipient: hash,
            refund: theirs.key_hash().0,
            lock_time: LOCK_TIME,
        },
        &[
            hash_time_lock_claim_script_sig(&signature, ours.as_bytes(), &secret),
            hash_time_lock_refund_script_sig(&signature, theirs.as_bytes()),
        ],
    );
    check(
        StandardScript::Channel {
            payer: *ours.as_bytes(),
            payee: *theirs.as_bytes(),
            lock_time: LOCK_TIME,
        },
        &[
            channel_close_script_sig(&signature, &signature),
            channel_refund_script_sig(&signature),
        ],
    );

    let long = ScriptBuilder::new().push(&[1; 520]).push_number(-5).build();
    let script = black_box(long).expect("525 bytes fit");
    assert!(evaluate(&script, &Script::empty(), &Spend).is_err());
    assert!(evaluate(&Script::empty(), &script, &Spend).is_err());
}

fn check(form: StandardScript, script_sigs: &[Script]) {
    let script = black_box(&form).compile().expect("a form within its limits");
    assert_eq!(StandardScript::parse(black_box(&script)), Some(form));
    for script_sig in script_sigs {
        assert_eq!(evaluate(black_box(script_sig), &script, &Spend), Ok(()));
    }
    black_box(script.signature_operations());
}
