//! Subscriptions as callers see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::subscriptions::grant_rows::PeriodGrant;
use crate::subscriptions::invoice_rows::Invoice as StoredInvoice;
use crate::subscriptions::subscription_rows::Subscription as Stored;

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The id of the subscription at the payment provider.
    #[schema(example = "sub_1Qw2e3R4t5Y6u7I8")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// The plan; null if its price is no plan's.
    #[schema(example = "pro")]
    plan_id: Option<String>,
    /// `incomplete`, `incomplete_expired`, `trialing`, `active`, `past_due`, `unpaid`, `canceled` or `paused`. `active`
    /// does not say that the period is paid; credits come with the payment.
    #[schema(example = "active")]
    status: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    period_start: Option<String>,
    /// When the period ends and the next one is billed.
    #[schema(example = "2026-12-21T12:01:00Z")]
    period_end: Option<String>,
    /// When the trial ends or ended; null without one.
    #[schema(example = "2026-11-21T12:01:00Z")]
    trial_end: Option<String>,
    /// When it ends, if that is decided.
    #[schema(example = "2026-12-21T12:01:00Z")]
    cancel_at: Option<String>,
    /// When it ended.
    #[schema(example = "2026-12-21T12:01:00Z")]
    ended_at: Option<String>,
    /// Why it ends or ended, in Stripe's word.
    #[schema(example = "cancellation_requested")]
    cancel_reason: Option<String>,
    /// The plan of the next period, if that is another one.
    #[schema(example = "basic")]
    next_plan_id: Option<String>,
    /// Whether a change of the plan waits for its payment.
    #[schema(example = false)]
    update_pending: bool,
    /// What has to be paid; null if nothing is due.
    due: Option<Due>,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
}

/// An invoice that is not paid.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Due {
    #[schema(example = "in_1Qw2e3R4t5Y6u7I8")]
    invoice_id: String,
    /// In minor units.
    #[schema(example = 2_091)]
    amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// How often it was tried.
    #[schema(example = 1)]
    attempt: i64,
    /// When it is tried next; null if it is not.
    #[schema(example = "2026-12-24T12:01:00Z")]
    next_attempt_at: Option<String>,
    /// Whether the customer has to confirm the payment.
    #[schema(example = false)]
    action_required: bool,
    /// The page on which the customer can pay it.
    #[schema(example = "https://invoice.stripe.com/i/acct_1/test_1")]
    pay_url: Option<String>,
}

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    #[schema(example = "in_1Qw2e3R4t5Y6u7I8")]
    id: String,
    /// Its number, as the customer reads it.
    #[schema(example = "ABCD-0001")]
    number: Option<String>,
    /// `draft`, `open`, `paid`, `uncollectible` or `void`.
    #[schema(example = "paid")]
    status: String,
    /// Why it was made, in Stripe's word.
    #[schema(example = "subscription_cycle")]
    reason: String,
    #[schema(example = "usd")]
    currency: String,
    /// In minor units.
    #[schema(example = 2_091)]
    total_amount: i64,
    /// In minor units.
    #[schema(example = 2_091)]
    paid_amount: i64,
    /// The page with the invoice.
    #[schema(example = "https://invoice.stripe.com/i/acct_1/test_1")]
    url: Option<String>,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    paid_at: Option<String>,
}

/// What a period brought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// The id of the grant.
    #[schema(example = "sub_1:price_1:1795262460")]
    grant_id: String,
    /// `period` or `trial`.
    #[schema(example = "period")]
    kind: String,
    #[schema(example = "in_1Qw2e3R4t5Y6u7I8")]
    invoice_id: String,
    #[schema(example = "pro")]
    plan_id: String,
    #[schema(example = "2026-11-21T12:01:00Z")]
    #[serde(rename = "periodStart")]
    start: String,
    #[schema(example = "2026-12-21T12:01:00Z")]
    #[serde(rename = "periodEnd")]
    end: String,
    /// How many credits it gave: the plan's, less what the same time had brought before.
    #[schema(example = 10_000)]
    credits: i64,
    /// How many refunds and disputes took back.
    #[schema(example = 0)]
    taken_credits: i64,
}

/// A subscription with its history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionDetails {
    #[serde(flatten)]
    subscription: Subscription,
    /// Its invoices, newest first.
    invoices: Vec<Invoice>,
    /// What its periods brought, newest first.
    periods: Vec<Period>,
}

fn due(invoices: &[StoredInvoice]) -> Result<Option<Due>, ApiError> {
    let open = invoices.iter().find(|invoice| invoice.status == "open" && invoice.attempts > 0);
    let due = open.map(|invoice| {
        Ok::<_, ApiError>(Due {
            invoice_id: invoice.provider_invoice_id.clone(),
            amount: invoice.total.saturating_sub(invoice.amount_paid),
            currency: invoice.currency.clone(),
            attempt: invoice.attempts,
            next_attempt_at: invoice.next_attempt_at.map(rfc3339).transpose()?,
            action_required: invoice.needs_action == 1,
            pay_url: invoice.hosted_url.clone(),
        })
    });
    due.transpose()
}

impl Subscription {
    /// The view of a stored subscription, with what is due of its invoices.
    ///
    /// # Errors
    /// When a stored time is none.
    pub(crate) fn of(row: Stored, invoices: &[StoredInvoice]) -> Result<Self, ApiError> {
        Ok(Self {
            due: due(invoices)?,
            plan_id: row.plan_id,
            status: row.status,
            period_start: row.period_start.map(rfc3339).transpose()?,
            period_end: row.period_end.map(rfc3339).transpose()?,
            trial_end: row.trial_end.map(rfc3339).transpose()?,
            cancel_at: row.cancel_at.map(rfc3339).transpose()?,
            ended_at: row.ended_at.map(rfc3339).transpose()?,
            cancel_reason: row.cancel_reason,
            next_plan_id: row.next_plan_id,
            update_pending: row.is_update_pending == 1,
            created_at: rfc3339(row.created_at)?,
            id: row.provider_subscription_id,
            account_id: row.account_id,
        })
    }
}

/// The view with the whole history.
///
/// # Errors
/// When a stored time is none.
pub(crate) fn details(
    row: Stored,
    invoices: Vec<StoredInvoice>,
    periods: Vec<PeriodGrant>,
) -> Result<SubscriptionDetails, ApiError> {
    let subscription = Subscription::of(row, &invoices)?;
    let invoice = |stored: StoredInvoice| {
        Ok::<_, ApiError>(Invoice {
            id: stored.provider_invoice_id,
            number: stored.number,
            status: stored.status,
            reason: stored.reason,
            currency: stored.currency,
            total_amount: stored.total,
            paid_amount: stored.amount_paid,
            url: stored.hosted_url,
            created_at: rfc3339(stored.created_at)?,
            paid_at: stored.paid_at.map(rfc3339).transpose()?,
        })
    };
    let period = |grant: PeriodGrant| {
        Ok::<_, ApiError>(Period {
            grant_id: grant.id,
            kind: grant.kind,
            invoice_id: grant.provider_invoice_id,
            plan_id: grant.plan_id,
            start: rfc3339(grant.period_start)?,
            end: rfc3339(grant.period_end)?,
            credits: grant.credits,
            taken_credits: grant.taken_credits,
        })
    };
    Ok(SubscriptionDetails {
        subscription,
        invoices: invoices.into_iter().map(invoice).collect::<Result<_, _>>()?,
        periods: periods.into_iter().map(period).collect::<Result<_, _>>()?,
    })
}
