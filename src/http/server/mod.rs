//! Routes for the product's own servers, and for customers about themselves: balances and transactions.

pub mod accounts;
