//! The tests of the whole service, with real parts: databases, HTTP, the Stripe client, the sandbox, a browser.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod support;

mod command_line;
mod conformance;
mod dev;
mod exactly_once;
mod interruptions;
mod properties;
mod replicas;
mod smoke;
mod webhook;
