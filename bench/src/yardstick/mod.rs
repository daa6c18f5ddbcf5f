//! The yardsticks, measured in the same run: the same three statements as a developer would write them by hand (event
//! or spend with its key, balance, ledger row, in one transaction), without a service in front.

pub mod pgbench;
pub mod sqlite;

/// The balance of each account at first, so that a debit's guard always finds enough.
pub const FIRST_BALANCE: u64 = 1_000_000_000_000;

/// The simplest correct books for either database: events, keys of spends and ledger entries are unique.
pub const TABLES: &str = "
CREATE TABLE events (id TEXT PRIMARY KEY NOT NULL, type TEXT NOT NULL, received_at BIGINT NOT NULL);
CREATE TABLE accounts (id TEXT PRIMARY KEY NOT NULL, balance BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE ledger (source TEXT PRIMARY KEY NOT NULL, account TEXT NOT NULL REFERENCES accounts (id),
    credits BIGINT NOT NULL, balance_after BIGINT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE spends (key TEXT PRIMARY KEY NOT NULL, account TEXT NOT NULL, credits BIGINT NOT NULL,
    created_at BIGINT NOT NULL);
CREATE TABLE purchases (id TEXT PRIMARY KEY NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL, credits BIGINT NOT NULL,
    total BIGINT NOT NULL, request TEXT NOT NULL, session TEXT UNIQUE, url TEXT, created_at BIGINT NOT NULL);
CREATE TABLE keys (key TEXT PRIMARY KEY NOT NULL, hash TEXT NOT NULL, purchase TEXT NOT NULL, status BIGINT,
    created_at BIGINT NOT NULL);
";
