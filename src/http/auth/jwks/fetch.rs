//! The HTTP request for the key set: no redirects, no proxies, limited in time and size.
//!
//! Errors never contain the URL. This module does not interpret keys.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use url::Url;

use crate::outgoing::{self, BodyError};

/// Why the key set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// No connection, no answer in time, or a broken connection.
    #[error("the request for the key set failed")]
    Request(#[source] reqwest::Error),
    /// A status other than 200. Redirects are not followed: configure their target instead.
    #[error("the issuer answered the request for the key set with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The answer is larger than any real key set.
    #[error("the key set is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// The answer is not `{"keys": [...]}`.
    #[error("the answer is not a key set")]
    NotAKeySet(#[source] serde_json::Error),
    /// The set has more keys than any real issuer.
    #[error("the key set has more than {limit} keys")]
    TooManyKeys {
        /// The limit.
        limit: usize,
    },
    /// The service is shutting down.
    #[error("the request for the key set was interrupted")]
    Interrupted,
}

/// The limits of one request.
pub(crate) struct FetchLimits {
    pub(crate) connect_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) body_max_bytes: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(5),
            body_max_bytes: 256 * 1024,
        }
    }
}

/// Fetches the key set's text from one fixed URL.
pub(crate) struct Fetcher {
    client: Client,
    url: Url,
    body_max_bytes: usize,
}

impl Fetcher {
    pub(crate) fn new(url: Url, limits: &FetchLimits) -> Result<Self, reqwest::Error> {
        let client = outgoing::client()
            .no_proxy()
            .connect_timeout(limits.connect_timeout)
            .timeout(limits.total_timeout)
            // Fetches are minutes apart, and an idle connection would be tied to the thread that opened it.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("topup/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url, body_max_bytes: limits.body_max_bytes })
    }

    pub(crate) async fn fetch(&self) -> Result<Vec<u8>, KeySetError> {
        let failed = |error: reqwest::Error| KeySetError::Request(error.without_url());
        let request = self.client.get(self.url.clone()).header(reqwest::header::ACCEPT, "application/json");
        let response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(KeySetError::Status { status });
        }
        outgoing::bounded_body(response, self.body_max_bytes).await.map_err(|error| match error {
            BodyError::Broken(error) => failed(error),
            BodyError::TooLarge => KeySetError::TooLarge { limit_bytes: self.body_max_bytes },
        })
    }
}
