//! Deliveries that had no effect, for operators.
//!
//! Invariant: a failure is open until its event is decided (it has a row in `webhook_events`, in whichever order the
//! two were written), turns out not to concern us, or is closed by an operator. A permanent failure stays permanent.
//! Payloads are kept for a limited time, failures for good.

use crate::db::{Db, Tx, Write, args};
use crate::db::{StoreError, statements};
use crate::domain::ids::{PaymentId, TopupId};
use crate::domain::provider::ProviderName;

/// Whether a failed delivery can still have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The event contradicts the agreement; a retry changes nothing.
    Permanent,
    /// Processing failed; the provider will redeliver.
    Transient,
}

impl FailureKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Permanent, Self::Transient];

    /// The name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
        }
    }
}

/// Whether a failure needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureState {
    /// The event has had no effect.
    Open,
    /// The event was decided later, or does not concern us.
    Resolved,
    /// An operator closed it: it has no effect and needs no attention.
    Closed,
}

impl FailureState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Resolved, Self::Closed];

    /// The name used in statements and in the API.
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
    /// The provider's event id.
    pub provider_event_id: String,
    /// The provider's name.
    pub provider: String,
    /// The event's type.
    #[sqlx(rename = "type")]
    pub event_type: String,
    /// `permanent` or `transient`.
    pub kind: String,
    /// The latest error; for a permanent failure, the reason why it is permanent.
    pub error: String,
    /// How many times it failed.
    pub attempts: i64,
    /// When it failed first, in milliseconds since 1970.
    pub first_failed_at: i64,
    /// When it failed last, in milliseconds since 1970.
    pub last_failed_at: i64,
    /// When it was resolved, in milliseconds since 1970; `None` if it was not.
    pub resolved_at: Option<i64>,
    /// When an operator closed it, in milliseconds since 1970.
    pub closed_at: Option<i64>,
    /// The operator.
    pub closed_by: Option<String>,
    /// The operator's reason.
    pub close_reason: Option<String>,
    /// When the latest stored payload arrived, in milliseconds since 1970; `None` if none was ever stored.
    pub payload_at: Option<i64>,
    /// 1 while the payload is stored.
    pub has_payload: i64,
}

/// A delivery that had no effect, with its payload.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailedDelivery {
    /// The failure.
    #[sqlx(flatten)]
    pub event: FailedEvent,
    /// The delivery's body, until it is erased.
    pub payload: Option<String>,
}

/// A failure to record.
#[derive(Debug, Clone)]
pub struct FailureRecord {
    /// The provider's event id.
    pub event_id: String,
    /// The provider's name.
    pub provider: ProviderName,
    /// The event's type.
    pub event_type: String,
    /// Whether the event can still have an effect.
    pub kind: FailureKind,
    /// The error.
    pub error: String,
    /// The top-up that the event names.
    pub topup: Option<TopupId>,
    /// The payment that the event names, if it names no top-up.
    pub payment: Option<PaymentId>,
    /// The delivery's body, if it is to be stored. It contains personal data and is erased after a while. `None` keeps
    /// a stored one.
    pub payload: Option<String>,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Selects the failures to list; `None` means all.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailureFilter {
    /// Only failures in this state.
    pub state: Option<FailureState>,
    /// Only failures of this kind.
    pub kind: Option<FailureKind>,
}

/// A position in a list: the time of the event's first failure, and its id. It stays the same when the event fails
/// again.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FailureCursor {
    /// In milliseconds since 1970.
    pub first_failed_at: i64,
    /// The provider's event id.
    pub provider_event_id: String,
}

impl FailureCursor {
    /// Before all failures.
    pub const OLDEST: Self = Self { first_failed_at: i64::MIN, provider_event_id: String::new() };
    /// After all failures.
    pub const NEWEST: Self = Self { first_failed_at: i64::MAX, provider_event_id: String::new() };

    /// Parses a position as the API writes it: the time, `_` and the id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, event) = text.split_once('_')?;
        Some(Self { first_failed_at: time.parse().ok()?, provider_event_id: event.to_owned() })
    }
}

impl FailedEvent {
    /// The state.
    #[must_use]
    pub const fn state(&self) -> FailureState {
        match (self.resolved_at, self.closed_at) {
            (Some(_), _) => FailureState::Resolved,
            (None, Some(_)) => FailureState::Closed,
            (None, None) => FailureState::Open,
        }
    }

