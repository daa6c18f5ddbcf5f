//! Direct access to the service's database: seeds top-ups in bulk and checks the sums.
//!
//! The same SQL serves both databases where possible; the differences are in [`Books::numbers`] and [`Books::hex`].

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::failure::Failure;
use crate::purchase::{ACCOUNTS, Buyers, CREDITS, FEE, HOT_ACCOUNT, STRIDE, TOTAL};

/// The benchmark's own connection, separate from the service's pool.
pub enum Books {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// The totals of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    pub entries: i64,
    pub credits: i64,
    pub balances: i64,
    pub paid_topups: i64,
}

/// The totals of what was spent and of what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendingSums {
    /// The sum of all balances.
    pub balances: i64,
    /// The sum of what accounts hold.
    pub held: i64,
    /// The number of spends, of debits and of captures.
    pub spends: i64,
    /// The sum of their credits.
    pub spent: i64,
    /// The sum of what ledger entries took for them.
    pub booked: i64,
}

impl Books {
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let mut books = if url.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(url).await?)
        } else {
            Self::Postgres(PgConnection::connect(url).await?)
        };
        if matches!(books, Self::Sqlite(_)) {
            books.run("PRAGMA busy_timeout = 10000").await?;
        }
        Ok(books)
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connection) => connection.execute(sql).await.map(drop)?,
            Self::Postgres(connection) => connection.execute(sql).await.map(drop)?,
        }
        Ok(())
    }

    /// Reads a single text value.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn text(&mut self, sql: &str) -> Result<String, Failure> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        })
    }

    async fn number(&mut self, sql: &str) -> Result<i64, Failure> {
        let sql = AssertSqlSafe(format!("SELECT CAST(({sql}) AS BIGINT)"));
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        })
    }

    /// # Errors
    /// If the database returns an error.
    pub async fn sums(&mut self) -> Result<Sums, Failure> {
        Ok(Sums {
            entries: self.number("SELECT COUNT(*) FROM ledger_entries").await?,
            credits: self.number("SELECT COALESCE(SUM(credits), 0) FROM ledger_entries").await?,
            balances: self.number("SELECT COALESCE(SUM(balance), 0) FROM accounts").await?,
            paid_topups: self.number("SELECT COUNT(*) FROM topups WHERE state = 'paid'").await?,
        })
    }

    /// # Errors
    /// If the database returns an error.
    pub async fn spending_sums(&mut self) -> Result<SpendingSums, Failure> {
        Ok(SpendingSums {
            balances: self.number("SELECT COALESCE(SUM(balance), 0) FROM accounts").await?,
            held: self.number("SELECT COALESCE(SUM(held_credits), 0) FROM accounts").await?,
            spends: self.number("SELECT COUNT(*) FROM spends").await?,
            spent: self.number("SELECT COALESCE(SUM(credits), 0) FROM spends").await?,
            booked: self.number("SELECT COALESCE(-SUM(credits), 0) FROM ledger_entries WHERE kind = 'spend'").await?,
        })
    }

    /// The number of ledger entries of all accounts, and the sum of their balances.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn account_sums(&mut self) -> Result<(i64, i64), Failure> {
        let entries = self.number("SELECT COALESCE(SUM(entries), 0) FROM accounts").await?;
        Ok((entries, self.number("SELECT COALESCE(SUM(balance), 0) FROM accounts").await?))
    }

    /// How many of these top-ups are paid.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn paid_of(&mut self, first: u64, count: u64) -> Result<u64, Failure> {
        let (topup, from) = (self.hex(32), self.numbers(first, count));
        let sql = format!(
            "SELECT COUNT(*) FROM topups WHERE state = 'paid' AND id IN (SELECT 'topup_' || {topup} FROM {from})"
        );
        Ok(u64::try_from(self.number(&sql).await?)?)
    }

    /// A row source with the numbers n = `first` to `first + count - 1`.
    pub fn numbers(&self, first: u64, count: u64) -> String {
        let last = first.saturating_add(count).saturating_sub(1);
        match self {
            Self::Postgres(_) => format!("generate_series({first}::bigint, {last}::bigint) AS numbers (n)"),
            Self::Sqlite(_) => format!(
                "(WITH RECURSIVE counted(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM counted WHERE n < {last}) \
                 SELECT n FROM counted) AS numbers"
            ),
        }
    }

    /// An expression for n as hexadecimal digits, padded with zeros.
    pub fn hex(&self, digits: u8) -> String {
        match self {
            Self::Postgres(_) => format!("lpad(to_hex(n), {digits}, '0')"),
            Self::Sqlite(_) => format!("printf('%0{digits}x', n)"),
        }
    }

    /// Inserts open top-ups, as if customers had been sent to Stripe and had not returned yet.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn seed_open_topups(
        &mut self,
        first: u64,
        count: u64,
        buyers: Buyers,
        now_ms: i64,
    ) -> Result<(), Failure> {
        let sql = self.insert_topups(first, count, buyers, now_ms, false);
        self.run(&sql).await
    }

    /// The statement that inserts top-ups.
    pub fn insert_topups(&self, first: u64, count: u64, buyers: Buyers, now_ms: i64, paid: bool) -> String {
        let account = account_sql(buyers);
        let (topup, session) = (self.hex(32), self.hex(58));
        let (state, payment, paid_at) = if paid {
            ("paid", format!("'pi_' || {}", self.hex(24)), now_ms.to_string())
        } else {
            ("open", "NULL".to_owned(), "NULL".to_owned())
        };
        let expires_at = now_ms.saturating_add(3_600_000);
        let request = format!(
            "'{{\"topup_id\":\"topup_' || {topup} || '\",\"account_id\":\"' || {account} || '\",\"credits\":{CREDITS},\
             \"currency\":\"usd\",\"credit_unit_credits\":1,\"credit_unit_amount_minor\":1,\
             \"credit_display_decimals\":0,\
             \"fee_amount_minor\":{FEE},\"fee_label\":\"Processing fee\",\
             \"success_url\":\"https://app.example.com/credits?session_id={{CHECKOUT_SESSION_ID}}\",\
             \"cancel_url\":\"https://app.example.com/credits?cancelled=1\",\"expires_at_seconds\":{},\
             \"payment_methods\":[\"card\"]}}'",
            expires_at / 1_000,
        );
        format!(
            "INSERT INTO topups (id, account_id, state, credits, currency, credit_unit_credits, credit_unit_amount, \
             credits_amount, fee_amount, total_amount, fee_mode, fee_rate_percent, fee_fixed, fee_label, expected_fee, \
             bonus_credits, livemode, provider, provider_request, provider_attempt, provider_session_id, session_url, expires_at, \
             created_at, updated_at, provider_payment_id, paid_at) \
             SELECT 'topup_' || {topup}, {account}, '{state}', {CREDITS}, 'usd', 1, 1, {CREDITS}, {FEE}, {TOTAL}, \
             'gross_up', '2.9', 30, 'Processing fee', 61, 0, 0, 'stripe', {request}, 1, 'cs_test_' || {session}, \
             'https://checkout.stripe.com/c/pay/cs_test_' || {session} || '#fidkdWxOYHwnPyd1blpxYHZxWjA0', \
             {expires_at}, {now_ms}, {now_ms}, {payment}, {paid_at} FROM {}",
            self.numbers(first, count),
        )
    }

    /// Runs a checkpoint, so that no run pays for the log of an earlier one.
    ///
    /// # Errors
    /// If the database returns an error.
    pub async fn checkpoint(&mut self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(_) => self.run("PRAGMA wal_checkpoint(RESTART)").await,
            Self::Postgres(_) => self.run("CHECKPOINT").await,
        }
    }
}

/// The account that buys, as an expression that matches `Purchase::account`.
pub fn account_sql(buyers: Buyers) -> String {
    match buyers {
        Buyers::One => format!("'{HOT_ACCOUNT}'"),
        Buyers::Many => format!("'account_' || (n * {STRIDE} % {ACCOUNTS})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::Purchase;

    #[tokio::test]
    async fn the_database_has_the_same_names_as_the_events() {
        let mut books = Books::connect("sqlite::memory:").await.unwrap();
        for (number, buyers) in [(0, Buyers::Many), (123_456_789, Buyers::Many), (5, Buyers::One)] {
            let purchase = Purchase { number, buyers };
            for (sql, name) in [
                (format!("'topup_' || {}", books.hex(32)), purchase.topup()),
                (format!("'cs_test_' || {}", books.hex(58)), purchase.session()),
                (account_sql(buyers), purchase.account()),
            ] {
                let from = books.numbers(number, 1);
                assert_eq!(books.text(&format!("SELECT {sql} FROM {from}")).await.unwrap(), name);
            }
        }
    }
}
