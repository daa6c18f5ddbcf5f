//! Removes the callers' idempotency keys when they are older than a day, in the background.
//!
//! A key that is older is not recognised in any case (see [`crate::purchases::checkout::create_checkout`]): this only frees the space. Every
//! process does it, in small transactions; see [`Db::purge_idempotency_keys`] for why none waits for another for long.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::db::{Db, StoreError};
use crate::ports::Clock;
use crate::purchases::checkout::create_checkout::KEY_LIFETIME_MS;

/// How many keys one transaction removes at most.
const BATCH: usize = 100;
/// How many one run removes at most: more than come in between two runs.
const MOST_BATCHES: usize = 2_000;
const FIRST_AFTER: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_mins(10);

/// Removes the keys that are older than a day; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn purge_old_keys(db: &Db, clock: &dyn Clock, stop: &CancellationToken) -> Result<usize, StoreError> {
    let mut purged = 0_usize;
    for _ in 0..MOST_BATCHES {
        let now_ms = clock.now_ms();
        let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let found = db.purge_idempotency_keys(now_ms.saturating_sub(KEY_LIFETIME_MS), now_ms, most).await?;
        purged = purged.saturating_add(found);
        if found < BATCH || stop.is_cancelled() {
            break;
        }
    }
    Ok(purged)
}

/// The job that does it in a running service.
#[must_use]
pub fn purging_job() -> Job {
    Job::new("purge idempotency keys", FIRST_AFTER, EVERY, |app: Arc<App>, stop: CancellationToken| async move {
        let purged = purge_old_keys(&app.db, app.clock.as_ref(), &stop).await?;
        if purged > 0 {
            tracing::info!(purged, "old idempotency keys are removed");
        }
        Ok::<(), StoreError>(())
    })
}
