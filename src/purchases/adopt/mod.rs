//! Adoption of top-ups that are missing after a restore: sealed when they are created, adopted by an operator.

pub mod adopt_purchase;
pub mod adoption;
pub mod seal;
