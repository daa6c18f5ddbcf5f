//! Stripe's deliveries over HTTP: what is believed, what is bounded, and what each event leads to.

mod limits;
mod outcomes;
mod signatures;
mod versions;
