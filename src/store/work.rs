//! What is done in a transaction: a closure, a payment, a group of them.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::StoreError;
use super::backend::Tx;

/// How many times a write is run when others are in its way, before it fails.
const WRITE_ATTEMPTS: u32 = 8;
/// How long one run of a write may take, with the wait for a connection. A write is a handful of small statements.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// What is done in one transaction. It may be run again, so it starts anew each time.
pub(super) trait Work: Send {
    /// What it gives.
    type Output: Send;

    /// Does it.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Self::Output, StoreError>>;
}

/// Makes a panic an error: a write that panics is a mistake of its own and no reason for others to fail.
pub(super) async fn guarded<T>(work: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
    std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(StoreError::Panicked))
}

/// A closure as work.
pub(super) struct Plain<F>(pub(super) F);

impl<T, F> Work for Plain<F>
where
    T: Send,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
{
    type Output = T;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> {
        (self.0)(tx)
    }
}

/// Ends a write that takes too long.
pub(super) async fn in_write_time<T>(write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(WRITE_TIMEOUT, write).await.unwrap_or(Err(StoreError::TimedOut))
}

/// Whether a write shall be run again; waits as long as is good before that.
pub(super) async fn waits_for_another_attempt<T>(result: &Result<T, StoreError>, attempt: &mut u32) -> bool {
    *attempt = attempt.saturating_add(1);
    let is_conflict = result.as_ref().is_err_and(StoreError::is_conflict);
    if !is_conflict || *attempt >= WRITE_ATTEMPTS {
        return false;
    }
    tokio::time::sleep(Duration::from_millis(2_u64.saturating_pow(*attempt))).await;
    true
}
