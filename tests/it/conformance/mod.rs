//! What the store promises, on both databases: the same named cases, without HTTP.

mod bulk;
mod concurrency;
mod database_rules;
mod decisions;
mod groups;
mod held_rows;
mod leases;
mod mismatches;
mod overtaken;
mod plans;
mod records;
mod schema;
mod writes;
