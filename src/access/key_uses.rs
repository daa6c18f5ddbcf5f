//! When API keys were last used: noted in memory at each request, and written down once a minute, so that a request writes
//! nothing for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::access::key_rows;
use crate::app::App;
use crate::app::schedule::Job;
use crate::db::{StoreError, Tx, Write};

/// How often they are written down.
const WRITTEN_EVERY: Duration = Duration::from_mins(1);

/// Writes down which keys were used since the last time.
///
/// # Errors
/// When the database fails; then these uses are forgotten.
pub async fn write_down(app: &App) -> Result<(), StoreError> {
    let used_at_ms = app.key_uses.take();
    if used_at_ms.is_empty() {
        return Ok(());
    }
    app.db.write(RecordKeyUses { used_at_ms }).await
}

/// Stores when keys were used, by their ids.
struct RecordKeyUses {
    used_at_ms: HashMap<String, i64>,
}

impl Write for RecordKeyUses {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for (id, at_ms) in &self.used_at_ms {
            key_rows::used(tx, id, *at_ms).await?;
        }
        Ok(())
    }
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
