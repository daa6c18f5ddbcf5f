//! Opens a checkout at the provider exactly once, and tracks it while the customer waits.

pub mod check_session;
pub mod checkouts;
pub mod create_checkout;
pub(crate) mod create_once;
pub(crate) mod new_topup;
pub(crate) mod open_checkout;
pub mod open_checkouts;
pub mod topup_attempts;
