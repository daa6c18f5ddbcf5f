//! Spending: debits, holds and captures against a sequential model, in groups, across faults, and over HTTP.

mod commands;
mod histories;
pub mod http;
mod ledger;
mod model;
mod races;
