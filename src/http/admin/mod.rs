//! Routes for operators.

pub(crate) mod accepted_events;
pub(crate) mod account_currency;
pub(crate) mod accounts;
pub(crate) mod adjustments;
pub(crate) mod adoptions;
pub(crate) mod balance_alerts;
pub(crate) mod caller;
pub mod endpoints;
pub(crate) mod grants;
pub(crate) mod plans;
pub(crate) mod receipts;
pub(crate) mod reconciliations;
pub(crate) mod refunds;
pub mod shapes;
pub(crate) mod subscriptions;
pub(crate) mod topup_details;
pub(crate) mod topups;
pub mod webhook_events;
