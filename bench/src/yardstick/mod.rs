//! The yardsticks, measured in the same run: the same three statements as a developer would write them by hand (event
//! row, balance, ledger row, in one transaction), without a service in front.

pub mod pgbench;
pub mod sqlite;

/// The simplest correct books for either database: events and ledger entries are unique.
pub const TABLES: &str = "
CREATE TABLE events (id TEXT PRIMARY KEY NOT NULL, type TEXT NOT NULL, received_at BIGINT NOT NULL);
CREATE TABLE accounts (id TEXT PRIMARY KEY NOT NULL, balance BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE ledger (source TEXT PRIMARY KEY NOT NULL, account TEXT NOT NULL REFERENCES accounts (id),
    credits BIGINT NOT NULL, balance_after BIGINT NOT NULL, created_at BIGINT NOT NULL);
";
