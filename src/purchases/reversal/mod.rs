//! Refunds and disputes from any source, and the credits that they take.

pub(crate) mod apply_reversal;
mod dispute_messages;
pub mod inquiry;
pub mod reversals;
pub mod take_back;
