//! Deliveries that had no effect, for the person who looks after the service.
//!
//! What always holds: a failure is open until its event is decided (it has a row in `webhook_events`, whichever of the
//! two was written first) or was found to be nothing of ours. What can never succeed stays marked so. What came with a
//! delivery is kept for a while; that it came is kept for good.

use crate::db::{Db, Tx};
use crate::db::{StoreError, statements};
use crate::domain::ids::{PaymentIntentId, TopupId};

/// Whether a delivery can ever have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// It contradicts what was agreed; trying again changes nothing.
    Permanent,
    /// Something of ours failed; Stripe will deliver it again.
    Transient,
}

impl FailureKind {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Permanent, Self::Transient];

    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
        }
    }
}

/// Whether somebody still has to look at a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureState {
    /// The event has had no effect.
    Open,
    /// It was decided after all, or is nothing of ours.
    Resolved,
    /// A person closed it: it has no effect and needs no attention.
    Closed,
}

impl FailureState {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Open, Self::Resolved, Self::Closed];

    /// The word used in statements and outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// A delivery that had no effect.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailedEvent {
    /// Stripe's id of the event.
    pub event_id: String,
    /// Its type.
    #[sqlx(rename = "type")]
    pub event_type: String,
    /// `permanent` or `transient`.
    pub kind: String,
    /// What went wrong the last time; of a permanent failure, what makes it permanent.
    pub error: String,
    /// How often.
    pub attempts: i64,
    /// When it failed first, in milliseconds since 1970.
    pub first_failed_at: i64,
    /// When it failed last, in milliseconds since 1970.
    pub last_failed_at: i64,
    /// When it was put right, in milliseconds since 1970; none while it is open.
    pub resolved_at: Option<i64>,
    /// When a person closed it, in milliseconds since 1970.
    pub closed_at: Option<i64>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// Why.
    pub close_reason: Option<String>,
    /// When the latest payload that was kept came, in milliseconds since 1970; none if none ever was.
    pub payload_at: Option<i64>,
    /// 1 while the payload is there.
    pub has_payload: i64,
}

/// A delivery that had no effect, with what came with it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailedDelivery {
    /// The failure.
    #[sqlx(flatten)]
    pub event: FailedEvent,
    /// The delivery's body, until it is erased.
    pub payload: Option<String>,
}

/// A delivery that had no effect, about to be written down.
#[derive(Debug, Clone)]
pub struct FailureRecord {
    /// Stripe's id of the event.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Whether it can ever have an effect.
    pub kind: FailureKind,
    /// What went wrong.
    pub error: String,
    /// The purchase that it names.
    pub topup: Option<TopupId>,
    /// The payment that it names, if it names no purchase.
    pub payment: Option<PaymentIntentId>,
    /// The delivery's body, if it shall be kept. It holds personal data, and is erased after a while. `None` leaves what
    /// is there.
    pub payload: Option<String>,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Which failures to list; `None` means all.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailureFilter {
    /// Open or resolved.
    pub state: Option<FailureState>,
    /// Permanent or transient.
    pub kind: Option<FailureKind>,
}

/// A place in a list: when the failure there was the first of its event, and the event's id. It never moves, however
/// often the event fails again.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailureCursor {
    /// In milliseconds since 1970.
    pub first_failed_at: i64,
    /// Stripe's id of the event.
    pub event_id: String,
}

impl FailureCursor {
    /// Older than every failure.
    pub const OLDEST: Self = Self { first_failed_at: i64::MIN, event_id: String::new() };
    /// Newer than every failure.
    pub const NEWEST: Self = Self { first_failed_at: i64::MAX, event_id: String::new() };

    /// Reads a place as the API writes it: the time, `_` and the id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, event) = text.split_once('_')?;
        Some(Self { first_failed_at: time.parse().ok()?, event_id: event.to_owned() })
    }
}

impl FailedEvent {
    /// Whether somebody still has to look at it.
    #[must_use]
    pub const fn state(&self) -> FailureState {
        match (self.resolved_at, self.closed_at) {
            (Some(_), _) => FailureState::Resolved,
            (None, Some(_)) => FailureState::Closed,
            (None, None) => FailureState::Open,
        }
    }

    /// Its place in a list.
    #[must_use]
    pub fn cursor(&self) -> FailureCursor {
        FailureCursor { first_failed_at: self.first_failed_at, event_id: self.event_id.clone() }
    }
}

