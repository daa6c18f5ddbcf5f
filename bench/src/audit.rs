//! Measures `topup audit` on an account with millions of entries, while the service runs on the same database. Also
//! measures how long the service takes to start on a large SQLite file, which it checks at start-up.

use std::path::Path;
use std::time::Duration;

use crate::clock::wall_clock_ms;
use crate::event::Mix;
use crate::failure::Failure;
use crate::large::relaxed;
use crate::names::{POSTGRES, SQLITE};
use crate::postgres::Postgres;
use crate::purchase::CREDITS;
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::Program;
use crate::target::Target;

/// The number of ledger entries of the account.
pub const ENTRIES: u64 = 5_000_000;
pub const QUICK_ENTRIES: u64 = 100_000;
/// The minimum file size for the start-up measurement.
const FILE_BYTES: u64 = 1 << 30;
const STARTS: u32 = 3;
const CONNECTIONS: usize = 32;
/// The number of rows per INSERT statement.
const CHUNK: u64 = 100_000;
const ACCOUNT: &str = "account_with_many_entries";

pub const BESIDE_AUDIT: &str = "deliveries while an audit runs";
pub const WITHOUT_AUDIT: &str = "deliveries while no audit runs";

/// The parameters of the measurement.
pub struct Audit<'b> {
    pub program: &'b Program,
    pub postgres: &'b Postgres,
    pub folder: &'b Path,
    pub entries: u64,
    pub rounds: u32,
    pub duration: Duration,
}

impl Audit<'_> {
    /// Measures one database, then removes it.
    ///
    /// # Errors
    /// If the audit finds a difference, or a step fails.
    pub async fn run(&self, database: &'static str, results: &mut Results) -> Result<(), Failure> {
        let file = self.folder.join("audited.db");
        let url = if database == POSTGRES {
            self.postgres.create("audited").await?
        } else {
            format!("sqlite:{}", file.display())
        };
        let mut target = Target::start(self.program, database, url).await?;
        say(&format!("{database}: writing an account with {} entries", self.entries));
        self.fill(&mut target, &file, results).await?;
        target.start_after(self.entries);
        target.service = self.program.serve(&target.url).await?;
        target.warm_up().await?;
        for round in 1..=self.rounds {
            say(&format!("round {round} of {}: {database}, audit beside a service at rest", self.rounds));
            let (time, peak_kib) = audit(self.program, &target.url).await?;
            let what = format!("audit of one account's {} entries", self.entries);
            results.add_figure(&format!("{what}, service at rest"), database, "ms", milliseconds(time)?);
            results.add_figure(&format!("{what}: memory at most"), database, "KiB", peak_kib);
            self.beside_deliveries(&mut target, &what, results).await?;
        }
        drop(target);
        self.remove(database, &file).await
    }

    async fn beside_deliveries(&self, target: &mut Target, what: &str, results: &mut Results) -> Result<(), Failure> {
        say(&format!("{}: deliveries without and with an audit", target.name));
        let without = target.deliver(Mix::ManyAccounts, CONNECTIONS, self.duration).await?;
        results.add(WITHOUT_AUDIT, target.name, CONNECTIONS, Sample::from(&without));
        let (program, url, name) = (self.program.clone(), target.url.clone(), target.name);
        let audit = tokio::spawn(async move { audit(&program, &url).await });
        let mut is_first = true;
        while !audit.is_finished() {
            let beside = target.deliver(Mix::ManyAccounts, CONNECTIONS, self.duration).await?;
            // A run that outlasts the audit had the machine to itself for a while, so it does not count.
            if is_first || !audit.is_finished() {
                results.add(BESIDE_AUDIT, name, CONNECTIONS, Sample::from(&beside));
            }
            is_first = false;
        }
        let (time, peak_kib) = audit.await??;
        results.add_figure(&format!("{what}, beside deliveries"), name, "ms", milliseconds(time)?);
        results.add_figure(&format!("{what}, beside deliveries: memory at most"), name, "KiB", peak_kib);
        Ok(())
    }

    /// Fills an account with ledger entries for credits given by hand.
    async fn fill(&self, target: &mut Target, file: &Path, results: &mut Results) -> Result<(), Failure> {
        let (relax, restore) = relaxed(target.name);
        target.books.run(relax).await?;
        let (now_ms, entries, mut first, mut was_large) = (wall_clock_ms(), self.entries, 0_u64, false);
        let balance = entries.saturating_mul(CREDITS);
        let account = format!(
            "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) \
             VALUES ('{ACCOUNT}', {balance}, 0, {entries}, {now_ms})"
        );
        target.books.run(&account).await?;
        while first < entries {
            let count = CHUNK.min(entries.saturating_sub(first));
            for sql in chunk(target, first, count, now_ms) {
                target.books.run(&sql).await?;
            }
            first = first.saturating_add(count);
            let is_large = target.name == SQLITE && std::fs::metadata(file)?.len() >= FILE_BYTES;
            if is_large && !was_large {
                target.books.checkpoint().await?;
                self.starts(target, file, results).await?;
            }
            was_large |= is_large;
        }
        target.books.run(restore).await?;
        target.books.run(if target.name == POSTGRES { "VACUUM ANALYZE" } else { "ANALYZE" }).await?;
        target.books.checkpoint().await
    }

    async fn starts(&self, target: &mut Target, file: &Path, results: &mut Results) -> Result<(), Failure> {
        let mebibytes = std::fs::metadata(file)?.len() >> 20;
        for start in 1..=STARTS {
            say(&format!("start {start} of {STARTS} on a file of {mebibytes} MiB"));
            target.service = self.program.serve(&target.url).await?;
            let what = format!("start to ready on a file of {mebibytes} MiB");
            results.add_figure(&what, target.name, "ms", milliseconds(target.service.started_in)?);
        }
        Ok(())
    }

    async fn remove(&self, database: &str, file: &Path) -> Result<(), Failure> {
        if database == POSTGRES {
            return self.postgres.drop_database("audited").await;
        }
        for end in ["", "-wal", "-shm"] {
            let file = file.with_extension(format!("db{end}"));
            if file.exists() {
                std::fs::remove_file(file)?;
            }
        }
        Ok(())
    }
}

async fn audit(program: &Program, url: &str) -> Result<(Duration, u64), Failure> {
    let (said, time, peak_kib) = program.measure(url, &["audit"]).await?;
    if said.contains("Everything holds") { Ok((time, peak_kib)) } else { Err(said.into()) }
}

fn chunk(target: &Target, first: u64, count: u64, now_ms: i64) -> [String; 2] {
    let (id, from) = (target.books.hex(32), target.books.numbers(first, count));
    let adjustments = format!(
        "INSERT INTO adjustments (id, account_id, credits, reason, made_by, balance_after, caller, idempotency_key, \
         request_hash, created_at) SELECT 'adjustment_' || {id}, '{ACCOUNT}', {CREDITS}, 'A gift', 'bench', \
         (n + 1) * {CREDITS}, 'bench', 'key-' || {id}, {id} || {id}, {now_ms} FROM {from}"
    );
    let entries = format!(
        "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
         SELECT '{ACCOUNT}', n + 1, 'entry_' || {id}, 'adjustment', {CREDITS}, (n + 1) * {CREDITS}, \
         'adjustment_' || {id}, {now_ms} FROM {from}"
    );
    [adjustments, entries]
}

fn milliseconds(time: Duration) -> Result<u64, Failure> {
    Ok(u64::try_from(time.as_millis())?)
}
