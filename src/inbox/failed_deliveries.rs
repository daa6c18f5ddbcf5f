//! Failed deliveries: replaying them, and erasing their payloads after the retention time.
//!
//! A replay runs the same code as a delivery, so it is safe at any time, even concurrently with a delivery of the same
//! event. Once a payload is erased here, only the provider can send it again.

use std::time::Duration;

use crate::app::schedule::Job;
use crate::app::{App, with_causes};
use crate::db::{Db, StoreError, Tx, Write};
use crate::domain::timestamp::DAY_MS;
use crate::inbox::apply_event::{apply_stored, resolve_failure};
use crate::inbox::failed_events::{self, FailureCursor};
use crate::ports::Clock;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};

/// How many failures are read at once.
const REPLAY_PAGE: i64 = 50;
/// How many payloads one transaction erases: few enough not to block others.
const ERASE_BATCH: i64 = 200;
/// Soon after the start, but not in the service's busiest moment.
const FIRST_ERASED_AFTER: Duration = Duration::from_mins(1);
const ERASED_EVERY: Duration = Duration::from_hours(1);

/// The result of a replay.
#[derive(Debug)]
pub enum Replayed {
    /// The replay ran, with this outcome.
    Outcome(EventOutcome),
    /// The replay ran and failed again, for now.
    Failed(ApplyEventError),
    /// The event was resolved earlier and its payload is erased: there is nothing to do.
    AlreadyResolved,
    /// The payload is erased, so only the provider can send the event again.
    PayloadErased,
}

impl Replayed {
    /// A stable code.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Outcome(EventOutcome::Decided(_)) => "decided",
            Self::Outcome(EventOutcome::Foreign(_)) => "foreign",
            Self::Outcome(EventOutcome::Rejected(_)) => "rejected",
            Self::Failed(_) => "failed",
            Self::AlreadyResolved => "already_resolved",
            Self::PayloadErased => "payload_erased",
        }
    }

    /// An explanation for the operator.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Outcome(EventOutcome::Decided(word) | EventOutcome::Foreign(word)) => (*word).to_owned(),
            Self::Outcome(EventOutcome::Rejected(mismatch)) => mismatch.to_string(),
            Self::Failed(error) => with_causes(error),
            Self::AlreadyResolved => "it was put right before".to_owned(),
            Self::PayloadErased => {
                "its payload is not kept (any more); resend the event from Stripe's dashboard".to_owned()
            }
        }
    }

    /// Whether the event needs no further attention.
    #[must_use]
    pub const fn is_resolved(&self) -> bool {
        matches!(self, Self::AlreadyResolved | Self::Outcome(EventOutcome::Decided(_) | EventOutcome::Foreign(_)))
    }
}

/// Replays a failed delivery. `None` if no delivery of that event failed.
///
/// # Errors
/// When the database fails around the replay. A failure of the replay itself is a result.
pub async fn replay(app: &App, event_id: &str) -> Result<Option<Replayed>, StoreError> {
    let Some(failed) = app.db.failed_event(event_id).await? else { return Ok(None) };
    let Some(payload) = failed.payload else {
        let is_resolved = failed.event.resolved_at.is_some();
        return Ok(Some(if is_resolved { Replayed::AlreadyResolved } else { Replayed::PayloadErased }));
    };
    let event_id = &failed.event.provider_event_id;
    match apply_stored(app, event_id, payload.as_bytes()).await {
        Ok(outcome) => {
            // A newer version may ignore this event and see no id in it; the record has the id.
            if matches!(outcome, EventOutcome::Foreign(_)) {
                resolve_failure(app, event_id).await?;
            }
            Ok(Some(Replayed::Outcome(outcome)))
        }
        Err(error) => Ok(Some(Replayed::Failed(error))),
    }
}

/// Replays every delivery that had failed for now before this call, oldest first, once each, and reports each result to
/// `tell`.
///
/// # Errors
/// When the database fails around a replay.
pub async fn replay_all(app: &App, mut tell: impl FnMut(&str, &Replayed)) -> Result<(), StoreError> {
    let (began_ms, mut after) = (app.clock.now_ms(), FailureCursor::OLDEST);
    loop {
        let mut page = app.db.replayable_events(&after, REPLAY_PAGE).await?;
        page.retain(|failure| failure.first_failed_at <= began_ms);
        let Some(last) = page.last().cloned() else { return Ok(()) };
        for failure in page {
            if let Some(replayed) = replay(app, &failure.provider_event_id).await? {
                tell(&failure.provider_event_id, &replayed);
            }
        }
        after = last;
    }
}

/// The result of closing a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The failure is closed.
    Done,
    /// The failure was already closed or resolved.
    NotOpen,
}

/// Whether a text is acceptable as a reason.
#[must_use]
pub fn is_close_reason(reason: &str) -> bool {
    !reason.trim().is_empty() && reason.chars().count() <= 500 && !reason.chars().any(char::is_control)
}

/// Closes a failed delivery that needs no attention, recording who closed it and why. `None` if no delivery of that
/// event failed. Credits are not changed.
///
/// # Errors
/// When the database fails.
pub async fn close(
    db: &Db,
    clock: &dyn Clock,
    event_id: &str,
    by: &str,
    reason: &str,
) -> Result<Option<Closed>, StoreError> {
    let Some(failed) = db.failed_event(event_id).await? else { return Ok(None) };
    let close = CloseFailure {
        provider: failed.event.provider,
        event_id: event_id.to_owned(),
        by: by.to_owned(),
        reason: reason.to_owned(),
        now_ms: clock.now_ms(),
    };
    let closed = db.write(close).await?;
    if closed {
        tracing::info!(event = event_id, by, reason, "a failed delivery was closed by hand");
    }
    Ok(Some(if closed { Closed::Done } else { Closed::NotOpen }))
}

/// Closes a failed delivery. Returns `false` if it is not open.
struct CloseFailure {
    provider: String,
    event_id: String,
    by: String,
    reason: String,
    now_ms: i64,
}

impl Write for CloseFailure {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        failed_events::close(tx, &self.provider, &self.event_id, &self.by, &self.reason, self.now_ms).await
    }
}

/// Erases the payloads older than `payload_days`, in small transactions. Returns how many. The failures themselves are
/// kept. Several processes may do this at once.
///
/// # Errors
/// When the database fails. What was erased before stays erased.
pub async fn erase_old_payloads(db: &Db, clock: &dyn Clock, payload_days: i64) -> Result<u64, StoreError> {
    let until_ms = clock.now_ms().saturating_sub(payload_days.saturating_mul(DAY_MS));
    let mut erased = 0_u64;
    // A read first, so that nothing is written if there is nothing to erase.
    while db.has_payload_until(until_ms).await? {
        erased = erased.saturating_add(db.write(ErasePayloads { until_ms }).await?);
    }
    Ok(erased)
}

/// Erases a batch of payloads that arrived at or before a time. Returns how many.
struct ErasePayloads {
    until_ms: i64,
}

impl Write for ErasePayloads {
    type Output = u64;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        failed_events::erase_payloads(tx, self.until_ms, ERASE_BATCH).await
    }
}

/// The background job that erases payloads.
#[must_use]
pub fn erasing_job() -> Job {
    Job::new("erase old payloads", FIRST_ERASED_AFTER, ERASED_EVERY, |app, _| async move {
        let erased = erase_old_payloads(&app.db, app.clock.as_ref(), app.payload_days).await?;
        if erased > 0 {
            tracing::info!(erased, days = app.payload_days, "old payloads of failed deliveries are erased");
        }
        Ok::<(), StoreError>(())
    })
}
