//! The business rules, pure: no I/O, no clock, no randomness.
//!
//! Invariants: amounts are `i64` minor units, arithmetic is checked, and every value of a type in here is valid,
//! because its constructor refuses anything else. This module depends on nothing else in this crate.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod account;
pub mod attempt;
pub mod auto_topup;
pub mod bonus;
pub mod burn;
pub mod card_rates;
pub mod checkout;
pub mod credit_unit;
pub mod currency;
pub mod expiry;
pub mod fee_fit;
pub mod fees;
pub mod fraud;
pub mod ids;
pub mod judge;
pub mod ledger;
pub mod origin;
pub mod outbox_settings;
pub mod payer;
pub mod payment;
pub mod period_credits;
pub mod plan;
pub mod price_list;
pub mod pricing;
pub mod provider;
pub mod redirect;
pub mod refund;
pub mod refund_reason;
pub mod reversal;
pub mod spend_limit;
pub mod subscription;
pub mod subscription_settings;
pub mod tax;
pub mod timestamp;
