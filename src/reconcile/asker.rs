//! Asking Stripe many things without getting into its way: one at a time, with a pause before each, again after a while
//! when it wants us to wait, and no more at all once it has failed several times in a row.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures_util::future::BoxFuture;

use crate::providers::port::ProviderError;
use crate::purchases::outcome::ApplyEventError;

/// How fast Stripe is asked. Stripe allows 100 requests a second, in test mode 25, to everything on the account together
/// (Stripe, "Rate limits").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause before each request.
    pub interval: Duration,
    /// The pause before the first repetition; each further one is twice as long.
    pub backoff: Duration,
    /// How often one thing is asked before it is left.
    pub tries: u32,
    /// How many pages of one list are read, of 100 things each.
    pub pages: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: Duration::from_millis(100), backoff: Duration::from_millis(500), tries: 6, pages: 2_000 }
    }
}

/// After how many things in a row that could not be asked nothing more is asked: Stripe is down.
const MAX_FAILURES_IN_A_ROW: u32 = 3;

/// Whether asking again makes sense.
pub(crate) trait IsTemporary {
    /// Whether it may go well next time.
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

/// Asks, in its pace.
pub(crate) struct Asker {
    pace: Pace,
    failures_in_a_row: u32,
    /// How often Stripe was asked, repetitions included.
    pub(crate) requests: u64,
}

impl Asker {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self { pace, failures_in_a_row: 0, requests: 0 }
    }

    /// Whether Stripe failed so often that nothing more is asked.
    pub(crate) const fn has_given_up(&self) -> bool {
        self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW
    }

    /// Asks until there is an answer, a final refusal, or no sense in asking again.
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
