//! Cost by database size: the same debits on a database without spends and on one with millions of them.

use std::path::Path;
use std::time::Duration;

use crate::books::{Books, account_sql};
use crate::clock::wall_clock_ms;
use crate::failure::Failure;
use crate::large::relaxed;
use crate::names::POSTGRES;
use crate::new_database;
use crate::postgres::Postgres;
use crate::purchase::{ACCOUNTS, Buyers};
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::Program;
use crate::spending::names::size;
use crate::spending::requests::Payers;
use crate::spending::spender::{Spender, Work};
use crate::target::MAX_REQUESTS;

/// Spends before the first measured debit: multiples of the number of accounts.
pub const SIZES: [u64; 2] = [0, 10_000_000];
pub const QUICK_SIZES: [u64; 2] = [0, 200_000];
pub const CONNECTIONS: usize = 32;
/// The number of rows per INSERT statement.
const CHUNK: u64 = 100_000;
/// The credits given to each account, more than are spent.
const GIVEN: u64 = 1_000_000;

/// The parameters of the measurement.
pub struct Size<'b> {
    pub program: &'b Program,
    pub postgres: &'b Postgres,
    pub folder: &'b Path,
    pub sizes: [u64; 2],
    pub rounds: u32,
    pub duration: Duration,
}

impl Size<'_> {
    /// Measures one database, then removes it.
    ///
    /// # Errors
    /// If a response or the books are wrong, or a step fails.
    pub async fn run(&self, database: &'static str, results: &mut Results) -> Result<(), Failure> {
        let mut spenders = Vec::new();
        for spends in self.sizes {
            say(&format!("{database}: making a database with {spends} spends"));
            spenders.push((spends, self.make(database, spends).await?));
        }
        for round in 1..=self.rounds {
            for (spends, spender) in &mut spenders {
                let name = if *spends == 0 { "spends, few" } else { "spends, many" };
                say(&format!("round {round} of {}: {database}, {spends} spends before", self.rounds));
                let outcome = spender.run(name, Work::Debit, Payers::Many, CONNECTIONS, self.duration).await?;
                results.add(&size(*spends), database, CONNECTIONS, Sample::from(&outcome));
            }
        }
        for (spends, spender) in spenders {
            if spends <= CHUNK.saturating_mul(2) {
                // What was inserted must be what the service would have left.
                self.program.run(&spender.target.url, &["audit"]).await?;
            }
            drop(spender);
            new_database::remove(database, &name(spends), self.postgres, self.folder).await?;
        }
        Ok(())
    }

    async fn make(&self, database: &'static str, spends: u64) -> Result<Spender, Failure> {
        let url = new_database::create(database, &name(spends), self.postgres, self.folder).await?;
        let mut spender = Spender::start(self.program, database, url).await?;
        spender.give_all(GIVEN).await?;
        if spends > 0 {
            fill(&mut spender.target.books, database, spends).await?;
            spender.has_spent(spends);
        }
        spender.is_large = true;
        let vacuum = if database == POSTGRES { "VACUUM ANALYZE" } else { "ANALYZE" };
        spender.target.books.run(vacuum).await?;
        spender.target.books.checkpoint().await?;
        // Enough that most pages of a large index have changed since the checkpoint, as in production.
        for _ in 0..if spends > 0 { 3 } else { 1 } {
            spender.spend(Payers::Many, MAX_REQUESTS).await?;
        }
        Ok(spender)
    }
}

/// The name of the database.
fn name(spends: u64) -> String {
    format!("spends_{spends}")
}

/// Inserts spends of one credit each as the service would have left them. Constraint checks and durability are off
/// meanwhile; otherwise it would take hours.
async fn fill(books: &mut Books, database: &str, spends: u64) -> Result<(), Failure> {
    let (relax, restore) = relaxed(database);
    books.run(relax).await?;
    let (now_ms, mut first) = (wall_clock_ms(), 0_u64);
    while first < spends {
        let count = CHUNK.min(spends.saturating_sub(first));
        for sql in chunk(books, first, count, now_ms) {
            books.run(&sql).await?;
        }
        first = first.saturating_add(count);
    }
    let each = spends / ACCOUNTS;
    let accounts = format!(
        "UPDATE accounts SET balance = balance - {each}, used_credits = used_credits + {each}, \
         entries = entries + {each}, settled_entries = settled_entries + {each}"
    );
    books.run(&accounts).await?;
    books.run(&format!("UPDATE grants SET remaining = remaining - {each}")).await?;
    books.run(restore).await
}

/// Spend n is number n / ACCOUNTS of its account: consecutive spends are of different accounts in turn. The account's
/// first entry is its grant.
fn chunk(books: &Books, first: u64, count: u64, now_ms: i64) -> [String; 2] {
    let (id, from, account) = (books.hex(32), books.numbers(first, count), account_sql(Buyers::Many));
    let balance = format!("{GIVEN} - n / {ACCOUNTS} - 1");
    let entries = format!(
        "INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, grant_id, \
         created_at) SELECT {account}, n / {ACCOUNTS} + 2, 'entry_' || {id}, 'spend', -1, {balance}, \
         'spend_' || {id}, (SELECT id FROM grants WHERE account_id = {account}), {now_ms} FROM {from}"
    );
    let spends = format!(
        "INSERT INTO spends (id, account_id, credits, asked_credits, operation, subject, first_sequence, parts, \
         balance_after, caller, idempotency_key, request_hash, created_at) SELECT 'spend_' || {id}, {account}, 1, 1, \
         'image', '', n / {ACCOUNTS} + 2, 1, {balance}, 'debit:' || {account}, 'before-' || n, {id} || {id}, {now_ms} \
         FROM {from}"
    );
    [entries, spends]
}
