//! Cost by database size: the same deliveries on databases with an empty, a large and a very large ledger.
//!
//! The databases exist at the same time and take turns, so that only their size differs.

use std::path::Path;
use std::time::Duration;

use crate::books::account_sql;
use crate::clock::wall_clock_ms;
use crate::event::Mix;
use crate::failure::Failure;
use crate::names::POSTGRES;
use crate::new_database;
use crate::postgres::Postgres;
use crate::purchase::{ACCOUNTS, Buyers, CREDITS};
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::Program;
use crate::target::Target;

/// Ledger entries before the first delivery.
pub const SIZES: [u64; 3] = [0, 1_000_000, 10_000_000];
pub const QUICK_SIZES: [u64; 3] = [0, 100_000, 1_000_000];
pub const CONNECTIONS: usize = 32;
/// More rounds than elsewhere, because the differences are smaller than those between two rounds.
pub const ROUNDS: u32 = 7;
/// The number of rows per INSERT statement.
const CHUNK: u64 = 100_000;

/// The name of the series for a size.
pub fn name(entries: u64) -> String {
    format!("10,000 accounts, {entries} entries before")
}

/// The parameters of the measurement.
pub struct Large<'b> {
    pub program: &'b Program,
    pub postgres: &'b Postgres,
    pub folder: &'b Path,
    pub sizes: [u64; 3],
    pub rounds: u32,
    pub duration: Duration,
}

impl Large<'_> {
    /// Measures one database, then removes it: both together would need twice the disk.
    ///
    /// # Errors
    /// If a response or the books are wrong, or a step fails.
    pub async fn run(&self, database: &'static str, results: &mut Results) -> Result<(), Failure> {
        let mut targets = Vec::new();
        for size in self.sizes {
            say(&format!("{database}: making a database with {size} entries"));
            targets.push((size, self.make(database, size).await?));
        }
        for round in 1..=self.rounds {
            for (size, target) in &mut targets {
                say(&format!("round {round} of {}: {database}, {size} entries before", self.rounds));
                let outcome = target.deliver(Mix::ManyAccounts, CONNECTIONS, self.duration).await?;
                results.add(&name(*size), database, CONNECTIONS, Sample::from(&outcome));
            }
        }
        for (size, mut target) in targets {
            target.check_all().await?;
            drop(target);
            new_database::remove(database, &database_name(size), self.postgres, self.folder).await?;
        }
        Ok(())
    }

    async fn make(&self, database: &'static str, size: u64) -> Result<Target, Failure> {
        let url = new_database::create(database, &database_name(size), self.postgres, self.folder).await?;
        let mut target = Target::start(self.program, database, url).await?;
        if size > 0 {
            fill(&mut target, size).await?;
        }
        target.start_after(size);
        target.warm_up().await?;
        if size > 0 {
            target.warm_up_large().await?;
        }
        Ok(target)
    }
}

fn database_name(size: u64) -> String {
    format!("large_{size}")
}

/// Inserts the history of `size` top-ups as the service would have left it. Constraint checks and durability are off
/// meanwhile; otherwise it would take hours.
async fn fill(target: &mut Target, size: u64) -> Result<(), Failure> {
    let (relax, restore) = relaxed(target.name);
    target.books.run(relax).await?;
    let (now_ms, mut first) = (wall_clock_ms(), 0_u64);
    while first < size {
        let count = CHUNK.min(size.saturating_sub(first));
        for sql in chunk(target, first, count, now_ms) {
            target.books.run(&sql).await?;
        }
        first = first.saturating_add(count);
    }
    let entries = size / ACCOUNTS;
    let accounts = format!(
        "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) \
         SELECT {}, {entries} * {CREDITS}, 0, {entries}, {now_ms} FROM {}",
        account_sql(Buyers::Many),
        target.books.numbers(0, ACCOUNTS)
    );
    target.books.run(&accounts).await?;
    target.books.run(restore).await?;
    target.books.run(if target.name == POSTGRES { "VACUUM ANALYZE" } else { "ANALYZE" }).await?;
    target.books.checkpoint().await
}

/// Statements that turn off constraint checks and durability for a bulk insert, and statements that restore them.
pub fn relaxed(database: &str) -> (&'static str, &'static str) {
    if database == POSTGRES {
        (
            "SET session_replication_role = replica; SET synchronous_commit = off",
            "RESET session_replication_role; RESET synchronous_commit",
        )
    } else {
        (
            "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144",
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -2000",
        )
    }
}

fn chunk(target: &Target, first: u64, count: u64, now_ms: i64) -> [String; 4] {
    let books = &target.books;
    let (short, long, from) = (books.hex(24), books.hex(32), books.numbers(first, count));
    let (account, session) = (account_sql(Buyers::Many), books.hex(58));
    let events = format!(
        "INSERT INTO webhook_events (provider_event_id, provider, type, topup_id, outcome, received_at) SELECT 'evt_' || {short}, 'stripe', \
         'checkout.session.completed', 'topup_' || {long}, 'credited', {now_ms} FROM {from}"
    );
    let payments = format!(
        "INSERT INTO payments (provider_payment_id, provider, topup_id, state, provider_session_id, writes, created_at, updated_at) \
         SELECT 'pi_' || {short}, 'stripe', 'topup_' || {long}, 'credited', 'cs_test_' || {session}, 1, {now_ms}, {now_ms} FROM {from}"
    );
    // Purchase n is number n / ACCOUNTS of its account: consecutive purchases go to different accounts in turn.
    let entries = format!(
        "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
         SELECT {account}, n / {ACCOUNTS} + 1, 'entry_' || {long}, 'topup', {CREDITS}, (n / {ACCOUNTS} + 1) * {CREDITS}, \
         'topup_' || {long}, {now_ms} FROM {from}"
    );
    [books.insert_topups(first, count, Buyers::Many, now_ms, true), events, payments, entries]
}