    /// The failure's position in a list.
    #[must_use]
    pub fn cursor(&self) -> FailureCursor {
        FailureCursor { first_failed_at: self.first_failed_at, provider_event_id: self.provider_event_id.clone() }
    }
}

/// The number of open failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenFailures {
    /// Failures that a replay may resolve.
    pub transient: i64,
    /// Failures that an operator has to look at.
    pub permanent: i64,
}

#[derive(sqlx::FromRow)]
struct Exists {}

statements! {
    /// A permanent failure stays permanent and keeps its reason. An event that did not concern us and fails now is open
    /// again; a decided one is not, because it has a row in `webhook_events`.
    RECORD = "INSERT INTO failed_webhook_events \
        (provider_event_id, provider, type, kind, error, attempts, first_failed_at, last_failed_at, payload, \
        payload_at, topup_id, \
        provider_payment_id) VALUES (:event, :provider, :event_type, :kind, :error, 1, :now_ms, :now_ms, :payload, \
        :payload_at_ms, :topup, :payment) \
        ON CONFLICT (provider_event_id, provider) DO UPDATE SET \
        error = CASE WHEN failed_webhook_events.kind = 'permanent' AND excluded.kind <> 'permanent' \
        THEN failed_webhook_events.error ELSE excluded.error END, \
        kind = CASE WHEN failed_webhook_events.kind = 'permanent' THEN 'permanent' ELSE excluded.kind END, \
        topup_id = COALESCE(excluded.topup_id, failed_webhook_events.topup_id), \
        provider_payment_id = COALESCE(excluded.provider_payment_id, failed_webhook_events.provider_payment_id), \
        payload = COALESCE(excluded.payload, failed_webhook_events.payload), \
        payload_at = COALESCE(excluded.payload_at, failed_webhook_events.payload_at), \
        attempts = failed_webhook_events.attempts + 1, last_failed_at = excluded.last_failed_at, resolved_at = NULL";
    RESOLVE = "UPDATE failed_webhook_events SET resolved_at = :now_ms WHERE provider_event_id = :event AND provider \
        = :provider AND resolved_at IS NULL";
    OPEN = "SELECT f.provider_event_id FROM failed_webhook_events f WHERE f.provider_event_id = :event AND \
        f.provider = :provider AND f.resolved_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND \
        e.provider = f.provider)";
    COUNT_OPEN = "SELECT \
        CAST(COALESCE(SUM(CASE WHEN f.kind = 'transient' THEN 1 ELSE 0 END), 0) AS BIGINT) AS transient, \
        CAST(COALESCE(SUM(CASE WHEN f.kind = 'permanent' THEN 1 ELSE 0 END), 0) AS BIGINT) AS permanent \
        FROM failed_webhook_events f WHERE f.resolved_at IS NULL AND f.closed_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND \
        e.provider = f.provider)";
    FIND = "SELECT f.provider_event_id, f.provider, f.type, f.kind, f.error, f.attempts, f.first_failed_at, \
        f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.provider_event_id = \
        f.provider_event_id AND e.provider = f.provider)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END \
        AS BIGINT) AS has_payload, f.payload \
        FROM failed_webhook_events f WHERE f.provider_event_id = :event ORDER BY f.provider LIMIT 1";
    LIST = "SELECT f.provider_event_id, f.provider, f.type, f.kind, f.error, f.attempts, f.first_failed_at, \
        f.last_failed_at, \
        COALESCE(f.resolved_at, (SELECT e.received_at FROM webhook_events e WHERE e.provider_event_id = \
        f.provider_event_id AND e.provider = f.provider)) AS resolved_at, \
        f.closed_at, f.closed_by, f.close_reason, f.payload_at, CAST(CASE WHEN f.payload IS NULL THEN 0 ELSE 1 END \
        AS BIGINT) AS has_payload \
        FROM failed_webhook_events f WHERE (f.first_failed_at, f.provider_event_id) < (:after_ms, :after_id) \
        AND (:kind = 'all' OR f.kind = :kind) AND (:state = 'all' OR :state = CASE WHEN f.resolved_at IS NOT NULL \
        OR EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND e.provider = \
        f.provider) THEN 'resolved' \
        WHEN f.closed_at IS NOT NULL THEN 'closed' ELSE 'open' END) \
        ORDER BY f.first_failed_at DESC, f.provider_event_id DESC LIMIT :limit";
    REPLAYABLE = "SELECT f.provider_event_id, f.provider, f.first_failed_at FROM failed_webhook_events f \
        WHERE (f.first_failed_at, f.provider_event_id) > (:after_ms, :after_id) AND f.kind = 'transient' AND \
        f.resolved_at IS NULL AND f.closed_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = f.provider_event_id AND \
        e.provider = f.provider) \
        ORDER BY f.first_failed_at, f.provider_event_id LIMIT :limit";
    CLOSE = "UPDATE failed_webhook_events SET closed_at = :now_ms, closed_by = :by, close_reason = :reason WHERE \
        provider_event_id = :event AND provider = :provider \
        AND closed_at IS NULL AND resolved_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.provider_event_id = \
        failed_webhook_events.provider_event_id \
        AND e.provider = failed_webhook_events.provider)";
    HAS_OLD_PAYLOAD = "SELECT provider_event_id FROM failed_webhook_events \
        WHERE payload IS NOT NULL AND payload_at <= :until_ms LIMIT 1";
    ERASE = "UPDATE failed_webhook_events SET payload = NULL WHERE payload IS NOT NULL AND (provider_event_id, \
        provider) IN (SELECT provider_event_id, provider \
        FROM failed_webhook_events WHERE payload IS NOT NULL AND payload_at <= :until_ms ORDER BY payload_at LIMIT \
        :limit)";
}

