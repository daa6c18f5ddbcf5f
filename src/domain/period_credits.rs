//! The credits that a paid invoice of a subscription brings.
//!
//! Only a paid invoice brings credits, and each (subscription, price, beginning of the period) once. What a period
//! brings in all is the credits of the best plan that was paid for it, in whatever order its invoices become known.

use crate::domain::burn::NEVER_MS;
use crate::domain::plan::Rollover;
use crate::domain::subscription::{InvoiceLine, InvoiceReport, InvoiceStatus};

/// Stripe charges a renewal about an hour after the period has ended. Credits that end with their period stay good for
/// that long, unless the next period is paid before: then they end at once.
pub const RENEWAL_MARGIN_MS: i64 = 2 * 60 * 60 * 1_000;

/// Stripe's reason of the first invoice.
const FIRST: &str = "subscription_create";
/// Stripe's reason of an invoice for a change in the middle of a period.
pub(crate) const CHANGE: &str = "subscription_update";

/// What a line brings credits for. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    /// A paid period, or the rest of one after a change to a better plan.
    Period,
    /// A trial.
    Trial,
}

impl PeriodKind {
    /// The name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Trial => "trial",
        }
    }
}

/// The part of a plan that decides about credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanCredits {
    /// The credits of a paid period.
    pub per_period: i64,
    /// The credits of a trial.
    pub trial: i64,
    /// What happens to credits that are left.
    pub rollover: Rollover,
}

/// What a line is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineWorth {
    /// What it is about.
    pub kind: PeriodKind,
    /// The credits of the plan for it.
    pub credits: i64,
}

/// The credits that a line of a plan's price stands for; `None` if it brings none.
///
/// An invoice that costs nothing brings no credits, except those of a trial, if the plan gives any: `trial_start_seconds`
/// is the beginning of the subscription's trial. A line about a part of a period counts only on the invoice of a change,
/// and never if it gives money back. The fee line has no plan's price.
#[must_use]
pub fn line_worth(
    invoice: &InvoiceReport,
    line: &InvoiceLine,
    plan: PlanCredits,
    trial_start_seconds: Option<i64>,
) -> Option<LineWorth> {
    if invoice.status != InvoiceStatus::Paid || invoice.subscription.is_none() || line.quantity < 1 {
        return None;
    }
    let is_trial = invoice.reason == FIRST
        && line.amount_minor == 0
        && !line.is_proration
        && trial_start_seconds == Some(line.period_start_seconds);
    if is_trial {
        return (plan.trial > 0).then_some(LineWorth { kind: PeriodKind::Trial, credits: plan.trial });
    }
    if invoice.total_minor <= 0 || line.amount_minor <= 0 || (line.is_proration && invoice.reason != CHANGE) {
        return None;
    }
    let credits = plan.per_period.checked_mul(line.quantity).unwrap_or(i64::MAX);
    Some(LineWorth { kind: PeriodKind::Period, credits })
}

/// How many credits a line gives, if earlier grants for the same time were worth this much: the difference, and never
/// less than none.
#[must_use]
pub fn credits_beyond(worth: i64, earlier_worth: i64) -> i64 {
    worth.saturating_sub(earlier_worth.max(0)).max(0)
}

/// When credits of a period end, in milliseconds since 1970. A period that is paid when it is over is good for as long
/// again: whoever pays late gets what is paid for, and the payment of the next period ends it.
#[must_use]
pub fn ends_at_ms(kind: PeriodKind, rollover: Rollover, (start_ms, end_ms): (i64, i64), now_ms: i64) -> i64 {
    let usual_ms = end_ms.saturating_add(RENEWAL_MARGIN_MS);
    match (kind, rollover) {
        // What was given for nothing is not kept.
        (PeriodKind::Trial, _) => usual_ms,
        (PeriodKind::Period, Rollover::Expire) if usual_ms > now_ms => usual_ms,
        (PeriodKind::Period, Rollover::Expire) => now_ms.saturating_add(end_ms.saturating_sub(start_ms).max(0)),
        (PeriodKind::Period, Rollover::Keep | Rollover::Cap(_)) => NEVER_MS,
    }
}

/// What refunds and disputes of an invoice count against first: the lines that brought credits, and at most the total
/// before tax that comes on top, which is less after a change in the middle of a period. The fee line counts last.
#[must_use]
pub fn credits_amount_minor(net_total_minor: i64, granting_lines_minor: i64) -> i64 {
    granting_lines_minor.min(net_total_minor).max(0)
}

/// How many of a grant's credits are taken back when `reversed_minor` of its invoice's money, without tax, goes to the customer:
/// its share, rounded down, and never more than it gave.
#[must_use]
pub fn taken(credits: i64, credits_amount_minor: i64, reversed_minor: i64) -> i64 {
    let reversed = reversed_minor.clamp(0, credits_amount_minor.max(0));
    let share = i128::from(credits)
        .checked_mul(i128::from(reversed))
        .and_then(|product| product.checked_div(i128::from(credits_amount_minor)));
    share.and_then(|share| i64::try_from(share).ok()).unwrap_or(0).clamp(0, credits.max(0))
}

/// The source of the entry of a change of what is taken back of a period's grant: the grant, and the number of the change.
#[must_use]
pub fn reversal_source(grant: &str, number: i64) -> String {
    format!("{grant}:{number:04}")
}

#[cfg(test)]
#[path = "period_credits_tests.rs"]
mod tests;
