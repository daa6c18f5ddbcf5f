//! A database with a service in front of it, and the expected state of its books.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::as_sent::AsSent;
use crate::books::{Books, Sums};
use crate::clock::wall_clock_ms;
use crate::event::{Mix, deliveries};
use crate::failure::Failure;
use crate::load::{self, Load, Outcome, Pace, Request};
use crate::names::{AS_SENT, POSTGRES};
use crate::purchase::{ACCOUNTS, Buyers, CREDITS, HOT_ACCOUNT};
use crate::recording::Recording;
use crate::service::{Program, Service};

/// The maximum number of requests prepared in memory for one run; the run ends early after them.
pub const MAX_REQUESTS: u64 = 60_000;
/// The assumed rate before the first measurement: higher than can be expected.
pub const FIRST_GUESS_PER_SECOND: u64 = 16_000;

/// A database, its service, and the benchmark's view of both.
pub struct Target {
    pub name: &'static str,
    pub url: String,
    /// The URL that the service connects to: the same database, possibly through a pooler.
    pub service_url: String,
    pub service: Service,
    pub books: Books,
    pub api_key: String,
    /// The number of the next unused top-up.
    next: u64,
    /// The number of paid top-ups.
    paid: u64,
    /// How many of them are fully refunded.
    refunded: u64,
    /// Set if counting all rows would take longer than a run and evict the run's data from memory.
    is_large: bool,
    /// The rates measured so far, to prepare enough requests but not many more.
    seen: BTreeMap<(&'static str, usize), u64>,
}

impl Target {
    /// Creates the database with the service's own commands, and starts the service.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn start(program: &Program, name: &'static str, url: String) -> Result<Self, Failure> {
        program.run(&url, &["migrate"]).await?;
        let arguments = ["keys", "create", "--name", "bench", "--scope", "checkout,read"];
        let api_key = program.run(&url, &arguments).await?;
        let service = program.serve(&url).await?;
        let books = Books::connect(&url).await?;
        let service_url = url.clone();
        Ok(Self {
            name,
            url,
            service_url,
            service,
            books,
            api_key,
            next: 0,
            paid: 0,
            refunded: 0,
            is_large: false,
            seen: BTreeMap::new(),
        })
    }

    /// Records that `paid` top-ups were inserted by other means; the next ones follow them.
    pub fn start_after(&mut self, paid: u64) {
        (self.is_large, self.paid, self.next) = (true, paid, paid);
    }

    /// Sends one delivery for each account, so that all accounts exist and caches are warm.
    ///
    /// # Errors
    /// If a delivery fails.
    pub async fn warm_up(&mut self) -> Result<(), Failure> {
        self.create_accounts().await?;
        self.books.run("ANALYZE").await
    }

    /// Sends one delivery for each account.
    ///
    /// # Errors
    /// If a delivery fails.
    pub async fn create_accounts(&mut self) -> Result<(), Failure> {
        let load = self.prepare(Mix::ManyAccounts, 32, Duration::from_mins(1), ACCOUNTS).await?;
        let outcome = load::run(load).await?;
        self.check(Mix::ManyAccounts, &outcome).await
    }

