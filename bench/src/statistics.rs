//! The effect of the planner's statistics: a database that was migrated, filled with open top-ups and analysed before
//! the first delivery, beside one that was never analysed. Autovacuum is off, so neither is analysed later.

use std::time::Duration;

use crate::clock::wall_clock_ms;
use crate::event::Mix;
use crate::failure::Failure;
use crate::names::{ANALYSED_EMPTY, NOT_ANALYSED, POSTGRES};
use crate::postgres::Postgres;
use crate::purchase::Buyers;
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::Program;
use crate::target::Target;

const CONNECTIONS: usize = 32;
/// The number of top-ups present when the database is analysed. The delivered ones are added later.
const PURCHASES: u64 = 20_000;
/// Far above the numbers of the delivered top-ups.
const FIRST: u64 = 1 << 40;

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
    let mut targets = Vec::new();
    for (name, database, statistics) in
        [(NOT_ANALYSED, "never_analysed", None), (ANALYSED_EMPTY, "analysed_empty", Some("VACUUM ANALYZE"))]
    {
        let mut target = Target::start(program, POSTGRES, postgres.create(database).await?).await?;
        target.books.seed_open_topups(FIRST, PURCHASES, Buyers::Many, wall_clock_ms()).await?;
        if let Some(statistics) = statistics {
            target.books.run(statistics).await?;
        }
        // As after an upgrade: the service starts on existing data.
        target.service = program.serve(&target.url).await?;
        targets.push((name, target));
    }
    for round in 1..=rounds.saturating_add(1) {
        for (name, target) in &mut targets {
            say(&format!("round {round}: {name}"));
            let outcome = target.deliver(Mix::ManyAccounts, CONNECTIONS, duration).await?;
            // The first round fills the tables and the plan cache, and does not count.
            if round > 1 {
                results.add(name, POSTGRES, CONNECTIONS, Sample::from(&outcome));
            }
        }
    }
    postgres.set_autovacuum(true).await
}
