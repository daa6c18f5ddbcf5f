//! Creates, changes, rotates and deletes endpoints, and sends a test.

use secrecy::SecretString;
use serde_json::{Map, json};

use crate::app::App;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::ids::EndpointId;
use crate::domain::outbox_settings::OutboxSettings;
use crate::messages::event_type::EventType;
use crate::messages::message::NewMessage;
use crate::outbox::endpoint_url::{self, InvalidUrl};
use crate::outbox::endpoints::{self, Endpoint, EndpointState, MAX_ENDPOINTS};
use crate::outbox::payload::body;
use crate::outbox::queues;
use crate::outbox::signing::{OVERLAP_MS, SigningKey};
use crate::outbox::switch;
use crate::ports::{Clock, IdGenerator};

/// The longest description, in characters.
pub const MAX_DESCRIPTION_CHARACTERS: usize = 200;

statements! {
    INSERT_QUEUED = "INSERT INTO messages (id, type, account_id, cause, payload, created_at) \
        VALUES (:id, :event, '', :cause, :payload, :now_ms) RETURNING number";
}

#[derive(sqlx::FromRow)]
struct NumberRow {
    number: i64,
}

/// What a use case of endpoints works with; commands beside the service have no more.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The database.
    pub db: &'c Db,
    /// The clock.
    pub clock: &'c dyn Clock,
    /// Ids and secrets.
    pub ids: &'c dyn IdGenerator,
    /// The settings.
    pub settings: &'c OutboxSettings,
}

impl<'c> Context<'c> {
    /// The context of a running service.
    #[must_use]
    pub fn of(app: &'c App) -> Self {
        Self { db: &app.db, clock: app.clock.as_ref(), ids: app.ids.as_ref(), settings: &app.outbox }
    }
}

/// What can be said of an endpoint. What is `None` stays as it is, or as the default.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// Its address.
    pub url: Option<String>,
    /// The types that it gets; empty for all.
    pub types: Option<Vec<EventType>>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it gets messages.
    pub is_active: Option<bool>,
}

/// An endpoint with its secret.
#[derive(Debug, Clone)]
pub struct WithSecret {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The secret that signs from now on.
    pub secret: SecretString,
}

/// Why an endpoint cannot be created or changed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address cannot be one.
    #[error("{0}")]
    Url(#[from] InvalidUrl),
    /// There is no such endpoint.
    #[error("there is no such endpoint")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are {MAX_ENDPOINTS} endpoints already, which is the most; delete one first")]
    TooMany,
    /// It is disabled.
    #[error("the endpoint is disabled; activate it first")]
    Disabled,
    /// The key that signs is not the one that the endpoints' secrets follow from.
    #[error(
        "WEBHOOK_SIGNING_KEY is not the key that the secrets of the endpoints follow from; put the earlier one back, or \
         delete all endpoints and create them anew"
    )]
    OtherKey,
    /// The operating system provides no randomness.
    #[error("the operating system has no randomness to give")]
    NoRandomness(#[from] std::io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of a write, or why nothing was written.
type Decided<T> = Result<T, EndpointError>;

/// Creates an endpoint. Messages are written from the first one on.
///
/// # Errors
/// See [`EndpointError`].
pub async fn create(context: Context<'_>, new: EndpointChange) -> Decided<WithSecret> {
    let url = endpoint_url::parse(new.url.as_deref().unwrap_or_default(), &context.settings.allowed_networks)?;
    let now_ms = context.clock.now_ms();
    let endpoint = Endpoint {
        id: EndpointId::from_bits(context.ids.id_bits()).to_string(),
        url: url.to_string(),
        types: names(new.types.as_deref().unwrap_or_default()),
        description: new.description.unwrap_or_default(),
        state: EndpointState::Active.as_str().to_owned(),
        disabled_reason: None,
        secret_version: 1,
        old_secret_until: 0,
        failing_since: None,
        created_at: now_ms,
        updated_at: now_ms,
    };
    let new_key = hex::encode(context.ids.secret_bytes()?);
    let write = InsertEndpoint { endpoint: endpoint.clone(), settings: context.settings.clone(), new_key };
    let key = context.db.write(write).await??;
    let secret = key.secret(&endpoint.id, 1).to_text();
    tracing::info!(endpoint = endpoint.id, "an endpoint for messages was created");
    Ok(WithSecret { endpoint, secret })
}

fn names(types: &[EventType]) -> String {
    let mut types = types.to_vec();
    types.sort_unstable();
    types.dedup();
    types.into_iter().map(EventType::as_str).collect::<Vec<_>>().join(" ")
}

struct InsertEndpoint {
    endpoint: Endpoint,
    settings: OutboxSettings,
    /// The key that is kept in the database if the settings have none.
    new_key: String,
}

impl Write for InsertEndpoint {
    type Output = Result<SigningKey, Refusal>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        if switch::lock(tx).await?.key(&self.settings).is_none() {
            switch::keep_key(tx, &self.new_key).await?;
        }
        let switch = switch::lock(tx).await?;
        let missing = || StoreError::Corrupt("no key that signs".to_owned());
        let key = switch.key(&self.settings).ok_or_else(missing)?;
        if switch.key_hash.as_ref().is_some_and(|hash| *hash != key.hash()) {
            return Ok(Err(Refusal::OtherKey));
        }
        let count = endpoints::list(tx).await?.len();
        if i64::try_from(count).is_ok_and(|count| count >= MAX_ENDPOINTS) {
            return Ok(Err(Refusal::TooMany));
        }
        switch::note_key(tx, &key.hash()).await?;
        endpoints::insert(tx, &self.endpoint).await?;
        switch::turn_on(tx, self.endpoint.created_at).await?;
        Ok(Ok(key))
    }
}

