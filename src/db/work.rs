//! What runs in a transaction (a single write, a command, a group), and how often it is retried.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ConstantBackoff, ConstantBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::write::Write;

/// How often a write that met another one is run again before it fails, and the pauses in between. They are random, because
/// writes that met would meet again after equal pauses.
pub(crate) const CONFLICTS: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(1)).with_max_times(7).with_jitter();
/// How long one run of a write may take, with the wait for a connection. A write is a handful of small statements.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a write is retried while another transaction holds a row lock that it needs.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// The pauses before the next try to lock a row, of up to twice this.
const HELD_ROW: ConstantBuilder =
    ConstantBuilder::new().with_delay(Duration::from_millis(50)).without_max_times().with_jitter();

/// Work for one transaction. It may run more than once, from the beginning each time.
pub(crate) trait Work: Send {
    /// The result.
    type Output: Send;

    /// Runs the work.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Self::Output, StoreError>>;

    /// Whether a row that it needs is known to be locked by another transaction.
    fn expects_held_row(&self) -> bool {
        false
    }

    /// Called each time a row lock was not granted in time.
    fn met_held_row(&mut self) {}
}

/// Turns a panic into an error, so that a panicking write does not make other writes fail.
pub(crate) async fn guarded<T>(work: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
    std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(StoreError::Panicked))
}

/// Runs one item of a group. If it fails, it is rolled back to its savepoint and later retried individually, so that
/// its error affects only itself.
pub(crate) async fn run_within<W: Work + ?Sized>(tx: &mut Tx, work: &mut W) -> Result<Option<W::Output>, StoreError> {
    tx.set_savepoint().await?;
    let output = guarded(work.run(tx)).await.ok();
    if output.is_some() {
        tx.release_savepoint().await?;
    } else {
        tx.undo_to_savepoint().await?;
    }
    Ok(output)
}

/// One write in a transaction of its own.
pub(crate) struct SingleWrite<W>(pub(crate) W);

impl<W: Write> Work for SingleWrite<W> {
    type Output = W::Output;

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<W::Output, StoreError>> {
        self.0.run(tx).boxed()
    }
}

/// Limits the time of a write.
pub(crate) async fn in_write_time<T>(write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(WRITE_TIMEOUT, write).await.unwrap_or(Err(StoreError::TimedOut))
}

/// When a write is run again: how often it met another one, and since when it waits for a row.
#[derive(Debug)]
pub(crate) struct WriteRetries {
    conflicts: ExponentialBackoff,
    held: ConstantBackoff,
    held_since: Option<Instant>,
}

impl WriteRetries {
    pub(crate) fn new() -> Self {
        Self { conflicts: CONFLICTS.build(), held: HELD_ROW.build(), held_since: None }
    }

    /// The pause before the next run, if there is one after this error.
    pub(crate) fn pause_after(&mut self, error: &StoreError) -> Option<Duration> {
        if error.is_held_row() {
            let since = *self.held_since.get_or_insert_with(Instant::now);
            return if since.elapsed() < LOCK_PATIENCE { self.held.next() } else { None };
        }
        if error.is_conflict() { self.conflicts.next() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses_ms() -> Vec<u128> {
        let mut retries = WriteRetries::new();
        (0..20).filter_map(|_| retries.pause_after(&StoreError::Overtaken)).map(|pause| pause.as_millis()).collect()
    }

    #[test]
    fn a_conflict_is_tried_a_bounded_number_of_times_and_other_errors_are_not() {
        let pauses = pauses_ms();
        assert_eq!(pauses.len(), 7);
        for (number, pause) in pauses.iter().enumerate() {
            assert!((1 << number..=2 << number).contains(pause), "{pauses:?}");
        }
        assert_eq!(WriteRetries::new().pause_after(&StoreError::Stale), None);
    }

    #[test]
    fn writes_that_met_do_not_pause_alike() {
        assert_ne!(pauses_ms(), pauses_ms());
    }
}
