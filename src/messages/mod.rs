//! Messages for the product: what they are called, and how a transaction writes one.
//!
//! Invariant: a message is committed together with its cause, or found from it later, and its id follows from the
//! cause, so that no cause has two. While there is no endpoint, none is written. `outbox/` sends them.

pub mod attention;
pub mod event_type;
pub mod message;
pub(crate) mod message_rules;
