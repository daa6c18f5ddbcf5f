//! What an account is entitled to: everything that a backend gates on, in one answer.

use crate::app::App;
use crate::books::settle_account::balance_now;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::subscription::{SubscriptionStatus, entitles, grace_until_ms};
use crate::subscriptions::subscription_rows::Subscription;

/// What an account is entitled to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// The subscription that decides; `None` if the account has none that runs.
    pub subscription: Option<Subscription>,
    /// The name of its plan, as customers read it.
    pub plan_name: Option<String>,
    /// Whether it entitles to its plan now.
    pub is_entitled: bool,
    /// Until when it does although its renewal is not paid, in milliseconds since 1970.
    pub grace_until_ms: Option<i64>,
    /// The credits that can be spent now, whatever they came from.
    pub available_credits: i64,
}

/// What an account is entitled to now.
///
/// # Errors
/// When the database fails.
pub async fn entitlement(app: &App, account: &AccountId) -> Result<Entitlement, StoreError> {
    let (now_ms, grace_days) = (app.clock.now_ms(), app.subscriptions.grace_days);
    let mut best: Option<(bool, Subscription)> = None;
    for row in app.db.subscriptions_of(account).await? {
        let status = row.status()?;
        if !status.is_running() {
            continue;
        }
        let is_entitled = entitles(status, row.past_due_since, grace_days, now_ms);
        let is_better =
            best.as_ref().is_none_or(|(entitled, other)| (is_entitled, row.period_end) > (*entitled, other.period_end));
        if is_better {
            best = Some((is_entitled, row));
        }
    }
    let (is_entitled, subscription) = best.map_or((false, None), |(entitled, row)| (entitled, Some(row)));
    let plan = subscription.as_ref().and_then(|row| row.plan_id.clone());
    let plans = if plan.is_some() { app.db.plans(app.provider.name).await? } else { Vec::new() };
    let plan_name =
        plans.into_iter().map(|applied| applied.plan).find(|each| Some(each.id.as_str()) == plan.as_deref());
    let past_due = subscription.as_ref().filter(|row| row.status == SubscriptionStatus::PastDue.as_str());
    let grace_until_ms =
        past_due.and_then(|row| row.past_due_since).map(|since_ms| grace_until_ms(since_ms, grace_days));
    Ok(Entitlement {
        grace_until_ms,
        plan_name: plan_name.map(|plan| plan.name),
        is_entitled,
        subscription,
        available_credits: balance_now(app, account).await?.funds().available(),
    })
}
