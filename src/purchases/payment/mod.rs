//! Money that comes: payments become credits, once each.

pub mod acceptances;
pub mod apply;
pub mod apply_report;
pub mod credit;
pub mod endings;
pub mod payments;
