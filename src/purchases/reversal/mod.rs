//! Refunds and disputes from any source, and the credits that they take.

pub(crate) mod apply_reversal;
pub mod inquiry;
pub mod reversals;
pub mod take_back;
