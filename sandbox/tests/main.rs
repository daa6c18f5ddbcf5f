//! The sandbox over real HTTP, on a random port, with a real receiver of webhooks.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]

mod api;
mod cards;
mod command;
mod disputes;
mod faults;
mod guard;
mod idempotency;
mod intents;
mod lists;
mod node;
mod page;
mod recipes;
mod refunds;
mod restart;
mod support;
mod webhooks;
