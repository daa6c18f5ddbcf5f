//! Whether a write would succeed, for `/health/ready`.
//!
//! Invariants: the answer comes from a write made moments ago, the service's own or a probe. After a write failed for a
//! reason that others would share, only a successful probe makes the service ready again. That probe writes as much as
//! a delivery does, because a tiny write may still fit on a full disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::db::{Db, Tx, Write};
use crate::db::{StoreError, args, statements};

/// How long a successful write counts as evidence that the next one will succeed.
const GOOD_FOR: Duration = Duration::from_secs(3);
/// How long to wait after a failed probe.
const BAD_FOR: Duration = Duration::from_secs(1);
/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// How many bytes a probe writes after a failure.
const FILLER_BYTES: usize = 128 * 1024;

statements! {
    PROBE = "UPDATE write_probe SET probes = probes + 1, filler = :filler WHERE id = 1";
}

#[derive(Default)]
struct Seen {
    /// The last successful write, unless one failed since.
    good: Option<Instant>,
    /// The last failed write, unless a probe succeeded since.
    bad: Option<Instant>,
    /// The last failed probe.
    probed: Option<Instant>,
}

/// What is known about recent writes.
#[derive(Default)]
pub(crate) struct WriteHealth {
    seen: Mutex<Seen>,
    /// Sessions opened before this time may not be used: after a failover they still lead to the demoted server.
    distrusted: Mutex<Option<Instant>>,
    is_damaged: AtomicBool,
    /// One probe at a time; others wait for its result.
    probing: tokio::sync::Mutex<()>,
}

impl WriteHealth {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the result of a write.
    pub(crate) fn saw<T>(&self, result: &Result<T, StoreError>) {
        match result {
            Ok(_) => {
                let mut seen = self.seen();
                if seen.bad.is_none() {
                    seen.good = Some(Instant::now());
                }
            }
            Err(error) if error.is_storage_failure() => {
                let mut seen = self.seen();
                (seen.good, seen.bad) = (None, Some(Instant::now()));
                drop(seen);
                if error.is_of_the_session() {
                    *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                }
                self.saw_reading(result);
            }
            Err(_) => {}
        }
    }

    /// Records damage found by a read or write.
    pub(crate) fn saw_reading<T>(&self, result: &Result<T, StoreError>) {
        if result.as_ref().is_err_and(StoreError::is_damage) && !self.is_damaged.swap(true, Ordering::SeqCst) {
            tracing::error!("the database is damaged: nothing is written until it is restored and topup started again");
        }
    }

    /// Refuses to write to a damaged database.
    pub(crate) fn refuse_damaged(&self) -> Result<(), StoreError> {
        if self.is_damaged.load(Ordering::SeqCst) { Err(StoreError::Damaged) } else { Ok(()) }
    }

    /// Whether a session of this age was opened before a write failed in a way that a new session may avoid.
    pub(crate) fn distrusts(&self, age: Duration) -> bool {
        let distrusted = *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner);
        distrusted.is_some_and(|since| since.elapsed() < age)
    }

    /// The answer, if it is known without a probe.
    fn known(&self) -> Option<bool> {
        let seen = self.seen();
        let is_recent = |at: Option<Instant>, within| at.is_some_and(|at| at.elapsed() < within);
        if is_recent(seen.good, GOOD_FOR) {
            return Some(true);
        }
        (seen.bad.is_some() && is_recent(seen.probed, BAD_FOR)).then_some(false)
    }

    fn probed(&self, is_good: bool) {
        let now = Some(Instant::now());
        *self.seen() =
            if is_good { Seen { good: now, ..Seen::default() } } else { Seen { good: None, bad: now, probed: now } };
    }
}

impl Db {
    /// Whether a write would succeed now. Runs a probe if no write in the last seconds has shown it.
    ///
    /// # Errors
    /// Why a write would fail.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        let health = self.pools().health();
        health.refuse_damaged()?;
        let files = self.pools().check_files();
        if files.is_err() {
            health.saw(&files);
            // A write repairs what can be repaired.
            self.probe().await.ok();
            return files;
        }
        let _one = health.probing.lock().await;
        match health.known() {
            Some(true) => Ok(()),
            Some(false) => Err(StoreError::NotWritable),
            None => self.probe().await,
        }
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let health = self.pools().health();
        let filler = if health.seen().bad.is_some() { "x".repeat(FILLER_BYTES) } else { String::new() };
        let result = tokio::time::timeout(PROBE_TIMEOUT, self.write(Probe { filler }))
            .await
            .unwrap_or(Err(StoreError::TimedOut));
        health.probed(result.is_ok());
        result
    }
}

/// A write that changes only the probe's row.
struct Probe {
    filler: String,
}

impl Write for Probe {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.execute(&PROBE, &args![filler = self.filler.as_str()]).await?;
        // Remove the filler again.
        if self.filler.is_empty() { Ok(()) } else { tx.execute(&PROBE, &args![filler = ""]).await.map(drop) }
    }
}
