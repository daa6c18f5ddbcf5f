//! When API keys were last used: noted in memory at each request, and written down once a minute, so that a request writes
//! nothing for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::App;
use super::schedule::Job;
use crate::store::{StoreError, api_keys};

/// How often they are written down.
const WRITTEN_EVERY: Duration = Duration::from_mins(1);

/// The keys that were used since they were last written down, by id, with the time in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct KeyUses(Mutex<HashMap<String, i64>>);

impl KeyUses {
    /// Notes that a key was used. Only keys that were found good are noted, so there are no more than keys.
    pub fn note(&self, id: &str, now_ms: i64) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(id) {
            Some(at_ms) => *at_ms = now_ms.max(*at_ms),
            None => drop(uses.insert(id.to_owned(), now_ms)),
        }
    }

    fn take(&self) -> HashMap<String, i64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

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
                    api_keys::used(tx, id, *at_ms).await?;
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
