//! Subscriptions and their invoices, as a provider reports them, and what follows from their states.
//!
//! A subscription's state is always fetched, never derived from the order of events. No state says that a period was
//! paid: only a paid invoice does.

use crate::domain::ids::{CustomerId, InvoiceId, PaymentId, PriceId, SubscriptionId};
use crate::domain::plan::Interval;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The status of a subscription. The names are Stripe's ("How subscriptions work"), and are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// Its first payment is not there yet.
    Incomplete,
    /// Its first payment did not come in time. Final.
    IncompleteExpired,
    /// In its trial.
    Trialing,
    /// It runs. A renewal may not be paid yet.
    Active,
    /// Its latest invoice is not paid, and is tried again.
    PastDue,
    /// Its latest invoice is not paid, and is not tried again.
    Unpaid,
    /// It has ended. Final.
    Canceled,
    /// It is suspended.
    Paused,
}

impl SubscriptionStatus {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Incomplete,
        Self::IncompleteExpired,
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Unpaid,
        Self::Canceled,
        Self::Paused,
    ];

    /// The name used in the database, in the API and at Stripe.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Canceled => "canceled",
            Self::Paused => "paused",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether it counts as one that runs: another one cannot be begun beside it.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Trialing | Self::Active | Self::PastDue | Self::Unpaid | Self::Paused)
    }

    /// Whether it has begun: it is or was in force.
    #[must_use]
    pub const fn has_begun(self) -> bool {
        matches!(self, Self::Trialing | Self::Active)
    }
}

/// An item of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionItem {
    /// The provider's id, which a change has to name.
    pub id: String,
    /// Its price.
    pub price: PriceId,
    /// What its price is for, in the provider's word.
    pub product: Option<String>,
    /// When its period began, in seconds since 1970.
    pub period_start_seconds: Option<i64>,
    /// When its period ends.
    pub period_end_seconds: Option<i64>,
}

/// What the provider says of a subscription now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionReport {
    /// The subscription.
    pub id: SubscriptionId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Whether real money moves.
    pub livemode: bool,
    /// Its status.
    pub status: SubscriptionStatus,
    /// The account that its metadata names.
    pub account: Option<String>,
    /// Its items.
    pub items: Vec<SubscriptionItem>,
    /// When its trial began, in seconds since 1970.
    pub trial_start_seconds: Option<i64>,
    /// When its trial ends or ended.
    pub trial_end_seconds: Option<i64>,
    /// When it ends, if that is decided; in the portal's way or in the API's.
    pub cancel_at_seconds: Option<i64>,
    /// Whether the provider keeps that as a flag and not as a time.
    pub cancels_at_period_end: bool,
    /// When its end was decided.
    pub canceled_at_seconds: Option<i64>,
    /// When it ended.
    pub ended_at_seconds: Option<i64>,
    /// Why it ends or ended, in the provider's word.
    pub cancel_reason: Option<String>,
    /// Its latest invoice.
    pub latest_invoice: Option<InvoiceId>,
    /// The schedule that changes it later.
    pub schedule: Option<String>,
    /// Whether a change waits for its payment.
    pub is_update_pending: bool,
    /// When it was created, in seconds since 1970.
    pub created_seconds: i64,
}

/// The status of an invoice. The names are Stripe's, and are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceStatus {
    /// It can still change.
    Draft,
    /// It is to be paid.
    Open,
    /// It is paid, by whatever means.
    Paid,
    /// It was given up. It can still be paid.
    Uncollectible,
    /// It was cancelled.
    Void,
}

impl InvoiceStatus {
    /// The name used in the database and at Stripe.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Uncollectible => "uncollectible",
            Self::Void => "void",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Open, Self::Paid, Self::Uncollectible, Self::Void]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// Its price; `None` for something without one.
    pub price: Option<PriceId>,
    /// What it costs, in minor units; negative for a credit note of unused time.
    pub amount_minor: i64,
    /// How many of it.
    pub quantity: i64,
    /// Whether it is about a part of a period, because of a change.
    pub is_proration: bool,
    /// When the time that it is about begins, in seconds since 1970.
    pub period_start_seconds: i64,
    /// When that time ends.
    pub period_end_seconds: i64,
}

