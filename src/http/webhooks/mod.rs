//! Routes for providers' deliveries.

pub(crate) mod body;
pub(crate) mod receive;
pub(crate) mod stray_deliveries;
