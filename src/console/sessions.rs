//! Sessions of the console: an API key exchanged for a random token that a cookie holds.
//!
//! Invariants: only the hash of a token is stored. A session ends after twelve hours, by signing out, or when its key
//! is revoked, whatever happens first; the key is looked at in every request.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::access::api_keys::{ApiKey, Scope};
use crate::app::App;
use crate::console::operator_log::{self, Entry, Phase};
use crate::console::person::{Role, Session, operator};
use crate::db::{StoreError, Tx, Write, args, statements};
use crate::domain::ids::ChangeId;

/// How long a session lasts.
pub const SESSION_SECONDS: i64 = 12 * 60 * 60;

#[derive(sqlx::FromRow)]
struct SessionRow {
    key_id: String,
    name: String,
    scopes: String,
    expires_at: i64,
}

statements! {
    INSERT = "INSERT INTO console_sessions (token_hash, key_id, created_at, expires_at) \
        VALUES (:token_hash, :key, :now_ms, :expires_at_ms)";
    FORGET = "DELETE FROM console_sessions WHERE expires_at <= :now_ms";
    /// A key for one account may not use the console.
    FIND = "SELECT s.key_id, k.name, k.scopes, s.expires_at FROM console_sessions s JOIN api_keys k ON k.id = s.key_id \
        WHERE s.token_hash = :token_hash AND s.expires_at > :now_ms AND k.revoked_at IS NULL AND k.account_id IS NULL";
    END = "DELETE FROM console_sessions WHERE token_hash = :token_hash";
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The operating system provides no randomness.
    #[error("the operating system has no randomness to give")]
    NoRandomness(#[from] std::io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hash_of(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// The token that a session's forms carry, so that no other site can send them. It follows from the cookie's, which no
/// other site can read.
#[must_use]
pub fn form_token(cookie: &str) -> String {
    hash_of(&format!("form of {cookie}"))
}

/// Whether a form carries the right token.
#[must_use]
pub fn is_form_token(cookie: &str, presented: &str) -> bool {
    form_token(cookie).as_bytes().ct_eq(presented.as_bytes()).into()
}

/// Draws a random token.
///
/// # Errors
/// When the operating system provides no randomness.
pub fn draw_token(app: &App) -> std::io::Result<SecretString> {
    Ok(SecretString::from(hex::encode(app.ids.secret_bytes()?)))
}

/// Begins a session for a key. Returns the token for the cookie.
///
/// # Errors
/// See [`SignInError`].
pub async fn sign_in(app: &App, key: &ApiKey, role: Role) -> Result<SecretString, SignInError> {
    let token = draw_token(app)?;
    let now_ms = app.clock.now_ms();
    let entry = Entry {
        id: ChangeId::from_bits(app.ids.id_bits()),
        phase: Phase::Done,
        key_id: key.id.clone(),
        made_by: operator(&key.id, &key.name).name,
        action: "sign_in",
        subject: key.id.clone(),
        account: None,
        credits: 0,
        detail: format!("signed in with the scope {}", role.as_str()),
        now_ms,
    };
    let expires_at_ms = now_ms.saturating_add(SESSION_SECONDS.saturating_mul(1_000));
    app.db.write(Begin { token_hash: hash_of(token.expose_secret()), entry, expires_at_ms }).await?;
    tracing::info!(key = key.id, role = role.as_str(), "signed in to the console");
    Ok(token)
}

struct Begin {
    token_hash: String,
    entry: Entry,
    expires_at_ms: i64,
}

impl Write for Begin {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let Self { token_hash, entry, expires_at_ms } = self;
        tx.execute(&FORGET, &args![now_ms = entry.now_ms]).await?;
        let values = args![
            token_hash = token_hash.as_str(),
            key = entry.key_id.as_str(),
            now_ms = entry.now_ms,
            expires_at_ms = *expires_at_ms
        ];
        tx.execute(&INSERT, &values).await?;
        operator_log::insert(tx, entry).await
    }
}

/// The session of a token; `None` if it has ended or never was.
///
/// # Errors
/// When the database fails.
pub async fn find_session(app: &App, token: &str) -> Result<Option<Session>, StoreError> {
    let token_hash = hash_of(token);
    let values = args![token_hash = token_hash.as_str(), now_ms = app.clock.now_ms()];
    let Some(row) = app.db.read_optional::<SessionRow>(&FIND, &values).await? else { return Ok(None) };
    let key = ApiKey {
        id: row.key_id,
        name: row.name,
        scopes: row.scopes.split(' ').filter_map(Scope::parse).collect(),
        account: None,
    };
    Ok(Role::of(&key).map(|role| Session {
        operator: operator(&key.id, &key.name),
        key_id: key.id,
        key_name: key.name,
        role,
        expires_at_ms: row.expires_at,
    }))
}

/// Ends a session.
///
/// # Errors
/// When the database fails.
pub async fn sign_out(app: &App, token: &str) -> Result<(), StoreError> {
    app.db.write(End { token_hash: hash_of(token) }).await
}

struct End {
    token_hash: String,
}

impl Write for End {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.execute(&END, &args![token_hash = self.token_hash.as_str()]).await.map(drop)
    }
}
