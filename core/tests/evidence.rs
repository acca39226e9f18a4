//! What a committee takes as evidence.

#![allow(clippy::unwrap_used)]

mod support;

use camelid_core::dispute::Evidence;
use camelid_core::model::{Manifest, PromptTokens, Tokens};
use camelid_core::primitives::JobId;
use support::*;

fn evidence(prompt: &[u32], output: &[u32]) -> Evidence {
    Evidence {
        job: JobId([1; 32]),
        prompt: PromptTokens::from_vec(prompt.to_vec()).unwrap(),
        prompt_salt: [2; 32],
        opening: camelid_core::job::Opening {
            output: Tokens::from_vec(output.to_vec()).unwrap(),
            ..opening(&[END])
        },
    }
}

/// Every seat's model would fail on it alike, and all of them would be fined for keeping quiet.
#[test]
fn a_job_that_no_machine_can_run_is_no_evidence() {
    let manifest = Manifest {
        context: 6,
        ..manifest()
    };
    let last = manifest.vocabulary - 1;
    assert!(evidence(&[1, last], &[5, END]).can_run(&manifest));
    assert!(evidence(&[1, 2, 3, 4], &[5, END]).can_run(&manifest));
    assert!(
        !evidence(&[1, 2, 3, 4, 5], &[5, END]).can_run(&manifest),
        "context"
    );
    assert!(
        !evidence(&[1, last + 1], &[5, END]).can_run(&manifest),
        "vocabulary"
    );
    assert!(!evidence(&[], &[5, END]).can_run(&manifest), "no prompt");
    // An output with what is no token is judged by its shape.
    assert!(evidence(&[1, 2], &[last + 1, END]).can_run(&manifest));
}
