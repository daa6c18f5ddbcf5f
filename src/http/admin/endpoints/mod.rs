//! Where the product wants to hear of events: endpoints, and the deliveries to them.

pub mod change;
pub mod deliveries;
pub mod fields;
pub mod read;
pub mod resend;
pub mod views;
