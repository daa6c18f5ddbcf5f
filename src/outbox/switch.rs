//! The one row that says whether messages are written, and which key signs them.

use secrecy::SecretString;

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::outbox_settings::OutboxSettings;
use crate::outbox::signing::SigningKey;

statements! {
    READ = "SELECT is_on, key_hash, signing_key, low_credits, looked_up_to FROM outbox WHERE id = 1";
    /// An update is a lock on both databases.
    LOCK = "UPDATE outbox SET is_on = is_on WHERE id = 1 \
        RETURNING is_on, key_hash, signing_key, low_credits, looked_up_to";
    /// All accounts are looked at once more.
    TURN_ON = "UPDATE outbox SET is_on = 1, since = :now_ms, low_credits = NULL, looked_up_to = NULL \
        WHERE id = 1 AND is_on = 0";
    TURN_OFF = "UPDATE outbox SET is_on = 0, since = NULL, key_hash = NULL WHERE id = 1";
    KEEP_KEY = "UPDATE outbox SET signing_key = COALESCE(signing_key, :key) WHERE id = 1";
    NOTE_KEY = "UPDATE outbox SET key_hash = :hash WHERE id = 1";
    BEGIN_LOOKING = "UPDATE outbox SET low_credits = :low_credits, looked_up_to = '' \
        WHERE id = 1 AND is_on = 1 AND (low_credits IS NULL OR low_credits <> :low_credits)";
    LOOKED = "UPDATE outbox SET looked_up_to = :up_to WHERE id = 1 AND low_credits = :low_credits \
        AND looked_up_to = :from";
    /// What was deleted is no longer proof.
    FORGET_BEFORE = "UPDATE outbox SET since = :before_ms WHERE id = 1 AND since < :before_ms";
}

/// The row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Switch {
    is_on: i64,
    pub(crate) key_hash: Option<String>,
    signing_key: Option<String>,
    pub(crate) low_credits: Option<i64>,
    pub(crate) looked_up_to: Option<String>,
}

impl Switch {
    pub(crate) const fn is_on(&self) -> bool {
        self.is_on == 1
    }

    /// The key in use: that of the settings, or the one that is stored.
    pub(crate) fn key(&self, settings: &OutboxSettings) -> Option<SigningKey> {
        let stored = || self.signing_key.clone().map(SecretString::from);
        settings.signing_key.clone().or_else(stored).map(|text| SigningKey::from_text(&text))
    }
}

fn missing() -> StoreError {
    StoreError::Corrupt("the outbox has no row".to_owned())
}

pub(crate) async fn lock(tx: &mut Tx) -> Result<Switch, StoreError> {
    tx.fetch_optional(&LOCK, &[]).await?.ok_or_else(missing)
}

pub(crate) async fn turn_on(tx: &mut Tx, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&TURN_ON, &args![now_ms]).await.map(drop)
}

pub(crate) async fn turn_off(tx: &mut Tx) -> Result<(), StoreError> {
    tx.execute(&TURN_OFF, &[]).await.map(drop)
}

/// Stores a key, unless there is one.
pub(crate) async fn keep_key(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    tx.execute(&KEEP_KEY, &args![key]).await.map(drop)
}

/// Notes which key signs.
pub(crate) async fn note_key(tx: &mut Tx, hash: &str) -> Result<(), StoreError> {
    tx.execute(&NOTE_KEY, &args![hash]).await.map(drop)
}

/// Begins to look at all accounts, if they were looked at with another threshold.
pub(crate) async fn begin_looking(tx: &mut Tx, low_credits: i64) -> Result<(), StoreError> {
    tx.execute(&BEGIN_LOOKING, &args![low_credits]).await.map(drop)
}

/// Notes up to which account all were looked at; `None`: all.
pub(crate) async fn looked(tx: &mut Tx, low_credits: i64, from: &str, up_to: Option<&str>) -> Result<(), StoreError> {
    tx.execute(&LOOKED, &args![low_credits, from, up_to]).await.map(drop)
}

/// Notes that causes from before a time need not have a message any more.
pub(crate) async fn forget_before(tx: &mut Tx, before_ms: i64) -> Result<(), StoreError> {
    tx.execute(&FORGET_BEFORE, &args![before_ms]).await.map(drop)
}

impl Db {
    pub(crate) async fn outbox_switch(&self) -> Result<Switch, StoreError> {
        self.read_optional(&READ, &[]).await?.ok_or_else(missing)
    }
}
