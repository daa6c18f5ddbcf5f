//! The three statements on SQLite in a bare loop: one connection, write-ahead log, each commit on disk before the next.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::{FIRST_BALANCE, TABLES};
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
             WHERE n < ?1 - 1) SELECT 'account_' || n, ?2, 0 FROM counted",
            [i64::try_from(ACCOUNTS)?, i64::try_from(FIRST_BALANCE)?],
        )?;
        Ok(Self { connection, next: 0 })
    }

    /// Runs for the given duration, with one commit per `together` events.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn run(&mut self, together: u64, duration: Duration) -> Result<Sample, Failure> {
        self.repeat(together, duration, |bare| bare.commit(together))
    }

    /// Runs debits for the given duration, with a commit each.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn run_debits(&mut self, duration: Duration) -> Result<Sample, Failure> {
        self.repeat(1, duration, Self::debit)
    }

    /// Repeats a commit of this many writes.
    fn repeat(
        &mut self,
        together: u64,
        duration: Duration,
        commit: impl Fn(&mut Self) -> Result<(), Failure>,
    ) -> Result<Sample, Failure> {
        self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?;
        let (start, mut events, mut times) = (Instant::now(), 0_u64, Vec::new());
        while start.elapsed() < duration {
            let began = Instant::now();
            commit(self)?;
            times.push(nanoseconds(began.elapsed()));
            events = events.saturating_add(together);
        }
        Ok(Sample::new(per_second(events, start.elapsed()), &Latencies::new(times)?))
    }

    /// Scatters like pgbench's random numbers, and never repeats.
    fn number(&mut self) -> u64 {
        self.next = self.next.saturating_add(1);
        self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// What a debit writes at least: its key, so that it is done once, the balance if it is enough, and the ledger.
    fn debit(&mut self) -> Result<(), Failure> {
        let number = self.number();
        let account = format!("account_{}", number % ACCOUNTS);
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        transaction
            .prepare_cached(
                "INSERT INTO spends (key, account, credits, created_at) VALUES (?1, ?2, 1, 1800000000000) \
                 ON CONFLICT (key) DO NOTHING",
            )?
            .execute([&format!("key_{number:020}"), &account])?;
        let balance: i64 = transaction
            .prepare_cached(
                "UPDATE accounts SET balance = balance - 1, updated_at = 1800000000000 WHERE id = ?1 AND balance >= 1 \
                 RETURNING balance",
            )?
            .query_row([&account], |row| row.get(0))?;
        transaction
            .prepare_cached(
                "INSERT INTO ledger (source, account, credits, balance_after, created_at) \
                 VALUES (?1, ?2, -1, ?3, 1800000000000)",
            )?
            .execute(params![format!("spend_{number:020}"), account, balance])?;
        transaction.commit()?;
        Ok(())
    }

    fn commit(&mut self, together: u64) -> Result<(), Failure> {
        let numbers: Vec<u64> = (0..together).map(|_| self.number()).collect();
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
            for number in numbers {
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
        bare.debit().unwrap();
        let sum = |sql: &str| bare.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(sum("SELECT COUNT(*) FROM events"), 101);
        assert_eq!(sum("SELECT COUNT(*) FROM spends"), 1);
        let given = i64::try_from(ACCOUNTS * FIRST_BALANCE).unwrap();
        assert_eq!(sum("SELECT SUM(balance) FROM accounts"), given + 101_000 - 1);
        assert_eq!(sum("SELECT SUM(credits) FROM ledger"), 101_000 - 1);
    }
}
