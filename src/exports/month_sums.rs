//! What moved within a time: credits by kind, and the money of purchases, refunds and disputes. A long time is read in
//! parts of six hours, so that no read takes long.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::books::sums::sum;
use crate::db::{Argument, Db, Record, Statement, StoreError, args, statements};
use crate::exports::range::TimeRange;

/// How much time one read covers.
const PART_MS: i64 = 6 * 3_600_000;

statements! {
    /// Only these have reasons that come from a short list.
    MOVED = "SELECT kind, CASE WHEN kind IN ('reversal', 'bonus_reversal', 'subscription', 'subscription_reversal') \
        THEN reason END AS reason, \
        CAST(SUM(credits) AS BIGINT) AS credits, COUNT(*) AS entries FROM ledger_entries \
        WHERE id >= :first AND id < :end AND created_at >= :from_ms AND created_at < :to_ms GROUP BY 1, 2";
    /// The concatenation keeps planners from reading all purchases by the index of kinds.
    SOLD = "SELECT t.currency, COUNT(*) AS purchases, CAST(SUM(e.credits) AS BIGINT) AS credits, \
        CAST(SUM(t.credits_amount) AS BIGINT) AS credits_amount, CAST(SUM(t.fee_amount) AS BIGINT) AS fee_amount, \
        CAST(SUM(t.tax_amount) AS BIGINT) AS tax_amount, \
        CAST(SUM(COALESCE((SELECT MAX(a.charged_amount) FROM accepted_events a WHERE a.topup_id = t.id \
        AND a.outcome = 'credited'), t.total_amount + t.added_tax_amount)) AS BIGINT) AS charged_amount, \
        CAST(SUM(t.expected_fee) AS BIGINT) AS expected_fee FROM ledger_entries e CROSS JOIN topups t \
        WHERE e.id >= :first AND e.id < :end AND e.created_at >= :from_ms AND e.created_at < :to_ms \
        AND e.kind || '' = 'topup' AND t.id = e.source GROUP BY t.currency";
    FEES = "SELECT p.real_fee_currency AS currency, COUNT(*) AS payments, \
        CAST(COALESCE(SUM(p.real_fee), 0) AS BIGINT) AS amount \
        FROM ledger_entries e CROSS JOIN payments p \
        WHERE e.id >= :first AND e.id < :end AND e.created_at >= :from_ms AND e.created_at < :to_ms \
        AND e.kind || '' = 'topup' AND p.topup_id = e.source AND p.state || '' = 'credited' \
        GROUP BY p.real_fee_currency";
    GONE = "SELECT kind, currency, COUNT(*) AS number, CAST(SUM(amount - returned) AS BIGINT) AS amount \
        FROM reversals WHERE created_at >= :from_ms AND created_at < :to_ms AND counts = 1 GROUP BY kind, currency";
    /// The same of payments of invoices.
    GONE_OF_INVOICES = "SELECT kind, currency, COUNT(*) AS number, CAST(SUM(amount - returned) AS BIGINT) AS amount \
        FROM subscription_reversals WHERE created_at >= :from_ms AND created_at < :to_ms AND counts = 1 \
        GROUP BY kind, currency";
    BILLED = "SELECT currency, COUNT(*) AS invoices, CAST(SUM(credits_amount) AS BIGINT) AS credits_amount, \
        CAST(SUM(tax_amount) AS BIGINT) AS tax_amount, CAST(SUM(total) AS BIGINT) AS total_amount \
        FROM subscription_invoices \
        WHERE booked_at >= :from_ms AND booked_at < :to_ms AND total > 0 GROUP BY currency";
}

#[derive(sqlx::FromRow)]
struct MovedRow {
    kind: String,
    reason: Option<String>,
    credits: i64,
    entries: i64,
}

#[derive(sqlx::FromRow)]
struct SoldRow {
    currency: String,
    purchases: i64,
    credits: i64,
    credits_amount: i64,
    fee_amount: i64,
    tax_amount: i64,
    charged_amount: i64,
    expected_fee: i64,
}

#[derive(sqlx::FromRow)]
struct FeeRow {
    currency: Option<String>,
    payments: i64,
    amount: i64,
}

#[derive(sqlx::FromRow)]
struct GoneRow {
    kind: String,
    currency: String,
    number: i64,
    amount: i64,
}

/// Credits moved by entries of one kind and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The kind of the entries.
    pub kind: String,
    /// The reason of a reversal, `trial` for the credits of a trial; `None` for others.
    pub reason: Option<String>,
    /// The sum of their credits; negative if they took credits.
    pub credits: i64,
    /// Their number.
    pub entries: i64,
}

/// Purchases in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sold {
    /// The currency.
    pub currency: String,
    /// Their number.
    pub purchases: i64,
    /// The credits sold.
    pub credits: i64,
    /// The price of the credits, in minor units.
    pub credits_amount: i64,
    /// The processing fees that customers paid, in minor units.
    pub fee_amount: i64,
    /// The tax that was agreed and charged, in minor units.
    pub tax_amount: i64,
    /// What was charged, in minor units, with tax.
    pub charged_amount: i64,
    /// The provider's fees that were expected, in minor units.
    pub expected_fee: i64,
}

/// Paid invoices of subscriptions in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Billed {
    /// The currency.
    pub currency: String,
    /// Their number.
    pub invoices: i64,
    /// The price of the credits that they brought, in minor units.
    pub credits_amount: i64,
    /// The tax in them, in minor units.
    pub tax_amount: i64,
    /// What they came to, with fee lines and tax, in minor units.
    pub total_amount: i64,
}

