//! Topup sells prepaid credits and keeps the books on them.
//!
//! The map, from the inside out:
//!
//! - [`domain`]: the rules, pure: money, fees, prices, what was agreed and what Stripe says. Uses nothing of ours.
//! - [`ports`]: what the application needs from outside, as contracts.
//! - [`store`]: SQLite and PostgreSQL, one SQL text; the transaction in which money becomes credits.
//! - [`stripe`]: calling Stripe, believing it and understanding it.
//! - [`app`]: the use cases, one file each.
//! - [`http`]: the API, and the documentation generated from it.
//! - [`outgoing`]: what every HTTP client of ours has in common.
//! - [`config`], [`startup`]: settings, and how everything is put together.
//!
//! `docs/ARCHITECTURE.md` follows one purchase through all of them.

pub mod app;
pub mod checkpoints;
pub mod config;
pub mod database_url;
#[cfg(feature = "dev")]
pub mod dev;
pub mod domain;
pub mod http;
pub mod outgoing;
pub mod ports;
pub mod secret;
pub mod startup;
pub mod store;
pub mod stripe;
pub mod system;
