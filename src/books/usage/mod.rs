//! Usage: how many credits were spent in an hour, on a day, for an operation, by a subject.
//!
//! Usage follows the ledger: a spend counts when it was made, and what was given back counts when it was given back. So
//! an hour that is over does not change, and its sums are recorded once (`hours.rs`). What is not recorded is added up
//! from the ledger (`live.rs`), so recorded hours only save time.

pub(crate) mod audit_usage;
pub mod hours;
pub mod live;
pub mod read_usage;
pub mod record_usage;
