//! A miner keeps its blocks to itself and shows them only when the public chain comes near
//! (Eyal and Sirer, "Majority is not enough: Bitcoin mining is vulnerable", 2014).
//!
//! The node behind it works on its own best chain, which holds the secret blocks, and joins the public one
//! as soon as that has more work.

use super::{Context, Strategy};
use camelid_core::block::BlockHeader;
use camelid_core::primitives::{BlockHash, BoundedVec, Height};
use camelid_core::process::{Input, Output, Outputs};
use camelid_core::wire::Message;

/// Withholds blocks.
#[derive(Default)]
pub(super) struct SelfishMining {
    /// Own blocks that nobody else knows, lowest first.
    secret: Vec<BlockHeader>,
    /// Height of the highest block that others know.
    public: Height,
    /// Our last block and one of the others' are equally high, and both are known.
    race: bool,
}

impl Strategy for SelfishMining {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        match &input {
            Input::Mined { header } if header.previous == context.node.chain().tip() => {
                self.secret.push(*header);
            }
            Input::Message { packet, .. } => {
                if let Some((_, Message::Headers(headers))) = context.open(packet) {
                    self.meet(context, &headers, out);
                }
            }
            _ => {}
        }
        Some(input)
    }

    fn on_output(&mut self, context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Send { packet, .. } = &output
            && let Some((_, message)) = context.open(packet)
            && self.reveals(&message)
        {
            // Of its own blocks the node speaks once, right after it found them.
            if self.race {
                self.race = false;
                self.show(context, self.secret.len(), out);
            }
            return;
        }
        out.push(output);
    }
}

impl SelfishMining {
    fn reveals(&self, message: &Message) -> bool {
        let is_secret = |hash: &BlockHash| self.secret.iter().any(|secret| secret.hash() == *hash);
        match message {
            Message::Headers(headers) => headers.iter().any(|header| is_secret(&header.hash())),
            Message::Block(block) => is_secret(&block.header.hash()),
            Message::CompactBlock(block) => is_secret(&block.header.hash()),
            _ => false,
        }
    }

    /// The public chain has grown: shows as many blocks as it takes to stay ahead of it.
    fn meet(&mut self, context: &mut Context<'_>, headers: &[BlockHeader], out: &mut Outputs) {
        let chain = context.node.chain();
        let parent = headers
            .first()
            .and_then(|first| chain.headers().height(&first.previous));
        let Some(parent) = parent else { return };
        let height = parent.plus(u32::try_from(headers.len()).unwrap_or(u32::MAX));
        if height <= self.public {
            return;
        }
        self.public = height;
        let (lead, hidden) = (chain.height().since(height), self.secret.len());
        if height > chain.height() {
            // Lost: the node goes over to the public chain by itself.
            self.secret.clear();
            self.race = false;
            return;
        }
        let show = match lead {
            0 | 1 => hidden,
            _ => hidden.saturating_sub(lead as usize),
        };
        self.race = lead == 0 && hidden > 0;
        self.show(context, show, out);
    }

    /// Tells all peers about the first `count` secret blocks.
    fn show(&mut self, context: &mut Context<'_>, count: usize, out: &mut Outputs) {
        let shown: Vec<BlockHeader> = self.secret.drain(..count).collect();
        let Some(last) = shown.last() else { return };
        let height = context.node.chain().headers().height(&last.hash());
        self.public = self.public.max(height.unwrap_or_default());
        context.attacked();
        if let Some(headers) = BoundedVec::from_vec(shown) {
            for peer in context.node.peers() {
                context.send(*peer, &Message::Headers(headers.clone()), out);
            }
        }
    }
}
