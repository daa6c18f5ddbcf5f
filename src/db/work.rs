//! What runs in a transaction: a single write, a command, a group of them; and how often it is tried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::db::StoreError;
use crate::db::Tx;
use crate::db::write::Write;

/// How many times a write is run when others are in its way, before it fails.
const WRITE_ATTEMPTS: u32 = 8;
/// How long one run of a write may take, with the wait for a connection. A write is a handful of small statements.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// For how long a write is tried again while another transaction holds a row that it needs.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause before the next try to lock a row.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// What is done in one transaction. It may be run again, so it starts anew each time.
pub(crate) trait Work: Send {
    /// What it gives.
    type Output: Send;

    /// Does it.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<Self::Output, StoreError>>;

    /// Whether a row that it needs is known to be held by another transaction.
    fn expects_held_row(&self) -> bool {
        false
    }

    /// Called each time when it could not lock a row in time.
    fn met_held_row(&mut self) {}
}

/// Makes a panic an error: a write that panics is a mistake of its own and no reason for others to fail.
pub(crate) async fn guarded<T>(work: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
    std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(StoreError::Panicked))
}

/// One of a group. One that fails is undone to where it began, and done again alone, where its error is its own.
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

/// Ends a write that takes too long.
pub(crate) async fn in_write_time<T>(write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(WRITE_TIMEOUT, write).await.unwrap_or(Err(StoreError::TimedOut))
}

/// What follows a run of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Its result stands.
    Stop,
    /// Another write was in its way: run it again after this pause.
    Again(Duration),
    /// Another transaction holds a row: try again after this pause, out of the way of the others.
    AgainAside(Duration),
}

/// The runs of one write.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    conflicts: u32,
    held_since: Option<Instant>,
}

impl Attempts {
    /// Decides what follows a run.
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

/// A pause between half of this and all of it, another one each time and in each process: writes that were in each
/// other's way would meet again if they paused alike.
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
