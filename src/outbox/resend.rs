//! Sends messages once more: one, or those of a period.

use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::ids::EndpointId;
use crate::messages::event_type::EventType;
use crate::outbox::change_endpoint::{Context, EndpointError};
use crate::outbox::endpoints;
use crate::outbox::fan_out::fan_out_with;
use crate::outbox::queues::{self, DeliveryState};

/// How many messages are queued in one transaction.
const PAGE: i64 = 200;

statements! {
    FIND = "SELECT number, type, account_id, created_at, NULL AS state FROM messages \
        WHERE id = :message AND payload || '' <> ''";
    /// One whose body could not be made is new once more.
    MAKE_AGAIN = "UPDATE messages SET payload = NULL WHERE id = :message AND payload || '' = ''";
    PAGE_OF_PERIOD = "SELECT m.number, m.type, m.account_id, m.created_at, d.state FROM messages m \
        LEFT JOIN deliveries d ON d.endpoint_id = :endpoint AND d.message_number = m.number \
        WHERE m.created_at >= :from_ms AND m.created_at <= :until_ms \
        AND (m.created_at > :from_ms OR m.number > :after_number) AND m.payload || '' <> '' \
        ORDER BY m.created_at, m.number LIMIT :limit";
}

#[derive(Debug, Clone, sqlx::FromRow)]
struct MessageRow {
    number: i64,
    r#type: String,
    account_id: String,
    created_at: i64,
    /// The state of its delivery to the endpoint; `None` if it has none there.
    state: Option<String>,
}

/// Which messages of a period to send once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those whose delivery failed, and those of the endpoint's types that it never got.
    Missed,
    /// All of the endpoint's types.
    All,
}

/// Queues messages once more.
struct QueueAgain {
    endpoint: EndpointId,
    messages: Vec<MessageRow>,
    now_ms: i64,
}

/// Why nothing was queued.
enum Refusal {
    NotFound,
    Disabled,
}

impl Write for QueueAgain {
    type Output = Result<(), Refusal>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let Some(endpoint) = endpoints::lock(tx, self.endpoint.as_str()).await? else {
            return Ok(Err(Refusal::NotFound));
        };
        if !endpoint.is_active() {
            return Ok(Err(Refusal::Disabled));
        }
        for message in &self.messages {
            queues::queue(tx, &endpoint.id, message.number, &message.account_id, self.now_ms).await?;
        }
        Ok(Ok(()))
    }
}

/// Lets the body of a message be made anew. Returns whether it had none.
struct MakeAgain(String);

impl Write for MakeAgain {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        Ok(tx.execute(&MAKE_AGAIN, &args![message = self.0.as_str()]).await? == 1)
    }
}

async fn queue_again(
    context: Context<'_>,
    endpoint: &EndpointId,
    messages: Vec<MessageRow>,
) -> Result<(), EndpointError> {
    let write = QueueAgain { endpoint: endpoint.clone(), messages, now_ms: context.clock.now_ms() };
    context.db.write(write).await?.map_err(|refusal| match refusal {
        Refusal::NotFound => EndpointError::NotFound,
        Refusal::Disabled => EndpointError::Disabled,
    })
}

/// Sends one message to an endpoint once more, even if the endpoint never got it. One that waits is tried now. One that
/// could not be made is made now, also for the other endpoints. `false` if there is no such message, or if it still
/// cannot be made, which the log tells.
///
/// # Errors
/// See [`EndpointError`].
pub async fn resend(context: Context<'_>, endpoint: &EndpointId, message: &str) -> Result<bool, EndpointError> {
    if context.db.write(MakeAgain(message.to_owned())).await? {
        fan_out_with(context.db, context.clock).await?;
    }
    let Some(found) = context.db.message_row(message).await? else { return Ok(false) };
    queue_again(context, endpoint, vec![found]).await?;
    Ok(true)
}

/// Sends the messages that were written in a period to an endpoint once more, in their order. Returns their number.
///
/// # Errors
/// See [`EndpointError`].
pub async fn resend_period(
    context: Context<'_>,
    id: &EndpointId,
    (from_ms, until_ms): (i64, i64),
    which: Which,
) -> Result<u64, EndpointError> {
    let endpoint = context.db.endpoint(id).await?.ok_or(EndpointError::NotFound)?;
    let is_wanted = |row: &MessageRow| {
        let is_own =
            !matches!(EventType::parse(&row.r#type), Some(EventType::EndpointTest)) && endpoint.wants(&row.r#type);
        let state = row.state.as_deref();
        let is_missed = state.is_none() || state == Some(DeliveryState::Failed.as_str());
        let waits = state == Some(DeliveryState::Waiting.as_str());
        (is_own || state.is_some()) && !waits && (which == Which::All || is_missed)
    };
    let (mut after, mut count) = ((from_ms, i64::MIN), 0_u64);
    loop {
        let page = context.db.messages_of_period(id, until_ms, after).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = (last.created_at, last.number);
        let wanted: Vec<MessageRow> = page.iter().filter(|row| is_wanted(row)).cloned().collect();
        count = count.saturating_add(u64::try_from(wanted.len()).unwrap_or_default());
        queue_again(context, id, wanted).await?;
    }
}

impl Db {
    async fn message_row(&self, message: &str) -> Result<Option<MessageRow>, StoreError> {
        self.read_optional(&FIND, &args![message]).await
    }

    async fn messages_of_period(
        &self,
        endpoint: &EndpointId,
        until_ms: i64,
        after: (i64, i64),
    ) -> Result<Vec<MessageRow>, StoreError> {
        let values =
            args![endpoint = endpoint.as_str(), until_ms, from_ms = after.0, after_number = after.1, limit = PAGE];
        self.read_all(&PAGE_OF_PERIOD, &values).await
    }
}
