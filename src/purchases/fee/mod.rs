//! The provider's fees.

pub mod fee_news;
pub mod fees;
pub mod learn_fees;
