//! The rules of the business, pure: no I/O, no clock, no randomness.
//!
//! What always holds: amounts are `i64` minor units, arithmetic is checked, and a value of a type in here is valid,
//! because its constructor refused everything else. This module uses nothing else of this crate.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod account;
pub mod attempt;
pub mod checkout;
pub mod currency;
pub mod fee_fit;
pub mod fees;
pub mod ids;
pub mod judge;
pub mod ledger;
pub mod origin;
pub mod payment;
pub mod pricing;
pub mod provider;
pub mod redirect;
pub mod refund;
pub mod reversal;
