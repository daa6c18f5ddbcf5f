//! Limits of spending, for an account or for a subject within it.

pub(crate) mod limits;
pub mod set_limit;
pub mod show_limits;
