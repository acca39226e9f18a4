//! What the operator asks for.

use super::Node;
use super::base::Base;
use crate::mempool::MempoolError;
use crate::primitives::Time;
use crate::process::{Command, Event, Outputs, Payment};
use crate::script::key_hash_script;
use crate::tx::{Transaction, TxOut};
use alloc::string::{String, ToString};

impl Node {
    /// Carries a command out. What came of it is among the events: whoever asked reads it there.
    pub(super) fn handle_command(&mut self, now: Time, command: Command, out: &mut Outputs) {
        let outcome = match command {
            Command::OpenJob(request) => {
                let outcome = match &mut self.client {
                    Some(client) => client.open_job(&mut self.base, now, *request, out),
                    None => Err("this node has no client role".into()),
                };
                if let Err(reason) = outcome {
                    out.event(Event::JobRefused { reason });
                }
                return;
            }
            Command::Unbond => {
                if let Some(verifier) = &mut self.verifier {
                    verifier.unbond(&mut self.base, now, out);
                }
                return;
            }
            Command::Pay(payment) => self.base.pay(now, &payment, out),
            Command::Submit(transaction) => self.base.submit_for_operator(now, *transaction, out),
            Command::Dispute { job } => match &mut self.client {
                Some(client) => client.dispute(&mut self.base, now, &job, out),
                None => Err("this node has no client role".into()),
            },
        };
        if let Err(reason) = outcome {
            out.event(Event::CommandRefused { reason });
        }
    }
}

impl Base {
    fn pay(&mut self, now: Time, payment: &Payment, out: &mut Outputs) -> Result<(), String> {
        let output = TxOut::to_script(payment.amount, key_hash_script(&payment.to.0));
        if self.mempool.is_dust(&output) {
            return Err("the amount is less than it costs to spend it".into());
        }
        let transaction = self.purse.transfer(
            &self.config.key,
            self.chain.ledger(),
            &self.mempool,
            &[output],
            payment.fee_rate,
        );
        let transaction = transaction.ok_or("not enough spendable coins")?;
        self.submit_for_operator(now, transaction, out)
    }

    fn submit_for_operator(
        &mut self,
        now: Time,
        transaction: Transaction,
        out: &mut Outputs,
    ) -> Result<(), String> {
        let txid = transaction.txid();
        match self.submit(now, transaction, out) {
            // Whoever asks twice wants it to be there.
            Ok(()) | Err(MempoolError::Known) => {
                out.event(Event::TransactionSubmitted { txid });
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}
