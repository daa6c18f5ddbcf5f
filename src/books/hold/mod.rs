//! Holds: credits reserved for work whose price is not known yet.

pub(crate) mod capture;
pub mod holds;
pub(crate) mod reserve;
