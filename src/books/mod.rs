//! Balances and the ledger: the account's credits and every change of them; the audit; adjustments by an operator.

pub mod adjust_account;
pub mod adjustments;
pub mod audit;
pub mod audit_queries;
pub mod entries;
pub mod instance;
pub mod ledger;
