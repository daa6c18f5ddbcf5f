//! Leases: work that only one process at a time may do.
//!
//! Invariant: only the database's clock decides, because the clocks of two machines differ. An expired lease goes to
//! the first process that takes it, so a process that died blocks the work only briefly.

use crate::db::Tx;
use crate::db::{StoreError, args, statements};

statements! {
    /// A lease that ends later than any lease could was written before the database's clock was set back.
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

/// Takes a lease, or takes over an expired one. `false` while another process holds it.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &mut Tx, name: &str, holder: &str, length_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE, &args![name, holder, length_ms]).await? == 1)
}

/// Extends a lease. `false` if another process holds it by now.
///
/// # Errors
/// When the database fails.
pub async fn renew(tx: &mut Tx, name: &str, holder: &str, length_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&RENEW, &args![name, holder, length_ms]).await? == 1)
}

/// Releases a lease. `false` if another process held it by then.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&RELEASE, &args![name, holder]).await? == 1)
}

/// The database's time, in milliseconds since 1970.
///
/// # Errors
/// When the database fails.
pub async fn database_now_ms(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx.fetch_optional::<Now>(&NOW, &[]).await?;
    row.map(|row| row.now_ms).ok_or_else(|| StoreError::Corrupt("no time".to_owned()))
}
