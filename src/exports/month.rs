//! A month for accounting: what customers had at its beginning, what moved, and what they had at its end.
//!
//! Invariant: the credits at the beginning and everything that moved add up to the credits at the end. Times are UTC.

use serde::Serialize;
use time::{Date, Month as MonthOfYear, OffsetDateTime};

use crate::books::sums::sum;
use crate::db::{Db, StoreError};
use crate::domain::timestamp::rfc3339;
use crate::exports::month_sums::{Billed, Gone, Moved, RealFees, Sold, sums};
use crate::exports::outstanding::{Worth, credits_at, worth_at};
use crate::exports::range::{TimeRange, settled_before_ms};

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    first_day: Date,
}

impl Month {
    /// Parses a month such as `2026-11`; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let has_digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !has_digits(year, 4) || !has_digits(month, 2) {
            return None;
        }
        let month = MonthOfYear::try_from(month.parse::<u8>().ok()?).ok()?;
        Some(Self { first_day: Date::from_calendar_date(year.parse().ok()?, month, 1).ok()? })
    }

    /// The month that a time lies in.
    #[must_use]
    pub fn of(time_ms: i64) -> Option<Self> {
        let time = OffsetDateTime::from_unix_timestamp(time_ms.div_euclid(1_000)).ok()?;
        Some(Self { first_day: time.date().replace_day(1).ok()? })
    }

    /// The month before.
    #[must_use]
    pub fn previous(self) -> Self {
        let last_day = self.first_day.previous_day().and_then(|day| day.replace_day(1).ok());
        Self { first_day: last_day.unwrap_or(self.first_day) }
    }

    /// From its beginning to that of the next month.
    #[must_use]
    pub fn range(self) -> TimeRange {
        let days = self.first_day.month().length(self.first_day.year());
        let from_ms = self.first_day.midnight().assume_utc().unix_timestamp().saturating_mul(1_000);
        TimeRange { from_ms, to_ms: from_ms.saturating_add(i64::from(days).saturating_mul(86_400_000)) }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-{:02}", self.first_day.year(), u8::from(self.first_day.month()))
    }
}

/// The report of a month. Amounts are in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MonthReport {
    /// The month, such as `2026-11`.
    pub month: String,
    /// Its beginning.
    pub from: String,
    /// The end of what is reported: that of the month, or an earlier time if it is not over.
    pub to: String,
    /// Whether the month is over and nothing of it will still be written.
    pub is_complete: bool,
    /// What all accounts had together at the beginning. Balances below zero are taken off.
    pub opening_credits: i64,
    /// The worth of these credits, by currency: what was paid for those that were sold last.
    pub opening_worth: Vec<Worth>,
    /// Credits sold, also by paid periods of subscriptions.
    pub sold_credits: i64,
    /// Credits given: bonuses, promotions and trials.
    pub granted_credits: i64,
    /// Credits spent, less those given back. 0 or more unless more was given back.
    pub spent_credits: i64,
    /// Credits whose time ended, and those of promotions that an operator ended.
    pub expired_credits: i64,
    /// Credits taken back by refunds, with their bonuses, less those returned because a refund failed.
    pub refunded_credits: i64,
    /// Credits taken back by disputes, with their bonuses, less those returned.
    pub disputed_credits: i64,
    /// Credits that operators added, less those that they removed.
    pub adjusted_credits: i64,
    /// What all accounts had together at the end: the beginning, and everything above.
    pub closing_credits: i64,
    /// The worth of these credits, by currency: the revenue that is deferred.
    pub closing_worth: Vec<Worth>,
    /// The purchases that were paid in this time, by currency.
    pub sold: Vec<Sold>,
    /// The invoices of subscriptions that became known as paid in this time, by currency.
    pub billed: Vec<Billed>,
    /// Refunds and disputes that were first recorded in this time and took money, by currency.
    pub reversed: Vec<Gone>,
    /// What the provider kept of the purchases above.
    pub real_fees: Vec<RealFees>,
    /// Every kind of ledger entry; together they are the difference of the beginning and the end.
    pub entries: Vec<Moved>,
}

