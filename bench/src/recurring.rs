//! Recurring money: renewals of 10,000 subscriptions at one time, and debits that take accounts below the threshold of
//! their automatic top-up.

use std::path::Path;
use std::time::Duration;

use crate::clock::wall_clock_ms;
use crate::failure::Failure;
use crate::load::{self, Load};
use crate::new_database;
use crate::postgres::Postgres;
use crate::purchase::ACCOUNTS;
use crate::renewal::{AMOUNT, CREDITS, PRICE, Renewal};
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::{Program, get};
use crate::spending::spender::Spender;
use crate::target::Target;

pub const RENEWALS: &str = "renewals of 10,000 subscriptions";
/// What each renewal asks Stripe, without the service.
pub const QUESTIONS: &str = "an invoice and its subscription, read at the local Stripe endpoint";
pub const CROSSING: &str = "10,000 debits that cross the threshold of an automatic top-up";
pub const NOT_CROSSING: &str = "10,000 debits that cross no threshold";
pub const CONNECTIONS: usize = 32;
const MONTH_MS: i64 = 30 * 86_400_000;

pub struct Recurring<'a> {
    pub program: &'a Program,
    pub postgres: &'a Postgres,
    pub folder: &'a Path,
    pub renewal: &'a Renewal,
    pub rounds: u32,
}

impl Recurring<'_> {
    /// Measures both on a database of their own.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn run(&self, database: &'static str, results: &mut Results) -> Result<(), Failure> {
        let url = new_database::create(database, "renewals", self.postgres, self.folder).await?;
        let mut target = Target::start(self.program, database, url).await?;
        let now_ms = wall_clock_ms();
        seed_plan(&mut target, now_ms).await?;
        for round in 1..=self.rounds {
            say(&format!("round {round} of {}: renewals on {database}", self.rounds));
            let first = u64::from(round.saturating_sub(1)).saturating_mul(ACCOUNTS);
            seed_subscriptions(&mut target, first, now_ms).await?;
            target.books.checkpoint().await?;
            let requests = self.renewal.deliveries(first, ACCOUNTS, wall_clock_ms() / 1_000);
            let load = Load::closed(target.service.address, requests, CONNECTIONS, Duration::from_mins(5));
            let outcome = load::run(load).await?;
            results.add(RENEWALS, database, CONNECTIONS, Sample::from(&outcome));
            check(&mut target, first.saturating_add(ACCOUNTS)).await?;
            let paths = (first..first.saturating_add(ACCOUNTS)).flat_map(|number| {
                [format!("/v1/subscriptions/sub_bench{number}"), format!("/v1/invoices/in_bench{number}")]
            });
            // As many at once as the service asks.
            let requests = paths.map(|path| get(&path, "")).collect();
            let outcome = load::run(Load::closed(self.program.stripe, requests, 8, Duration::from_mins(1))).await?;
            results.add(QUESTIONS, database, 8, Sample::from(&outcome));
        }
        self.crossings(database, results).await
    }

    /// Every account of one round is debited once: without an automatic top-up, and below the threshold of one. The
    /// service charges nobody meanwhile, so what is measured is the debit.
    async fn crossings(&self, database: &'static str, results: &mut Results) -> Result<(), Failure> {
        let url = new_database::create(database, "crossings", self.postgres, self.folder).await?;
        let mut spender = Spender::start(self.program, database, url).await?;
        spender.sell().await?;
        let now_ms = wall_clock_ms();
        let books = &mut spender.target.books;
        books
            .run(&format!(
                "INSERT INTO auto_topups (account_id, state, threshold, credits, currency, max_per_day, max_per_month, \
                 provider, return_url, consent_version, consent_by, consented_at, declines, changes, created_at, \
                 updated_at) SELECT id, 'active', 1000000, 1000, 'usd', 3, 100000, 'stripe', '', '1', 'customer', \
                 {now_ms}, 0, 1, {now_ms}, {now_ms} FROM accounts"
            ))
            .await?;
        for round in 1..=self.rounds {
            for (name, refill_at) in [(NOT_CROSSING, i64::MIN.saturating_add(1)), (CROSSING, 1_000_000)] {
                say(&format!("round {round} of {}: {name} on {database}", self.rounds));
                let books = &mut spender.target.books;
                books.run("DELETE FROM auto_topup_queue").await?;
                books.run(&format!("UPDATE accounts SET refill_at = {refill_at}")).await?;
                books.run("ANALYZE").await?;
                books.checkpoint().await?;
                let outcome = spender.debit_each_once(CONNECTIONS).await?;
                results.add(name, database, CONNECTIONS, Sample::from(&outcome));
                let queued = spender.target.books.text("SELECT CAST(COUNT(*) AS TEXT) FROM auto_topup_queue").await?;
                let expected = if name == CROSSING { ACCOUNTS } else { 0 };
                if queued != expected.to_string() {
                    return Err(format!("{queued} accounts crossed instead of {expected}").into());
                }
            }
        }
        Ok(())
    }
}

async fn seed_plan(target: &mut Target, now_ms: i64) -> Result<(), Failure> {
    target
        .books
        .run(&format!(
            "INSERT INTO plans (id, name, interval_unit, interval_count, credits_per_period, rollover, trial_days, \
             trial_credits, is_active, provider, provider_product_id, created_at, updated_at) VALUES ('benchmark', \
             'Benchmark', 'month', 1, {CREDITS}, 'expire', 0, 0, 1, 'stripe', 'prod_of_the_benchmark', {now_ms}, \
             {now_ms}); \
             INSERT INTO plan_prices (provider_price_id, provider, plan_id, currency, amount, fee_amount, is_current, \
             created_at) VALUES ('{PRICE}', 'stripe', 'benchmark', 'usd', {AMOUNT}, 0, 1, {now_ms})"
        ))
        .await
}

/// Subscriptions that have run for a month, one of each account.
async fn seed_subscriptions(target: &mut Target, first: u64, now_ms: i64) -> Result<(), Failure> {
    let (numbers, began) = (target.books.numbers(first, ACCOUNTS), now_ms.saturating_sub(MONTH_MS));
    let sql = format!(
        "INSERT INTO customers (account_id, provider, livemode, provider_customer_id, generation, created_at, \
         updated_at) SELECT 'subscriber_' || n, 'stripe', 0, 'cus_bench' || n, 1, {began}, {began} FROM {numbers}; \
         INSERT INTO subscriptions (provider_subscription_id, provider, account_id, provider_customer_id, plan_id, \
         provider_price_id, status, is_update_pending, is_extra, has_started, revision, created_at, updated_at) \
         SELECT 'sub_bench' || n, 'stripe', 'subscriber_' || n, 'cus_bench' || n, 'benchmark', '{PRICE}', 'active', 0, 0, \
         1, 1, {began}, {began} FROM {numbers}"
    );
    target.books.run(&sql).await
}

async fn check(target: &mut Target, renewed: u64) -> Result<(), Failure> {
    let credits = target.books.text("SELECT CAST(COALESCE(SUM(balance), 0) AS TEXT) FROM accounts").await?;
    let expected = renewed.saturating_mul(CREDITS).to_string();
    if credits == expected { Ok(()) } else { Err(format!("{credits} credits came instead of {expected}").into()) }
}
