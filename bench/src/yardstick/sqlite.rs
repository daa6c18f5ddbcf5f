//! The three statements on SQLite in a bare loop: one connection, write-ahead log, each commit on disk before the next.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::TABLES;
use crate::failure::Failure;
use crate::latency::{Latencies, nanoseconds, per_second};
use crate::purchase::ACCOUNTS;
use crate::results::Sample;

/// The loop, with its own file.
pub struct BareLoop {
    connection: Connection,
    next: u64,
}

impl BareLoop {
    /// # Errors
    /// If the file cannot be created.
    pub fn prepare(folder: &Path) -> Result<Self, Failure> {
        let connection = Connection::open(folder.join("yardstick.db"))?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
        connection.execute_batch(TABLES)?;
        connection.execute(
            "INSERT INTO accounts WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted \
             WHERE n < ?1 - 1) SELECT 'account_' || n, 0, 0 FROM counted",
            [i64::try_from(ACCOUNTS)?],
        )?;
        Ok(Self { connection, next: 0 })
    }

    /// Runs for the given duration, with one commit per `together` events.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn run(&mut self, together: u64, duration: Duration) -> Result<Sample, Failure> {
        self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?;
        let (start, mut events, mut times) = (Instant::now(), 0_u64, Vec::new());
        while start.elapsed() < duration {
            let began = Instant::now();
            self.commit(together)?;
            times.push(nanoseconds(began.elapsed()));
            events = events.saturating_add(together);
        }
        Ok(Sample::new(per_second(events, start.elapsed()), &Latencies::new(times)?))
    }

    fn commit(&mut self, together: u64) -> Result<(), Failure> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut event = transaction.prepare_cached(
                "INSERT INTO events (id, type, received_at) VALUES (?1, 'checkout.session.completed', 1800000000000) \
                 ON CONFLICT (id) DO NOTHING",
            )?;
            let mut account = transaction.prepare_cached(
                "UPDATE accounts SET balance = balance + 1000, updated_at = 1800000000000 WHERE id = ?1 RETURNING balance",
            )?;
            let mut ledger = transaction.prepare_cached(
                "INSERT INTO ledger (source, account, credits, balance_after, created_at) \
                 VALUES (?1, ?2, 1000, ?3, 1800000000000)",
            )?;
            for _ in 0..together {
                self.next = self.next.saturating_add(1);
                // Scatters like pgbench's random numbers, and never repeats.
                let number = self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let buyer = format!("account_{}", number % ACCOUNTS);
                event.execute([format!("evt_{number:020}")])?;
                let balance: i64 = account.query_row([&buyer], |row| row.get(0))?;
                ledger.execute(params![format!("topup_{number:020}"), buyer, balance])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_keeps_its_books() {
        let folder = tempfile::tempdir().unwrap();
        let mut bare = BareLoop::prepare(folder.path()).unwrap();
        bare.commit(1).unwrap();
        bare.commit(100).unwrap();
        let sum = |sql: &str| bare.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(sum("SELECT COUNT(*) FROM events"), 101);
        assert_eq!(sum("SELECT SUM(balance) FROM accounts"), 101_000);
        assert_eq!(sum("SELECT SUM(credits) FROM ledger"), 101_000);
    }
}
