//! Records when API keys were last used: in memory at each request and in the database once a minute, so that requests
//! do not have to write for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::access::key_rows;
use crate::app::App;
use crate::app::schedule::Job;
use crate::db::{StoreError, Tx, Write};

/// How often the uses are stored.
const WRITTEN_EVERY: Duration = Duration::from_mins(1);

/// Stores which keys were used since the last call.
///
/// # Errors
/// When the database fails; then these uses are lost.
pub async fn write_down(app: &App) -> Result<(), StoreError> {
    let used_at_ms = app.key_uses.take();
    if used_at_ms.is_empty() {
        return Ok(());
    }
    app.db.write(RecordKeyUses { used_at_ms }).await
}

/// Stores the last use of keys, by id.
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

/// The job that stores uses every minute.
#[must_use]
pub fn noting_job() -> Job {
    Job::new(
        "write down when keys were used",
        WRITTEN_EVERY,
        WRITTEN_EVERY,
        |app: Arc<App>, _: CancellationToken| async move { write_down(&app).await },
    )
}
