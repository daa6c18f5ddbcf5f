//! Money that goes back: refunds and disputes, whoever made them, and the credits that they take.

pub(crate) mod apply_reversal;
pub mod inquiry;
pub mod reversals;
