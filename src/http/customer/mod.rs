//! Routes for customers: prices, checkouts.

pub(crate) mod quote;
pub(crate) mod sessions;
