//! The sandbox over real HTTP, on a random port, with a real webhook receiver.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]
#![deny(clippy::self_named_module_files)]

mod api;
mod billing;
mod browser;
mod cards;
mod catalog;
mod cli;
mod clock;
mod command;
mod control_page;
mod customers;
mod delivery_modes;
mod disputes;
mod faults;
mod guard;
mod idempotency;
mod in_process;
mod intents;
mod lists;
mod node;
mod outage;
mod page;
mod permissions;
mod radar;
mod receivers;
mod recipes;
mod refunds;
mod restart;
mod saved_cards;
mod sepa;
mod site;
mod support;
mod versions;
mod webhooks;
