//! Topup sells prepaid credits and keeps the books on them.
pub mod checkpoints;
pub mod domain;
pub mod ports;
pub mod store;
