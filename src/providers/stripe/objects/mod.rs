//! Stripe's objects in events and API responses, from any API version: one parser for each.
//!
//! Only the fields we need are read. Enums are open, unknown fields are ignored, and a reference may be an id or an
//! expanded object. A missing field is an error only where it is needed.

mod checkout_session;
mod customer;
mod dispute;
mod endpoint;
mod fields;
mod invoice;
mod payment;
mod payment_method;
mod refund;
mod subscription;

pub(super) use crate::providers::stripe::objects::checkout_session::{CARD_SETUP, Occasion, Session};
pub(super) use crate::providers::stripe::objects::customer::Customer;
pub(super) use crate::providers::stripe::objects::dispute::Dispute;
pub(super) use crate::providers::stripe::objects::endpoint::{Account, EventTime, WebhookEndpoint};
pub(super) use crate::providers::stripe::objects::fields::{
    Expandable, IdOnly, List, Marked, OfPayment, SIGNATURE, SUBSCRIPTION_PURPOSE, TERMS, payment_intent, seal_in,
    subscription_checkout_in, topup_in,
};
pub(super) use crate::providers::stripe::objects::invoice::{Invoice, InvoicePayment, Line, NamedInvoice};
pub(super) use crate::providers::stripe::objects::payment::{
    AUTO_TOPUP, BalanceTransaction, Charge, ORIGIN, PaymentError, PaymentIntent,
};
pub(super) use crate::providers::stripe::objects::payment_method::{PaymentMethod, SetupIntent};
pub(super) use crate::providers::stripe::objects::refund::Refund;
pub(super) use crate::providers::stripe::objects::subscription::{NamedSubscription, Subscription};
