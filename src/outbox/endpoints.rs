//! Stored endpoints.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::ids::EndpointId;

/// How many endpoints there may be at once. Each has a few connections of its own.
pub const MAX_ENDPOINTS: i64 = 20;

/// The state of an endpoint. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointState {
    /// It gets messages.
    Active,
    /// It gets none; those that wait are kept.
    Disabled,
    /// It is only kept for the records.
    Deleted,
}

impl EndpointState {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
}

/// A stored endpoint.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// Its address.
    pub url: String,
    /// The names of the types that it gets, separated by spaces; empty for all.
    pub types: String,
    /// What it is for.
    pub description: String,
    /// The name of its state.
    pub state: String,
    /// Why it is disabled: `operator`, `failing` or `gone`.
    pub disabled_reason: Option<String>,
    /// The number of its secret; it grows by one with each rotation.
    pub secret_version: i64,
    /// Until when the secret before signs as well, in milliseconds since 1970.
    pub old_secret_until: i64,
    /// When the failures began that no success has followed, in milliseconds since 1970.
    pub failing_since: Option<i64>,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_at: i64,
}

impl Endpoint {
    /// Whether it gets messages.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == EndpointState::Active.as_str()
    }

    /// Whether it wants messages of this type.
    #[must_use]
    pub fn wants(&self, event: &str) -> bool {
        self.types.is_empty() || self.types.split(' ').any(|name| name == event)
    }
}

statements! {
    INSERT = "INSERT INTO endpoints (id, url, types, description, state, secret_version, old_secret_until, created_at, \
        updated_at) VALUES (:id, :url, :types, :description, 'active', 1, 0, :now_ms, :now_ms)";
    LIST = "SELECT id, url, types, description, state, disabled_reason, secret_version, old_secret_until, \
        failing_since, created_at, updated_at FROM endpoints WHERE state <> 'deleted' ORDER BY created_at, id";
    FIND = "SELECT id, url, types, description, state, disabled_reason, secret_version, old_secret_until, \
        failing_since, created_at, updated_at FROM endpoints WHERE id = :endpoint AND state <> 'deleted'";
    CHANGE = "UPDATE endpoints SET url = :url, types = :types, description = :description, state = :state, \
        disabled_reason = :disabled_reason, failing_since = :failing_since, secret_version = :secret_version, \
        old_secret_until = :old_secret_until, updated_at = :now_ms WHERE id = :id";
    LOCK = "UPDATE endpoints SET state = state WHERE id = :endpoint AND state <> 'deleted' RETURNING id, url, types, \
        description, state, disabled_reason, secret_version, old_secret_until, failing_since, created_at, updated_at";
    FAILS = "UPDATE endpoints SET failing_since = :now_ms WHERE id = :endpoint AND failing_since IS NULL";
    WORKS = "UPDATE endpoints SET failing_since = NULL WHERE id = :endpoint AND failing_since IS NOT NULL";
    DISABLE = "UPDATE endpoints SET state = 'disabled', disabled_reason = :reason, updated_at = :now_ms \
        WHERE id = :endpoint AND state = 'active' AND (:reason <> 'failing' OR failing_since <= :failing_before)";
}

/// Stores a new endpoint.
pub(crate) async fn insert(tx: &mut Tx, new: &Endpoint) -> Result<(), StoreError> {
    let values = args![
        id = new.id.as_str(),
        url = new.url.as_str(),
        types = new.types.as_str(),
        description = new.description.as_str(),
        now_ms = new.created_at
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// All endpoints that are not deleted, within a transaction.
pub(crate) async fn list(tx: &mut Tx) -> Result<Vec<Endpoint>, StoreError> {
    tx.fetch_all(&LIST, &[]).await
}

/// Locks an endpoint; `None` if there is no such one.
pub(crate) async fn lock(tx: &mut Tx, endpoint: &str) -> Result<Option<Endpoint>, StoreError> {
    tx.fetch_optional(&LOCK, &args![endpoint]).await
}

/// An endpoint as it is now, within a transaction; `None` if there is no such one.
pub(crate) async fn find(tx: &mut Tx, endpoint: &str) -> Result<Option<Endpoint>, StoreError> {
    tx.fetch_optional(&FIND, &args![endpoint]).await
}

/// Stores what was changed of a locked endpoint.
pub(crate) async fn store(tx: &mut Tx, changed: &Endpoint, now_ms: i64) -> Result<(), StoreError> {
    let values = args![
        id = changed.id.as_str(),
        url = changed.url.as_str(),
        types = changed.types.as_str(),
        description = changed.description.as_str(),
        state = changed.state.as_str(),
        disabled_reason = changed.disabled_reason.as_deref(),
        failing_since = changed.failing_since,
        secret_version = changed.secret_version,
        old_secret_until = changed.old_secret_until,
        now_ms
    ];
    tx.execute(&CHANGE, &values).await.map(drop)
}

/// Notes a success.
pub(crate) async fn works(tx: &mut Tx, endpoint: &str) -> Result<(), StoreError> {
    tx.execute(&WORKS, &args![endpoint]).await.map(drop)
}

/// Notes a failure.
pub(crate) async fn fails(tx: &mut Tx, endpoint: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&FAILS, &args![endpoint, now_ms]).await.map(drop)
}

/// Disables an endpoint: because it is `gone`, or `failing` since before a time. `false` if it is not active, or works.
pub(crate) async fn disable(
    tx: &mut Tx,
    endpoint: &str,
    reason: &str,
    failing_before: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&DISABLE, &args![endpoint, reason, failing_before, now_ms]).await? == 1)
}

impl Db {
    /// All endpoints that are not deleted, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.read_all(&LIST, &[]).await
    }

    /// An endpoint that is not deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn endpoint(&self, endpoint: &EndpointId) -> Result<Option<Endpoint>, StoreError> {
        self.read_optional(&FIND, &args![endpoint = endpoint.as_str()]).await
    }
}