/// Reports a month, or the part of it that is over.
///
/// # Errors
/// When the database fails, or a sum is out of range.
pub async fn report_month(db: &Db, month: Month, now_ms: i64) -> Result<MonthReport, StoreError> {
    let range = month.range();
    let settled_ms = settled_before_ms(now_ms);
    let part = TimeRange { from_ms: range.from_ms.min(settled_ms), to_ms: range.to_ms.min(settled_ms) };
    let sums = sums(db, part).await?;
    let closing_credits = credits_at(db, part.to_ms, now_ms).await?;
    let all = sums.moved.iter().try_fold(0_i64, |total, moved| sum(total, moved.credits))?;
    let opening_credits = closing_credits.checked_sub(all).ok_or_else(|| StoreError::corrupt("credits", "of all"))?;
    let of = |wanted: &dyn Fn(&Moved) -> bool| {
        let moved = sums.moved.iter().filter(|moved| wanted(moved));
        moved.fold(0_i64, |total, moved| total.saturating_add(moved.credits))
    };
    let kinds = |kinds: &[&str]| of(&|moved| kinds.contains(&moved.kind.as_str()));
    let reversed = |reasons: &[&str]| {
        let is_reversal = |moved: &Moved| moved.kind == "reversal" || moved.kind.ends_with("_reversal");
        of(&|moved| is_reversal(moved) && moved.reason.as_deref().is_some_and(|reason| reasons.contains(&reason)))
    };
    let is_trial = |moved: &Moved| moved.kind == "subscription" && moved.reason.as_deref() == Some("trial");
    let time = |time_ms| rfc3339(time_ms).ok_or_else(|| StoreError::corrupt("time", time_ms));
    Ok(MonthReport {
        month: month.to_string(),
        from: time(range.from_ms)?,
        to: time(part.to_ms)?,
        is_complete: part == range,
        opening_worth: worth_at(db, opening_credits, part.from_ms).await?,
        opening_credits,
        sold_credits: of(&|moved| moved.kind == "topup" || (moved.kind == "subscription" && !is_trial(moved))),
        granted_credits: kinds(&["bonus", "promotion"]).saturating_add(of(&is_trial)),
        spent_credits: kinds(&["spend", "spend_refund"]).saturating_neg(),
        expired_credits: kinds(&["expiry", "void"]).saturating_neg(),
        refunded_credits: reversed(&["refund", "refund_failed"]).saturating_neg(),
        disputed_credits: reversed(&["dispute", "dispute_won", "dispute_returned"]).saturating_neg(),
        adjusted_credits: kinds(&["adjustment"]),
        closing_worth: worth_at(db, closing_credits, part.to_ms).await?,
        closing_credits,
        sold: sums.sold,
        billed: sums.billed,
        reversed: sums.gone,
        real_fees: sums.fees,
        entries: sums.moved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_four_digits_a_dash_and_two_digits() {
        for text in ["2026-11", "2027-01", "2024-02"] {
            assert_eq!(Month::parse(text).map(|month| month.to_string()).as_deref(), Some(text));
        }
        for text in ["", "2026", "2026-1", "2026-13", "2026-00", "26-11", "2026-11-01", "+026-11", "2026/11"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn months_follow_one_another_without_gaps() {
        let mut month = Month::parse("2027-03").expect("a month");
        for _ in 0..40 {
            let before = month.previous();
            assert_eq!(before.range().to_ms, month.range().from_ms);
            assert_eq!(Month::of(before.range().from_ms), Some(before));
            assert_eq!(Month::of(before.range().to_ms - 1), Some(before));
            month = before;
        }
        assert_eq!(month.to_string(), "2023-11");
    }
}
