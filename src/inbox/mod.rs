//! Deliveries of providers: believed, understood, applied once; what fails is kept and can be replayed.

pub mod accept_payment;
pub mod apply_event;
pub(crate) mod apply_thin;
pub mod failed_deliveries;
pub mod failed_events;
pub mod unapplied;
