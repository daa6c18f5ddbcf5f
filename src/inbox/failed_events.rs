//! Deliveries that had no effect, for the person who looks after the service.
//!
//! What always holds: a failure is open until its event is decided (it has a row in `webhook_events`, whichever of the
//! two was written first) or was found to be nothing of ours. What can never succeed stays marked so. What came with a
//! delivery is kept for a while; that it came is kept for good.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::ids::{PaymentId, TopupId};
use crate::domain::provider::ProviderName;

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
    /// The provider's id of the event.
    pub provider_event_id: String,
    /// Which provider.
    pub provider: String,
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
    /// The provider's id of the event.
    pub event_id: String,
    /// Which provider.
    pub provider: ProviderName,
    /// Its type.
    pub event_type: String,
    /// Whether it can ever have an effect.
    pub kind: FailureKind,
    /// What went wrong.
    pub error: String,
    /// The purchase that it names.
    pub topup: Option<TopupId>,
    /// The payment that it names, if it names no purchase.
    pub payment: Option<PaymentId>,
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
    /// The provider's id of the event.
    pub provider_event_id: String,
}

impl FailureCursor {
    /// Older than every failure.
    pub const OLDEST: Self = Self { first_failed_at: i64::MIN, provider_event_id: String::new() };
    /// Newer than every failure.
    pub const NEWEST: Self = Self { first_failed_at: i64::MAX, provider_event_id: String::new() };

    /// Reads a place as the API writes it: the time, `_` and the id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, event) = text.split_once('_')?;
        Some(Self { first_failed_at: time.parse().ok()?, provider_event_id: event.to_owned() })
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
        FailureCursor { first_failed_at: self.first_failed_at, provider_event_id: self.provider_event_id.clone() }
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
        (provider_event_id, provider, type, kind, error, attempts, first_failed_at, last_failed_at, payload, payload_at, topup_id, \
        provider_payment_id) VALUES (:event, :provider, :event_type, :kind, :error, 1, :now_ms, :now_ms, :payload, :payload_at_ms, :topup, :payment) \
        ON CONFLICT (provider_event_id, provider) DO UPDATE SET \
        error = CASE WHEN failed_webhook_events.kind = 'permanent' AND excluded.kind <> 'permanent' \
        THEN failed_webhook_events.error ELSE excluded.error END, \
        kind = CASE WHEN failed_webhook_events.kind = 'permanent' THEN 'permanent' ELSE excluded.kind END, \
        topup_id = COALESCE(excluded.topup_id, failed_webhook_events.topup_id), \
        provider_payment_id = COALESCE(excluded.provider_payment_id, failed_webhook_events.provider_payment_id), \
        payload = COALESCE(excluded.payload, failed_webhook_events.payload), \
        payload_at = COALESCE(excluded.payload_at, failed_webhook_events.payload_at), \
        attempts = failed_webhook_events.attempts + 1, last_failed_at = excluded.last_failed_at, resolved_at = NULL";
    RESOLVE = "UPDATE failed_webhook_events SET resolved_at = :now_ms WHERE provider_event_id = :event AND provider = :provider AND resolved_at IS NULL";
    OPEN = "SELECT f.provider_event_id FROM failed_webhook_events f WHERE f.provider_event_id = :event AND f.provider = :provider AND f.resolved_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = f.provider)";
    COUNT_OPEN = "SELECT \
        CAST(COALESCE(SUM(CASE WHEN f.kind = 'transient' THEN 1 ELSE 0 END), 0) AS BIGINT) AS transient, \
        CAST(COALESCE(SUM(CASE WHEN f.kind = 'permanent' THEN 1 ELSE 0 END), 0) AS BIGINT) AS permanent \
        FROM failed_webhook_events f WHERE f.resolved_at IS NULL AND f.closed_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = f.provider)";
    FIND = "SELECT f.provider_event_id, f.provider, f.type, f.kind, f.error, f.attempts, f.first_failed_at, f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = f.provider)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_payload, f.payload \
        FROM failed_webhook_events f WHERE f.provider_event_id = :event ORDER BY f.provider LIMIT 1";
    LIST = "SELECT f.provider_event_id, f.provider, f.type, f.kind, f.error, f.attempts, f.first_failed_at, f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = f.provider)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_payload \
        FROM failed_webhook_events f WHERE (f.first_failed_at, f.provider_event_id) < (:after_ms, :after_id) \
        AND (:kind = 'all' OR f.kind = :kind) AND (:state = 'all' OR :state = CASE WHEN f.resolved_at IS NOT NULL \
        OR EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = f.provider) THEN 'resolved' \
        WHEN f.closed_at IS NOT NULL THEN 'closed' ELSE 'open' END) \
        ORDER BY f.first_failed_at DESC, f.provider_event_id DESC LIMIT :limit";
    REPLAYABLE = "SELECT f.provider_event_id, f.provider, f.first_failed_at FROM failed_webhook_events f \
        WHERE (f.first_failed_at, f.provider_event_id) > (:after_ms, :after_id) AND f.kind = 'transient' AND f.resolved_at IS NULL AND f.closed_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = f.provider) \
        ORDER BY f.first_failed_at, f.provider_event_id LIMIT :limit";
    CLOSE = "UPDATE failed_webhook_events SET closed_at = :now_ms, closed_by = :by, close_reason = :reason WHERE provider_event_id = :event AND provider = :provider \
        AND closed_at IS NULL AND resolved_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = failed_webhook_events.provider_event_id \
        AND e.provider = failed_webhook_events.provider)";
    HAS_OLD_PAYLOAD = "SELECT provider_event_id FROM failed_webhook_events \
        WHERE payload IS NOT NULL AND payload_at <= :until_ms LIMIT 1";
    ERASE = "UPDATE failed_webhook_events SET payload = NULL WHERE payload IS NOT NULL AND (provider_event_id, provider) IN (SELECT provider_event_id, provider \
        FROM failed_webhook_events WHERE payload IS NOT NULL AND payload_at <= :until_ms ORDER BY payload_at LIMIT :limit)";
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
    let values = args![
        event = event.as_str(),
        provider = record.provider.as_str(),
        event_type = event_type.as_str(),
        kind = record.kind.as_str(),
        error = error.as_str(),
        now_ms = record.now_ms,
        payload = payload.as_deref(),
        payload_at_ms = payload.as_ref().map(|_| record.now_ms),
        topup = record.topup.as_ref().map(TopupId::as_str),
        payment = record.payment.as_ref().map(PaymentId::as_str)
    ];
    tx.execute(&RECORD, &values).await.map(drop)
}

