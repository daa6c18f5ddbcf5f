//! The tests of the whole service, with real parts: databases, HTTP, the Stripe client, the sandbox, a browser.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

mod api;
mod api_keys;
mod architecture;
mod auth;
mod browsers;
mod idempotency;
mod openapi;
mod rate_limit;
mod request_bodies;
mod secrets;
mod smoke;
mod stripe_failures;
mod stripe_requests;
mod support;
