//! Top-ups (purchases of credits), from the first request to the last refund. Each use case is next to its SQL.
//!
//! Invariant: rows are locked in one order, so that transactions do not deadlock: the top-up; its events, by id; its
//! payments, by id; refunds, disputes and refund requests; the account (several accounts by id); the ledger entry. A
//! transaction about an existing top-up begins with [`topups::lock_agreement`] or another update of its row, which also
//! protects the top-up's other rows. An idempotency key is locked before a top-up that is being inserted, which no
//! other transaction can wait for, and after an existing one. The exception is a retry that takes over a key with an
//! expired lease: it locks them in reverse, and waits at most 250 ms. A transaction that locks a single row fits any
//! order.

pub mod account_currency;
pub mod adopt;
pub mod check_topup;
pub mod checkout;
pub mod decided_events;
pub mod explain_topup;
pub mod fee;
pub mod fraud;
pub mod idempotency;
pub mod outcome;
pub mod payment;
pub mod purge_keys;
pub mod receipt;
pub mod refund;
pub mod reversal;
pub(crate) mod stored_values;
pub mod topup_history;
pub mod topups;
