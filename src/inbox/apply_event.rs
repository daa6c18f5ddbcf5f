//! Applies a webhook delivery: verifies the signature, applies the event, and answers so that nothing is lost.
//!
//! There are three outcomes. Decided: the event's row is stored together with its effect; 200. Rejected permanently:
//! the event contradicts the agreement; recorded, logged, 200, never credited. Failed for now: no event row, recorded
//! as a failure if possible, 5xx, so that the provider retries.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use sha2::{Digest, Sha256};

use crate::app::questions::Turn;
use crate::app::{App, with_causes};
use crate::db::{StoreError, Tx, Write};
use crate::domain::checkout::PurchaseReport;
use crate::domain::provider::ProviderName;
use crate::domain::reversal::EventRef;
use crate::inbox::dispatch::dispatch;
use crate::inbox::failed_events::{self, FailureKind, FailureRecord};
use crate::inbox::owner::not_understood;
use crate::measure;
use crate::providers::event::{EventSubject, ProviderEvent, WebhookError};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::payment::apply_report::apply;
use crate::purchases::reversal::inquiry::Inquiry;

/// An event's id, type and subject, as far as known.
pub(crate) struct Name {
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) subject: Option<EventSubject>,
}

impl Name {
    fn new((id, event_type): &EventRef, subject: Option<EventSubject>) -> Self {
        Self { event_id: id.as_str().to_owned(), event_type: event_type.clone(), subject }
    }

    /// The name of an event; `None` if the event does not concern us.
    pub(crate) fn of(event: &ProviderEvent) -> Option<Self> {
        event.event().map(|id| Self::new(id, event.subject()))
    }
}

/// Verifies a delivery and applies it. `turn` is its slot among the deliveries that are applied at once. It is released
/// when the delivery is decided, or before the provider is asked.
///
/// Most events are payments. They go directly from the caller's thread into the write queue, where they complete even
/// if the caller goes away; a task in between would cost as much as verifying the signature. Everything else runs in a
/// task, because connections live there. If the caller goes away, the provider gets no answer and redelivers the event.
///
/// # Errors
/// See [`ApplyEventError`]. On an error the provider should retry, unless the signature is invalid.
pub async fn apply_event<B>(
    app: &Arc<App>,
    header: Option<&str>,
    body: B,
    turn: Option<Turn>,
) -> Result<EventOutcome, ApplyEventError>
where
    B: AsRef<[u8]> + Send + 'static,
{
    let read = match app.provider.webhooks.read(header, body.as_ref(), app.clock.now_ms()) {
        Ok(
            ProviderEvent::PurchasePaid(report)
            | ProviderEvent::PurchaseProcessing(report)
            | ProviderEvent::PurchaseFailed(report)
            | ProviderEvent::PurchaseExpired(report)
            | ProviderEvent::PurchaseUnchanged(report),
        ) if report.event.is_some() => {
            let _turn = turn;
            note_payer(app, body.as_ref());
            return apply_purchase(app, *report, body).await;
        }
        read => read,
    };
    if matches!(read, Ok(ProviderEvent::FeeKnown(_) | ProviderEvent::Foreign { .. })) {
        note_payer(app, body.as_ref());
    }
    let in_task = app.clone();
    let rest = async move {
        let inquiry = Inquiry::of_delivery(&in_task, turn);
        apply_read(&inquiry, read, Origin::Provider(body.as_ref())).await
    };
    app.tasks.run(rest.boxed()).await?
}

/// Remembers who paid, to be stored in the background. Whether it is kept is decided then.
fn note_payer(app: &App, body: &[u8]) {
    if app.personal_data_days > 0
        && let Some((topup, payer)) = app.provider.webhooks.payer_in(body)
    {
        app.payers.note(&topup, payer);
    }
}

