//! Webhook deliveries: verified, parsed and applied once. Failures are stored and can be replayed.

pub mod accept_payment;
pub mod apply_event;
pub(crate) mod apply_thin;
mod dispatch;
pub mod failed_deliveries;
pub mod failed_events;
mod owner;
pub mod refusals;
pub mod setup_endpoint;
pub mod unapplied;

/// The path to which the provider delivers.
pub const WEBHOOK_PATH: &str = "/webhooks/stripe";
