//! Checks this machine's clock. The signatures of deliveries, checkout expiry and tokens depend on it.

use std::sync::Arc;
use std::time::Duration;

use super::schedule::Job;
use crate::ports::Clock;
use crate::providers::port::ProviderClock;

/// A difference that two correct clocks and a slow answer can produce.
pub const TOLERATED_SECONDS: i64 = 30;
/// With a larger difference, every delivery from Stripe is refused.
pub const REFUSED_SECONDS: i64 = 300;
const FIRST_AFTER: Duration = Duration::from_secs(10);
const EVERY: Duration = Duration::from_hours(1);

/// By how many seconds this machine's clock is ahead of Stripe's, negative if it is behind; `None` if Stripe's time is
/// unknown. Logs a relevant difference, and how to fix it.
pub async fn check_clock(clock: &dyn Clock, provider: &dyn ProviderClock) -> Option<i64> {
    let theirs_ms = provider.now_ms().await?;
    let ahead_seconds = clock.now_ms().saturating_sub(theirs_ms).div_euclid(1_000);
    let way_out = "set this machine's clock, for example by NTP";
    let distance = ahead_seconds.saturating_abs();
    if distance > REFUSED_SECONDS {
        let message = "this machine's clock differs so much from Stripe's that every delivery is refused";
        tracing::error!(ahead_seconds, way_out, "{message}");
    } else if distance > TOLERATED_SECONDS {
        tracing::warn!(ahead_seconds, way_out, "this machine's clock differs from Stripe's");
    }
    Some(ahead_seconds)
}

/// The job that checks the clock in a running service.
#[must_use]
pub fn clock_job(provider: Arc<dyn ProviderClock>) -> Job {
    Job::new("compare the clock with Stripe's", FIRST_AFTER, EVERY, move |app, _| {
        let provider = provider.clone();
        async move {
            check_clock(app.clock.as_ref(), provider.as_ref()).await;
            Ok::<(), std::convert::Infallible>(())
        }
    })
}
