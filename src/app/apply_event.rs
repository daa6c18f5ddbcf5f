//! Stripe delivers an event: believe it or not, bring it into the books, and answer so that nothing is lost.
//!
//! Three outcomes. Decided: its row is in the database with its effect; 200. Rejected for good: it contradicts what was
//! agreed; recorded, logged, 200, never credited. Failed for now: no row, recorded as far as possible, 5xx, so that
//! Stripe tries again.

use futures_util::FutureExt;

use super::{App, with_causes};
use crate::domain::checkout::PaymentReport;
use crate::domain::ids::LedgerEntryId;
use crate::ports::{WebhookError, WebhookEvent};
use crate::store::StoreError;
use crate::store::apply::{Applied, ApplyPayment};
use crate::store::failed_events::{self, FailureKind};

/// Why a delivery is not answered with 200.
#[derive(Debug, thiserror::Error)]
pub enum ApplyEventError {
    /// It is not believed, or is no event at all: 400. Nothing was written.
    #[error(transparent)]
    NotBelieved(WebhookError),
    /// It is believed and not understood: 5xx, so that it is there when we do.
    #[error(transparent)]
    NotUnderstood(WebhookError),
    /// The database failed: 5xx.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies a delivery and brings it into the books.
///
/// # Errors
/// See [`ApplyEventError`]. An error means that Stripe shall try again, unless the signature does not hold.
pub async fn apply_event(app: &App, header: Option<&str>, body: &[u8]) -> Result<(), ApplyEventError> {
    match app.webhooks.read(header, body, app.clock.now_ms()) {
        Ok(WebhookEvent::Payment(report)) => apply_payment(app, *report).await,
        Ok(WebhookEvent::Foreign { reason }) => {
            tracing::debug!(reason, "webhook event is not ours");
            Ok(())
        }
        Err(WebhookError::Unreadable { event_id, event_type, reason }) => {
            record_failure(app, &event_id, &event_type, FailureKind::Transient, &reason).await.ok();
            Err(ApplyEventError::NotUnderstood(WebhookError::Unreadable { event_id, event_type, reason }))
        }
        Err(error) => Err(ApplyEventError::NotBelieved(error)),
    }
}

async fn apply_payment(app: &App, report: PaymentReport) -> Result<(), ApplyEventError> {
    let (event, event_type) = match &report.event {
        Some((event, event_type)) => (event.as_str().to_owned(), event_type.clone()),
        None => (String::new(), String::new()),
    };
    let topup = report.topup.clone();
    match apply(app, report).await {
        Ok(Applied::Rejected(mismatch)) => {
            let reason = mismatch.to_string();
            tracing::error!(event, event_type, %topup, reason, "webhook event rejected: it will never be credited");
            // Not recorded means not decided: Stripe shall try again.
            record_failure(app, &event, &event_type, FailureKind::Permanent, &reason).await?;
            Ok(())
        }
        Ok(Applied::Foreign) => {
            tracing::debug!(event, %topup, "webhook event is another environment's");
            Ok(())
        }
        Ok(applied) => {
            tracing::info!(event, event_type, %topup, outcome = applied.as_str(), "webhook event applied");
            Ok(())
        }
        Err(error) => {
            record_failure(app, &event, &event_type, FailureKind::Transient, &with_causes(&error)).await.ok();
            Err(error.into())
        }
    }
}

/// Brings what Stripe says of a payment into the books.
///
/// # Errors
/// When the database fails; then nothing of it is there.
pub(super) async fn apply(app: &App, report: PaymentReport) -> Result<Applied, StoreError> {
    let entry = LedgerEntryId::from_bits(app.ids.id_bits());
    let command = ApplyPayment { report, entry, now_ms: app.clock.now_ms() };
    let lost = || Err(StoreError::Corrupt("a command without an outcome".to_owned()));
    app.db.apply(vec![command]).await.into_iter().next().unwrap_or_else(lost)
}

/// In a transaction of its own: what failed has left nothing behind.
async fn record_failure(
    app: &App,
    event: &str,
    event_type: &str,
    kind: FailureKind,
    reason: &str,
) -> Result<(), StoreError> {
    let (event, event_type, reason) = (event.to_owned(), event_type.to_owned(), reason.to_owned());
    let now_ms = app.clock.now_ms();
    app.db
        .write(move |tx| {
            let (event, event_type, reason) = (event.clone(), event_type.clone(), reason.clone());
            async move { failed_events::record(tx, &event, &event_type, kind, &reason, now_ms).await }.boxed()
        })
        .await
}
