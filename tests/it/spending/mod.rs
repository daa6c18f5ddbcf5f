//! Spending: debits, holds and captures against a sequential model, in groups, across faults, and over HTTP.

mod commands;
mod hammer;
mod histories;
pub mod http;
mod interruptions;
pub mod ledger;
mod limits;
mod metamorphic;
mod model;
mod races;
mod usage;
