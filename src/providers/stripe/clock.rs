//! Stripe's current time, from the `Date` header of its API's responses.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::DATE;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use crate::outgoing;
use crate::providers::port::ProviderClock;
use crate::providers::stripe::transport::STRIPE_API_BASE;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Reads Stripe's time. Needs no API key.
#[derive(Debug)]
pub struct StripeClock {
    client: Client,
    url: Url,
}

/// The HTTP client for Stripe's time cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// The base URL is invalid.
    #[error("STRIPE_API_BASE is not an address")]
    Address(#[source] url::ParseError),
    /// A setting of the environment cannot be used.
    #[error("the client for Stripe's time cannot be made")]
    Client(#[source] reqwest::Error),
}

impl StripeClock {
    /// Stripe's clock, or that of a sandbox at another base URL.
    ///
    /// # Errors
    /// When the client cannot be created.
    pub fn new(api_base: Option<&str>) -> Result<Self, NoClient> {
        let url = Url::parse(api_base.unwrap_or(STRIPE_API_BASE)).map_err(NoClient::Address)?;
        let client =
            outgoing::client_to(&url).timeout(TIMEOUT).pool_max_idle_per_host(0).build().map_err(NoClient::Client)?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl ProviderClock for StripeClock {
    async fn now_ms(&self) -> Option<i64> {
        let answer = self.client.head(self.url.clone()).send().await.ok()?;
        parse(answer.headers().get(DATE)?.to_str().ok()?)
    }
}

/// Parses `Sun, 29 Nov 2026 13:00:37 GMT`.
fn parse(date: &str) -> Option<i64> {
    let date = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()?;
    date.unix_timestamp().checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_header_of_http_is_read_and_nothing_else() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        for text in ["", "yesterday", "1994-11-06T08:49:37Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
