//! Leases: work that one process at a time may do.
//!
//! What always holds: a lease is judged by the database's clock and no other, because the clocks of two machines differ;
//! one that has run out belongs to whoever takes it first, so a process that died blocks nobody for long.

use crate::db::Tx;
use crate::db::{StoreError, args, statements};

statements! {
    /// One that reaches further than any is given was written before the database's clock was set back.
    TAKE = "INSERT INTO leases (name, holder, lease_until) \
        VALUES (:name, :holder, (SELECT now_ms FROM database_clock) + :length_ms) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until \
        WHERE leases.holder = excluded.holder OR leases.lease_until <= (SELECT now_ms FROM database_clock) \
        OR leases.lease_until > (SELECT now_ms FROM database_clock) + 2 * :length_ms";
    RENEW = "UPDATE leases SET lease_until = (SELECT now_ms FROM database_clock) + :length_ms \
        WHERE name = :name AND holder = :holder";
    RELEASE = "DELETE FROM leases WHERE name = :name AND holder = :holder";
    NOW = "SELECT now_ms FROM database_clock";
}

#[derive(sqlx::FromRow)]
struct Now {
    now_ms: i64,
}

/// Takes a lease, or takes it over when it has run out. `false` while somebody else has it.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &mut Tx, name: &str, holder: &str, length_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, &args![name, holder, length_ms]).await? == 1)
}

/// Makes a lease last longer. `false` when somebody else has it meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn renew(tx: &mut Tx, name: &str, holder: &str, length_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&RENEW, &args![name, holder, length_ms]).await? == 1)
}

/// Gives a lease back. `false` when it was somebody else's meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&RELEASE, &args![name, holder]).await? == 1)
}

/// The time as the database sees it, in milliseconds since 1970.
///
/// # Errors
/// When the database fails.
pub async fn database_now_ms(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx.fetch_optional::<Now>(&NOW, &[]).await?;
    row.map(|row| row.now_ms).ok_or_else(|| StoreError::Corrupt("no time".to_owned()))
}
