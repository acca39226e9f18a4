//! R03, R04, H4: the checker never runs the model. It answers every check at once: with yes alone (an
//! echo of what it was shown), or with a no thrown in here and there to look busy.

use super::{Context, Strategy};
use camelid_core::primitives::BoundedVec;
use camelid_core::process::{Input, Output, Outputs};
use camelid_core::wire::{Envelope, Message};

/// Makes up answers to checks.
pub(super) struct GuessChecks {
    /// Answers that are yes, in thousandths.
    yes_permille: u32,
    replies: u64,
}

impl GuessChecks {
    /// Says yes in so many thousandths of the cases.
    pub(super) fn saying_yes(yes_permille: u32) -> Self {
        Self {
            yes_permille,
            replies: 0,
        }
    }
}

impl Strategy for GuessChecks {
    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        let Input::Message { from, packet } = &input else {
            return Some(input);
        };
        let Some((_, Message::CheckRequest(request))) = context.open(packet) else {
            return Some(input);
        };
        let guess = |_: &u32| context.stream.chance(self.yes_permille);
        let guesses: Vec<bool> = request.positions.iter().map(guess).collect();
        let reply = Message::CheckReply {
            request: request.id(),
            matches: BoundedVec::from_vec(guesses)?,
        };
        self.replies += 1;
        // Ids of the strategy's own messages count down, away from those of the node behind it.
        let (magic, id) = (context.node.chain().params().magic, u64::MAX - self.replies);
        let envelope = Envelope::new(magic, context.node.id(), Some(*from), id, 0, &reply)?;
        out.push(Output::Send {
            to: *from,
            packet: envelope.to_packet(),
        });
        context.attacked();
        None
    }
}
