//! Credentials of servers. Only the hash of a key is kept.

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};

/// A credential as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiKeyRow {
    /// Its id, which is no secret.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// What it may do: words separated by spaces.
    pub scopes: String,
    /// The one account it may act for; none means any that it names.
    pub account_id: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was revoked, in milliseconds since 1970.
    pub revoked_at: Option<i64>,
}

statements! {
    INSERT = "INSERT INTO api_keys (id, name, key_hash, scopes, account_id, created_at) VALUES (:id, :name, :key_hash, :scopes, :account, :created_at)";
    REVOKE = "UPDATE api_keys SET revoked_at = :now_ms WHERE id = :id AND revoked_at IS NULL";
    /// A later use stays.
    USED = "UPDATE api_keys SET last_used_at = :at_ms WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at_ms)";
    USES = "SELECT id, last_used_at FROM api_keys";
    LIST = "SELECT id, name, scopes, account_id, created_at, revoked_at FROM api_keys ORDER BY created_at, id";
    FIND = "SELECT id, name, scopes, account_id, created_at, revoked_at FROM api_keys \
        WHERE key_hash = :key_hash AND revoked_at IS NULL";
}

/// Stores a new credential.
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

/// Revokes a credential; `false` when there is none of that id, or it was revoked before.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &mut Tx, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&REVOKE, &args![id, now_ms]).await? == 1)
}

/// When a credential was last used.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ApiKeyUse {
    /// The credential's id.
    pub id: String,
    /// When, in milliseconds since 1970, to the minute; none if it never was.
    pub last_used_at: Option<i64>,
}

/// Notes that a credential was used.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, id: &str, at_ms: i64) -> Result<(), StoreError> {
    tx.execute(&USED, &args![id, at_ms]).await.map(drop)
}

impl Db {
    /// When each credential was last used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key_uses(&self) -> Result<Vec<ApiKeyUse>, StoreError> {
        self.read_all(&USES, &[]).await
    }

    /// All credentials, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.read_all(&LIST, &[]).await
    }

    /// The credential with this hash, unless it was revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key_by_hash(&self, key_hash: &str) -> Result<Option<ApiKeyRow>, StoreError> {
        self.read_optional(&FIND, &args![key_hash]).await
    }
}
