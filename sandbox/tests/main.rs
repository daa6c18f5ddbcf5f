//! The sandbox over real HTTP, on a random port, with a real receiver of webhooks.
#![forbid(unsafe_code)]

mod api;
mod cards;
mod command;
mod faults;
mod guard;
mod idempotency;
mod lists;
mod node;
mod page;
mod restart;
mod support;
mod webhooks;
