//! Decided events: each has a row that commits together with the event's effect.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::ids::{EventId, TopupId};
use crate::domain::provider::ProviderName;
use crate::domain::reversal::EventRef;

statements! {
    INSERT_EVENT = "INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at) \
        VALUES (:event, :provider, :event_type, :topup, :outcome, :now_ms) \
        ON CONFLICT (provider_event_id, provider) DO NOTHING";
    DECIDED = "SELECT provider_event_id FROM webhook_events WHERE provider_event_id = :event AND provider = :provider";
}

/// Records that an event is decided. Returns `false` if it was decided before. This row resolves earlier failures of
/// the event, and later deliveries of it are not failures.
pub(crate) async fn insert_event(
    tx: &mut Tx,
    event: &EventRef,
    topup: &TopupId,
    outcome: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    insert_event_about(tx, event, topup.as_str(), outcome, now_ms).await
}

/// The same, for an event about a top-up or a subscription.
pub(crate) async fn insert_event_about(
    tx: &mut Tx,
    (event, event_type): &EventRef,
    subject: &str,
    outcome: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values = args![
        event = event.as_str(),
        provider = event.provider().as_str(),
        event_type = event_type.as_str(),
        topup = subject,
        outcome,
        now_ms
    ];
    Ok(tx.execute(&INSERT_EVENT, &values).await? == 1)
}

#[derive(sqlx::FromRow)]
struct Decided {}

impl Db {
    /// Whether an event was decided before, so that the provider need not be asked about it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_decided(&self, event: &EventId) -> Result<bool, StoreError> {
        self.is_decided_event(*event.provider(), event.as_str()).await
    }

    /// Like [`Self::is_decided`], for an unparsed id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_decided_event(&self, provider: ProviderName, event: &str) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Decided>(&DECIDED, &args![event, provider = provider.as_str()]).await?.is_some())
    }
}
