//! Events, as the JSON that a delivery would contain.

use serde::de::IgnoredAny;
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::EventId;
use crate::providers::port::ProviderError;
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::transport::Transport;

/// Fetches an event as JSON, exactly as Stripe sends it.
pub(super) async fn read_event(transport: &impl Transport, event: &EventId) -> Result<String, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Get, format!("/events/{event}"));
    let answer = answer_to(transport, request, None).await?;
    read::<IgnoredAny>(&answer)?;
    String::from_utf8(answer.body).map_err(not_understood)
}
