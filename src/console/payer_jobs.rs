//! Scheduled jobs of payers' data: storing what was learnt, and erasing what is old.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::console::payers::{erase_old, store_notes};
use crate::db::StoreError;

const STORED_EVERY: Duration = Duration::from_secs(1);
const FIRST_ERASED_AFTER: Duration = Duration::from_mins(2);
const ERASED_EVERY: Duration = Duration::from_hours(1);

/// The job that stores what was learnt about payers.
#[must_use]
pub fn storing_job() -> Job {
    Job::new("store payers", STORED_EVERY, STORED_EVERY, |app: Arc<App>, _: CancellationToken| async move {
        store_notes(&app).await
    })
}

/// The job that erases personal data after the retention time.
#[must_use]
pub fn erasing_job() -> Job {
    Job::new("erase old payers", FIRST_ERASED_AFTER, ERASED_EVERY, |app: Arc<App>, _: CancellationToken| async move {
        let erased = erase_old(&app).await?;
        if erased > 0 {
            tracing::info!(erased, days = app.personal_data_days, "personal data of payers is erased");
        }
        Ok::<(), StoreError>(())
    })
}
