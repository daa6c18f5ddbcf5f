//! Purchases that are unknown here after a restore: sealed when they are made, adopted by an operator.

pub mod adopt_purchase;
pub mod adoption;
pub mod seal;
