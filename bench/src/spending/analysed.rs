//! The effect of the planner's statistics on debits: a database that was migrated and `VACUUM ANALYZE`d while its
//! tables were empty, beside one that was analysed when its accounts had credits. Autovacuum is off, so neither is
//! analysed later.

use std::time::Duration;

use crate::failure::Failure;
use crate::names::POSTGRES;
use crate::postgres::Postgres;
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::Program;
use crate::spending::names::{ANALYSED_EMPTY, ANALYSED_FULL};
use crate::spending::requests::Payers;
use crate::spending::spender::{Spender, Work};

const CONNECTIONS: usize = 32;
/// Spent before the first round. A plan that reads a table from end to end would cost more with each of them.
const BEFORE: u64 = 20_000;

/// Measures both in turn.
///
/// # Errors
/// If a response or the books are wrong.
pub async fn run(
    program: &Program,
    postgres: &Postgres,
    rounds: u32,
    duration: Duration,
    results: &mut Results,
) -> Result<(), Failure> {
    postgres.set_autovacuum(false).await?;
    let mut spenders = Vec::new();
    for (name, database, is_empty) in
        [(ANALYSED_FULL, "spends_analysed_full", false), (ANALYSED_EMPTY, "spends_analysed_empty", true)]
    {
        say(&format!("preparing: {name}"));
        let mut spender = Spender::start(program, POSTGRES, postgres.create(database).await?).await?;
        if is_empty {
            spender.target.books.run("VACUUM ANALYZE").await?;
            // As after an installation: the service starts on what was analysed.
            spender.target.service = program.serve(&spender.target.url).await?;
        }
        spender.sell().await?;
        if !is_empty {
            spender.target.books.run("VACUUM ANALYZE").await?;
            spender.target.service = program.serve(&spender.target.url).await?;
        }
        spender.spend(Payers::Many, BEFORE).await?;
        spenders.push((name, spender));
    }
    for round in 1..=rounds {
        for (name, spender) in &mut spenders {
            say(&format!("round {round} of {rounds}: {name}"));
            let outcome = spender.run(name, Work::Debit, Payers::Many, CONNECTIONS, duration).await?;
            results.add(name, POSTGRES, CONNECTIONS, Sample::from(&outcome));
        }
    }
    postgres.set_autovacuum(true).await
}
