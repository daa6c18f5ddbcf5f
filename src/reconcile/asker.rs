//! Paces requests to the provider: one at a time with a pause before each, retries with backoff when it is limiting or
//! failing, and no more requests after several failures in a row.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures_util::future::BoxFuture;

use crate::providers::port::ProviderError;
use crate::purchases::outcome::ApplyEventError;

/// How fast the provider is asked. Stripe allows 100 requests a second, 25 in test mode, for everything on the account
/// together (Stripe, "Rate limits").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause before each request.
    pub interval: Duration,
    /// The pause before the first retry; doubled for each further one.
    pub backoff: Duration,
    /// The most tries per request.
    pub tries: u32,
    /// The most pages to read of one list, with 100 items each.
    pub pages: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: Duration::from_millis(100), backoff: Duration::from_millis(500), tries: 6, pages: 2_000 }
    }
}

/// After this many failed requests in a row, no more are sent: the provider is down.
const MAX_FAILURES_IN_A_ROW: u32 = 3;

/// Whether an error may go away on a retry.
pub(crate) trait IsTemporary {
    /// Whether a retry may succeed.
    fn is_temporary(&self) -> bool;
}

impl IsTemporary for ProviderError {
    fn is_temporary(&self) -> bool {
        match self {
            Self::Limited(_) | Self::Failed(_) | Self::Unreachable(_) | Self::TimedOut => true,
            Self::Refused(_) | Self::AmountTooSmall(_) | Self::Unknown(_) | Self::Unsupported(_) => false,
        }
    }
}

impl IsTemporary for ApplyEventError {
    fn is_temporary(&self) -> bool {
        matches!(self, Self::Provider(error) if error.is_temporary())
    }
}

/// Sends requests at the given pace.
pub(crate) struct Asker {
    pace: Pace,
    failures_in_a_row: u32,
    /// The number of requests sent, including retries.
    pub(crate) requests: u64,
}

impl Asker {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self { pace, failures_in_a_row: 0, requests: 0 }
    }

    /// Whether the provider failed so often that no more requests are sent.
    pub(crate) const fn has_given_up(&self) -> bool {
        self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW
    }

    /// Sends a request until it succeeds, fails permanently, or has used up its tries.
    pub(crate) async fn ask<'a, T, E: IsTemporary>(
        &mut self,
        call: impl Fn() -> BoxFuture<'a, Result<T, E>>,
    ) -> Result<T, E> {
        let repetitions = if self.has_given_up() { 0 } else { self.pace.tries.saturating_sub(1) };
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.pace.backoff)
            .with_max_times(usize::try_from(repetitions).unwrap_or(usize::MAX));
        let mut repeated = 0_u64;
        let ask = || async {
            pause(self.pace.interval).await;
            call().await
        };
        let answer =
            ask.retry(backoff).when(E::is_temporary).notify(|_, _| repeated = repeated.saturating_add(1)).await;
        self.requests = self.requests.saturating_add(1).saturating_add(repeated);
        let has_failed = answer.as_ref().is_err_and(E::is_temporary);
        self.failures_in_a_row = if has_failed { self.failures_in_a_row.saturating_add(1) } else { 0 };
        answer
    }
}

async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}
