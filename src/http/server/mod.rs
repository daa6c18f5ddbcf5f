//! Routes for the product's own servers and for customers about their own account: balances and transactions.

pub mod accounts;