/// How many failures are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenFailures {
    /// That may succeed when they are tried again.
    pub transient: i64,
    /// That a person has to look at.
    pub permanent: i64,
}

#[derive(sqlx::FromRow)]
struct Exists {}

statements! {
    /// What cannot succeed stays so, with its reason. What was nothing of ours and fails now is open again; what was
    /// decided is not, because its row in `webhook_events` says so.
    RECORD = "INSERT INTO failed_webhook_events \
        (event_id, type, kind, error, attempts, first_failed_at, last_failed_at, payload, payload_at, topup_id, \
        payment_intent_id) VALUES ($1, $2, $3, $4, 1, $5, $5, $6, $7, $8, $9) \
        ON CONFLICT (event_id) DO UPDATE SET \
        error = CASE WHEN failed_webhook_events.kind = 'permanent' AND excluded.kind <> 'permanent' \
        THEN failed_webhook_events.error ELSE excluded.error END, \
        kind = CASE WHEN failed_webhook_events.kind = 'permanent' THEN 'permanent' ELSE excluded.kind END, \
        topup_id = COALESCE(excluded.topup_id, failed_webhook_events.topup_id), \
        payment_intent_id = COALESCE(excluded.payment_intent_id, failed_webhook_events.payment_intent_id), \
        payload = COALESCE(excluded.payload, failed_webhook_events.payload), \
        payload_at = COALESCE(excluded.payload_at, failed_webhook_events.payload_at), \
        attempts = failed_webhook_events.attempts + 1, last_failed_at = excluded.last_failed_at, resolved_at = NULL";
    RESOLVE = "UPDATE failed_webhook_events SET resolved_at = $2 WHERE event_id = $1 AND resolved_at IS NULL";
    OPEN = "SELECT f.event_id FROM failed_webhook_events f WHERE f.event_id = $1 AND f.resolved_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.id = f.event_id)";
    COUNT_OPEN = "SELECT \
        CAST(COALESCE(SUM(CASE WHEN f.kind = 'transient' THEN 1 ELSE 0 END), 0) AS BIGINT) AS transient, \
        CAST(COALESCE(SUM(CASE WHEN f.kind = 'permanent' THEN 1 ELSE 0 END), 0) AS BIGINT) AS permanent \
        FROM failed_webhook_events f WHERE f.resolved_at IS NULL AND f.closed_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.id = f.event_id)";
    FIND = "SELECT f.event_id, f.type, f.kind, f.error, f.attempts, f.first_failed_at, f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.id = f.event_id)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_payload, f.payload \
        FROM failed_webhook_events f WHERE f.event_id = $1";
    LIST = "SELECT f.event_id, f.type, f.kind, f.error, f.attempts, f.first_failed_at, f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.id = f.event_id)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_payload \
        FROM failed_webhook_events f WHERE (f.first_failed_at, f.event_id) < ($1, $2) \
        AND ($3 = 'all' OR f.kind = $3) AND ($4 = 'all' OR $4 = CASE WHEN f.resolved_at IS NOT NULL \
        OR EXISTS (SELECT 1 FROM webhook_events e WHERE e.id = f.event_id) THEN 'resolved' \
        WHEN f.closed_at IS NOT NULL THEN 'closed' ELSE 'open' END) \
        ORDER BY f.first_failed_at DESC, f.event_id DESC LIMIT $5";
    REPLAYABLE = "SELECT f.event_id, f.first_failed_at FROM failed_webhook_events f \
        WHERE (f.first_failed_at, f.event_id) > ($1, $2) AND f.kind = 'transient' AND f.resolved_at IS NULL AND f.closed_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.id = f.event_id) \
        ORDER BY f.first_failed_at, f.event_id LIMIT $3";
    CLOSE = "UPDATE failed_webhook_events SET closed_at = $2, closed_by = $3, close_reason = $4 WHERE event_id = $1 \
        AND closed_at IS NULL AND resolved_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.id = failed_webhook_events.event_id)";
    HAS_OLD_PAYLOAD = "SELECT event_id FROM failed_webhook_events \
        WHERE payload IS NOT NULL AND payload_at <= $1 LIMIT 1";
    ERASE = "UPDATE failed_webhook_events SET payload = NULL WHERE payload IS NOT NULL AND event_id IN (SELECT event_id \
        FROM failed_webhook_events WHERE payload IS NOT NULL AND payload_at <= $1 ORDER BY payload_at LIMIT $2)";
}

