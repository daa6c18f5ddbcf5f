//! Purchases of credits (top-ups), from the first request to the last refund. Each use case stands beside its SQL.
//!
//! Rows are locked in one order, so that two writes never wait for each other in a circle: the top-up; its events, by their
//! id; its payments, by their id; refunds, disputes and requests for them; the account, if there are several by its id; the
//! ledger entry. A write about a top-up that exists begins with [`topups::lock_agreement`] or another update of its row,
//! and the rest of what belongs to the purchase is then its own. An idempotency key stands before a top-up that is only
//! now inserted, which nobody can wait for, and after one that exists; only a repetition that takes over a key whose lease is
//! over locks them the other way, and waits for 250 ms at most. A write that locks one row keeps any order.

pub mod adopt;
pub mod check_topup;
pub mod checkout;
pub mod decided_events;
pub mod explain_topup;
pub mod fee;
pub mod idempotency;
pub mod outcome;
pub mod payment;
pub mod purge_keys;
pub mod refund;
pub mod reversal;
pub mod topup_history;
pub mod topups;
