//! Balances and the ledger: what an account has, and every change of it; the audit; adjustments by an operator.

pub mod adjust_account;
pub mod adjustments;
pub mod audit;
pub mod audit_queries;
pub mod entries;
pub mod instance;
pub mod ledger;
