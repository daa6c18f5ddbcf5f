//! Events, by async-stripe, as the text that a delivery of them would carry.

use stripe_client_core::{RequestBuilder, StripeMethod};

use super::{Transport, classify};
use crate::domain::ids::EventId;
use crate::ports::GatewayError;

/// An event in JSON. What async-stripe knows of events leaves fields out, so the answer is passed on as it is.
pub(super) async fn read_event(client: &impl Transport, event: &EventId) -> Result<String, GatewayError> {
    let request = RequestBuilder::new(StripeMethod::Get, format!("/events/{event}"));
    let answer = request.customize::<miniserde::json::Value>().send(client).await.map_err(classify)?;
    Ok(miniserde::json::to_string(&answer))
}
