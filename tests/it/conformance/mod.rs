//! The contract of the store, tested on both databases with the same cases, without HTTP.

mod bulk;
mod bulk_guards;
mod concurrency;
mod database_rules;
mod decisions;
pub(crate) mod groups;
mod held_rows;
mod leases;
mod mismatches;
mod overtaken;
pub(crate) mod plans;
mod records;
mod schema;
mod writes;
