//! Spending: debits, holds and captures against a sequential model, in groups, and across faults.

mod commands;
mod histories;
mod ledger;
mod model;
mod races;
