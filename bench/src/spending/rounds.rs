//! The measurements of spending and their order. What is compared takes turns, as for deliveries.

use std::path::Path;

use crate::failure::Failure;
use crate::load::{self, Load};
use crate::names::{POSTGRES, SQLITE};
use crate::new_database;
use crate::postgres::Postgres;
use crate::purchase::{Buyers, HOT_ACCOUNT};
use crate::results::Sample;
use crate::rounds::{Bench, say};
use crate::service::{Program, get};
use crate::spending::names::{
    ACCOUNT_WITH_GRANTS, ACCOUNT_WITH_HOLDS, BATCHES, BESIDE_BATCHES, BESIDE_PAIRS, DEBITS, EMPTY_ACCOUNT, GRANTS,
    HALF_LOAD, HOLDS, HOT_DEBITS, LIVE, LOOP_EACH, MANY_GRANTS, MANY_HOLDS, ONE_GRANT, PAIRS, PAYING_ALONE,
    PAYING_BESIDE, PGBENCH_MANY, PGBENCH_ONE, PLAIN_ACCOUNT, REFUSALS,
};
use crate::spending::requests::{BATCH, Payers};
use crate::spending::spender::{Spender, Work};

/// The connections of the usual row.
pub const USUAL: usize = 32;
/// The connections of the hot account, and of half of the maximum load.
pub const MANY: usize = 64;
/// The clients that send batches.
pub const BATCHING: usize = 4;
/// The credits of accounts that all work is for. No run takes a tenth of them.
const ENOUGH: u64 = 100_000_000;

/// The services that spend, one for each database.
pub struct Spending(Vec<Spender>);

impl Spending {
    /// Starts services on new databases, with credits on their accounts.
    ///
    /// # Errors
    /// If a response or the books are wrong, or a step fails.
    pub async fn start(
        program: &Program,
        databases: &[&'static str],
        postgres: &Postgres,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let mut spenders = Vec::new();
        for database in databases {
            say(&format!("{database}: selling credits to spend"));
            let url = new_database::create(database, "spending", postgres, folder).await?;
            let mut spender = Spender::start(program, database, url).await?;
            spender.sell().await?;
            spender.give(HOT_ACCOUNT, 1, ENOUGH).await?;
            spender.target.books.run("ANALYZE").await?;
            spenders.push(spender);
        }
        Ok(Self(spenders))
    }

    /// Measures debits with each number of connections, and the yardsticks between them.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn debits(&mut self, bench: &mut Bench, payers: &[Payers], connections: &[usize]) -> Result<(), Failure> {
        for round in 1..=bench.rounds {
            for payers in payers {
                for connections in connections {
                    let what = if *payers == Payers::Many { DEBITS } else { HOT_DEBITS };
                    say(&format!("round {round} of {}: {what}, {connections} connections", bench.rounds));
                    self.yardsticks(bench, *payers, *connections).await?;
                    for spender in &mut self.0 {
                        measure(bench, spender, what, Work::Debit, *payers, *connections).await?;
                    }
                }
            }
        }
        for spender in &self.0 {
            let peak = spender.target.service.memory()?.peak_kib;
            bench.results.add_figure("memory after debits, at most", spender.target.name, "KiB", peak);
        }
        Ok(())
    }

    async fn yardsticks(&self, bench: &mut Bench, payers: Payers, connections: usize) -> Result<(), Failure> {
        let (buyers, pgbench) =
            if payers == Payers::Many { (Buyers::Many, PGBENCH_MANY) } else { (Buyers::One, PGBENCH_ONE) };
        if matches!((buyers, connections), (Buyers::Many, 1 | USUAL) | (Buyers::One, MANY)) {
            let sample = bench.pgbench.run_debits(buyers, connections, bench.duration).await?;
            bench.results.add(pgbench, POSTGRES, connections, sample);
        }
        if buyers == Buyers::Many && matches!(connections, 1 | USUAL) {
            // This blocks the runtime, which has nothing else to do meanwhile.
            let sample = bench.bare.run_debits(bench.duration)?;
            bench.results.add(LOOP_EACH, SQLITE, 1, sample);
        }
        if (buyers, connections) != (Buyers::Many, 1) {
            return Ok(());
        }
        for spender in &self.0 {
            let address = spender.target.service.address;
            let load = Load::closed(address, vec![get("/health/live", "")], 1, bench.duration / 2);
            let outcome = load::run(Load { repeated: true, ..load }).await?;
            bench.results.add(LIVE, spender.target.name, 1, Sample::from(&outcome));
        }
        Ok(())
    }

