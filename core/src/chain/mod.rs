//! The ledger and the choice between chains.
//!
//! A [`View`] is the ledger with pending changes over it; blocks and mempool transactions are
//! applied to a view by [`apply_transaction`], and a view's [`Delta`] is exchanged with the ledger,
//! which gives the inverse delta back: connecting and undoing are the same operation.

mod action;
mod connect;
mod fork_choice;
mod header_tip;
mod headers;
mod ledger;
mod store;
mod ticket;
mod transaction;
mod unflushed;
mod view;

pub use connect::{AppliedBody, BlockError, check_block, connect_block};
pub use fork_choice::{Chain, Submission, SubmitError, TipChange};
pub use header_tip::{HeaderError, HeaderTip};
pub use headers::HeaderTree;
pub use ledger::{Coin, Created, Delta, Ledger, Totals};
pub use store::{Base, Connected, Flush, OwnCoin, SharedStore, Store};
pub use transaction::{TransactionError, apply_transaction};
pub use view::View;
