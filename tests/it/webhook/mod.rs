//! Stripe's deliveries over HTTP: what is believed, what is bounded, and what each event leads to.

mod foreign;
mod limits;
mod outcomes;
mod questions;
mod signatures;
mod thin;
mod untaken;
mod versions;
