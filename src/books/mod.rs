//! Balances and the ledger: the account's credits and every change of them; the audit; adjustments by an operator.

pub mod adjust_account;
pub mod adjustments;
pub mod audit;
pub mod audit_queries;
pub mod audit_report;
pub mod audit_spending;
pub mod entries;
pub(crate) mod entry_ids;
mod give_back;
pub mod grant;
pub(crate) mod grants;
pub mod hold;
pub mod instance;
pub mod ledger;
pub(crate) mod locked_account;
pub(crate) mod purchase_rules;
pub(crate) mod replay;
pub(crate) mod settle;
pub mod settle_account;
pub mod spend;
pub(crate) mod spending_rules;
mod sums;
