//! Endpoints and deliveries as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::outbox::deliveries::{Delivery as StoredDelivery, DeliveryAttempt};
use crate::outbox::endpoints::Endpoint as Stored;
use crate::outbox::queues::DeliveryState;

/// An address that messages are sent to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    #[schema(example = "endpoint_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "https://app.example.com/webhooks/topup")]
    url: String,
    /// The types of messages that it gets; empty for all.
    #[schema(example = json!(["topup.paid", "balance.low"]))]
    types: Vec<String>,
    #[schema(example = "The shop's backend")]
    description: String,
    /// `active`, or `disabled`: it gets no messages, and those that wait for it are kept.
    #[schema(example = "active")]
    state: String,
    /// Why it is disabled: `operator`, `failing` (nothing but failures for five days) or `gone` (it answered 410).
    #[schema(example = json!(null))]
    disabled_reason: Option<String>,
    /// When the failures began that no success has followed; null if the last attempt succeeded.
    #[schema(example = json!(null))]
    failing_since: Option<String>,
    /// Until when the secret before the last rotation signs as well; null if it does not.
    #[schema(example = json!(null))]
    old_secret_until: Option<String>,
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T12:00:00Z")]
    updated_at: String,
}

/// An endpoint and its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointWithSecret {
    #[serde(flatten)]
    endpoint: Endpoint,
    /// The secret that verifies messages, for a Standard Webhooks library.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: String,
}

/// All endpoints, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// There are at most 20.
    pub data: Vec<Endpoint>,
}

/// A delivery of a message to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDelivery {
    /// The message's id, which is sent as `webhook-id`.
    #[schema(example = "msg_topup_paid_019a0000000070008000000000000000")]
    message_id: String,
    #[serde(rename = "type")]
    #[schema(example = "topup.paid")]
    event: String,
    /// Null if the message is about no account.
    #[schema(example = "user_1")]
    account_id: Option<String>,
    /// `waiting`, `done`, or `failed`: it is not tried any more.
    #[schema(example = "done")]
    state: String,
    /// How many attempts were made.
    #[schema(example = 1)]
    attempts: i64,
    /// The HTTP status of the last answer; null if there was none.
    #[schema(example = 200)]
    last_status: Option<i64>,
    /// What was wrong with the last attempt.
    #[schema(example = json!(null))]
    last_error: Option<String>,
    #[schema(example = "2026-11-21T12:00:01Z")]
    last_attempt_at: Option<String>,
    /// When its account's next attempt at this endpoint is due. Messages of an account go out one after the other. Null
    /// unless it waits.
    #[schema(example = json!(null))]
    next_attempt_at: Option<String>,
    /// When the message was written.
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
}

/// A page of deliveries, newest message first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDeliveries {
    pub(super) data: Vec<EndpointDelivery>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "41")]
    pub(super) next_cursor: Option<String>,
}

/// An attempt to deliver a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointAttempt {
    /// Counted from 1.
    #[schema(example = 1)]
    attempt: i64,
    /// The HTTP status of the answer; null if there was none.
    #[schema(example = 200)]
    status: Option<i64>,
    /// What was wrong.
    #[schema(example = json!(null))]
    error: Option<String>,
    /// How long it took.
    #[schema(example = 42)]
    milliseconds: i64,
    #[schema(example = "2026-11-21T12:00:01Z")]
    attempted_at: String,
}

/// A delivery with its message and its attempts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDeliveryDetails {
    #[serde(flatten)]
    delivery: EndpointDelivery,
    /// The message as it is sent.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    /// The last 50 attempts, newest first.
    attempt_list: Vec<EndpointAttempt>,
}

/// A test that is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointTest {
    /// The message's id; see the endpoint's deliveries for what becomes of it.
    #[schema(example = "msg_endpoint_test_019a0000000070008000000000000000")]
    pub message_id: String,
}

/// What was queued.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resent {
    /// How many messages were queued.
    #[schema(example = 12)]
    pub messages: u64,
}

