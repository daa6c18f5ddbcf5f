//! Routes for customers: prices, checkouts, subscriptions.

pub(crate) mod plans;
pub(crate) mod portal;
pub(crate) mod quote;
pub(crate) mod sessions;
pub(crate) mod subscriptions;