/// Why a write was not done.
enum Refusal {
    NotFound,
    TooMany,
    Disabled,
    OtherKey,
}

impl From<Refusal> for EndpointError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::TooMany => Self::TooMany,
            Refusal::Disabled => Self::Disabled,
            Refusal::OtherKey => Self::OtherKey,
        }
    }
}

/// Changes an endpoint. One that is activated again gets what waited for it.
///
/// # Errors
/// See [`EndpointError`].
pub async fn change(context: Context<'_>, id: &EndpointId, change: EndpointChange) -> Decided<Endpoint> {
    let url = change.url.as_deref().map(|url| endpoint_url::parse(url, &context.settings.allowed_networks));
    let url = url.transpose()?.map(String::from);
    let write =
        ChangeEndpoint { id: id.clone(), change: EndpointChange { url, ..change }, now_ms: context.clock.now_ms() };
    Ok(context.db.write(write).await??)
}

struct ChangeEndpoint {
    id: EndpointId,
    change: EndpointChange,
    now_ms: i64,
}

impl Write for ChangeEndpoint {
    type Output = Result<Endpoint, Refusal>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let Some(mut endpoint) = endpoints::lock(tx, self.id.as_str()).await? else {
            return Ok(Err(Refusal::NotFound));
        };
        let EndpointChange { url, types, description, is_active } = &self.change;
        endpoint.url = url.clone().unwrap_or(endpoint.url);
        endpoint.types = types.as_deref().map_or(endpoint.types, names);
        endpoint.description = description.clone().unwrap_or(endpoint.description);
        let activated = *is_active == Some(true) && endpoint.state != EndpointState::Active.as_str();
        match is_active {
            Some(true) => {
                EndpointState::Active.as_str().clone_into(&mut endpoint.state);
                endpoint.disabled_reason = None;
                if activated {
                    endpoint.failing_since = None;
                }
            }
            Some(false) if endpoint.state == EndpointState::Active.as_str() => {
                EndpointState::Disabled.as_str().clone_into(&mut endpoint.state);
                endpoint.disabled_reason = Some("operator".to_owned());
            }
            _ => {}
        }
        endpoint.updated_at = self.now_ms;
        endpoints::store(tx, &endpoint, self.now_ms).await?;
        if activated || url.is_some() {
            queues::hurry_all(tx, self.id.as_str(), self.now_ms).await?;
        }
        Ok(Ok(endpoint))
    }
}