async fn apply_purchase<B>(app: &Arc<App>, report: PurchaseReport, body: B) -> Result<EventOutcome, ApplyEventError>
where
    B: AsRef<[u8]> + Send + 'static,
{
    let subject = EventSubject::Topup(report.topup.clone());
    let name = report.event.as_ref().map(|event| Name::new(event, Some(subject)));
    let event_created_ms = report.event_created_ms;
    let result = apply(app, report).await.map(EventOutcome::from).map_err(ApplyEventError::from);
    let (Some(name), in_task) = (name, app.clone()) else { return result };
    if let Ok(EventOutcome::Decided(outcome)) = result {
        log_decided(app, &name, outcome);
        if outcome == "credited" {
            measure_delay(app, event_created_ms);
        }
        return result;
    }
    let rest = async move { conclude(&in_task, &name, result, Origin::Provider(body.as_ref())).await };
    app.tasks.run(rest.boxed()).await?
}

/// Applies a stored delivery that failed earlier, in the same way. Its signature was verified when it arrived.
///
/// # Errors
/// See [`ApplyEventError`].
pub async fn apply_stored(app: &App, event_id: &str, body: &[u8]) -> Result<EventOutcome, ApplyEventError> {
    let inquiry = Inquiry::of_delivery(app, None);
    apply_read(&inquiry, app.provider.webhooks.read_verified(body), Origin::Stored { event_id }).await
}

