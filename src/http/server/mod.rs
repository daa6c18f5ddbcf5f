//! Routes for the product's own servers and for customers about their own account: balances and transactions.

pub mod accounts;
pub mod entitlement;
pub mod grants;
pub mod spending;
mod statement_csv;
pub mod statements;
mod time_range;
pub mod usage;
