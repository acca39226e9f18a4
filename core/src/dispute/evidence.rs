//! What a committee needs to judge an output, and only the parties have.

use crate::escrow::JobRecord;
use crate::job::{Opening, prompt_hash};
use crate::model::{Manifest, PromptTokens};
use crate::primitives::{BlockHash, JobId};
use borsh::{BorshDeserialize, BorshSerialize};

/// Prompt and output of a job, with the salts that open both commitments to them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// The job.
    pub job: JobId,
    /// The rendered prompt's token ids.
    pub prompt: PromptTokens,
    /// The salt of [`prompt_hash`].
    pub prompt_salt: [u8; 32],
    /// The node's opening.
    pub opening: Opening,
}

impl Evidence {
    /// True when it opens what client and node committed to in `record`.
    pub fn opens(&self, genesis: &BlockHash, record: &JobRecord) -> bool {
        let Some(engagement) = record.state.engagement() else {
            return false;
        };
        let commitment =
            self.opening
                .commitment(genesis, &record.id, &engagement.node_key, &engagement.payout);
        self.job == record.id
            && prompt_hash(&self.prompt_salt, &self.prompt) == record.terms.prompt_hash
            && commitment == engagement.commitment
    }

    /// True when the model can be asked about the output at all, but for the output's own tokens
    /// (a claim with what is no token is judged by its shape).
    pub fn can_run(&self, manifest: &Manifest) -> bool {
        let tokens = self.prompt.len().saturating_add(self.opening.output.len());
        let known = self.prompt.iter().all(|&token| token < manifest.vocabulary);
        !self.prompt.is_empty() && known && tokens <= manifest.context as usize
    }
}
