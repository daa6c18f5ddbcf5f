//! Sends requests to Stripe over HTTP.
//!
//! Connections are pooled. They belong to the runtime in which the transport was created, so that none ends with the
//! web worker that happened to open it.

use std::pin::pin;
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use url::Url;

use crate::outgoing::{self, BodyError};
use crate::providers::stripe::transport::call::{Answer, Method, Request, Transport, TransportError};
use crate::traces;

/// Stripe's base URL.
pub const STRIPE_API_BASE: &str = "https://api.stripe.com/";

/// The user agent: the library that builds the requests, and this service.
const USER_AGENT: &str = concat!("Stripe/v1 RustBindings/1.0.0-rc.10 topup/", env!("CARGO_PKG_VERSION"));

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than Stripe's own idle timeout, so that a request rarely meets a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of a hundred objects with the largest metadata that Stripe allows has about six megabytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Stripe's HTTP API.
pub struct HttpTransport {
    client: Client,
    /// Without a trailing slash.
    base: String,
    runtime: Option<Handle>,
}

/// The secret key or the base URL cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("STRIPE_SECRET_KEY or STRIPE_API_BASE cannot be used for a call")]
pub struct InvalidStripeSettings(#[source] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the key has characters that no header takes")]
    Key(#[source] InvalidHeaderValue),
    #[error("the address is not valid")]
    Address(#[source] url::ParseError),
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("HttpTransport").field("base", &self.base).finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// Creates a transport to Stripe, or to a sandbox at another base URL. A call takes at most `timeout`.
    ///
    /// Call it in the runtime that lives as long as the transport.
    ///
    /// # Errors
    /// When the key contains characters that are invalid in a header, or the base URL is invalid.
    pub fn new(key: &SecretString, api_base: Option<&str>, timeout: Duration) -> Result<Self, InvalidStripeSettings> {
        Self::prepare(key, api_base.unwrap_or(STRIPE_API_BASE), timeout).map_err(InvalidStripeSettings)
    }

    fn prepare(key: &SecretString, api_base: &str, timeout: Duration) -> Result<Self, Cause> {
        let base = Url::parse(api_base).map_err(Cause::Address)?;
        let client = outgoing::client_to(&base)
            .default_headers(headers(key)?)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(Cause::Client)?;
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, base, runtime: Handle::try_current().ok() })
    }

    async fn exchange(&self, request: Request) -> Result<Answer, TransportError> {
        let started = Instant::now();
        let url = url(&self.base, &request)?;
        let call = self.client.request(method(request.method), url);
        let mut call = call.header("stripe-version", stripe_client_core::VERSION.as_str());
        for (name, value) in traces::outgoing_headers() {
            call = call.header(name, value);
        }
        if let Some(key) = &request.idempotency_key {
            call = call.header("idempotency-key", key);
        }
        if let Some(form) = request.form {
            call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let response = call.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let request_id = response.headers().get("request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let milliseconds = started.elapsed().as_millis();
        let (method, path, id) = (request.method.as_str(), request.path, request_id.as_deref());
        tracing::debug!(method, path, status, request_id = id, milliseconds, "Stripe answers");
        let body = outgoing::bounded_body(response, MAX_ANSWER_BYTES).await.map_err(|error| match error {
            BodyError::Broken(error) => failure(error),
            BodyError::TooLarge => TransportError::TooLarge { status, limit_bytes: MAX_ANSWER_BYTES },
        })?;
        Ok(Answer { status, request_id, body })
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Answer, TransportError> {
        let mut exchange = pin!(self.exchange(request));
        // Connections and timers that a poll starts belong to the runtime that is current at that time.
        std::future::poll_fn(|context| {
            let _current = self.runtime.as_ref().map(Handle::enter);
            exchange.as_mut().poll(context)
        })
        .await
    }
}

fn headers(key: &SecretString) -> Result<HeaderMap, Cause> {
    let mut key = HeaderValue::try_from(format!("Bearer {}", key.expose_secret())).map_err(Cause::Key)?;
    key.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, key)]))
}

fn url(base: &str, request: &Request) -> Result<Url, TransportError> {
    let mut url =
        Url::parse(&format!("{base}{}", request.path)).map_err(|error| TransportError::Broken(error.into()))?;
    url.set_query(request.query.as_deref());
    Ok(url)
}

const fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A connection that is not made in time is not reported as a timeout: nothing was sent.
fn failure(error: reqwest::Error) -> TransportError {
    if error.is_timeout() && !error.is_connect() {
        return TransportError::TimedOut;
    }
    TransportError::Broken(Box::new(error.without_url()))
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