    /// Measures debits of accounts with many grants or holds and, in turn, of one with a single grant.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn crowded_accounts(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        for spender in &mut self.0 {
            say(&format!("{}: making an account with many grants, and one with many holds", spender.target.name));
            spender.give(PLAIN_ACCOUNT, 1, ENOUGH).await?;
            // Each of them lasts for a round: a grant that is used up is another measurement.
            spender.give(ACCOUNT_WITH_GRANTS, GRANTS, ENOUGH).await?;
            spender.give(ACCOUNT_WITH_HOLDS, 1, ENOUGH).await?;
            spender.hold(ACCOUNT_WITH_HOLDS, HOLDS).await?;
            spender.target.books.run("ANALYZE").await?;
        }
        for round in 1..=bench.rounds {
            say(&format!("round {round} of {}: debits of accounts with many grants and holds", bench.rounds));
            for spender in &mut self.0 {
                for (what, account) in
                    [(ONE_GRANT, PLAIN_ACCOUNT), (MANY_GRANTS, ACCOUNT_WITH_GRANTS), (MANY_HOLDS, ACCOUNT_WITH_HOLDS)]
                {
                    measure(bench, spender, what, Work::Debit, Payers::One(account), USUAL).await?;
                }
            }
        }
        Ok(())
    }

    /// Measures debits at half the maximum rate, in an open loop.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn half_load(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        for round in 1..=bench.rounds {
            say(&format!("round {round} of {}: half of the maximum of debits", bench.rounds));
            for spender in &mut self.0 {
                let maximum = bench.results.highest_rate(DEBITS, spender.target.name);
                let rate = maximum.ok_or("the maximum is not known")? / 2;
                let duration = bench.duration.saturating_mul(2);
                let outcome = spender.run_paced(HALF_LOAD, MANY, rate, duration).await?;
                bench.results.add(HALF_LOAD, spender.target.name, MANY, Sample::from(&outcome));
            }
        }
        Ok(())
    }

    /// Measures holds that are captured at once and, in turn, debits.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn holds(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        for round in 1..=bench.rounds {
            say(&format!("round {round} of {}: holds and captures", bench.rounds));
            for spender in &mut self.0 {
                measure(bench, spender, BESIDE_PAIRS, Work::Debit, Payers::Many, USUAL).await?;
                measure(bench, spender, PAIRS, Work::Pair, Payers::Many, USUAL).await?;
            }
        }
        Ok(())
    }

    /// Measures batches and, in turn, single debits.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn batches(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        for round in 1..=bench.rounds {
            say(&format!("round {round} of {}: batches of {BATCH} debits", bench.rounds));
            for spender in &mut self.0 {
                measure(bench, spender, BESIDE_BATCHES, Work::Debit, Payers::Many, USUAL).await?;
                measure(bench, spender, BATCHES, Work::Batch, Payers::Many, BATCHING).await?;
            }
        }
        Ok(())
    }

    /// Measures the debits of 32 clients, in turn alone and while 32 others ask for credits of an empty account.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn refusals(&mut self, bench: &mut Bench) -> Result<(), Failure> {
        for spender in &mut self.0 {
            spender.give(EMPTY_ACCOUNT, 1, 1).await?;
            spender.spend(Payers::One(EMPTY_ACCOUNT), 1).await?;
        }
        for round in 1..=bench.rounds {
            say(&format!("round {round} of {}: debits beside refusals", bench.rounds));
            for spender in &mut self.0 {
                measure(bench, spender, PAYING_ALONE, Work::Debit, Payers::Many, USUAL).await?;
                let duration = bench.duration;
                let paying = spender.prepare(PAYING_BESIDE, Work::Debit, Payers::Many, USUAL, duration).await?;
                let empty = Payers::One(EMPTY_ACCOUNT);
                let refused = spender.prepare(REFUSALS, Work::Refused, empty, USUAL, duration).await?;
                let (paying, refused) = tokio::try_join!(load::run(paying), load::run(refused))?;
                for (what, work, outcome) in
                    [(PAYING_BESIDE, Work::Debit, &paying), (REFUSALS, Work::Refused, &refused)]
                {
                    spender.check_run(what, work, outcome).await?;
                    spender.saw(what, USUAL, outcome);
                    bench.results.add(what, spender.target.name, USUAL, Sample::from(outcome));
                }
            }
        }
        Ok(())
    }

    /// Runs the service's own audit on each of the books.
    ///
    /// # Errors
    /// If it finds a difference.
    pub async fn prove(&self, program: &Program) -> Result<(), Failure> {
        for spender in &self.0 {
            say(&format!("{}: auditing what was spent", spender.target.name));
            program.run(&spender.target.url, &["audit"]).await?;
        }
        Ok(())
    }
}

/// Runs one kind of work, and adds its rate to the results: in spends, or in requests if it leaves none behind.
async fn measure(
    bench: &mut Bench,
    spender: &mut Spender,
    what: &'static str,
    work: Work,
    payers: Payers,
    connections: usize,
) -> Result<(), Failure> {
    let outcome = spender.run(what, work, payers, connections, bench.duration).await?;
    let requests = Sample::from(&outcome);
    let sample = Sample { per_second: requests.per_second.saturating_mul(work.spends().max(1)), ..requests };
    bench.results.add(what, spender.target.name, connections, sample);
    Ok(())
}