/// Replaces an endpoint's secret. The one before signs as well for a day.
///
/// # Errors
/// See [`EndpointError`].
pub async fn rotate(context: Context<'_>, id: &EndpointId) -> Decided<WithSecret> {
    let write = RotateSecret { id: id.clone(), settings: context.settings.clone(), now_ms: context.clock.now_ms() };
    let (endpoint, key) = context.db.write(write).await??;
    let secret = key.secret(&endpoint.id, endpoint.secret_version).to_text();
    tracing::info!(endpoint = endpoint.id, "the secret of an endpoint was rotated");
    Ok(WithSecret { endpoint, secret })
}

struct RotateSecret {
    id: EndpointId,
    settings: OutboxSettings,
    now_ms: i64,
}

impl Write for RotateSecret {
    type Output = Result<(Endpoint, SigningKey), Refusal>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let switch = switch::lock(tx).await?;
        let Some(mut endpoint) = endpoints::lock(tx, self.id.as_str()).await? else {
            return Ok(Err(Refusal::NotFound));
        };
        let key = switch.key(&self.settings).filter(|key| switch.key_hash.as_ref() == Some(&key.hash()));
        let Some(key) = key else { return Ok(Err(Refusal::OtherKey)) };
        endpoint.secret_version = endpoint.secret_version.saturating_add(1);
        endpoint.old_secret_until = self.now_ms.saturating_add(OVERLAP_MS);
        endpoint.updated_at = self.now_ms;
        endpoints::store(tx, &endpoint, self.now_ms).await?;
        Ok(Ok((endpoint, key)))
    }
}

/// Deletes an endpoint, and ends what waits for it. Without any endpoint, no messages are written.
///
/// # Errors
/// See [`EndpointError`].
pub async fn delete(context: Context<'_>, id: &EndpointId) -> Decided<()> {
    context.db.write(DeleteEndpoint { id: id.clone(), now_ms: context.clock.now_ms() }).await??;
    tracing::info!(endpoint = id.as_str(), "an endpoint for messages was deleted");
    Ok(())
}

struct DeleteEndpoint {
    id: EndpointId,
    now_ms: i64,
}

impl Write for DeleteEndpoint {
    type Output = Result<(), Refusal>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        switch::lock(tx).await?;
        let Some(mut endpoint) = endpoints::lock(tx, self.id.as_str()).await? else {
            return Ok(Err(Refusal::NotFound));
        };
        queues::end_all(tx, self.id.as_str()).await?;
        EndpointState::Deleted.as_str().clone_into(&mut endpoint.state);
        endpoints::store(tx, &endpoint, self.now_ms).await?;
        if endpoints::list(tx).await?.is_empty() {
            switch::turn_off(tx).await?;
        }
        Ok(Ok(()))
    }
}

/// Sends a test to an endpoint. Returns the message's id.
///
/// # Errors
/// See [`EndpointError`].
pub async fn test(context: Context<'_>, id: &EndpointId) -> Decided<String> {
    let distinction = format!("{:032x}", context.ids.id_bits());
    Ok(context.db.write(QueueTest { id: id.clone(), distinction, now_ms: context.clock.now_ms() }).await??)
}

struct QueueTest {
    id: EndpointId,
    distinction: String,
    now_ms: i64,
}

impl Write for QueueTest {
    type Output = Result<String, Refusal>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let Some(endpoint) = endpoints::lock(tx, self.id.as_str()).await? else {
            return Ok(Err(Refusal::NotFound));
        };
        if !endpoint.is_active() {
            return Ok(Err(Refusal::Disabled));
        }
        let event = EventType::EndpointTest;
        let (distinction, cause) = (self.distinction.as_str(), self.id.as_str());
        let message = NewMessage { event, distinction, account: "", cause, facts: None, now_ms: self.now_ms };
        let data = Map::from_iter([("endpointId".to_owned(), json!(cause))]);
        let (id, payload) = (message.id(), body(event.as_str(), self.now_ms, &data));
        let values =
            args![id = id.as_str(), event = event.as_str(), cause, payload = payload.as_str(), now_ms = self.now_ms];
        let row: Option<NumberRow> = tx.fetch_optional(&INSERT_QUEUED, &values).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("no number of message", &id))?;
        queues::queue(tx, cause, row.number, "", self.now_ms).await?;
        Ok(Ok(id))
    }
}