/// The source of a delivery.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'o> {
    /// The provider, with this body.
    Provider(&'o [u8]),
    /// Our own record of a failure, which contains the body already: a replay must not make it look newer.
    Stored { event_id: &'o str },
}

async fn apply_read(
    inquiry: &Inquiry<'_>,
    read: Result<ProviderEvent, WebhookError>,
    origin: Origin<'_>,
) -> Result<EventOutcome, ApplyEventError> {
    let event = match read {
        Ok(event) => event,
        Err(WebhookError::Unreadable { event_id, event_type, reason, subject }) => {
            let known_as = match origin {
                Origin::Provider(body) => or_digest(&event_id, body),
                Origin::Stored { event_id } => event_id.to_owned(),
            };
            let name = Name { event_id: known_as, event_type: event_type.clone(), subject: subject.clone() };
            let error = WebhookError::Unreadable { event_id, event_type, reason, subject };
            let result = not_understood(inquiry, error).await;
            return conclude(inquiry.app, &name, result, origin).await;
        }
        Err(error) => return Err(ApplyEventError::NotBelieved(error)),
    };
    let name = match (&event, Name::of(&event)) {
        (ProviderEvent::Foreign { reason }, _) => return Ok(EventOutcome::Foreign(reason)),
        (_, Some(name)) => name,
        // A provider's reader that gives no id is at fault. What it reports may be money, so it is not acknowledged.
        (event, None) => {
            let (event_type, reason) = ("unknown".to_owned(), "the event has no id".to_owned());
            let unreadable =
                WebhookError::Unreadable { event_id: String::new(), event_type, reason, subject: event.subject() };
            return Box::pin(apply_read(inquiry, Err(unreadable), origin)).await;
        }
    };
    let result = dispatch(inquiry, event).await;
    conclude(inquiry.app, &name, result, origin).await
}

/// Logs the outcome of a delivery, and records a failure.
async fn conclude(
    app: &App,
    name: &Name,
    result: Result<EventOutcome, ApplyEventError>,
    origin: Origin<'_>,
) -> Result<EventOutcome, ApplyEventError> {
    let Name { event_id: event, event_type, .. } = name;
    match result {
        Ok(EventOutcome::Rejected(mismatch)) => {
            let way_out = mismatch.way_out().map(|way_out| format!("; {way_out}")).unwrap_or_default();
            let reason = format!("{mismatch}{way_out}");
            let shown = mismatch.without_accounts();
            measure_delivery(app, name, "rejected");
            tracing::error!(event, event_type, reason = shown, "webhook event rejected: it will never have an effect");
            // If it cannot be recorded, it is not decided: the provider should retry.
            record_failure(app, name, FailureKind::Permanent, &reason, origin).await?;
            Ok(EventOutcome::Rejected(mismatch))
        }
        Ok(EventOutcome::Foreign(reason)) => {
            measure_delivery(app, name, "foreign");
            tracing::debug!(event, event_type, reason, "webhook event is not ours");
            resolve_failure(app, event).await?;
            Ok(EventOutcome::Foreign(reason))
        }
        Ok(EventOutcome::Decided(outcome)) => {
            log_decided(app, name, outcome);
            Ok(EventOutcome::Decided(outcome))
        }
        // Processing did not begin.
        Err(ApplyEventError::Busy) => {
            measure_delivery(app, name, "busy");
            Err(ApplyEventError::Busy)
        }
        Err(error) => {
            measure_delivery(app, name, "failed");
            record_failure(app, name, FailureKind::Transient, &with_causes(&error), origin).await.ok();
            Err(error)
        }
    }
}

fn measure_delay(app: &App, event_created_ms: Option<i64>) {
    // Events are dated to the second, so a fast credit may come out as one before its event.
    if let Some(created_ms) = event_created_ms {
        let delay_ms = app.clock.now_ms().saturating_sub(created_ms);
        measure::credit_delay(Duration::from_millis(u64::try_from(delay_ms).unwrap_or(0)));
    }
}

fn measure_delivery(app: &App, name: &Name, outcome: &'static str) {
    measure::delivery(app.provider.webhooks.known_type(&name.event_type), outcome);
}

fn log_decided(app: &App, name: &Name, outcome: &'static str) {
    measure_delivery(app, name, outcome);
    let Name { event_id: event, event_type, .. } = name;
    tracing::debug!(event, event_type, outcome, "webhook event applied");
}

/// An event without an id is identified by a hash of its body.
pub(crate) fn or_digest(event_id: &str, body: &[u8]) -> String {
    if !event_id.is_empty() {
        return event_id.to_owned();
    }
    let digest = hex::encode(Sha256::digest(body));
    format!("unidentified_{}", digest.get(..32).unwrap_or_default())
}

/// Runs in its own transaction: the failed one was rolled back.
pub(crate) async fn record_failure(
    app: &App,
    name: &Name,
    kind: FailureKind,
    reason: &str,
    origin: Origin<'_>,
) -> Result<(), StoreError> {
    let payload = match origin {
        Origin::Provider(body) if app.payload_days > 0 => Some(String::from_utf8_lossy(body).into_owned()),
        _ => None,
    };
    let (topup, payment) = match &name.subject {
        Some(EventSubject::Topup(topup)) => (Some(topup.clone()), None),
        Some(EventSubject::Payment(payment)) => (None, Some(payment.clone())),
        None => (None, None),
    };
    let record = FailureRecord {
        topup,
        payment,
        event_id: name.event_id.clone(),
        provider: app.provider.name,
        event_type: name.event_type.clone(),
        kind,
        error: reason.to_owned(),
        payload,
        now_ms: app.clock.now_ms(),
    };
    let recorded = app.db.write(record).await;
    if let Err(error) = &recorded {
        let (event, event_type, error) = (&name.event_id, &name.event_type, with_causes(error));
        tracing::error!(event, event_type, reason, error, "a delivery failed, and that cannot be recorded");
    }
    recorded
}

/// Resolves an earlier failure of an event that turned out not to concern us.
pub(crate) async fn resolve_failure(app: &App, event: &str) -> Result<(), StoreError> {
    if !app.db.has_open_failure(app.provider.name, event).await? {
        return Ok(());
    }
    app.db
        .write(ResolveFailure { provider: app.provider.name, event_id: event.to_owned(), now_ms: app.clock.now_ms() })
        .await
}

/// Resolves the failure of an event that is not about a top-up here.
struct ResolveFailure {
    provider: ProviderName,
    event_id: String,
    now_ms: i64,
}

impl Write for ResolveFailure {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        failed_events::resolve(tx, self.provider, &self.event_id, self.now_ms).await
    }
}
