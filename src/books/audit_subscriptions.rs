//! Queries and rules of the audit for what periods of subscriptions brought.

use futures_util::future::BoxFuture;

use crate::books::audited::{Audited, first_broken};
use crate::db::{Db, StoreError, args, statements};
use crate::domain::period_credits::taken;
use crate::domain::tax::Charged;

/// What a period brought, with its entries and its invoice's refunds and disputes.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditedPeriod {
    /// Its id.
    pub id: String,
    /// Its stored credits.
    pub credits: i64,
    /// How many of them are stored as taken back.
    pub taken_credits: i64,
    /// How many entries brought them.
    pub booked: i64,
    /// What refunds and disputes count against first, in minor units.
    pub credits_amount: i64,
    /// What the invoice came to, in minor units, and the part of it that is tax on top of the prices.
    pub total: i64,
    /// See `total`.
    pub added_tax_amount: i64,
    /// How much of the invoice's money went back, in minor units.
    pub reversed: i64,
}

statements! {
    PERIODS = "SELECT g.id, g.credits, g.taken_credits, i.credits_amount, i.total, i.added_tax_amount, \
        (SELECT COUNT(*) FROM ledger_entries e WHERE e.kind = 'subscription' AND e.source = g.id) AS booked, \
        (SELECT CAST(COALESCE(SUM(r.amount - r.returned), 0) AS BIGINT) FROM subscription_reversals r \
        WHERE r.provider_invoice_id = g.provider_invoice_id AND r.provider = g.provider AND r.counts = 1) AS reversed \
        FROM (SELECT id, credits, taken_credits, provider_invoice_id, provider FROM subscription_grants \
        WHERE id >= :from ORDER BY id LIMIT :limit) g JOIN subscription_invoices i \
        ON i.provider_invoice_id = g.provider_invoice_id AND i.provider = g.provider ORDER BY g.id";
}

impl Audited for AuditedPeriod {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn read(db: &Db, from: String, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
        Box::pin(async move { db.read_all(&PERIODS, &args![from = from.as_str(), limit]).await })
    }

    fn name(&self) -> String {
        format!("period {}", self.id)
    }

    fn judge(&self) -> Option<String> {
        let charged = Charged { total_minor: self.total, added_tax_minor: self.added_tax_amount };
        let expected = taken(self.credits, self.credits_amount, charged.net_minor(self.reversed));
        first_broken([
            (
                self.booked == i64::from(self.credits > 0),
                format!("brings {} credits, and has {} entries", self.credits, self.booked),
            ),
            (
                self.taken_credits == expected,
                format!(
                    "{} credits are taken back, the refunds and disputes of {} say {expected}",
                    self.taken_credits, self.reversed
                ),
            ),
        ])
    }
}
