//! What the provider kept of each payment.

pub mod fee_news;
pub mod fees;
pub mod learn_fees;
