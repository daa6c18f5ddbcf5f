//! Events that are decided: each has a row that commits together with its effect.

use crate::db::{Db, StoreError, Tx, statements};
use crate::domain::ids::{EventId, TopupId};
use crate::domain::reversal::EventRef;

statements! {
    INSERT_EVENT = "INSERT INTO webhook_events (id, type, topup_id, outcome, received_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (id) DO NOTHING";
    DECIDED = "SELECT id FROM webhook_events WHERE id = $1";
}

/// Writes that an event is decided. `false` when it was before. With this row, earlier failures of it are put right, and
/// later ones are none.
pub(crate) async fn insert_event(
    tx: &mut Tx,
    (event, event_type): &EventRef,
    topup: &TopupId,
    outcome: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values =
        [event.as_str().into(), event_type.as_str().into(), topup.as_str().into(), outcome.into(), now_ms.into()];
    Ok(tx.execute(&INSERT_EVENT, &values).await? == 1)
}

#[derive(sqlx::FromRow)]
struct Decided {}

impl Db {
    /// Whether an event was decided before: then Stripe need not be asked about it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_decided(&self, event: &EventId) -> Result<bool, StoreError> {
        self.is_decided_event(event.as_str()).await
    }

    /// The same for an id as it was written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_decided_event(&self, event: &str) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Decided>(&DECIDED, &[event.into()]).await?.is_some())
    }
}