impl Endpoint {
    /// An endpoint as it is shown at a time.
    ///
    /// # Errors
    /// 500 when a stored time is corrupt.
    pub fn new(stored: Stored, now_ms: i64) -> Result<Self, ApiError> {
        let old_secret_until = Some(stored.old_secret_until).filter(|until| *until > now_ms);
        Ok(Self {
            id: stored.id,
            url: stored.url,
            types: stored.types.split_whitespace().map(str::to_owned).collect(),
            description: stored.description,
            state: stored.state,
            disabled_reason: stored.disabled_reason,
            failing_since: stored.failing_since.map(rfc3339).transpose()?,
            old_secret_until: old_secret_until.map(rfc3339).transpose()?,
            created_at: rfc3339(stored.created_at)?,
            updated_at: rfc3339(stored.updated_at)?,
        })
    }

    /// Its id, state and address, for a line on a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        let types = if self.types.is_empty() { "all types".to_owned() } else { self.types.join(",") };
        let reason = self.disabled_reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let failing = self.failing_since.as_deref().map(|since| format!("  failing since {since}")).unwrap_or_default();
        format!("{}  {}{reason}  {}  {types}{failing}  {}", self.id, self.state, self.url, self.description)
    }
}

impl EndpointWithSecret {
    /// An endpoint with its secret.
    #[must_use]
    pub const fn new(endpoint: Endpoint, secret: String) -> Self {
        Self { endpoint, secret }
    }
}

impl EndpointDelivery {
    /// A delivery as it is shown.
    ///
    /// # Errors
    /// 500 when a stored time is corrupt.
    pub fn new(stored: StoredDelivery) -> Result<Self, ApiError> {
        let waits = stored.state == DeliveryState::Waiting.as_str();
        let next_at = stored.next_at.filter(|next_at| waits && *next_at < i64::MAX);
        Ok(Self {
            message_id: stored.message_id,
            event: stored.r#type,
            account_id: Some(stored.account_id).filter(|account| !account.is_empty()),
            state: stored.state,
            attempts: stored.attempts,
            last_status: stored.last_status,
            last_error: stored.last_error,
            last_attempt_at: stored.last_attempt_at.map(rfc3339).transpose()?,
            next_attempt_at: next_at.map(rfc3339).transpose()?,
            created_at: rfc3339(stored.created_at)?,
        })
    }

    /// What it is and what became of it, for a line on a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        let account = self.account_id.as_deref().unwrap_or("-");
        let last = self.last_error.as_deref().unwrap_or_default();
        let (id, state, attempts, at) = (&self.message_id, &self.state, self.attempts, &self.created_at);
        format!("{id}  {state}  {attempts}x  {at}  {account}  {last}")
    }
}

impl EndpointDeliveries {
    /// The deliveries of the page.
    #[must_use]
    pub fn data(&self) -> &[EndpointDelivery] {
        &self.data
    }

    /// A page, given one row more than fits.
    ///
    /// # Errors
    /// 500 when a stored time is corrupt.
    pub fn new(mut rows: Vec<StoredDelivery>, limit: i64) -> Result<Self, ApiError> {
        let fits = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > fits;
        rows.truncate(fits);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| row.number.to_string());
        Ok(Self { data: rows.into_iter().map(EndpointDelivery::new).collect::<Result<_, _>>()?, next_cursor })
    }
}

impl EndpointDeliveryDetails {
    /// The delivery and its attempts, for the lines of a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let attempts = self.attempt_list.iter().map(|attempt| {
            let EndpointAttempt { attempt, status, error, milliseconds, attempted_at } = attempt;
            let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            format!(
                "  {attempt}.  {attempted_at}  {status}  {milliseconds} ms  {}",
                error.as_deref().unwrap_or_default()
            )
        });
        std::iter::once(self.delivery.line()).chain(attempts).collect()
    }

    /// A delivery with its message and its attempts.
    ///
    /// # Errors
    /// 500 when a stored time is corrupt.
    pub fn new(delivery: StoredDelivery, payload: &str, attempts: Vec<DeliveryAttempt>) -> Result<Self, ApiError> {
        let attempt = |attempt: DeliveryAttempt| {
            Ok::<_, ApiError>(EndpointAttempt {
                attempt: attempt.attempt,
                status: attempt.status,
                error: attempt.error,
                milliseconds: attempt.milliseconds,
                attempted_at: rfc3339(attempt.attempted_at)?,
            })
        };
        Ok(Self {
            delivery: EndpointDelivery::new(delivery)?,
            payload: serde_json::from_str(payload).unwrap_or_default(),
            attempt_list: attempts.into_iter().map(attempt).collect::<Result<_, _>>()?,
        })
    }
}