    /// Delivers enough that most pages of a large index have changed since the last checkpoint, as in production.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn warm_up_large(&mut self) -> Result<(), Failure> {
        for _ in 0..3 {
            let load = self.prepare(Mix::ManyAccounts, 32, Duration::from_mins(2), MAX_REQUESTS).await?;
            let outcome = load::run(load).await?;
            self.check(Mix::ManyAccounts, &outcome).await?;
        }
        Ok(())
    }

    /// Delivers as fast as the connections allow, and checks the books.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn deliver(&mut self, mix: Mix, connections: usize, duration: Duration) -> Result<Outcome, Failure> {
        let load = self.prepare_for(mix, connections, duration).await?;
        let outcome = load::run(load).await?;
        self.seen.insert((mix.name(), connections), outcome.per_second());
        self.check(mix, &outcome).await?;
        Ok(outcome)
    }

    /// Delivers the mix that Stripe sends as fast as the connections allow, and checks the books. The rate counts all
    /// events, whatever their effect.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn deliver_as_sent(
        &mut self,
        recording: &Recording,
        connections: usize,
        duration: Duration,
    ) -> Result<Outcome, Failure> {
        let seen = self.seen.get(&(AS_SENT, connections));
        let rate = seen.map_or(FIRST_GUESS_PER_SECOND, |rate| rate.saturating_mul(3) / 2);
        // Nine of ten top-ups have three events.
        let count = (requests_for(rate, duration).clamp(3_000, MAX_REQUESTS) / 14).saturating_mul(5);
        let (first, now_ms) = (self.reserve(count), wall_clock_ms());
        self.books.seed_open_topups(first, count, Buyers::Many, now_ms).await?;
        self.books.checkpoint().await?;
        let (requests, effects) = AsSent::new(recording, first, count, now_ms / 1_000).split();
        let outcome = load::run(Load::closed(self.service.address, requests, connections, duration)).await?;
        self.seen.insert((AS_SENT, connections), outcome.per_second());
        let (paid, refunded) = AsSent::effects(effects.get(..outcome.sent).unwrap_or(&effects));
        self.refunded = self.refunded.saturating_add(refunded);
        self.check_paid(paid).await?;
        Ok(outcome)
    }

    /// Reserves the numbers of `count` top-ups. Returns the first.
    pub fn reserve(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next = self.next.saturating_add(count);
        first
    }

    /// Checks the books after `paid` further top-ups were paid.
    ///
    /// # Errors
    /// If they are wrong.
    pub async fn check_paid(&mut self, paid: u64) -> Result<(), Failure> {
        self.paid = self.paid.saturating_add(paid);
        self.check_sums("the last run").await
    }

    /// Delivers while another connection locks one account's row. Deliveries for that account are sent as well and are
    /// refused in the end; the others are measured.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn deliver_beside_held(&mut self, connections: usize, duration: Duration) -> Result<Outcome, Failure> {
        const STUCK: u64 = 8;
        let load = self.prepare_for(Mix::ManyAccounts, connections, duration).await?;
        let (first, now_ms) = (self.reserve(STUCK.saturating_add(1)), wall_clock_ms());
        self.books.seed_open_topups(first, STUCK.saturating_add(1), Buyers::One, now_ms).await?;
        let mut requests = deliveries(Mix::OneAccount, first, STUCK.saturating_add(1), now_ms / 1_000);
        let rest = requests.split_off(1);
        let address = self.service.address;
        let beside = |requests, connections| Load::closed(address, requests, connections, Duration::from_mins(1));
        // Creates the account.
        load::run(beside(requests, 1)).await?;
        let stuck = rest.into_iter().map(|request| Request { expected: 503, ..request }).collect();
        let stuck = beside(stuck, usize::try_from(STUCK)?);
        self.paid = self.paid.saturating_add(1);
        let mut holder = Books::connect(&self.url).await?;
        holder.run(&format!("BEGIN; SELECT id FROM accounts WHERE id = '{HOT_ACCOUNT}' FOR UPDATE")).await?;
        let (outcome, _) = tokio::try_join!(load::run(load), load::run(stuck))?;
        holder.run("COMMIT").await?;
        self.check(Mix::ManyAccounts, &outcome).await?;
        Ok(outcome)
    }

    /// Delivers at a fixed rate, whether or not the service keeps up.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn deliver_paced(&mut self, rate: u64, duration: Duration) -> Result<Outcome, Failure> {
        let count = requests_for(rate, duration).min(MAX_REQUESTS);
        let mut load = self.prepare(Mix::ManyAccounts, 64, duration, count).await?;
        load.pace = Pace::Open(load::moments(load.requests.len(), duration, self.next));
        let outcome = load::run(load).await?;
        self.check(Mix::ManyAccounts, &outcome).await?;
        Ok(outcome)
    }

    /// Seeds and signs as many deliveries as a run may need.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn prepare_for(&mut self, mix: Mix, connections: usize, duration: Duration) -> Result<Load, Failure> {
        let seen = self.seen.get(&(mix.name(), connections));
        let rate = seen.map_or(FIRST_GUESS_PER_SECOND, |rate| rate.saturating_mul(3) / 2);
        let count = requests_for(rate, duration).clamp(500, MAX_REQUESTS);
        self.prepare(mix, connections, duration, count).await
    }

    async fn prepare(&mut self, mix: Mix, connections: usize, duration: Duration, count: u64) -> Result<Load, Failure> {
        let (first, now_ms) = (self.reserve(count), wall_clock_ms());
        self.books.seed_open_topups(first, count, mix.buyers(), now_ms).await?;
        // After a checkpoint, PostgreSQL writes each page completely to its log on the first change: in production once
        // in five minutes, here for each delivery of a run, because in a large index hardly two deliveries share a
        // page.
        if !(self.is_large && self.name == POSTGRES) {
            self.books.checkpoint().await?;
        }
        let requests = deliveries(mix, first, count, now_ms / 1_000);
        Ok(Load::closed(self.service.address, requests, connections, duration))
    }

    /// Checks that the books contain exactly what was delivered.
    ///
    /// # Errors
    /// If they do not.
    pub async fn check(&mut self, mix: Mix, outcome: &Outcome) -> Result<(), Failure> {
        let sent = u64::try_from(outcome.sent)?;
        self.paid = self.paid.saturating_add(mix.credited(sent));
        let what = mix.name();
        if self.is_large { self.check_accounts(what).await } else { self.check_sums(what).await }
    }

    /// Checks all of the books, however long it takes.
    ///
    /// # Errors
    /// If they are wrong.
    pub async fn check_all(&mut self) -> Result<(), Failure> {
        self.check_sums("all runs").await
    }

    /// Checks the accounts alone: their number of entries and the sum of their balances.
    async fn check_accounts(&mut self, after: &str) -> Result<(), Failure> {
        let (entries, balances) = self.books.account_sums().await?;
        let expected = i64::try_from(self.paid)?;
        if entries == expected && balances == expected.saturating_mul(i64::try_from(CREDITS)?) {
            return Ok(());
        }
        Err(format!("{}: {entries} entries, {balances} credits after {after}, not {expected}", self.name).into())
    }

    async fn check_sums(&mut self, after: &str) -> Result<(), Failure> {
        let (paid, refunded) = (i64::try_from(self.paid)?, i64::try_from(self.refunded)?);
        let credits = paid.saturating_sub(refunded).saturating_mul(i64::try_from(CREDITS)?);
        let entries = paid.saturating_add(refunded);
        let expected = Sums { entries, credits, balances: credits, paid_topups: paid };
        let sums = self.books.sums().await?;
        if sums == expected {
            return Ok(());
        }
        Err(format!("{}: the books are wrong after {after}: {sums:?} instead of {expected:?}", self.name).into())
    }

    /// Requests that open checkouts, each with its own idempotency key.
    pub fn checkouts(&mut self, connections: usize, duration: Duration) -> Load {
        let seen = self.seen.get(&("checkouts", connections));
        let count = requests_for(seen.map_or(4_000, |rate| rate.saturating_mul(2)), duration).max(200);
        let first = self.reserve(count);
        let requests = (0..count).map(|index| self.checkout(first.saturating_add(index))).collect();
        Load::closed(self.service.address, requests, connections, duration)
    }

    /// Records the rate of checkouts.
    pub fn saw_checkouts(&mut self, connections: usize, outcome: &Outcome) {
        self.seen.insert(("checkouts", connections), outcome.per_second());
    }

    fn checkout(&self, number: u64) -> Request {
        let body = format!(
            "{{\"credits\":{CREDITS},\"accountId\":\"account_{}\",\
             \"successUrl\":\"https://app.example.com/credits?session_id={{CHECKOUT_SESSION_ID}}\",\
             \"cancelUrl\":\"https://app.example.com/credits?cancelled=1\"}}",
            number % ACCOUNTS
        );
        let text = format!(
            "POST /credits/sessions HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {}\r\ncontent-type: application/json\r\n\
             idempotency-key: bench-{number}\r\ncontent-length: {}\r\n\r\n{body}",
            self.api_key,
            body.len()
        );
        Request { bytes: text.into_bytes().into(), expected: 200 }
    }
}

/// The number of requests that a rate and a duration make.
pub fn requests_for(rate: u64, duration: Duration) -> u64 {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    rate.saturating_mul(milliseconds) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_and_a_duration_make_a_number_of_requests() {
        assert_eq!(requests_for(8_000, Duration::from_millis(1_500)), 12_000);
    }
}
