//! Incoming payments: each is credited exactly once.

pub mod acceptances;
pub mod apply;
pub mod apply_report;
pub mod credit;
pub mod endings;
pub mod payments;