/// The provider's fees for purchases, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RealFees {
    /// The currency of the fees; `None`: the fees of these payments are not known yet.
    pub currency: Option<String>,
    /// The number of payments.
    pub payments: i64,
    /// The sum of their fees, in minor units.
    pub amount: i64,
}

/// Money of refunds or disputes, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// `refund` or `dispute`.
    pub kind: String,
    /// The currency.
    pub currency: String,
    /// Their number.
    pub number: i64,
    /// Their money, less what came back, in minor units.
    pub amount: i64,
}

/// Everything that moved within a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Credits by kind and reason.
    pub moved: Vec<Moved>,
    /// Purchases by currency.
    pub sold: Vec<Sold>,
    /// Paid invoices of subscriptions by currency.
    pub billed: Vec<Billed>,
    /// The provider's fees by currency.
    pub fees: Vec<RealFees>,
    /// Refunds and disputes first recorded in this time, which take money as far as is known now.
    pub gone: Vec<Gone>,
}

/// The parts of a range.
fn parts(range: TimeRange) -> impl Iterator<Item = TimeRange> {
    let mut from_ms = range.from_ms;
    std::iter::from_fn(move || {
        let part = TimeRange { from_ms, to_ms: from_ms.saturating_add(PART_MS).min(range.to_ms) };
        from_ms = part.to_ms;
        (part.from_ms < part.to_ms).then_some(part)
    })
}

async fn rows<T: Record>(db: &Db, statement: &'static Statement, range: TimeRange) -> Result<Vec<T>, StoreError> {
    let (first, end) = range.entry_ids();
    let values: [Argument; 4] =
        args![first = first.as_str(), end = end.as_str(), from_ms = range.from_ms, to_ms = range.to_ms];
    db.read_all(statement, &values).await
}

/// The credits that entries of this time moved, by kind and reason.
///
/// # Errors
/// When the database fails, or a sum is out of range.
pub(crate) async fn moved(db: &Db, range: TimeRange) -> Result<Vec<Moved>, StoreError> {
    let mut sums: BTreeMap<(String, Option<String>), (i64, i64)> = BTreeMap::new();
    for part in parts(range) {
        for row in rows::<MovedRow>(db, &MOVED, part).await? {
            let total = sums.entry((row.kind, row.reason)).or_default();
            *total = (sum(total.0, row.credits)?, sum(total.1, row.entries)?);
        }
    }
    let entry = |((kind, reason), (credits, entries))| Moved { kind, reason, credits, entries };
    Ok(sums.into_iter().map(entry).collect())
}

/// Everything that moved within a time.
///
/// # Errors
/// When the database fails, or a sum is out of range.
pub(crate) async fn sums(db: &Db, range: TimeRange) -> Result<Sums, StoreError> {
    let mut sold: BTreeMap<String, Sold> = BTreeMap::new();
    let mut billed: BTreeMap<String, Billed> = BTreeMap::new();
    let mut fees: BTreeMap<Option<String>, (i64, i64)> = BTreeMap::new();
    let mut gone: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for part in parts(range) {
        for row in rows::<SoldRow>(db, &SOLD, part).await? {
            let total = sold.entry(row.currency.clone()).or_default();
            *total = Sold {
                currency: row.currency,
                purchases: sum(total.purchases, row.purchases)?,
                credits: sum(total.credits, row.credits)?,
                credits_amount: sum(total.credits_amount, row.credits_amount)?,
                fee_amount: sum(total.fee_amount, row.fee_amount)?,
                tax_amount: sum(total.tax_amount, row.tax_amount)?,
                charged_amount: sum(total.charged_amount, row.charged_amount)?,
                expected_fee: sum(total.expected_fee, row.expected_fee)?,
            };
        }
        for row in rows::<FeeRow>(db, &FEES, part).await? {
            let total = fees.entry(row.currency).or_default();
            *total = (sum(total.0, row.payments)?, sum(total.1, row.amount)?);
        }
        let values = args![from_ms = part.from_ms, to_ms = part.to_ms];
        for row in db.read_all::<Billed>(&BILLED, &values).await? {
            let total = billed.entry(row.currency.clone()).or_default();
            *total = Billed {
                currency: row.currency,
                invoices: sum(total.invoices, row.invoices)?,
                credits_amount: sum(total.credits_amount, row.credits_amount)?,
                tax_amount: sum(total.tax_amount, row.tax_amount)?,
                total_amount: sum(total.total_amount, row.total_amount)?,
            };
        }
        let mut reversed: Vec<GoneRow> = db.read_all(&GONE, &values).await?;
        reversed.extend(db.read_all::<GoneRow>(&GONE_OF_INVOICES, &values).await?);
        for row in reversed {
            let total = gone.entry((row.kind, row.currency)).or_default();
            *total = (sum(total.0, row.number)?, sum(total.1, row.amount)?);
        }
    }
    Ok(Sums {
        moved: moved(db, range).await?,
        sold: sold.into_values().collect(),
        billed: billed.into_values().collect(),
        fees: fees.into_iter().map(|(currency, (payments, amount))| RealFees { currency, payments, amount }).collect(),
        gone: gone
            .into_iter()
            .map(|((kind, currency), (number, amount))| Gone { kind, currency, number, amount })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_range_have_no_gaps_and_no_overlaps() {
        for length in [0, 1, PART_MS - 1, PART_MS, PART_MS + 1, 3 * PART_MS] {
            let range = TimeRange { from_ms: 7, to_ms: 7 + length };
            let mut place = range.from_ms;
            for part in parts(range) {
                assert!(part.from_ms == place && part.to_ms > place && part.to_ms - place <= PART_MS);
                place = part.to_ms;
            }
            assert_eq!(place, range.to_ms);
        }
    }
}
