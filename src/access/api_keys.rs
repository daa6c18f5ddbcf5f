//! API keys of servers: shown once when created, and stored as a hash.

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::access::key_rows::{self, ApiKeyRow};
use crate::db::{Db, StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::ids::ApiKeyId;
use crate::ports::{Clock, IdGenerator};

/// The prefix of every key, by which people and secret scanners recognise it.
pub const KEY_PREFIX: &str = "topup_sk_";
/// 256 bits in hexadecimal.
const SECRET_DIGITS: usize = 64;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Open checkouts.
    Checkout,
    /// Read balances, ledgers and purchases.
    Read,
    /// Spend credits: debits, holds, refunds of spends.
    Spend,
    /// Use the console, with limits: see everything but keys and settings, replay, refund and adjust.
    Support,
    /// Everything, also for the operator's tools.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [Self::Checkout, Self::Read, Self::Spend, Self::Support, Self::Admin];

    /// The name used on the command line and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Read => "read",
            Self::Spend => "spend",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// An API key that was presented and is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, for the log.
    pub id: String,
    /// The name given by the operator.
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// The only account it may act for; `None` means any account that the caller names.
    pub account: Option<AccountId>,
}

impl ApiKey {
    /// Whether the key has this scope; `admin` includes every other.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// A new API key. The secret is not stored anywhere.
#[derive(Debug)]
pub struct NewApiKey {
    /// Its id, for revoking it.
    pub id: ApiKeyId,
    /// The secret, to be shown once.
    pub secret: SecretString,
}

/// Why an API key cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateApiKeyError {
    /// The operating system provides no randomness.
    #[error("the operating system has no randomness to give")]
    NoRandomness(#[from] std::io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates an API key.
///
/// # Errors
/// See [`CreateApiKeyError`].
pub async fn create(
    db: &Db,
    ids: &dyn IdGenerator,
    clock: &dyn Clock,
    name: &str,
    scopes: &[Scope],
    account: Option<&AccountId>,
) -> Result<NewApiKey, CreateApiKeyError> {
    let id = ApiKeyId::from_bits(ids.id_bits());
    let secret = format!("{KEY_PREFIX}{}", hex::encode(ids.secret_bytes()?));
    let row = ApiKeyRow {
        id: id.as_str().to_owned(),
        name: name.to_owned(),
        scopes: scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
        account_id: account.map(|account| account.as_str().to_owned()),
        created_at: clock.now_ms(),
        revoked_at: None,
    };
    db.write(InsertKey { row, hash: KeyHash::of(&secret).to_text() }).await?;
    Ok(NewApiKey { id, secret: SecretString::from(secret) })
}

/// Stores a new API key.
struct InsertKey {
    row: ApiKeyRow,
    hash: String,
}

impl Write for InsertKey {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        key_rows::insert(tx, &self.row, &self.hash).await
    }
}

/// Revokes an API key; `false` if there is no active key with this id.
///
/// # Errors
/// When the database fails.
pub async fn revoke(db: &Db, clock: &dyn Clock, id: &str) -> Result<bool, StoreError> {
    db.write(RevokeKey { id: id.to_owned(), now_ms: clock.now_ms() }).await
}

/// Revokes an API key. `false` if there is no active key with this id.
struct RevokeKey {
    id: String,
    now_ms: i64,
}

impl Write for RevokeKey {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        key_rows::revoke(tx, &self.id, self.now_ms).await
    }
}

/// The hash that identifies a key. Looking up the hash of 256 random bits leaks nothing through timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a presented key; `None` if it does not have the format of a key.
    #[must_use]
    pub fn of_presented(presented: &str) -> Option<Self> {
        let is_key = presented.strip_prefix(KEY_PREFIX).is_some_and(|digits| digits.len() == SECRET_DIGITS);
        is_key.then(|| Self::of(presented))
    }

    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    fn to_text(self) -> String {
        hex::encode(self.0)
    }
}

/// The API key with this hash; `None` if it is not valid.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError> {
    let Some(row) = db.api_key_by_hash(&hash.to_text()).await? else { return Ok(None) };
    let account = row.account_id.map(AccountId::parse).transpose();
    Ok(Some(ApiKey {
        id: row.id,
        name: row.name,
        scopes: row.scopes.split(' ').filter_map(Scope::parse).collect(),
        account: account.map_err(|error| StoreError::corrupt("account of an API key", error))?,
    }))
}
