//! When API keys were last used: noted in memory at each request, and written down once a minute, so that a request writes
//! nothing for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::access::key_rows;
use crate::app::App;
use crate::app::schedule::Job;
use crate::db::StoreError;

/// How often they are written down.
const WRITTEN_EVERY: Duration = Duration::from_mins(1);

/// Writes down which keys were used since the last time.
///
/// # Errors
/// When the database fails; then these uses are forgotten.
pub async fn write_down(app: &App) -> Result<(), StoreError> {
    let uses = Arc::new(app.key_uses.take());
    if uses.is_empty() {
        return Ok(());
    }
    app.db
        .write(move |tx| {
            let uses = uses.clone();
            async move {
                for (id, at_ms) in uses.iter() {
                    key_rows::used(tx, id, *at_ms).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
}

/// Does that every minute.
#[must_use]
pub fn noting_job() -> Job {
    Job::new(
        "write down when keys were used",
        WRITTEN_EVERY,
        WRITTEN_EVERY,
        |app: Arc<App>, _: CancellationToken| async move { write_down(&app).await },
    )
}
