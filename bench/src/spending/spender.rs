//! A server that spends: a database with a service in front of it, accounts with credits, and what the books must say
//! after each run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::books::SpendingSums;
use crate::failure::Failure;
use crate::load::{self, Load, Outcome, Pace, Then, moments};
use crate::names::POSTGRES;
use crate::purchase::{ACCOUNTS, CREDITS};
use crate::service::Program;
use crate::spending::requests::{BATCH, Payers, batch, capture, debit, grant, hold, is_batch_done};
use crate::target::{FIRST_GUESS_PER_SECOND, MAX_REQUESTS, Target, requests_for};

/// The connections that prepare accounts.
const PREPARING: usize = 32;
/// The status of a refusal for want of credits.
const INSUFFICIENT: u16 = 402;

/// What one request of a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A debit of one credit.
    Debit,
    /// A hold of two credits, and the capture of one of them.
    Pair,
    /// A hundred debits of one credit in one request.
    Batch,
    /// A debit that is refused.
    Refused,
}

impl Work {
    /// The credits that it takes, and the number of spends that it leaves behind.
    pub const fn spends(self) -> u64 {
        match self {
            Self::Debit | Self::Pair => 1,
            Self::Batch => BATCH,
            Self::Refused => 0,
        }
    }
}

/// The server, and what it has done so far.
pub struct Spender {
    pub target: Target,
    api_key: String,
    admin_key: String,
    /// The number of the next unused piece of work.
    next: u64,
    /// All credits that accounts were given.
    given: u64,
    /// The spends so far; each took one credit.
    spends: u64,
    /// What open holds reserve.
    held: u64,
    /// Set if counting all rows would take longer than a run and evict the run's data from memory.
    pub is_large: bool,
    /// The rates measured so far, to prepare enough requests but not many more.
    seen: BTreeMap<(&'static str, usize), u64>,
}

impl Spender {
    /// Creates the database with the service's own commands, and starts the service.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn start(program: &Program, name: &'static str, url: String) -> Result<Self, Failure> {
        let target = Target::start(program, name, url).await?;
        let key =
            async |name, scope| program.run(&target.url, &["keys", "create", "--name", name, "--scope", scope]).await;
        let (api_key, admin_key) = (key("bench-spends", "spend").await?, key("bench-gives", "admin").await?);
        let (next, given, spends, held) = (0, 0, 0, 0);
        Ok(Self { target, api_key, admin_key, next, given, spends, held, is_large: false, seen: BTreeMap::new() })
    }

