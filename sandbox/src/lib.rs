//! A stateful Stripe sandbox that runs offline, for tests and for trying out an integration.
//!
//! Invariants: it listens on loopback only and no money moves. It refuses what Stripe would refuse, with Stripe's
//! messages and error format. It does not know the program that uses it, which reaches it by its base URL with an
//! ordinary Stripe client.
//!
//! Overview:
//! - [`Config`] and [`Sandbox`]: start and stop it from a program or a test.
//! - `model`: a pure in-memory model of Stripe's objects. Commands change a `State`; time and ids are passed in.
//! - [`Model`]: the same model for a simulator, in its process and without a clock.
//! - `call`: one API call on the model, with its idempotency key.
//! - `engine`: the model behind a lock, with its clock, its ids and its state file.
//! - `delivery`: signed webhooks with retries.
//! - [`recipes`]: the API calls that cause a given event.
//! - `http` and `pages`: the API, the hosted checkout page and the controls for tests.
#![forbid(unsafe_code)]
#![deny(clippy::self_named_module_files)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::dbg_macro,
        clippy::todo
    )
)]

mod call;
mod clock;
mod config;
mod controls;
mod delivery;
mod delivery_mode;
mod engine;
mod faults;
mod http;
mod in_process;
mod model;
mod outage;
mod pages;
mod permissions;
mod persist;
mod receivers;
pub mod recipes;
mod server;
mod server_call;
mod signature;

pub use config::{Config, RetryPolicy, StartError, WebhookEndpoint};
pub use in_process::{Model, ModelAnswer, ModelEvent, ModelRequest, PortalAction};
pub use model::card::{Outcome, TEST_CARDS, TestCard};
pub use model::decline::Decline;
pub use model::iban::{DebitEnding, TEST_IBANS, TestIban};
pub use model::version::{API_VERSIONS, DEFAULT_API_VERSION};
pub use server::Sandbox;
pub use signature::sign;
