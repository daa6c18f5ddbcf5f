//! One API call: sends a request built by async-stripe, parses the response with our own types, and classifies
//! failures.

use std::time::Instant;

use serde::de::DeserializeOwned;
use stripe_client_core::{IdempotencyKey, RequestBuilder, StripeMethod, StripeRequest};
use tracing::Instrument;

use crate::measure;
use crate::providers::port::ProviderError;
use crate::providers::stripe::gateway::failure;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::objects::List;
use crate::providers::stripe::transport::{Answer, Method, Request, Transport, TransportError};
use crate::traces;

/// Sends a request and parses the response.
pub(super) async fn ask<T: DeserializeOwned>(
    transport: &impl Transport,
    request: &impl StripeRequest,
) -> Result<T, ProviderError> {
    read(&answer_to(transport, request.build(), None).await?)
}

/// Requests a page of a list. An empty page with `has_more` is an error: it must not pass for the end of the list,
/// because an object that is not listed is created again.
pub(super) async fn ask_list<T: DeserializeOwned>(
    transport: &impl Transport,
    request: &impl StripeRequest,
) -> Result<List<T>, ProviderError> {
    let page: List<T> = ask(transport, request).await?;
    if page.data.is_empty() && page.has_more {
        return Err(not_understood("an empty page of a list that goes on"));
    }
    Ok(page)
}

/// Requests a list with expanded objects, or without them if the API key may not read those.
pub(super) async fn ask_list_or_without<T: DeserializeOwned>(
    transport: &impl Transport,
    expanded: &impl StripeRequest,
    plain: &impl StripeRequest,
) -> Result<List<T>, ProviderError> {
    match ask_list(transport, expanded).await {
        Err(error) if error.is_missing_permission() => ask_list(transport, plain).await,
        page => page,
    }
}

/// Creates an object under an idempotency key and parses it.
pub(super) async fn make<T: DeserializeOwned>(
    transport: &impl Transport,
    request: &impl StripeRequest,
    key: &str,
) -> Result<T, ProviderError> {
    let key = IdempotencyKey::new(key).map_err(|error| ProviderError::Unreachable(error.to_string()))?;
    read(&answer_to(transport, request.build(), Some(key.into_inner())).await?)
}

/// The response, if it is a success.
pub(super) async fn answer_to(
    transport: &impl Transport,
    request: RequestBuilder,
    idempotency_key: Option<String>,
) -> Result<Answer, ProviderError> {
    let answer = any_answer_to(transport, request, idempotency_key).await?;
    if (200..300).contains(&answer.status) { Ok(answer) } else { Err(failure::of_answer(&answer)) }
}

/// The response, whatever it says: where an error's body says more than that it is one.
pub(super) async fn any_answer_to(
    transport: &impl Transport,
    request: RequestBuilder,
    idempotency_key: Option<String>,
) -> Result<Answer, ProviderError> {
    let RequestBuilder { query, body, path, method } = request;
    let method = match method {
        StripeMethod::Get => Method::Get,
        StripeMethod::Post => Method::Post,
        StripeMethod::Delete => Method::Delete,
    };
    let operation = operation(method, &path);
    let request = Request { method, path: format!("/v1{path}"), query, form: body, idempotency_key };
    let (started, span) = (Instant::now(), traces::provider_call(&operation));
    let result = transport.send(request).instrument(span.clone()).await;
    traces::called(&span, outcome(&result), result.as_ref().ok().map(|answer| answer.status));
    measure::provider_call(operation, outcome(&result), started.elapsed());
    result.map_err(failure::of_transport)
}

/// The call without ids, such as `GET checkout/sessions/{id}`: there are only a few of them.
fn operation(method: Method, path: &str) -> String {
    let is_word = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let parts: Vec<&str> = parts.into_iter().map(|part| if is_word(part) { part } else { "{id}" }).collect();
    format!("{} {}", method.as_str(), parts.join("/"))
}

fn outcome(result: &Result<Answer, TransportError>) -> &'static str {
    match result {
        Ok(answer) => match answer.status {
            200..300 => "ok",
            429 => "rate_limited",
            400..500 => "refused",
            _ => "failed",
        },
        Err(TransportError::TimedOut) => "timed_out",
        Err(_) => "unreachable",
    }
}

pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ProviderError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let id = answer.request_id.as_deref().unwrap_or("unknown");
        not_understood(format!("{error} (request {id})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_carry_no_ids() {
        for (path, expected) in [
            ("/checkout/sessions", "GET checkout/sessions"),
            ("/checkout/sessions/cs_test_a1B2", "GET checkout/sessions/{id}"),
            ("/payment_intents/pi_3Abc", "GET payment_intents/{id}"),
        ] {
            assert_eq!(operation(Method::Get, path), expected);
        }
    }
}
