//! Stored API keys. Only the hash of a key is stored.

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};

/// A stored API key.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiKeyRow {
    /// Its id, which is not secret.
    pub id: String,
    /// The name given by the operator.
    pub name: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// The only account it may act for; `None` means any account that the caller names.
    pub account_id: Option<String>,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was revoked, in milliseconds since 1970.
    pub revoked_at: Option<i64>,
}

statements! {
    INSERT = "INSERT INTO api_keys (id, name, key_hash, scopes, account_id, created_at) VALUES (:id, :name, \
        :key_hash, :scopes, :account, :created_at)";
    REVOKE = "UPDATE api_keys SET revoked_at = :now_ms WHERE id = :id AND revoked_at IS NULL";
    /// Keeps a later use.
    USED = "UPDATE api_keys SET last_used_at = :at_ms WHERE id = :id AND (last_used_at IS NULL OR last_used_at < \
        :at_ms)";
    USES = "SELECT id, last_used_at FROM api_keys";
    LIST = "SELECT id, name, scopes, account_id, created_at, revoked_at FROM api_keys ORDER BY created_at, id";
    FIND = "SELECT id, name, scopes, account_id, created_at, revoked_at FROM api_keys \
        WHERE key_hash = :key_hash AND revoked_at IS NULL";
}

/// Stores a new API key.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, key: &ApiKeyRow, key_hash: &str) -> Result<(), StoreError> {
    let values = args![
        id = key.id.as_str(),
        name = key.name.as_str(),
        key_hash,
        scopes = key.scopes.as_str(),
        account = key.account_id.as_deref(),
        created_at = key.created_at
    ];
    tx.execute(&INSERT, &values).await.map(drop)
}

/// Revokes an API key; `false` if there is no key with this id, or it was revoked before.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, &args![id, now_ms]).await? == 1)
}

/// The last use of an API key.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiKeyUse {
    /// The API key's id.
    pub id: String,
    /// When it was last used, in milliseconds since 1970, to the minute; `None` if never.
    pub last_used_at: Option<i64>,
}

/// Records that an API key was used.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, id: &str, at_ms: i64) -> Result<(), StoreError> {
    tx.execute(&USED, &args![id, at_ms]).await.map(drop)
}

impl Db {
    /// The last use of each API key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key_uses(&self) -> Result<Vec<ApiKeyUse>, StoreError> {
        self.read_all(&USES, &[]).await
    }

    /// All API keys, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.read_all(&LIST, &[]).await
    }

    /// The API key with this hash, unless it was revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read_optional(&FIND, &args![key_hash]).await
    }
}
