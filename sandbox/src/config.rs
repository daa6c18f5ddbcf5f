//! The sandbox's configuration, and the reasons why it may not start.
//!
//! The configuration is checked before anything listens, so that a mistake is reported in one clear sentence.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use url::Url;

/// Stripe allows at most this many webhook endpoints per account.
pub(crate) const MAX_WEBHOOK_ENDPOINTS: usize = 16;

/// How a sandbox is started. Begin with [`Config::local`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on: loopback only. Port 0 picks a free port.
    pub bind: SocketAddr,
    /// The API key it accepts: `sk_test_…` or `rk_test_…`.
    pub secret_key: String,
    /// When set, every change of the state is written to this file, and the next start reads it.
    pub state_file: Option<PathBuf>,
    /// Endpoints that exist from the start. A URL that is already registered is updated, not added again.
    pub webhook_endpoints: Vec<WebhookEndpoint>,
    /// The retry schedule for webhooks that were not answered with 2xx.
    pub retry: RetryPolicy,
    /// How long the hosted page waits for the receivers before it redirects to `success_url`. Stripe waits 10 seconds.
    /// The page does not wait for an endpoint that is known not to answer.
    pub redirect_wait: Duration,
    /// When set, ids and the order of shuffled webhooks derive from it, so that a run can be repeated. Not allowed with
    /// a state file, because ids would repeat.
    pub seed: Option<u64>,
}

/// A webhook endpoint.
#[derive(Debug, Clone)]
pub struct WebhookEndpoint {
    /// Where events are posted; `http` only.
    pub url: String,
    /// The signing secret, `whsec_…`.
    pub secret: String,
    /// Event types, or `*` for all.
    pub enabled_events: Vec<String>,
    /// The API version of its events; the newest one when unset.
    pub api_version: Option<String>,
    /// Whether it gets thin payloads, the kind that Stripe's dashboard recommends for event destinations: they name the
    /// event and its object only.
    pub thin: bool,
    /// For a receiver that may never be started: until the endpoint has accepted a webhook with 2xx, a failed delivery
    /// is dropped without a retry and leaves no trace on the event.
    pub standby: bool,
}

/// Back-off of webhook retries: starts at `initial` and doubles up to `max`.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The pause after the first failure.
    pub initial: Duration,
    /// The longest pause.
    pub max: Duration,
    /// The maximum number of attempts per event and endpoint, including the first one.
    pub attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { initial: Duration::from_secs(1), max: Duration::from_mins(1), attempts: 1_000 }
    }
}

impl RetryPolicy {
    /// The pause in milliseconds after this many failed attempts (1 or more).
    pub(crate) fn pause_ms(&self, failed_attempts: u32) -> i64 {
        let doublings = failed_attempts.saturating_sub(1).min(30);
        let pause = self.initial.saturating_mul(2_u32.saturating_pow(doublings)).min(self.max);
        i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Config {
    /// A sandbox on a free loopback port, without a state file and without webhooks.
    #[must_use]
    pub fn local(secret_key: impl Into<String>) -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            secret_key: secret_key.into(),
            state_file: None,
            webhook_endpoints: Vec::new(),
            retry: RetryPolicy::default(),
            redirect_wait: Duration::from_secs(10),
            seed: None,
        }
    }

    /// Adds an endpoint that gets all events.
    #[must_use]
    pub fn with_webhook(mut self, url: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhook_endpoints.push(WebhookEndpoint {
            url: url.into(),
            secret: secret.into(),
            enabled_events: vec!["*".to_owned()],
            api_version: None,
            thin: false,
            standby: false,
        });
        self
    }

    /// Adds a standby endpoint that gets all events; see [`WebhookEndpoint::standby`].
    #[must_use]
    pub fn with_standby_webhook(self, url: impl Into<String>, secret: impl Into<String>) -> Self {
        let mut config = self.with_webhook(url, secret);
        if let Some(endpoint) = config.webhook_endpoints.last_mut() {
            endpoint.standby = true;
        }
        config
    }

    /// Adds an endpoint that gets all events as thin payloads.
    #[must_use]
    pub fn with_thin_webhook(self, url: impl Into<String>, secret: impl Into<String>) -> Self {
        let mut config = self.with_webhook(url, secret);
        if let Some(endpoint) = config.webhook_endpoints.last_mut() {
            endpoint.thin = true;
        }
        config
    }

    /// Refuses a configuration that cannot work or would be unsafe.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        if !self.bind.ip().is_loopback() {
            return Err(StartError::NotLoopback(self.bind));
        }
        let key = self.secret_key.as_str();
        let long_enough =
            ["sk_test_", "rk_test_"].iter().any(|prefix| key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()));
        if !long_enough || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(StartError::NotATestKey);
        }
        if self.seed.is_some() && self.state_file.is_some() {
            return Err(StartError::SeedWithStateFile);
        }
        if self.webhook_endpoints.len() > MAX_WEBHOOK_ENDPOINTS {
            return Err(StartError::TooManyEndpoints);
        }
        for endpoint in &self.webhook_endpoints {
            endpoint.check()?;
        }
        Ok(())
    }
}

impl WebhookEndpoint {
    fn check(&self) -> Result<(), StartError> {
        if !is_deliverable(&self.url) {
            return Err(StartError::WebhookUrl(self.url.clone()));
        }
        if self.secret.trim().is_empty() {
            return Err(StartError::EmptyWebhookSecret(self.url.clone()));
        }
        if self.enabled_events.is_empty() {
            return Err(StartError::NoEnabledEvents(self.url.clone()));
        }
        Ok(())
    }
}

/// Whether the sandbox can post to this URL: absolute and plain `http`.
pub(crate) fn is_deliverable(url: &str) -> bool {
    Url::parse(url).is_ok_and(|parsed| parsed.scheme() == "http" && parsed.has_host())
}

/// The reasons why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is reachable from other machines.
    #[error("the sandbox listens on loopback only, and {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The key is not a test key.
    #[error("the secret key must begin with sk_test_ or rk_test_ and go on after that")]
    NotATestKey,
    /// A fixed seed would generate the ids in the file a second time.
    #[error("a seed cannot be used together with a state file")]
    SeedWithStateFile,
    /// There are more endpoints than Stripe allows.
    #[error("Stripe allows at most 16 webhook endpoints")]
    TooManyEndpoints,
    /// The URL is not one that the sandbox can post to.
    #[error("the webhook URL `{0}` must be an absolute http URL; the sandbox does not speak https")]
    WebhookUrl(String),
    /// The webhook secret is empty, so its deliveries would be unsigned.
    #[error("the webhook secret for {0} is empty")]
    EmptyWebhookSecret(String),
    /// The endpoint has no enabled events and would never get any.
    #[error("the webhook endpoint {0} has no enabled events; use \"*\" for all")]
    NoEnabledEvents(String),
    /// Another program listens on this address.
    #[error("{0} is already in use; choose another port")]
    PortInUse(SocketAddr),
    /// Listening on the address failed.
    #[error("cannot listen on {address}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The operating system returned no random numbers.
    #[error("the operating system gave no random numbers for ids")]
    NoRandomness,
    /// The state file exists but cannot be used.
    #[error("cannot use the state file {path}: {reason}")]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RetryPolicy;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy { initial: Duration::from_secs(1), max: Duration::from_secs(10), attempts: 5 };
        let pauses: Vec<i64> = (1..=6).map(|failed| policy.pause_ms(failed)).collect();
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(policy.pause_ms(u32::MAX), 10_000);
    }
}