/// What the provider says of an invoice now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceReport {
    /// The invoice.
    pub id: InvoiceId,
    /// The subscription that it bills; `None` for an invoice of something else.
    pub subscription: Option<SubscriptionId>,
    /// Whether real money moves.
    pub livemode: bool,
    /// Its status.
    pub status: InvoiceStatus,
    /// Why it was made, in Stripe's word (`billing_reason`).
    pub reason: String,
    /// The currency, in lower case.
    pub currency: String,
    /// What is to be paid, in minor units, with tax.
    pub total_minor: i64,
    /// The tax in it.
    pub tax_minor: i64,
    /// The part of the tax that came on top of prices which do not contain it.
    pub added_tax_minor: i64,
    /// What was paid.
    pub amount_paid_minor: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, in seconds since 1970.
    pub next_attempt_seconds: Option<i64>,
    /// The page on which the customer can pay it.
    pub hosted_url: Option<String>,
    /// Its number, as the customer reads it.
    pub number: Option<String>,
    /// When it was created, in seconds since 1970.
    pub created_seconds: i64,
    /// When it was paid.
    pub paid_at_seconds: Option<i64>,
    /// Its lines, all of them.
    pub lines: Vec<InvoiceLine>,
    /// Its payments.
    pub payments: Vec<PaymentId>,
}

/// How a change of the plan takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeTiming {
    /// At once; the difference is paid now.
    Now,
    /// With the next period.
    AtPeriodEnd,
}

impl ChangeTiming {
    /// A plan that costs more takes effect at once, so that its credits are there; one that costs less waits, because
    /// the present period is paid and its credits were given. So does one with periods of another length, which cannot be
    /// counted against each other.
    #[must_use]
    pub fn of(present: (i64, Interval), new: (i64, Interval)) -> Self {
        if new.0 > present.0 && new.1 == present.1 { Self::Now } else { Self::AtPeriodEnd }
    }

    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::AtPeriodEnd => "period_end",
        }
    }
}

/// Until when a subscription whose renewal is not paid still entitles, in milliseconds since 1970.
#[must_use]
pub const fn grace_until_ms(past_due_since_ms: i64, grace_days: i64) -> i64 {
    past_due_since_ms.saturating_add(grace_days.saturating_mul(DAY_MS))
}

/// Whether a subscription entitles its account to the plan at a time. `past_due_since_ms` is known while it is past
/// due.
#[must_use]
pub fn entitles(status: SubscriptionStatus, past_due_since_ms: Option<i64>, grace_days: i64, now_ms: i64) -> bool {
    match status {
        SubscriptionStatus::Trialing | SubscriptionStatus::Active => true,
        SubscriptionStatus::PastDue => {
            past_due_since_ms.is_some_and(|since_ms| now_ms < grace_until_ms(since_ms, grace_days))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::IntervalUnit;

    #[test]
    fn a_status_reads_back_and_an_unknown_one_is_none() {
        for status in SubscriptionStatus::ALL {
            assert_eq!(SubscriptionStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!((SubscriptionStatus::parse("ended"), InvoiceStatus::parse("deleted")), (None, None));
    }

    #[test]
    fn what_is_past_due_entitles_until_its_grace_is_over() {
        let at = |now_ms| entitles(SubscriptionStatus::PastDue, Some(0), 3, now_ms);
        assert!(at(0) && at(3 * DAY_MS - 1) && !at(3 * DAY_MS));
        assert!(!entitles(SubscriptionStatus::PastDue, Some(0), 0, 0), "without days of grace");
        assert!(!entitles(SubscriptionStatus::PastDue, None, 3, 0));
        for status in SubscriptionStatus::ALL {
            let expected = matches!(status, SubscriptionStatus::Active | SubscriptionStatus::Trialing);
            assert_eq!(entitles(status, None, 3, 0), expected, "{status:?}");
        }
    }

    #[test]
    fn only_a_dearer_plan_takes_effect_at_once() {
        let month = Interval { unit: IntervalUnit::Month, count: 1 };
        let timing = |present, new| ChangeTiming::of((present, month), (new, month));
        assert_eq!(timing(1_000, 2_000), ChangeTiming::Now);
        assert_eq!(timing(2_000, 1_000), ChangeTiming::AtPeriodEnd);
        assert_eq!(timing(1_000, 1_000), ChangeTiming::AtPeriodEnd);
        let year = Interval { unit: IntervalUnit::Year, count: 1 };
        assert_eq!(ChangeTiming::of((1_000, month), (9_000, year)), ChangeTiming::AtPeriodEnd);
        assert_eq!(ChangeTiming::of((1_000, year), (2_000, month)), ChangeTiming::AtPeriodEnd);
    }
}
