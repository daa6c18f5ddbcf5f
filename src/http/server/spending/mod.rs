//! Spending: for servers with an API key. A customer's token can look, and never spend.

pub mod access;
pub mod batch;
pub mod caller;
pub mod debits;
mod fields;
pub mod holds;
pub mod limits;
pub mod refunds;
pub mod views;
