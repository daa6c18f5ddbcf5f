//! Stripe's objects, as events and as answers of the API, whatever API version rendered them: one reader for each.
//!
//! Only the fields that we need are read; enums are open, unknown fields are passed over, a reference may be an id or a
//! whole object. A field that is missing is an error where it is needed, and nowhere else.

mod checkout_session;
mod dispute;
mod fields;
mod payment;
mod refund;

pub(super) use crate::providers::stripe::objects::checkout_session::{Occasion, Session};
pub(super) use crate::providers::stripe::objects::dispute::Dispute;
pub(super) use crate::providers::stripe::objects::fields::{
    Expandable, IdOnly, List, Marked, OfPayment, payment_intent,
};
pub(super) use crate::providers::stripe::objects::payment::{BalanceTransaction, Charge, PaymentIntent};
pub(super) use crate::providers::stripe::objects::refund::Refund;
