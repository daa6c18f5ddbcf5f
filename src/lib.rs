//! Topup sells prepaid credits and keeps the books on them.
//!
//! The map, from the inside out:
//!
//! - [`domain`]: the rules, pure: money, fees, prices, what was agreed and what a provider says. Uses nothing of ours.
//! - [`db`]: SQLite and PostgreSQL, one SQL text; writes that share commits. Knows nothing of money.
//! - [`books`]: balances and the ledger, and their audit.
//! - [`providers`]: what a payment provider can do and say, and those there are.
//! - [`purchases`]: a purchase from its checkout to its last refund, use cases beside their SQL.
//! - [`inbox`]: deliveries: verified, understood, applied once, or kept to be replayed.
//! - [`reconcile`]: our books against a provider's.
//! - [`access`]: API keys and operators.
//! - [`http`]: the API, one folder per audience, and the documentation generated from it.
//! - [`outgoing`]: what every HTTP client of ours has in common.
//! - [`config`], [`startup`]: settings, and how everything is put together.
//!
//! `docs/ARCHITECTURE.md` follows one purchase through all of them.

#![deny(clippy::self_named_module_files)]

pub mod access;
pub mod app;
pub mod books;
pub mod catalogue;
pub mod checkpoints;
pub mod config;
pub mod database_url;
pub mod db;
#[cfg(feature = "dev")]
pub mod dev;
pub mod domain;
pub mod http;
pub mod inbox;
pub mod outgoing;
pub mod ports;
pub mod providers;
pub mod purchases;
pub mod reconcile;
pub mod startup;
pub mod system;
