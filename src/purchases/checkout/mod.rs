//! Opening a checkout at the provider, once, and following it while its customer waits.

pub mod check_session;
pub mod checkouts;
pub mod create_checkout;
pub(crate) mod create_once;
pub(crate) mod open_checkout;
pub mod open_checkouts;
pub mod topup_attempts;
