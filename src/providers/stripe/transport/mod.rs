//! Sends a request to Stripe and returns the response: over HTTP, or to a simulation of Stripe in this process.
//!
//! A transport knows nothing about Stripe's objects and errors. It sends a request once and returns every response as
//! it came, whatever its status.

mod call;
mod http;

pub use crate::providers::stripe::transport::call::{Answer, Method, Request, Transport, TransportError};
pub use crate::providers::stripe::transport::http::{HttpTransport, InvalidStripeSettings, STRIPE_API_BASE};
