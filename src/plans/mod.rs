//! Plans: what is sold by subscription. Declared by an operator, made at the provider, and looked up by price.
//!
//! Invariant: which plan a price belongs to is decided by our own rows. What the provider's objects say of themselves is
//! never believed.

pub mod apply_plans;
pub mod plan_file;
pub mod plan_rows;
