//! Tests of the whole service with real parts: databases, HTTP, the Stripe client, the sandbox, a browser.
#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail loudly")]
#![deny(clippy::self_named_module_files)]

mod admin;
mod adoption;
mod api;
mod api_keys;
mod architecture;
mod async_stripe;
mod audit;
mod auth;
mod backups;
mod bonus;
mod border;
mod browsers;
mod circles;
mod command_line;
mod conformance;
mod console;
mod demo;
mod dev;
mod doctor;
mod exactly_once;
mod expiry;
mod failed_deliveries;
mod idempotency;
mod interruptions;
mod key_permissions;
mod known_mistakes;
mod logs;
mod made_once;
mod messages;
mod money_back;
mod monitoring;
mod openapi;
mod openapi_tools;
mod outgoing;
mod pooler;
mod properties;
mod providers;
mod rate_limit;
mod reconcile;
mod replicas;
mod request_bodies;
mod secrets;
#[path = "../sim/mod.rs"]
mod sim;
mod simulation;
mod smoke;
mod spending;
mod storage;
mod stripe_failures;
mod stripe_requests;
mod support;
mod token_shapes;
mod unit;
mod webhook;
