//! What runs in a transaction (a single write, a command, a group), and how often it is retried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::write::Write;

/// How many times a write that conflicts with others is run before it fails.
const WRITE_ATTEMPTS: u32 = 8;
/// How long one run of a write may take, including the wait for a connection. A write is a handful of small statements.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a write is retried while another transaction holds a row lock that it needs.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause before the next attempt to lock a row.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

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

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Return its result.
    Stop,
    /// It conflicted with another write: retry after this pause.
    Again(Duration),
    /// Another transaction holds a row lock: retry after this pause, in the separate lane.
    AgainAside(Duration),
}

/// The attempts of one write.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    conflicts: u32,
    held_since: Option<Instant>,
}

impl Attempts {
    /// Decides what follows an attempt.
    pub(crate) fn next<T>(&mut self, result: &Result<T, StoreError>) -> Next {
        let Err(error) = result else { return Next::Stop };
        if error.is_held_row() {
            let since = *self.held_since.get_or_insert_with(Instant::now);
            return if since.elapsed() < LOCK_PATIENCE { Next::AgainAside(spread(LOCK_PAUSE)) } else { Next::Stop };
        }
        self.conflicts = self.conflicts.saturating_add(1);
        if !error.is_conflict() || self.conflicts >= WRITE_ATTEMPTS {
            return Next::Stop;
        }
        Next::Again(spread(Duration::from_millis(2_u64.saturating_pow(self.conflicts))))
    }
}

/// A pause between half of `longest` and all of it, different each time and in each process: writes that conflicted
/// would conflict again after equal pauses.
fn spread(longest: Duration) -> Duration {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let seed = number.wrapping_add(u64::from(std::process::id()) << 32).wrapping_add(1);
    // The finaliser of splitmix64.
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let half_us = u64::try_from(longest.as_micros() / 2).unwrap_or(u64::MAX);
    let more_us = (mixed ^ (mixed >> 31)).checked_rem(half_us).unwrap_or(0);
    Duration::from_micros(half_us.saturating_add(more_us))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn pauses_differ_and_stay_within_their_bounds() {
        let pauses: BTreeSet<Duration> = (0..100).map(|_| spread(Duration::from_millis(64))).collect();
        assert!(pauses.len() > 90, "{pauses:?}");
        assert!(pauses.iter().all(|pause| (32..=64).contains(&pause.as_millis())), "{pauses:?}");
    }

    #[test]
    fn a_conflict_is_tried_a_bounded_number_of_times_and_other_errors_are_not() {
        let mut attempts = Attempts::default();
        let runs = (0..20).map(|_| attempts.next::<()>(&Err(StoreError::Overtaken)));
        assert_eq!(runs.filter(|next| matches!(next, Next::Again(_))).count(), 7);
        assert_eq!(Attempts::default().next::<()>(&Err(StoreError::Stale)), Next::Stop);
        assert_eq!(Attempts::default().next(&Ok(())), Next::Stop);
    }
}
