//! Spending: debits, captured holds, and what they are for.

pub mod action;
pub mod bulk;
pub mod command;
pub(crate) mod debit;
pub mod refund_spend;
pub mod spend_credits;
pub mod spend_refunds;
pub mod spends;