    /// The key that debits.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Sells credits to each of the 10,000 accounts, as Stripe's deliveries, and spends one of each: the first debit
    /// settles its account.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn sell(&mut self) -> Result<(), Failure> {
        self.target.create_accounts().await?;
        self.given = self.given.saturating_add(ACCOUNTS.saturating_mul(CREDITS));
        self.spend(Payers::Many, ACCOUNTS).await
    }

    /// Gives each of the 10,000 accounts one grant of so many credits.
    ///
    /// # Errors
    /// If a grant or the books are wrong.
    pub async fn give_all(&mut self, credits: u64) -> Result<(), Failure> {
        let first = self.reserve(ACCOUNTS);
        let numbers = first..first.saturating_add(ACCOUNTS);
        let requests = numbers.map(|number| grant(&self.admin_key, &Payers::Many.account(number), credits, number));
        let load = Load::closed(self.target.service.address, requests.collect(), PREPARING, Duration::from_mins(5));
        load::run(load).await?;
        self.given = self.given.saturating_add(ACCOUNTS.saturating_mul(credits));
        self.check("all accounts were given credits").await
    }

    /// Gives an account a number of grants.
    ///
    /// # Errors
    /// If a grant or the books are wrong.
    pub async fn give(&mut self, account: &str, grants: u64, credits: u64) -> Result<(), Failure> {
        let first = self.reserve(grants);
        let numbers = first..first.saturating_add(grants);
        let requests = numbers.map(|number| grant(&self.admin_key, account, credits, number)).collect();
        load::run(Load::closed(self.target.service.address, requests, 1, Duration::from_mins(1))).await?;
        self.given = self.given.saturating_add(grants.saturating_mul(credits));
        self.check("an account was given credits").await
    }

    /// Spends a number of credits, one by one.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn spend(&mut self, payers: Payers, count: u64) -> Result<(), Failure> {
        let load = self.load(Work::Debit, payers, count, PREPARING, Duration::from_mins(2));
        let outcome = load::run(load).await?;
        self.check_run("debits in advance", Work::Debit, &outcome).await
    }

    /// Debits each of the 10,000 accounts once, and checks the books.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn debit_each_once(&mut self, connections: usize) -> Result<Outcome, Failure> {
        let load = self.load(Work::Debit, Payers::Many, ACCOUNTS, connections, Duration::from_mins(2));
        let outcome = load::run(load).await?;
        self.check_run("a debit of each account", Work::Debit, &outcome).await?;
        Ok(outcome)
    }

    /// Leaves a number of holds open, of two credits each.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn hold(&mut self, account: &'static str, count: u64) -> Result<(), Failure> {
        let first = self.reserve(count);
        let numbers = first..first.saturating_add(count);
        let requests = numbers.map(|number| hold(&self.api_key, Payers::One(account), number)).collect();
        load::run(Load::closed(self.target.service.address, requests, PREPARING, Duration::from_mins(1))).await?;
        self.held = self.held.saturating_add(count.saturating_mul(2));
        self.check("holds were placed").await
    }

    /// Works as fast as the connections allow, and checks the books.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn run(
        &mut self,
        what: &'static str,
        work: Work,
        payers: Payers,
        connections: usize,
        duration: Duration,
    ) -> Result<Outcome, Failure> {
        let load = self.prepare(what, work, payers, connections, duration).await?;
        let outcome = load::run(load).await?;
        self.check_run(what, work, &outcome).await?;
        self.saw(what, connections, &outcome);
        Ok(outcome)
    }

    /// Debits at a fixed rate, whether or not the service keeps up.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn run_paced(
        &mut self,
        what: &'static str,
        connections: usize,
        rate: u64,
        duration: Duration,
    ) -> Result<Outcome, Failure> {
        let count = requests_for(rate, duration).min(MAX_REQUESTS);
        let mut load = self.load(Work::Debit, Payers::Many, count, connections, duration);
        self.target.books.checkpoint().await?;
        load.pace = Pace::Open(moments(load.requests.len(), duration, self.next));
        let outcome = load::run(load).await?;
        self.check_run(what, Work::Debit, &outcome).await?;
        Ok(outcome)
    }

    /// Prepares as many requests as a run may need.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn prepare(
        &mut self,
        what: &'static str,
        work: Work,
        payers: Payers,
        connections: usize,
        duration: Duration,
    ) -> Result<Load, Failure> {
        let seen = self.seen.get(&(what, connections));
        let guess = FIRST_GUESS_PER_SECOND / work.spends().max(1);
        let rate = seen.map_or(guess, |rate| rate.saturating_mul(3) / 2);
        let count = requests_for(rate, duration).clamp(200, MAX_REQUESTS);
        // As for deliveries: with a large database on PostgreSQL, each debit of a run would write whole pages to the
        // log after a checkpoint.
        if !(self.is_large && self.target.name == POSTGRES) {
            self.target.books.checkpoint().await?;
        }
        Ok(self.load(work, payers, count, connections, duration))
    }

    /// Remembers the rate of a run, so that the next one prepares enough requests.
    pub fn saw(&mut self, what: &'static str, connections: usize, outcome: &Outcome) {
        self.seen.insert((what, connections), outcome.per_second());
    }

    fn load(&mut self, work: Work, payers: Payers, count: u64, connections: usize, duration: Duration) -> Load {
        let step = work.spends().max(1);
        let first = self.reserve(count.saturating_mul(step));
        let numbers = (0..count).map(|index| first.saturating_add(index.saturating_mul(step)));
        let key = self.api_key.as_str();
        let requests = numbers.map(|number| match work {
            Work::Debit => debit(key, payers, number),
            Work::Pair => hold(key, payers, number),
            Work::Batch => batch(key, payers, number),
            Work::Refused => load::Request { expected: INSUFFICIENT, ..debit(key, payers, number) },
        });
        let load = Load::closed(self.target.service.address, requests.collect(), connections, duration);
        match work {
            Work::Debit | Work::Refused => load,
            Work::Pair => Load { then: Then::FollowUp(capture(key)), ..load },
            Work::Batch => Load { then: Then::Check(is_batch_done), ..load },
        }
    }

    /// Reserves the numbers of `count` pieces of work. Returns the first.
    fn reserve(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next = self.next.saturating_add(count);
        first
    }

    /// Counts spends that were inserted by other means. Work after them has other numbers.
    pub fn has_spent(&mut self, spends: u64) {
        self.spends = self.spends.saturating_add(spends);
    }

    /// Checks that the books contain exactly what the answers of a run said.
    ///
    /// # Errors
    /// If they do not.
    pub async fn check_run(&mut self, after: &str, work: Work, outcome: &Outcome) -> Result<(), Failure> {
        let sent = u64::try_from(outcome.sent)?;
        self.has_spent(sent.saturating_mul(work.spends()));
        self.check(after).await
    }

    /// Compares the books with what was done so far.
    async fn check(&mut self, after: &str) -> Result<(), Failure> {
        let (spends, held) = (i64::try_from(self.spends)?, i64::try_from(self.held)?);
        let balances = i64::try_from(self.given)?.saturating_sub(spends);
        let expected = SpendingSums { balances, held, spends, spent: spends, booked: spends };
        let sums = if self.is_large {
            // The accounts alone.
            let (_, balances) = self.target.books.account_sums().await?;
            SpendingSums { balances, ..expected }
        } else {
            self.target.books.spending_sums().await?
        };
        if sums == expected {
            return Ok(());
        }
        let name = self.target.name;
        Err(format!("{name}: the books are wrong after {after}: {sums:?} instead of {expected:?}").into())
    }
}
