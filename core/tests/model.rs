//! What the protocol knows of a model: its name, its finish rule, its bounds.

use camelid_core::model::{Finish, Manifest, ManifestError, NumericsProfile, Sampling, Text, TokenId};
use camelid_core::primitives::{BoundedVec, Hash256, ModelId, decode, encode};
use std::collections::BTreeSet;

const END: TokenId = 999;

#[test]
fn the_finish_is_derived() {
    let cases: [(&[TokenId], u32, Option<Finish>); 7] = [
        (&[], 0, None),
        (&[], 3, None),
        (&[1, 2], 1, None),
        (&[1, 2], 2, Some(Finish::Limit)),
        (&[1, 2], 3, None),
        (&[1, END], 2, Some(Finish::EndToken)),
        (&[1, END], 3, Some(Finish::EndToken)),
    ];
    for (output, limit, expected) in cases {
        assert_eq!(
            Finish::derive(output, &[5, END], limit),
            expected,
            "{output:?} {limit}"
        );
    }
}

#[test]
fn sampling_is_bounded() {
    assert!(Sampling::GREEDY.check().is_ok());
    let with = |temperature_milli, top_p_milli| Sampling {
        temperature_milli,
        top_k: 0,
        top_p_milli,
    };
    assert!(with(10_000, 1).check().is_ok());
    assert!(with(10_001, 1000).check().is_err());
    assert!(with(0, 0).check().is_err());
    assert!(with(0, 1001).check().is_err());
}

#[test]
fn a_model_id_covers_the_whole_manifest() {
    let manifest = Manifest {
        chunk_root: Hash256([1; 32]),
        chunks: 3,
        bytes: 1000,
        tokenizer: Hash256([2; 32]),
        vocabulary: 1000,
        end_tokens: BoundedVec::from_vec(vec![END]).unwrap(),
        context: 64,
        profile: NumericsProfile::tolerant("toy", 1, 2).unwrap(),
        golden: Hash256([4; 32]),
    };
    let changes: [fn(&mut Manifest); 12] = [
        |m| m.chunk_root = Hash256([3; 32]),
        |m| m.chunks += 1,
        |m| m.bytes += 1,
        |m| m.tokenizer = Hash256([3; 32]),
        |m| m.vocabulary += 1,
        |m| m.end_tokens = BoundedVec::new(),
        |m| m.context += 1,
        |m| m.profile.name = Text::truncated("toys"),
        |m| m.profile.exact = true,
        |m| m.profile.tolerance_milli = 0,
        |m| m.profile.slash_tolerance_milli += 1,
        |m| m.golden = Hash256([5; 32]),
    ];
    let mut ids: BTreeSet<ModelId> = BTreeSet::from([manifest.id()]);
    for change in changes {
        let mut changed = manifest.clone();
        change(&mut changed);
        assert_eq!(changed.check(), Ok(()));
        ids.insert(changed.id());
    }
    assert_eq!(ids.len(), changes.len() + 1);

    let wrong = Manifest {
        vocabulary: END,
        ..manifest.clone()
    };
    assert_eq!(wrong.check(), Err(ManifestError::EndToken(END)));
    let bytes = encode(&manifest);
    assert_eq!(decode::<Manifest>(&bytes, 1000), Ok(manifest));
}

#[test]
fn text_is_cut_between_characters_and_refused_when_it_is_none() {
    let text = Text::<4>::truncated("aéé");
    assert_eq!(text.as_str(), "aé");
    assert_eq!(decode::<Text<4>>(&encode(&text), 100), Ok(text));
    let not_utf8 = encode(&vec![0xff_u8]);
    assert!(decode::<Text<4>>(&not_utf8, 100).is_err());
}
