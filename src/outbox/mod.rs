//! Sends messages to the product's endpoints: outgoing webhooks by the Standard Webhooks specification.
//!
//! Invariants: each message is delivered at least once to each endpoint that wants it, or its delivery is recorded as
//! failed. Deliveries of one account to one endpoint go out one after the other, in the order of their causes. No
//! request leaves for an address that was not checked (`address.rs`). A slow endpoint holds up only itself.

pub mod address;
pub mod alerts;
pub mod backlog;
pub mod balance_alerts;
pub mod change_endpoint;
pub mod deliver;
pub mod deliveries;
pub mod endpoint_url;
pub mod endpoints;
pub mod expiring;
pub mod fan_out;
pub mod job;
pub(crate) mod payload;
pub mod purge;
pub mod queues;
pub mod resend;
pub mod retries;
pub mod sender;
pub mod signing;
pub mod switch;
