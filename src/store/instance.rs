//! What the database is for: which mode and currency, and which migrations it has.

use super::backend::{Db, Tx};
use super::{StoreError, statements};

/// What a database was first used with, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Whether real money moves.
    pub livemode: bool,
    /// The currency of every purchase.
    pub currency: String,
}

statements! {
    REMEMBER = "INSERT INTO instance (id, livemode, currency, created_at) VALUES (1, $1, $2, $3) \
        ON CONFLICT (id) DO NOTHING";
    FIND = "SELECT livemode, currency FROM instance WHERE id = 1";
    MIGRATIONS = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
}

#[derive(sqlx::FromRow)]
struct InstanceRow {
    livemode: i64,
    currency: String,
}

#[derive(sqlx::FromRow)]
struct MigrationRow {
    version: i64,
}

/// Remembers what the database is for, if nobody did before; gives what it is for.
///
/// # Errors
/// When the database fails.
pub async fn remember(tx: &mut Tx, wanted: &Instance, now_ms: i64) -> Result<Instance, StoreError> {
    tx.execute(&REMEMBER, &[wanted.livemode.into(), wanted.currency.as_str().into(), now_ms.into()]).await?;
    let row: InstanceRow =
        tx.fetch_optional(&FIND, &[]).await?.ok_or_else(|| StoreError::Corrupt("no instance row".to_owned()))?;
    Ok(Instance { livemode: row.livemode != 0, currency: row.currency })
}

impl Db {
    /// Whether the database has exactly the migrations that this program brings along.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        match self.read_all::<MigrationRow>(&MIGRATIONS, &[]).await {
            Ok(rows) => Ok(rows.into_iter().map(|row| row.version).eq(self.known_migrations())),
            Err(error) if error.is_missing_table() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
