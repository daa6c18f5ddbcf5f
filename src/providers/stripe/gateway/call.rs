//! One call: a request of async-stripe's builders is sent, its answer read by our own readers, a failure sorted.

use serde::de::DeserializeOwned;
use stripe_client_core::{IdempotencyKey, RequestBuilder, StripeMethod, StripeRequest};

use crate::providers::port::GatewayError;
use crate::providers::stripe::gateway::failure;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::transport::{Answer, Method, Request, Transport};

/// Asks, and reads the answer.
pub(super) async fn ask<T: DeserializeOwned>(
    transport: &impl Transport,
    request: &impl StripeRequest,
) -> Result<T, GatewayError> {
    read(&answer_to(transport, request.build(), None).await?)
}

/// Has something made under an idempotency key, and reads what was made.
pub(super) async fn make<T: DeserializeOwned>(
    transport: &impl Transport,
    request: &impl StripeRequest,
    key: &str,
) -> Result<T, GatewayError> {
    let key = IdempotencyKey::new(key).map_err(|error| GatewayError::Unreachable(error.to_string()))?;
    read(&answer_to(transport, request.build(), Some(key.into_inner())).await?)
}

/// The answer, if it is not a failure.
pub(super) async fn answer_to(
    transport: &impl Transport,
    request: RequestBuilder,
    idempotency_key: Option<String>,
) -> Result<Answer, GatewayError> {
    let RequestBuilder { query, body, path, method } = request;
    let method = match method {
        StripeMethod::Get => Method::Get,
        StripeMethod::Post => Method::Post,
        StripeMethod::Delete => Method::Delete,
    };
    let request = Request { method, path: format!("/v1{path}"), query, form: body, idempotency_key };
    let answer = transport.send(request).await.map_err(failure::of_transport)?;
    if (200..300).contains(&answer.status) { Ok(answer) } else { Err(failure::of_answer(&answer)) }
}

pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, GatewayError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let id = answer.request_id.as_deref().unwrap_or("unknown");
        not_understood(format!("{error} (request {id})"))
    })
}
