//! The standard forms: their bytes, and who can spend them when.

use crate::support::{Spend, asm, filled, hash160, key, lock_times, raw, sign, spend_now};
use camelid_core::primitives::sha256;
use camelid_core::script::{
    Opcode, Script, ScriptBuilder, ScriptError, StandardScript, channel_close_script_sig,
    channel_refund_script_sig, hash_time_lock_claim_script_sig, hash_time_lock_refund_script_sig,
    is_standard, key_hash_script, key_hash_script_sig, multi_sig_script_sig,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn any_keys() -> impl Strategy<Value = [u8; 33]> {
    any::<(u8, [u8; 32])>().prop_map(|(sign, x)| [&[sign], x.as_slice()].concat().try_into().unwrap())
}

fn standard_forms() -> impl Strategy<Value = StandardScript> {
    let keys = vec(any_keys(), 1..=16);
    let multi_sig = (keys, any::<u8>()).prop_map(|(keys, choice)| StandardScript::MultiSig {
        required: choice % u8::try_from(keys.len()).unwrap().min(15) + 1,
        keys,
    });
    let hash_time_lock =
        any::<([u8; 32], [u8; 20], [u8; 20])>().prop_flat_map(|(hash, recipient, refund)| {
            lock_times().prop_map(move |lock_time| StandardScript::HashTimeLock {
                hash,
                recipient,
                refund,
                lock_time,
            })
        });
    let time_lock = (lock_times(), any::<[u8; 20]>())
        .prop_map(|(lock_time, key_hash)| StandardScript::TimeLock { lock_time, key_hash });
    let channel = (any_keys(), any_keys(), lock_times()).prop_map(|(payer, payee, lock_time)| {
        StandardScript::Channel {
            payer,
            payee,
            lock_time,
        }
    });
    prop_oneof![
        any::<[u8; 20]>().prop_map(StandardScript::KeyHash),
        multi_sig,
        hash_time_lock,
        time_lock,
        channel
    ]
}

proptest! {
    #[test]
    fn standard_forms_survive_compiling_and_parsing(form in standard_forms()) {
        let script = form.compile().unwrap();
        prop_assert!(is_standard(&script));
        prop_assert_eq!(StandardScript::parse(&script), Some(form));
    }

    #[test]
    fn whatever_parses_compiles_back_to_the_same_bytes(
        form in standard_forms(),
        at in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = form.compile().unwrap().as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let script = raw(&bytes);
        if let Some(parsed) = StandardScript::parse(&script) {
            prop_assert_eq!(parsed.compile(), Some(script));
        }
    }
}

#[test]
fn standard_forms_have_their_known_bytes() {
    let hash = [0x11; 20];
    let pushed_hash = format!("0x14{}", "11".repeat(20));
    let key_hash = asm(&format!("DUP HASH160 {pushed_hash} EQUALVERIFY CHECKSIG"));
    assert_eq!(key_hash_script(&hash), key_hash);
    assert_eq!(key_hash.as_bytes()[..3], [0x76, 0xa9, 0x14]);

    let multi_sig = StandardScript::MultiSig {
        required: 2,
        keys: (1..=3).map(key).collect(),
    };
    assert_eq!(multi_sig.compile(), Some(asm("2 KEY1 KEY2 KEY3 3 CHECKMULTISIG")));

    let time_lock = StandardScript::TimeLock {
        lock_time: 0x0102,
        key_hash: hash,
    };
    let expected = asm(&format!(
        "0x020201 CLTV DROP DUP HASH160 {pushed_hash} EQUALVERIFY CHECKSIG"
    ));
    assert_eq!(time_lock.compile(), Some(expected));

    let hash_time_lock = StandardScript::HashTimeLock {
        hash: [0x22; 32],
        recipient: hash,
        refund: [0x33; 20],
        lock_time: 16,
    };
    let expected = asm(&format!(
        "IF SIZE 0x0120 EQUALVERIFY SHA256 0x20{} EQUALVERIFY DUP HASH160 {pushed_hash} \
         ELSE 16 CLTV DROP DUP HASH160 0x14{} ENDIF EQUALVERIFY CHECKSIG",
        "22".repeat(32),
        "33".repeat(20)
    ));
    assert_eq!(hash_time_lock.compile(), Some(expected.clone()));

    let channel = StandardScript::Channel {
        payer: key(1),
        payee: key(2),
        lock_time: 0x0102,
    };
    let expected_channel = asm("IF KEY2 CHECKSIGVERIFY ELSE 0x020201 CLTV DROP ENDIF KEY1 CHECKSIG");
    assert_eq!(channel.compile(), Some(expected_channel));

    let mut other_secret_length = expected.as_bytes().to_vec();
    assert_eq!(other_secret_length[2..4], [1, 32]);
    other_secret_length[3] = 33;
    assert!(!is_standard(&raw(&other_secret_length)));
}

#[test]
fn parameters_out_of_range_do_not_compile() {
    let multi_sig = |required, keys| {
        StandardScript::MultiSig {
            required,
            keys: (1..=keys).map(key).collect(),
        }
        .compile()
    };
    assert!(multi_sig(0, 1).is_none());
    assert!(multi_sig(0, 0).is_none());
    assert!(multi_sig(3, 2).is_none());
    assert!(multi_sig(1, 17).is_none());
    assert!(
        multi_sig(16, 16).is_none(),
        "sixteen signatures do not fit into a script_sig"
    );
    assert!(multi_sig(15, 16).is_some());
    assert!(multi_sig_script_sig(&[[0; 64]; 15]).is_some());
    assert!(multi_sig_script_sig(&[[0; 64]; 16]).is_none());
    // Nor do their scripts, written by hand, parse.
    let keys = "KEY1 ".repeat(16);
    for script in [
        "0 KEY1 1",
        "2 KEY1 1",
        "1 KEY1 2",
        &format!("16 {keys} 16"),
        "0 0",
    ] {
        assert!(!is_standard(&asm(&format!("{script} CHECKMULTISIG"))), "{script}");
    }
}

#[test]
fn key_hash_spends_with_its_key_only() {
    let script = key_hash_script(&hash160(&key(1)));
    let spend = |signer: u8, shown: u8| {
        spend_now().run(&key_hash_script_sig(&sign(&key(signer)), &key(shown)), &script)
    };
    assert_eq!(spend(1, 1), Ok(()));
    assert_eq!(spend(2, 1), Err(ScriptError::InvalidSignature));
    assert_eq!(spend(2, 2), Err(ScriptError::VerifyFailed(Opcode::EqualVerify)));
    assert_eq!(
        spend_now().run(&Script::empty(), &script),
        Err(ScriptError::StackUnderflow)
    );
}

#[test]
fn multi_sig_spends_with_enough_of_its_keys() {
    let form = StandardScript::MultiSig {
        required: 2,
        keys: (1..=3).map(key).collect(),
    };
    let script = form.compile().unwrap();
    let spend = |signers: &[u8]| {
        let signatures: Vec<_> = signers.iter().map(|seed| sign(&key(*seed))).collect();
        spend_now().run(&multi_sig_script_sig(&signatures).unwrap(), &script)
    };
    for pair in [[1, 2], [1, 3], [2, 3]] {
        assert_eq!(spend(&pair), Ok(()));
    }
    assert_eq!(spend(&[1, 1]), Err(ScriptError::InvalidSignature));
    assert_eq!(spend(&[1, 4]), Err(ScriptError::InvalidSignature));
    assert_eq!(spend(&[1]), Err(ScriptError::StackUnderflow));
    assert_eq!(spend(&[1, 2, 3]), Err(ScriptError::DummyNotEmpty));
}

#[test]
fn hash_time_lock_pays_for_the_secret_or_refunds_after_the_time() {
    let (recipient, refund, secret) = (key(1), key(2), [7; 32]);
    let form = StandardScript::HashTimeLock {
        hash: sha256(&secret).0,
        recipient: hash160(&recipient),
        refund: hash160(&refund),
        lock_time: 500,
    };
    let script = form.compile().unwrap();
    let early = Spend::new(499, 0, 2);
    let late = Spend::new(500, 0, 2);

    let claim = |key, secret| hash_time_lock_claim_script_sig(&sign(key), key, secret);
    assert_eq!(early.run(&claim(&recipient, &secret), &script), Ok(()));
    assert_eq!(late.run(&claim(&recipient, &secret), &script), Ok(()));
    let mismatch = Err(ScriptError::VerifyFailed(Opcode::EqualVerify));
    assert_eq!(early.run(&claim(&recipient, &[8; 32]), &script), mismatch);
    assert_eq!(early.run(&claim(&refund, &secret), &script), mismatch);
    let forged = hash_time_lock_claim_script_sig(&sign(&refund), &recipient, &secret);
    assert_eq!(early.run(&forged, &script), Err(ScriptError::InvalidSignature));

    let take_back = |key| hash_time_lock_refund_script_sig(&sign(key), key);
    assert_eq!(late.run(&take_back(&refund), &script), Ok(()));
    assert_eq!(
        early.run(&take_back(&refund), &script),
        Err(ScriptError::LockTimeNotReached)
    );
    assert_eq!(late.run(&take_back(&recipient), &script), mismatch);
    let forged = hash_time_lock_refund_script_sig(&sign(&recipient), &refund);
    assert_eq!(late.run(&forged, &script), Err(ScriptError::InvalidSignature));
    let final_input = Spend::new(500, u32::MAX, 2);
    assert_eq!(
        final_input.run(&take_back(&refund), &script),
        Err(ScriptError::FinalSequence)
    );
}

#[test]
fn hash_time_lock_takes_secrets_of_32_bytes_only() {
    let recipient = key(1);
    for length in [0, 31, 32, 33, 64] {
        let secret = filled(length);
        let form = StandardScript::HashTimeLock {
            hash: sha256(&secret).0,
            recipient: hash160(&recipient),
            refund: hash160(&key(2)),
            lock_time: 0,
        };
        let script_sig = ScriptBuilder::new()
            .push(&sign(&recipient))
            .push(&recipient)
            .push(&secret)
            .push_number(1)
            .build()
            .unwrap();
        let result = spend_now().run(&script_sig, &form.compile().unwrap());
        assert_eq!(result.is_ok(), length == 32, "{length} bytes: {result:?}");
    }
}

#[test]
fn time_lock_opens_at_its_time_for_its_key() {
    let form = StandardScript::TimeLock {
        lock_time: 1_700_000_000,
        key_hash: hash160(&key(1)),
    };
    let script = form.compile().unwrap();
    let spend = |lock_time, signer| {
        Spend::new(lock_time, 0, 1).run(&key_hash_script_sig(&sign(&key(signer)), &key(1)), &script)
    };
    assert_eq!(spend(1_700_000_000, 1), Ok(()));
    assert_eq!(spend(1_699_999_999, 1), Err(ScriptError::LockTimeNotReached));
    assert_eq!(spend(400_000_000, 1), Err(ScriptError::LockTimeKindMismatch));
    assert_eq!(spend(1_700_000_000, 2), Err(ScriptError::InvalidSignature));
}

#[test]
fn channel_closes_by_both_parties_or_pays_back_after_the_time() {
    let (payer, payee) = (key(1), key(2));
    let form = StandardScript::Channel {
        payer,
        payee,
        lock_time: 500,
    };
    let script = form.compile().unwrap();
    let early = Spend::new(499, 0, 2);
    let late = Spend::new(500, 0, 2);

    let close = |payer, payee| channel_close_script_sig(&sign(payer), &sign(payee));
    for spend in [&early, &late] {
        assert_eq!(spend.run(&close(&payer, &payee), &script), Ok(()));
        for (first, second) in [(&payer, &payer), (&payee, &payee), (&payee, &payer)] {
            let forged = spend.run(&close(first, second), &script);
            assert_eq!(forged, Err(ScriptError::InvalidSignature));
        }
    }

    let take_back = |key| channel_refund_script_sig(&sign(key));
    assert_eq!(late.run(&take_back(&payer), &script), Ok(()));
    let payee_alone = late.run(&take_back(&payee), &script);
    assert_eq!(payee_alone, Err(ScriptError::InvalidSignature));
    assert_eq!(
        early.run(&take_back(&payer), &script),
        Err(ScriptError::LockTimeNotReached)
    );
}
