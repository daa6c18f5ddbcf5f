//! Stripe's time, by the `Date` header of any answer of its API.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::DATE;
use reqwest::redirect::Policy;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::gateway::STRIPE_API_BASE;
use crate::ports::ProviderClock;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks Stripe, without a key, what time it is.
#[derive(Debug)]
pub struct StripeClock {
    client: Client,
    url: String,
}

/// The client for Stripe's time cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for Stripe's time cannot be made")]
pub struct NoClient(#[source] reqwest::Error);

impl StripeClock {
    /// Stripe's time, or that of a sandbox at another base address.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(api_base: Option<&str>) -> Result<Self, NoClient> {
        // The client takes the process's default provider. An error means that there is one already.
        let _already_installed = rustls::crypto::ring::default_provider().install_default().is_err();
        let client = Client::builder().redirect(Policy::none()).no_proxy().timeout(TIMEOUT).pool_max_idle_per_host(0);
        Ok(Self { client: client.build().map_err(NoClient)?, url: api_base.unwrap_or(STRIPE_API_BASE).to_owned() })
    }
}

#[async_trait]
impl ProviderClock for StripeClock {
    async fn now_ms(&self) -> Option<i64> {
        let answer = self.client.head(&self.url).send().await.ok()?;
        parse(answer.headers().get(DATE)?.to_str().ok()?)
    }
}

/// Reads `Sun, 29 Nov 2026 13:00:37 GMT`.
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
