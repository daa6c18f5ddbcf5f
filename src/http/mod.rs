//! The HTTP API: parses requests, calls one use case, and maps the result. One folder per audience, one file per
//! resource.

pub mod admin;
pub mod auth;
pub mod console;
pub(crate) mod customer;
#[cfg(feature = "dev")]
pub mod demo;
pub mod documentation;
pub mod elements;
mod health;
pub mod kit;
pub mod monitoring;
pub mod routes;
pub mod server;
pub mod state;
pub(crate) mod webhooks;
