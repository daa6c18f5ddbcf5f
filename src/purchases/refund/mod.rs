//! Refunds made through this service: requested, made once, settled.

pub(crate) mod make_refund;
pub mod refund_facts;
pub mod refund_requests;
pub mod refund_topup;
pub(crate) mod settle_refunds;
