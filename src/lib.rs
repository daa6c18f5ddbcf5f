//! Topup sells prepaid credits and keeps their books.
//!
//! The modules, from the inside out:
//!
//! - [`domain`]: the rules, pure: money, fees, prices, agreements, and what a provider's reports mean. Depends on
//!   nothing else here.
//! - [`db`]: SQLite and PostgreSQL behind one SQL text; writes that share commits. Knows nothing of money.
//! - [`books`]: balances and the ledger, and their audit.
//! - [`providers`]: what a payment provider can do and report, and the supported providers.
//! - [`customers`]: an account's customer at the provider, who keeps its cards.
//! - [`purchases`]: a top-up from its checkout to its last refund; use cases beside their SQL.
//! - [`plans`], [`subscriptions`]: what is sold by the month, and what its paid periods bring.
//! - [`recurring`]: saved cards, and auto top-up.
//! - [`inbox`]: webhook deliveries: verified, read, applied once, or stored for replay.
//! - [`reconcile`]: compares our books with a provider's.
//! - [`exports`]: the books as tables for others, and a month for accounting.
//! - [`doctor`]: looks for what keeps money from arriving, and writes nothing.
//! - [`messages`], [`outbox`]: what the product is told of, written with its cause; endpoints, and the sending.
//! - [`access`]: API keys and operators.
//! - [`http`]: the API, one folder per audience, and the documentation generated from it.
//! - [`measure`]: what the service measures of itself, for Prometheus.
//! - [`outgoing`]: the settings shared by all HTTP clients.
//! - [`traces`]: spans for OpenTelemetry, and where they are sent.
//! - [`config`], [`startup`]: settings, and how the service is built.
//!
//! `docs/ARCHITECTURE.md` follows one purchase through all of them.

#![deny(clippy::self_named_module_files)]

pub mod access;
pub mod app;
pub mod books;
pub mod catalogue;
pub mod checkpoints;
pub mod config;
pub mod console;
pub mod customers;
pub mod database_url;
pub mod db;
#[cfg(feature = "dev")]
pub mod dev;
pub mod doctor;
pub mod domain;
pub mod exports;
pub mod http;
pub mod inbox;
pub mod measure;
pub mod messages;
pub mod outbox;
pub mod outgoing;
pub mod plans;
pub mod ports;
pub mod providers;
pub mod purchases;
pub mod reconcile;
pub mod recurring;
pub mod startup;
pub mod subscriptions;
pub mod system;
pub mod traces;
