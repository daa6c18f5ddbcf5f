//! An account's statement: what it had, how that changed, what it has.
//!
//! A statement is a stretch of the ledger, from the first entry of its beginning or later to before the first entry of
//! its end or later (`entry_times.rs`). So its opening and closing are balances that the ledger has, its entries add up
//! to the difference, and statements of adjoining times have each entry once.

use crate::app::App;
use crate::books::ledger::LedgerEntry;
use crate::books::settle_account::balance_now;
use crate::books::sums::sum;
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;

/// How many entries one statement adds up.
const PART_ENTRIES: i64 = 50_000;

/// What entries of one kind moved.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KindSum {
    /// The kind.
    pub kind: String,
    /// The sum of their credits; negative if they took credits.
    pub credits: i64,
    /// Their number.
    pub entries: i64,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatement {
    /// The balance before its first entry.
    pub opening_credits: i64,
    /// The balance after its last entry.
    pub closing_credits: i64,
    /// What moved in between, in the order of the kinds' names.
    pub kinds: Vec<KindSum>,
    /// The time of reading, in milliseconds since 1970.
    pub as_of_ms: i64,
}

/// A stretch of an account's ledger, by sequence numbers. There are no entries if `first` is larger than `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

statements! {
    BALANCE_AFTER = "SELECT balance_after FROM ledger_entries WHERE account_id = :account AND sequence = :sequence";
    KINDS = "SELECT kind, CAST(SUM(credits) AS BIGINT) AS credits, COUNT(*) AS entries FROM ledger_entries \
        WHERE account_id = :account AND sequence >= :first AND sequence <= :last GROUP BY kind ORDER BY kind";
    ENTRIES_FROM = "SELECT sequence, id, kind, credits, balance_after, source, reason, created_at FROM ledger_entries \
        WHERE account_id = :account AND sequence >= :first AND sequence <= :last ORDER BY sequence LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct BalanceAfter {
    balance_after: i64,
}

/// The stretch of the ledger that a statement from one time to before another has. What has ended by now gets its entry
/// first.
///
/// # Errors
/// When the database fails.
pub async fn stretch(app: &App, account: &AccountId, (from_ms, to_ms): (i64, i64)) -> Result<Stretch, StoreError> {
    balance_now(app, account).await?;
    let (first, last) = app.db.entries_between(account, from_ms, to_ms).await?;
    Ok(Stretch { first, last })
}

/// An account's statement.
///
/// # Errors
/// When the database fails, or its entries do not add up.
pub async fn read_statement(app: &App, account: &AccountId, range: (i64, i64)) -> Result<AccountStatement, StoreError> {
    let as_of_ms = app.clock.now_ms();
    // Entries never change, so a stretch that is found needs no common snapshot.
    let Stretch { first, last } = stretch(app, account, range).await?;
    let opening_credits = app.db.balance_after(account, first.saturating_sub(1)).await?;
    let closing_credits = app.db.balance_after(account, last).await?;
    let kinds = app.db.sums_by_kind(account, first, last).await?;
    let closing = kinds.iter().try_fold(opening_credits, |balance, kind| sum(balance, kind.credits))?;
    if closing != closing_credits {
        return Err(StoreError::corrupt("entries that do not add up, of", account));
    }
    Ok(AccountStatement { opening_credits, closing_credits, kinds, as_of_ms })
}

impl Db {
    /// The balance after an entry; 0 before the first one.
    async fn balance_after(&self, account: &AccountId, sequence: i64) -> Result<i64, StoreError> {
        if sequence < 1 {
            return Ok(0);
        }
        let values = args![account = account.as_str(), sequence];
        let entry: Option<BalanceAfter> = self.read_optional(&BALANCE_AFTER, &values).await?;
        entry.map(|entry| entry.balance_after).ok_or_else(|| StoreError::corrupt("missing entry of", account))
    }

    async fn sums_by_kind(&self, account: &AccountId, first: i64, last: i64) -> Result<Vec<KindSum>, StoreError> {
        let (mut sums, mut first) = (Vec::<KindSum>::new(), first);
        while first <= last {
            let end = last.min(first.saturating_add(PART_ENTRIES).saturating_sub(1));
            let values = args![account = account.as_str(), first, last = end];
            let part: Vec<KindSum> = self.read_all(&KINDS, &values).await?;
            for new in part {
                if let Some(known) = sums.iter_mut().find(|known| known.kind == new.kind) {
                    known.credits = sum(known.credits, new.credits)?;
                    known.entries = sum(known.entries, new.entries)?;
                } else {
                    sums.push(new);
                }
            }
            first = end.saturating_add(1);
        }
        sums.sort_by(|one, other| one.kind.cmp(&other.kind));
        Ok(sums)
    }

    /// The first entries of a stretch, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries_of_stretch(
        &self,
        account: &AccountId,
        stretch: Stretch,
        limit: i64,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let values = args![account = account.as_str(), first = stretch.first, last = stretch.last, limit];
        self.read_all(&ENTRIES_FROM, &values).await
    }
}
