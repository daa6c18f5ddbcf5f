//! Webhook deliveries over HTTP: authentication, limits, and the outcome of each event.

mod foreign;
mod limits;
mod outcomes;
mod questions;
mod signatures;
mod thin;
mod untaken;
mod versions;
