//! E14: a client floods the network with offers of jobs that it never opens.

use super::{Context, Strategy};
use camelid_core::job::Offer;
use camelid_core::primitives::JobId;
use camelid_core::process::{Event, Input, Output, Outputs, Timer};
use camelid_core::wire::{MAX_HOPS, Message};

/// Broadcasts `level` variations of its last real offer with each maintenance.
#[derive(Default)]
pub(super) struct OfferFlood {
    model: Option<Offer>,
}

impl Strategy for OfferFlood {
    fn on_output(&mut self, _context: &mut Context<'_>, output: Output, out: &mut Outputs) {
        if let Output::Event(Event::JobOffered { offer }) = &output {
            self.model = Some((**offer).clone());
        }
        out.push(output);
    }

    fn on_input(&mut self, context: &mut Context<'_>, input: Input, out: &mut Outputs) -> Option<Input> {
        if let (Input::TimerFired(Timer::Maintenance), Some(model)) = (&input, &self.model) {
            for _ in 0..context.level {
                let offer = Offer {
                    job: JobId(context.stream.bytes32()),
                    ..model.clone()
                };
                context.attacked();
                context.broadcast(MAX_HOPS, &Message::JobOffer(Box::new(offer)), out);
            }
        }
        Some(input)
    }
}
