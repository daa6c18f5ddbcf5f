//! What was sold, the last first: purchases, and paid periods of subscriptions.

use std::collections::VecDeque;

use crate::books::sums::sum;
use crate::db::{Db, StoreError, args, statements};
use crate::domain::period_credits::reversal_source;
use crate::exports::rows::PAGE;

statements! {
    /// Top-ups, the last first, with what was taken back of them before the time.
    PURCHASES = "SELECT id, credits, currency, credit_unit_credits, credit_unit_amount, created_at, paid_at, \
        (SELECT CAST(COALESCE(SUM(e.credits), 0) AS BIGINT) FROM ledger_entries e \
        WHERE e.topup_id = t.id AND e.kind = 'reversal' AND e.created_at < :to_ms) AS taken \
        FROM topups t WHERE (t.created_at, t.id) < (:before_ms, :before_id) \
        ORDER BY t.created_at DESC, t.id DESC LIMIT :limit";
    /// What periods and trials brought, the last first, with what the credits of their invoices cost.
    PERIODS = "SELECT g.id, g.kind, g.credits, g.revision, g.created_at, (SELECT i.currency FROM subscription_invoices i \
        WHERE i.provider_invoice_id = g.provider_invoice_id AND i.provider = g.provider) AS currency, \
        (SELECT i.credits_amount FROM subscription_invoices i WHERE i.provider_invoice_id = g.provider_invoice_id \
        AND i.provider = g.provider) AS credits_amount, (SELECT CAST(SUM(o.credits) AS BIGINT) \
        FROM subscription_grants o WHERE o.provider_invoice_id = g.provider_invoice_id) AS of_credits \
        FROM subscription_grants g WHERE (g.created_at, g.id) < (:before_ms, :before_id) \
        ORDER BY g.created_at DESC, g.id DESC LIMIT :limit";
    TAKEN = "SELECT credits, created_at FROM ledger_entries WHERE kind = 'subscription_reversal' AND source = :source";
}

#[derive(sqlx::FromRow)]
struct PurchaseRow {
    id: String,
    credits: i64,
    currency: String,
    credit_unit_credits: i64,
    credit_unit_amount: i64,
    created_at: i64,
    paid_at: Option<i64>,
    taken: i64,
}

#[derive(sqlx::FromRow)]
struct PeriodRow {
    id: String,
    kind: String,
    credits: i64,
    revision: i64,
    created_at: i64,
    currency: String,
    credits_amount: i64,
    of_credits: i64,
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    credits: i64,
    created_at: i64,
}

/// Credits that were sold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lot {
    sold_at_ms: i64,
    id: String,
    /// How many of them were not taken back.
    pub(crate) credits: i64,
    /// The currency of their price.
    pub(crate) currency: String,
    /// What so many of them cost, in minor units.
    amount: i64,
    of_credits: i64,
}

impl Lot {
    /// The price of some of the credits, in minor units, rounded down.
    ///
    /// # Errors
    /// When it is out of range.
    pub(crate) fn price(&self, credits: i64) -> Result<i64, StoreError> {
        let product = i128::from(credits).checked_mul(i128::from(self.amount));
        let price = product.and_then(|product| product.checked_div(i128::from(self.of_credits)));
        price
            .and_then(|price| i64::try_from(price).ok())
            .ok_or_else(|| StoreError::corrupt("a price out of range of", &self.id))
    }
}

/// Lots of one kind that are read page by page.
struct Stream {
    lots: VecDeque<Lot>,
    before: (i64, String),
    is_done: bool,
}

impl Stream {
    const fn before(time_ms: i64) -> Self {
        Self { lots: VecDeque::new(), before: (time_ms, String::new()), is_done: false }
    }

    fn is_to_be_read(&self) -> bool {
        self.lots.is_empty() && !self.is_done
    }

    fn sold_at_ms(&self) -> Option<i64> {
        self.lots.front().map(|lot| lot.sold_at_ms)
    }
}

/// What was sold before a time, the last first.
pub(crate) struct Lots<'d> {
    db: &'d Db,
    time_ms: i64,
    purchases: Stream,
    periods: Stream,
}

impl<'d> Lots<'d> {
    pub(crate) const fn before(db: &'d Db, time_ms: i64) -> Self {
        Self { db, time_ms, purchases: Stream::before(time_ms), periods: Stream::before(time_ms) }
    }

    /// The next lot; `None` after the first that was ever sold.
    ///
    /// # Errors
    /// When the database fails, or a sum is out of range.
    pub(crate) async fn next(&mut self) -> Result<Option<Lot>, StoreError> {
        while self.purchases.is_to_be_read() {
            self.read_purchases().await?;
        }
        while self.periods.is_to_be_read() {
            self.read_periods().await?;
        }
        let is_period = self.periods.sold_at_ms() > self.purchases.sold_at_ms();
        let stream = if is_period { &mut self.periods } else { &mut self.purchases };
        Ok(stream.lots.pop_front())
    }

    async fn read_purchases(&mut self) -> Result<(), StoreError> {
        let (before_ms, before_id) = (self.purchases.before.0, self.purchases.before.1.as_str());
        let values = args![before_ms, before_id, to_ms = self.time_ms, limit = PAGE];
        let page: Vec<PurchaseRow> = self.db.read_all(&PURCHASES, &values).await?;
        match page.last() {
            Some(last) => self.purchases.before = (last.created_at, last.id.clone()),
            None => self.purchases.is_done = true,
        }
        for row in page {
            if row.paid_at.is_some_and(|paid_ms| paid_ms < self.time_ms) {
                self.purchases.lots.push_back(Lot {
                    sold_at_ms: row.created_at,
                    credits: sum(row.credits, row.taken)?,
                    currency: row.currency,
                    amount: row.credit_unit_amount,
                    of_credits: row.credit_unit_credits,
                    id: row.id,
                });
            }
        }
        Ok(())
    }

    async fn read_periods(&mut self) -> Result<(), StoreError> {
        let (before_ms, before_id) = (self.periods.before.0, self.periods.before.1.as_str());
        let values = args![before_ms, before_id, limit = PAGE];
        let page: Vec<PeriodRow> = self.db.read_all(&PERIODS, &values).await?;
        match page.last() {
            Some(last) => self.periods.before = (last.created_at, last.id.clone()),
            None => self.periods.is_done = true,
        }
        for row in page {
            if row.kind != "period" || row.credits == 0 {
                continue;
            }
            let mut credits = row.credits;
            for number in 1..=row.revision {
                let source = reversal_source(&row.id, number);
                let taken: Option<TakenRow> = self.db.read_optional(&TAKEN, &args![source = source.as_str()]).await?;
                if let Some(taken) = taken.filter(|taken| taken.created_at < self.time_ms) {
                    credits = sum(credits, taken.credits)?;
                }
            }
            self.periods.lots.push_back(Lot {
                sold_at_ms: row.created_at,
                credits,
                currency: row.currency,
                amount: row.credits_amount,
                of_credits: row.of_credits,
                id: row.id,
            });
        }
        Ok(())
    }
}