impl Write for FailureRecord {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        record(tx, self).await
    }
}

/// Notes that an event that had failed is nothing of ours.
///
/// # Errors
/// When the database fails.
pub async fn resolve(tx: &mut Tx, provider: ProviderName, event: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&RESOLVE, &args![event = storable(event).as_str(), provider = provider.as_str(), now_ms]).await.map(drop)
}

/// Closes a failure that is open, with who says so and why. It stays closed, however often the event fails again; should the
/// event be decided after all, it is resolved. `false` when it is not open.
///
/// # Errors
/// When the database fails.
pub async fn close(
    tx: &mut Tx,
    provider: &str,
    event: &str,
    by: &str,
    reason: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values = args![event = storable(event).as_str(), provider, now_ms, by, reason = storable(reason).as_str()];
    Ok(tx.execute(&CLOSE, &values).await? == 1)
}

/// Erases payloads that came at a time or before, at most `limit`; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn erase_payloads(tx: &mut Tx, until_ms: i64, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&ERASE, &args![until_ms, limit]).await
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
        let values = args![
            after_ms = after.first_failed_at,
            after_id = after.provider_event_id.as_str(),
            kind = filter.kind.map_or("all", FailureKind::as_str),
            state = filter.state.map_or("all", FailureState::as_str),
            limit
        ];
        self.read_all(&LIST, &values).await
    }

    /// A failed delivery by its event's id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_event(&self, event: &str) -> Result<Option<FailedDelivery>, StoreError> {
        self.read_optional(&FIND, &args![event = storable(event).as_str()]).await
    }

    /// A page of the open failures that may succeed when they are tried again, beginning after a place, the oldest
    /// first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replayable_events(&self, after: &FailureCursor, limit: i64) -> Result<Vec<FailureCursor>, StoreError> {
        let values = args![after_ms = after.first_failed_at, after_id = after.provider_event_id.as_str(), limit];
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
    pub async fn has_open_failure(&self, provider: ProviderName, event: &str) -> Result<bool, StoreError> {
        Ok(self
            .read_optional::<Exists>(&OPEN, &args![event = storable(event).as_str(), provider = provider.as_str()])
            .await?
            .is_some())
    }

    /// Whether a payload is there that came at a time or before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_payload_until(&self, until_ms: i64) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Exists>(&HAS_OLD_PAYLOAD, &args![until_ms]).await?.is_some())
    }
}
