//! Ledger entries as a table: those of all accounts in the order of their ids, which is that of their times; those of
//! one account in the order of its ledger.

use crate::books::entry_times::DISORDER_MS;
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ledger::description;
use crate::exports::cell::Cell;
use crate::exports::range::TimeRange;
use crate::exports::rows::{PAGE, Rows};

statements! {
    /// The end of the range is not in it: of a range with two ends planners expect few rows, without statistics, and
    /// sort all of them for each page.
    ALL = "SELECT account_id, sequence, id, kind, credits, balance_after, source, reason, created_at \
        FROM ledger_entries WHERE id > :after ORDER BY id LIMIT :limit";
    OF_ACCOUNT = "SELECT account_id, sequence, id, kind, credits, balance_after, source, reason, created_at \
        FROM ledger_entries WHERE account_id = :account AND sequence > :after AND sequence <= :last \
        AND created_at >= :from_ms AND created_at < :to_ms ORDER BY sequence LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    account_id: String,
    sequence: i64,
    id: String,
    kind: String,
    credits: i64,
    balance_after: i64,
    source: String,
    reason: Option<String>,
    created_at: i64,
}

const NAMES: &[&str] =
    &["accountId", "sequence", "id", "createdAt", "kind", "description", "credits", "balanceAfter", "source", "reason"];

fn cells(row: EntryRow) -> Vec<Cell> {
    let description = description(&row.kind, row.reason.as_deref()).to_owned();
    vec![
        row.account_id.into(),
        row.sequence.into(),
        row.id.into(),
        Cell::time(row.created_at),
        row.kind.into(),
        description.into(),
        row.credits.into(),
        row.balance_after.into(),
        row.source.into(),
        row.reason.into(),
    ]
}

/// The entries of all accounts.
pub(crate) struct Entries {
    range: TimeRange,
    after: String,
    end: String,
}

impl Entries {
    pub(crate) fn new(range: TimeRange) -> Self {
        let (after, end) = range.entry_ids();
        Self { range, after: after.as_str().to_owned(), end: end.as_str().to_owned() }
    }
}

impl Rows for Entries {
    const NAMES: &'static [&'static str] = NAMES;

    async fn next(&mut self, db: &Db) -> Result<Vec<Vec<Cell>>, StoreError> {
        // All of a page may be of other times.
        while self.after < self.end {
            let rows: Vec<EntryRow> = db.read_all(&ALL, &args![after = self.after.as_str(), limit = PAGE]).await?;
            let Some(last) = rows.last() else { break };
            self.after.clone_from(&last.id);
            let range = self.range;
            let page: Vec<_> = rows.into_iter().filter(|row| range.contains(row.created_at)).map(cells).collect();
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }
}

/// The entries of one account.
pub(crate) struct AccountEntries {
    account: AccountId,
    range: TimeRange,
    after: i64,
    last: i64,
}

impl AccountEntries {
    pub(crate) async fn find(db: &Db, account: AccountId, range: TimeRange) -> Result<Self, StoreError> {
        // An entry of the range may lie behind later ones, but not by more than entries are out of order.
        let end_ms = range.to_ms.saturating_add(DISORDER_MS);
        let (first, last) = db.entries_between(&account, range.from_ms, end_ms).await?;
        Ok(Self { account, range, after: first.saturating_sub(1), last })
    }
}

impl Rows for AccountEntries {
    const NAMES: &'static [&'static str] = NAMES;

    async fn next(&mut self, db: &Db) -> Result<Vec<Vec<Cell>>, StoreError> {
        let values = args![
            account = self.account.as_str(),
            after = self.after,
            last = self.last,
            from_ms = self.range.from_ms,
            to_ms = self.range.to_ms,
            limit = PAGE
        ];
        let rows: Vec<EntryRow> = db.read_all(&OF_ACCOUNT, &values).await?;
        if let Some(last) = rows.last() {
            self.after = last.sequence;
        }
        Ok(rows.into_iter().map(cells).collect())
    }
}
