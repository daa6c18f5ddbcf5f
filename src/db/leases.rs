//! Leases: work that one process at a time may do.
//!
//! What always holds: a lease is judged by the database's clock and no other, because the clocks of two machines differ;
//! one that has run out belongs to whoever takes it first, so a process that died blocks nobody for long.

use crate::db::Tx;
use crate::db::{StoreError, statements};

statements! {
    /// One that reaches further than any is given was written before the database's clock was set back.
    TAKE = "INSERT INTO leases (name, holder, lease_until) \
        VALUES ($1, $2, (SELECT now_ms FROM database_clock) + $3) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until \
        WHERE leases.holder = excluded.holder OR leases.lease_until <= (SELECT now_ms FROM database_clock) \
        OR leases.lease_until > (SELECT now_ms FROM database_clock) + 2 * $3";
    RENEW = "UPDATE leases SET lease_until = (SELECT now_ms FROM database_clock) + $3 \
        WHERE name = $1 AND holder = $2";
    RELEASE = "DELETE FROM leases WHERE name = $1 AND holder = $2";
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
    Ok(tx.execute(&TAKE, &[name.into(), holder.into(), length_ms.into()]).await? == 1)
}

/// Makes a lease last longer. `false` when somebody else has it meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn renew(tx: &mut Tx, name: &str, holder: &str, length_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&RENEW, &[name.into(), holder.into(), length_ms.into()]).await? == 1)
}

/// Gives a lease back. `false` when it was somebody else's meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&RELEASE, &[name.into(), holder.into()]).await? == 1)
}

/// The time as the database sees it, in milliseconds since 1970.
///
/// # Errors
/// When the database fails.
pub async fn database_now_ms(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx.fetch_optional::<Now>(&NOW, &[]).await?;
    row.map(|row| row.now_ms).ok_or_else(|| StoreError::Corrupt("no time".to_owned()))
}
