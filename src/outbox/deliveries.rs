//! The deliveries of an endpoint, as operators see them.

use crate::db::{Db, StoreError, args, statements};
use crate::domain::ids::EndpointId;
use crate::outbox::queues::DeliveryState;

/// A delivery with its message.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    /// The message's number, which orders deliveries.
    pub number: i64,
    /// The message's id.
    pub message_id: String,
    /// The name of the message's type.
    pub r#type: String,
    /// The account; empty if it is about none.
    pub account_id: String,
    /// The name of the delivery's state.
    pub state: String,
    /// How many attempts were made.
    pub attempts: i64,
    /// The status of the last answer.
    pub last_status: Option<i64>,
    /// What was wrong with the last attempt.
    pub last_error: Option<String>,
    /// When the last attempt was made, in milliseconds since 1970.
    pub last_attempt_at: Option<i64>,
    /// When the next attempt of its account's queue is due; of interest while it waits.
    pub next_at: Option<i64>,
    /// When the message was written, in milliseconds since 1970.
    pub created_at: i64,
}

/// An attempt to deliver a message.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeliveryAttempt {
    /// Its number, counted from 1.
    pub attempt: i64,
    /// The status of the answer.
    pub status: Option<i64>,
    /// What was wrong.
    pub error: Option<String>,
    /// How long it took.
    pub milliseconds: i64,
    /// When it was made, in milliseconds since 1970.
    pub attempted_at: i64,
}

#[derive(sqlx::FromRow)]
struct PayloadRow {
    payload: Option<String>,
}

statements! {
    LIST = "SELECT d.message_number AS number, m.id AS message_id, m.type, d.account_id, d.state, d.attempts, \
        d.last_status, d.last_error, d.last_attempt_at, q.next_at, m.created_at FROM deliveries d \
        JOIN messages m ON m.number = d.message_number \
        LEFT JOIN delivery_queues q ON q.endpoint_id = d.endpoint_id AND q.account_id = d.account_id \
        WHERE d.endpoint_id = :endpoint AND d.message_number < :below ORDER BY d.message_number DESC LIMIT :limit";
    LIST_IN_STATE = "SELECT d.message_number AS number, m.id AS message_id, m.type, d.account_id, d.state, d.attempts, \
        d.last_status, d.last_error, d.last_attempt_at, q.next_at, m.created_at FROM deliveries d \
        JOIN messages m ON m.number = d.message_number \
        LEFT JOIN delivery_queues q ON q.endpoint_id = d.endpoint_id AND q.account_id = d.account_id \
        WHERE d.endpoint_id = :endpoint AND d.state = :state AND d.message_number < :below \
        ORDER BY d.message_number DESC LIMIT :limit";
    FIND = "SELECT d.message_number AS number, m.id AS message_id, m.type, d.account_id, d.state, d.attempts, \
        d.last_status, d.last_error, d.last_attempt_at, q.next_at, m.created_at FROM messages m \
        JOIN deliveries d ON d.message_number = m.number \
        LEFT JOIN delivery_queues q ON q.endpoint_id = d.endpoint_id AND q.account_id = d.account_id \
        WHERE m.id = :message AND d.endpoint_id = :endpoint";
    ATTEMPTS = "SELECT attempt, status, error, milliseconds, attempted_at FROM delivery_attempts \
        WHERE endpoint_id = :endpoint AND message_number = :number ORDER BY attempt DESC LIMIT 50";
    PAYLOAD = "SELECT payload FROM messages WHERE number = :number";
}

impl Db {
    /// The deliveries of an endpoint below a number, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(
        &self,
        endpoint: &EndpointId,
        state: Option<DeliveryState>,
        below: i64,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let endpoint = endpoint.as_str();
        match state {
            None => self.read_all(&LIST, &args![endpoint, below, limit]).await,
            Some(state) => self.read_all(&LIST_IN_STATE, &args![endpoint, state = state.as_str(), below, limit]).await,
        }
    }

    /// The delivery of a message to an endpoint.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery(&self, endpoint: &EndpointId, message: &str) -> Result<Option<Delivery>, StoreError> {
        self.read_optional(&FIND, &args![endpoint = endpoint.as_str(), message]).await
    }

    /// The last 50 attempts of a delivery, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_attempts(
        &self,
        endpoint: &EndpointId,
        number: i64,
    ) -> Result<Vec<DeliveryAttempt>, StoreError> {
        self.read_all(&ATTEMPTS, &args![endpoint = endpoint.as_str(), number]).await
    }

    /// The body of a message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message_payload(&self, number: i64) -> Result<Option<String>, StoreError> {
        Ok(self.read_optional::<PayloadRow>(&PAYLOAD, &args![number]).await?.and_then(|row| row.payload))
    }
}
