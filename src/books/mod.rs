//! Balances and the ledger: the account's credits and every change of them; the audit; adjustments by an operator.

pub mod adjust_account;
pub mod adjustments;
pub mod audit;
pub mod audit_queries;
pub mod audit_report;
pub mod audit_spending;
pub mod block_account;
pub mod entries;
mod entry_ids;
pub(crate) mod entry_times;
mod give_back;
pub mod grant;
pub(crate) mod grants;
pub mod hold;
pub mod instance;
pub mod ledger;
pub(crate) mod locked_account;
pub(crate) mod replay;
pub(crate) mod rounds;
pub(crate) mod settle;
pub mod settle_account;
pub mod spend;
pub(crate) mod spending_rules;
pub mod statement;
mod sums;
pub mod usage;
