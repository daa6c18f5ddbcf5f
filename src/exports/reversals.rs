//! Refunds and disputes as tables, in the order in which they were first recorded.

use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::exports::cell::Cell;
use crate::exports::range::TimeRange;
use crate::exports::rows::{PAGE, Place, Rows};

statements! {
    /// `CROSS JOIN` keeps SQLite from starting with another table. The kind is chosen from the rows: with it in here,
    /// SQLite's planner would read all rows of a small table, and keep to that when it has grown.
    ALL = "SELECT r.kind, r.provider_reversal_id, r.provider, r.provider_payment_id, t.account_id, t.id AS topup_id, r.amount, \
        r.returned, r.currency, r.status, r.counts, r.reason, r.evidence_due_at, r.created_at, r.updated_at \
        FROM reversals r CROSS JOIN payments p CROSS JOIN topups t \
        WHERE (r.created_at, r.provider_reversal_id) > (:time_ms, :id) \
        AND p.provider_payment_id = r.provider_payment_id AND p.provider = r.provider AND t.id = p.topup_id \
        ORDER BY r.created_at, r.provider_reversal_id LIMIT :limit";
    OF_ACCOUNT = "SELECT r.kind, r.provider_reversal_id, r.provider, r.provider_payment_id, t.account_id, t.id AS topup_id, \
        r.amount, r.returned, r.currency, r.status, r.counts, r.reason, r.evidence_due_at, r.created_at, r.updated_at \
        FROM topups t CROSS JOIN payments p CROSS JOIN reversals r WHERE t.account_id = :account \
        AND p.topup_id = t.id AND r.provider_payment_id = p.provider_payment_id AND r.provider = p.provider \
        AND (r.created_at, r.provider_reversal_id) > (:time_ms, :id) \
        ORDER BY r.created_at, r.provider_reversal_id LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct ReversalRow {
    kind: String,
    provider_reversal_id: String,
    provider: String,
    provider_payment_id: String,
    account_id: String,
    topup_id: String,
    amount: i64,
    returned: i64,
    currency: String,
    status: String,
    counts: i64,
    reason: Option<String>,
    evidence_due_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

struct Walk {
    kind: &'static str,
    range: TimeRange,
    account: Option<AccountId>,
    place: Place,
}

impl Walk {
    async fn next(&mut self, db: &Db) -> Result<Vec<ReversalRow>, StoreError> {
        // All of a page may be of the other kind.
        while self.place.time_ms < self.range.to_ms {
            let (time_ms, id) = (self.place.time_ms, self.place.id.as_str());
            let rows: Vec<ReversalRow> = match &self.account {
                None => db.read_all(&ALL, &args![time_ms, id, limit = PAGE]).await?,
                Some(account) => {
                    let values = args![account = account.as_str(), time_ms, id, limit = PAGE];
                    db.read_all(&OF_ACCOUNT, &values).await?
                }
            };
            let Some(last) = rows.last() else { break };
            self.place = Place { time_ms: last.created_at, id: last.provider_reversal_id.clone() };
            let is_wanted = |row: &ReversalRow| row.kind == self.kind && row.created_at < self.range.to_ms;
            let page: Vec<ReversalRow> = rows.into_iter().filter(is_wanted).collect();
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }
}

/// Refunds.
pub(crate) struct Refunds(Walk);

impl Refunds {
    pub(crate) const fn new(range: TimeRange, account: Option<AccountId>) -> Self {
        Self(Walk { kind: "refund", range, account, place: Place::start(range) })
    }
}

impl Rows for Refunds {
    const NAMES: &'static [&'static str] = &[
        "id",
        "provider",
        "accountId",
        "topupId",
        "paymentId",
        "amount",
        "currency",
        "status",
        "counts",
        "reason",
        "createdAt",
        "updatedAt",
    ];

    async fn next(&mut self, db: &Db) -> Result<Vec<Vec<Cell>>, StoreError> {
        let cells = |row: ReversalRow| {
            vec![
                row.provider_reversal_id.into(),
                row.provider.into(),
                row.account_id.into(),
                row.topup_id.into(),
                row.provider_payment_id.into(),
                row.amount.into(),
                row.currency.into(),
                row.status.into(),
                Cell::Flag(row.counts != 0),
                row.reason.into(),
                Cell::time(row.created_at),
                Cell::time(row.updated_at),
            ]
        };
        Ok(self.0.next(db).await?.into_iter().map(cells).collect())
    }
}

/// Disputes.
pub(crate) struct Disputes(Walk);

impl Disputes {
    pub(crate) const fn new(range: TimeRange, account: Option<AccountId>) -> Self {
        Self(Walk { kind: "dispute", range, account, place: Place::start(range) })
    }
}

impl Rows for Disputes {
    const NAMES: &'static [&'static str] = &[
        "id",
        "provider",
        "accountId",
        "topupId",
        "paymentId",
        "amount",
        "returnedAmount",
        "currency",
        "status",
        "counts",
        "reason",
        "evidenceDueAt",
        "createdAt",
        "updatedAt",
    ];

    async fn next(&mut self, db: &Db) -> Result<Vec<Vec<Cell>>, StoreError> {
        let cells = |row: ReversalRow| {
            vec![
                row.provider_reversal_id.into(),
                row.provider.into(),
                row.account_id.into(),
                row.topup_id.into(),
                row.provider_payment_id.into(),
                row.amount.into(),
                row.returned.into(),
                row.currency.into(),
                row.status.into(),
                Cell::Flag(row.counts != 0),
                row.reason.into(),
                Cell::maybe_time(row.evidence_due_at),
                Cell::time(row.created_at),
                Cell::time(row.updated_at),
            ]
        };
        Ok(self.0.next(db).await?.into_iter().map(cells).collect())
    }
}
