//! Early fraud warnings and reviews: stored, shown to operators, told to the product, and by setting a reason to block
//! the account's spending.

pub mod apply_signal;
pub mod fraud_signals;
