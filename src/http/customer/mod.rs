//! Routes for customers: prices, checkouts, saved cards, subscriptions.

pub(crate) mod auto_topup;
mod auto_topup_view;
pub(crate) mod payment_methods;
pub(crate) mod plans;
pub(crate) mod portal;
pub(crate) mod quote;
pub(crate) mod receipts;
pub(crate) mod sessions;
pub(crate) mod subscriptions;