/// The most characters to store of an error: it may quote the delivery.
const MAX_TEXT_CHARACTERS: usize = 1_000;

/// A text that every database accepts: PostgreSQL rejects NUL, and a failure that cannot be recorded would make the
/// provider retry forever.
fn storable(text: &str) -> String {
    text.chars()
        .map(|character| if character == '\0' { '\u{FFFD}' } else { character })
        .take(MAX_TEXT_CHARACTERS)
        .collect()
}

/// Records that a delivery had no effect. Long texts are truncated; the payload is not, because only a complete one is
/// useful.
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

/// Marks the failure of an event that does not concern us as resolved.
///
/// # Errors
/// When the database fails.
pub async fn resolve(tx: &mut Tx, provider: ProviderName, event: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&RESOLVE, &args![event = storable(event).as_str(), provider = provider.as_str(), now_ms]).await.map(drop)
}

/// Closes an open failure, recording who closed it and why. It stays closed however often the event fails again; if the
/// event is decided later, the failure is resolved. Returns `false` if it is not open.
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

/// Erases at most `limit` payloads that arrived at or before `until_ms`. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn erase_payloads(tx: &mut Tx, until_ms: i64, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&ERASE, &args![until_ms, limit]).await
}

impl Db {
    /// A page of failed deliveries after a position, newest first.
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

    /// Finds a failed delivery by its event's id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed_event(&self, event: &str) -> Result<Option<FailedDelivery>, StoreError> {
        self.read_optional(&FIND, &args![event = storable(event).as_str()]).await
    }

    /// A page of the open transient failures after a position, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replayable_events(&self, after: &FailureCursor, limit: i64) -> Result<Vec<FailureCursor>, StoreError> {
        let values = args![after_ms = after.first_failed_at, after_id = after.provider_event_id.as_str(), limit];
        self.read_all(&REPLAYABLE, &values).await
    }

    /// The number of open failures.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_failures(&self) -> Result<OpenFailures, StoreError> {
        let none = OpenFailures { transient: 0, permanent: 0 };
        Ok(self.read_optional(&COUNT_OPEN, &[]).await?.unwrap_or(none))
    }

    /// Whether a delivery of this event failed and is not resolved.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_open_failure(&self, provider: ProviderName, event: &str) -> Result<bool, StoreError> {
        Ok(self
            .read_optional::<Exists>(&OPEN, &args![event = storable(event).as_str(), provider = provider.as_str()])
            .await?
            .is_some())
    }

    /// Whether a payload is stored that arrived at or before `until_ms`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_payload_until(&self, until_ms: i64) -> Result<bool, StoreError> {
        Ok(self.read_optional::<Exists>(&HAS_OLD_PAYLOAD, &args![until_ms]).await?.is_some())
    }
}