/// The longest text that is kept of a failure, in characters: it may quote what came with the delivery.
const MAX_TEXT_CHARACTERS: usize = 1_000;

/// A text that every database takes: PostgreSQL refuses a zero byte, and a record that cannot be written would make
/// Stripe try for ever.
fn storable(text: &str) -> String {
    text.chars()
        .map(|character| if character == '\0' { '\u{FFFD}' } else { character })
        .take(MAX_TEXT_CHARACTERS)
        .collect()
}

/// Records that a delivery had no effect. Long texts are cut, the payload is not: it is needed whole or not at all.
///
/// # Errors
/// When the database fails.
pub async fn record(tx: &mut Tx, record: &FailureRecord) -> Result<(), StoreError> {
    let (event, event_type, error) =
        (storable(&record.event_id), storable(&record.event_type), storable(&record.error));
    let payload = record.payload.as_ref().map(|payload| payload.replace('\0', "\u{FFFD}"));
    let values = [
        event.as_str().into(),
        event_type.as_str().into(),
        record.kind.as_str().into(),
        error.as_str().into(),
        record.now_ms.into(),
        payload.as_deref().into(),
        payload.as_ref().map(|_| record.now_ms).into(),
        record.topup.as_ref().map(TopupId::as_str).into(),
        record.payment.as_ref().map(PaymentIntentId::as_str).into(),
    ];
    tx.execute(&RECORD, &values).await.map(drop)
}

/// Notes that an event that had failed is nothing of ours.
///
/// # Errors
/// When the database fails.
pub async fn resolve(tx: &mut Tx, event: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&RESOLVE, &[storable(event).as_str().into(), now_ms.into()]).await.map(drop)
}

/// Closes a failure that is open, with who says so and why. It stays closed, however often the event fails again; should the
/// event be decided after all, it is resolved. `false` when it is not open.
///
/// # Errors
/// When the database fails.
pub async fn close(tx: &mut Tx, event: &str, by: &str, reason: &str, now_ms: i64) -> Result<bool, StoreError> {
    let values = [storable(event).as_str().into(), now_ms.into(), by.into(), storable(reason).as_str().into()];
    Ok(tx.execute(&CLOSE, &values).await? == 1)
}

/// Erases payloads that came at a time or before, at most `limit`; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn erase_payloads(tx: &mut Tx, until_ms: i64, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&ERASE, &[until_ms.into(), limit.into()]).await
}

impl Db {
    /// A page of failed deliveries, beginning after a place, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_events(
        &self,
        filter: FailureFilter,
        after: &FailureCursor,
        limit: i64,
    ) -> Result<Vec<FailedEvent>, StoreError> {
        let values = [
            after.first_failed_at.into(),
            after.event_id.as_str().into(),
            filter.kind.map_or("all", FailureKind::as_str).into(),
            filter.state.map_or("all", FailureState::as_str).into(),
            limit.into(),
        ];
        self.read_all(&LIST, &values).await
    }

    /// A failed delivery by its event's id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_event(&self, event: &str) -> Result<Option<FailedDelivery>, StoreError> {
        self.read_optional(&FIND, &[storable(event).as_str().into()]).await
    }

    /// A page of the open failures that may succeed when they are tried again, beginning after a place, the oldest
    /// first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replayable_events(&self, after: &FailureCursor, limit: i64) -> Result<Vec<FailureCursor>, StoreError> {
        let values = [after.first_failed_at.into(), after.event_id.as_str().into(), limit.into()];
        self.read_all(&REPLAYABLE, &values).await
    }

    /// How many failures are open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_failures(&self) -> Result<OpenFailures, StoreError> {
        let none = OpenFailures { transient: 0, permanent: 0 };
        Ok(self.read_optional(&COUNT_OPEN, &[]).await?.unwrap_or(none))
    }

    /// Whether a delivery of this event had failed and was not put right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_open_failure(&self, event: &str) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Exists>(&OPEN, &[storable(event).as_str().into()]).await?.is_some())
    }

    /// Whether a payload is there that came at a time or before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_payload_until(&self, until_ms: i64) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Exists>(&HAS_OLD_PAYLOAD, &[until_ms.into()]).await?.is_some())
    }
}
