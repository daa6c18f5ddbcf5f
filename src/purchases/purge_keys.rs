//! Deletes callers' idempotency keys that are older than a day, in the background.
//!
//! Older keys are ignored anyway (see [`crate::purchases::checkout::create_checkout`]); this only frees their space.
//! Every process does it, in small transactions; [`Db::purge_idempotency_keys`] explains why they do not block each
//! other for long.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::db::{Db, StoreError};
use crate::ports::Clock;
use crate::purchases::checkout::create_checkout::KEY_LIFETIME_MS;

/// The most keys that one transaction deletes.
const BATCH: usize = 100;
/// The most transactions per run. Together they delete more keys than arrive between two runs.
const MOST_BATCHES: usize = 2_000;
const FIRST_AFTER: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_mins(10);

/// Deletes the keys that are older than a day. Returns how many.
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

/// The background job that purges keys.
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
